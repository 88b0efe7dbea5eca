//! Replicas that keep away from the server's log: whether they are right, and who lets them join it.

use std::collections::{BTreeMap, BTreeSet};

use syncline_model::Epoch;
use syncline_replica::EngineEvent;

use super::{Doing, Event, Pid, World};
use crate::coverage::Happening;
use crate::oracle::{Holdings, Kin, Meeting, Violation};

/// What the world knows of logs that replicas may keep away from.
#[derive(Default)]
pub(super) struct Apart {
    /// The server's log as it was when a process began to fetch all of it.
    met: BTreeMap<Pid, Holdings>,
    /// The epochs that a log was in before it was in this one, or was put in the place of.
    earlier: BTreeMap<Epoch, BTreeSet<Epoch>>,
    /// Somebody keeps away for no reason.
    wrong: Option<Violation>,
}

impl Apart {
    /// Notes that a log which was in the epochs `left`, or takes the place of one that was, is in `next`.
    pub(super) fn begins(&mut self, next: Epoch, left: impl IntoIterator<Item = Epoch>) {
        let mut earlier = BTreeSet::new();
        for epoch in left {
            earlier.insert(epoch);
            earlier.extend(self.earlier.get(&epoch).into_iter().flatten());
        }
        self.earlier.insert(next, earlier);
    }

    fn kin(&self, own: Option<Epoch>, met: Option<Epoch>) -> Kin {
        let earlier = met.and_then(|met| self.earlier.get(&met));
        let is_known = own.is_some_and(|own| earlier.is_some_and(|them| them.contains(&own)));
        if own == met || is_known {
            Kin::Known
        } else {
            Kin::Unknown
        }
    }

    /// That somebody was seen to keep away for no reason.
    pub(super) fn judged(&mut self) -> Result<(), Violation> {
        self.wrong.take().map_or(Ok(()), Err)
    }
}

impl World {
    /// A process begins to fetch the whole of the server's log.
    pub(super) fn meet_log(&mut self, pid: Pid) {
        let log = self.server_holdings();
        self.apart.met.insert(pid, log);
    }

    /// A process has fetched a log, and keeps away from it.
    pub(super) fn judge_apart(&mut self, pid: Pid) {
        let Some(met) = self.apart.met.remove(&pid) else {
            return;
        };
        let (own, now) = (self.holdings_of(pid.machine), self.server_holdings());
        let meeting = Meeting {
            kin: self.apart.kin(own.epoch, met.epoch),
            own: &own,
            met: &met,
            now: &now,
        };
        if let Some(why) = meeting.objection() {
            let text = format!("{pid} keeps away from the server's log for no reason: {why}");
            self.note(format_args!("{text}"));
            self.apart.wrong = Some(Violation(text));
        }
    }

    /// A person who knows that it is one and the same server which was lost, and begun anew by others,
    /// lets a replica that keeps away from it join them.
    pub(super) fn join(&mut self, pid: Pid) {
        self.count(Happening::KeptApart);
        let Doing::Syncing(engine) = &mut self.process(pid).doing else {
            return;
        };
        let joined = engine.replica().join_foreign_log().is_ok();
        self.note(format_args!("{pid} is told to join: {joined}"));
        if self.is_alive(pid) {
            let (life, delay) = (self.life_of(pid), self.chance.between(500, 5_000));
            self.schedule
                .set(delay, Event::Tell(life, EngineEvent::Wake));
        }
    }
}
