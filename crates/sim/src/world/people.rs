//! What people do: they write, they decide about what was refused, they call without a replica.

use std::cell::RefCell;

use syncline_model::{ActorId, ClientId, Clock, OpKey, UserId};
use syncline_protocol::{OfferedOp, PushRequest, ReceivedAnswer, Verdict};
use syncline_replica::{
    Answer, AnswerBody, Call, EngineEvent, LaterWords, Method, OpState, QuarantineId, Replica,
    ReplicaError, Retried, Unanswered,
};

use super::process::chain;
use super::transport::Purpose;
use super::{Doing, Event, NAME, Phase, Pid, World};
use crate::coverage::Happening;
use crate::oracle::{Violation, Writer, digest};
use crate::workload::{Effect, Wish, WishError, Wishes};

/// How often a caller without a replica asks again, in milliseconds.
const BARE_PATIENCE_MS: u64 = 4_000;
/// The bytes of an answer that a caller reads.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Somebody who calls the server without a replica, one push at a time, until it is answered.
#[derive(Debug, Default)]
pub(crate) struct BareCaller {
    clock: u64,
    tries: u64,
    /// The op that is pushed, and its number in the oracle.
    pushing: Option<(OpKey, Wish, usize)>,
}

impl BareCaller {
    /// Whether it waits for an answer.
    pub(crate) fn is_busy(&self) -> bool {
        self.pushing.is_some()
    }

    pub(crate) fn user(&self) -> UserId {
        UserId::new("caller").expect(NAME)
    }
}

impl World {
    pub(super) fn somebody_writes(&mut self) -> Result<(), Violation> {
        if self.phase != Phase::Trouble {
            return Ok(());
        }
        if self.writes_left == 0 {
            // The last blows fall on a world at work, and some after it.
            let delay = self.chance.between(100, 4_000);
            self.schedule.set(delay, Event::Heal);
            return Ok(());
        }
        let pids: Vec<Pid> = self.pids();
        let pid = *self.chance.pick(&pids);
        if !matches!(self.process(pid).doing, Doing::Nothing) {
            self.writes_left -= 1;
            if self.chance.percent(6) {
                self.decide_about_refused(pid)?;
            } else {
                self.write(pid)?;
            }
            self.bury_the_dead();
        }
        let gap = self.dials.write_gap_ms;
        let delay = self.chance.between(1, 2 * gap);
        self.schedule.set(delay, Event::Write);
        Ok(())
    }

    /// A user writes at whichever process of this machine is up.
    pub(super) fn write_on(&mut self, machine: usize) -> Result<(), Violation> {
        let of_machine = |pid: &Pid| pid.machine == machine;
        for pid in self.pids().into_iter().filter(of_machine) {
            if !matches!(self.process(pid).doing, Doing::Nothing) {
                self.write(pid)?;
                self.bury_the_dead();
                break;
            }
        }
        Ok(())
    }

    /// The replica of a process that is up.
    pub(super) fn replica(&mut self, pid: Pid) -> Option<&mut Replica> {
        match &mut self.process(pid).doing {
            Doing::Nothing => None,
            Doing::Writing(replica) => Some(replica),
            Doing::Syncing(engine) => Some(engine.replica()),
        }
    }

    pub(super) fn writer(&self, machine: usize) -> Writer {
        Writer {
            machine: Some(machine),
            era: self.machines[machine].era,
        }
    }

    /// Writes what a user at this process wants written next.
    pub(super) fn write(&mut self, pid: Pid) -> Result<(), Violation> {
        if self.chance.percent(self.dials.lists_percent) {
            self.change_lists(pid)
        } else {
            self.write_on_threads(pid)
        }
    }

    /// Writes what a user wants written next on threads, or in a scope that nobody folds.
    fn write_on_threads(&mut self, pid: Pid) -> Result<(), Violation> {
        self.enter(pid);
        let (at, writer) = (
            self.machines[pid.machine].clock.now(),
            self.writer(pid.machine),
        );
        let (mut chance, mut numbers) = (self.chance.split(), std::mem::take(&mut self.numbers));
        let mut wishes = Wishes {
            chance: &mut chance,
            numbers: &mut numbers,
            poison_percent: self.dials.poison_percent,
            at,
        };
        let wished = RefCell::new(Vec::new());
        let oracle = RefCell::new(std::mem::take(&mut self.oracle));
        let Some(replica) = self.replica(pid) else {
            return Ok(());
        };
        let written = replica.write_with(|view| -> Result<_, WishError> {
            let wishes = wishes.next(view)?;
            let mut begun = wished.borrow_mut();
            for wish in &wishes {
                let index = oracle.borrow_mut().begin(wish, writer);
                begun.push((index, wish.clone()));
            }
            Ok(wishes.into_iter().map(|wish| wish.op).collect())
        });
        let unknown = written.as_ref().is_ok_and(|written| {
            written
                .keys
                .iter()
                .any(|key| matches!(replica.state_of(key), Ok(OpState::Unknown)))
        });
        self.oracle = oracle.into_inner();
        self.numbers = numbers;
        let wished = wished.into_inner();
        let what: Vec<_> = wished
            .iter()
            .map(|(_, wish)| (wish.flavor, &wish.effect))
            .collect();
        let what = format!("{what:?}");
        match written {
            Ok(written) => {
                self.note(format_args!("{pid} writes {:?} {what}", written.keys));
                if unknown {
                    return Err(Violation(format!(
                        "{pid} does not know what it has written"
                    )));
                }
                for (index, wish) in &wished {
                    self.oracle.done(*index);
                    self.count_flavor(wish.flavor);
                    if matches!(wish.effect, Effect::Delete { .. }) {
                        self.count(Happening::ThreadDeleted);
                    }
                }
                self.after_write(pid);
            }
            Err(error) => {
                self.note(format_args!("{pid} can't write {what}: {}", chain(&error)));
                let may_fail = !self.is_alive(pid)
                    || self.machines[pid.machine].is_shaky
                    || self.process(pid).binary.age > 0;
                if !may_fail {
                    return Err(Violation(format!("{pid} can't write: {}", chain(&error))));
                }
            }
        }
        Ok(())
    }

    /// Tells who syncs that there is something to push.
    pub(super) fn after_write(&mut self, pid: Pid) {
        if !self.is_alive(pid) {
            return;
        }
        if matches!(self.process(pid).doing, Doing::Syncing(_)) {
            self.tell(pid, EngineEvent::LocalWrite);
            return;
        }
        self.count(Happening::SecondProcessWrote);
        for other in self
            .pids()
            .into_iter()
            .filter(|other| other.machine == pid.machine)
        {
            let Doing::Syncing(engine) = &self.process(other).doing else {
                continue;
            };
            if engine.state().has_rebuild() {
                self.count(Happening::WriteDuringRebuild);
            }
            let (life, delay) = (self.life_of(other), self.chance.between(0, 1_500));
            self.schedule
                .set(delay, Event::Tell(life, EngineEvent::LocalWrite));
        }
    }

    /// A user retries or drops something from quarantine.
    fn decide_about_refused(&mut self, pid: Pid) -> Result<(), Violation> {
        self.enter(pid);
        let Some(replica) = self.replica(pid) else {
            return Ok(());
        };
        let Ok(quarantined) = replica.quarantined() else {
            return Ok(());
        };
        if quarantined.is_empty() {
            return self.write(pid);
        }
        let op = self.chance.pick(&quarantined);
        let hash = digest(&op.payload_hash);
        let drops = self.chance.percent(40);
        let Some(replica) = self.replica(pid) else {
            return Ok(());
        };
        if drops {
            // Where the answer is a failure, it may be dropped or not.
            let dropped = replica.drop_quarantined(op.id).is_ok();
            self.oracle.dropped(&hash);
            self.note(format_args!("{pid} drops a refused op: {dropped}"));
            return Ok(());
        }
        let mut retried = retry(replica, op.id, LaterWords::Stay);
        if matches!(retried, Ok(Retried::There)) {
            self.oracle.dropped(&hash);
            self.note(format_args!(
                "{pid} retries what is there again: it is dropped"
            ));
            return Ok(());
        }
        if matches!(retried, Ok(Retried::Outdone(_))) {
            self.note(format_args!("{pid} retries what others have outdone"));
            let goes_over = self.chance.percent(50);
            let Some(replica) = self.replica(pid).filter(|_| goes_over) else {
                return Ok(());
            };
            retried = retry(replica, op.id, LaterWords::Go);
        }
        self.oracle.retried(&hash);
        if op.code == "maybe_covered" {
            // It may be in the log once already: its user wants it there again.
            self.oracle.may_be_again(&hash);
        }
        self.note(format_args!(
            "{pid} retries a refused op: {}",
            retried.is_ok()
        ));
        if matches!(retried, Ok(Retried::Anew(_))) {
            self.count(Happening::QuarantineRetried);
            self.after_write(pid);
        }
        Ok(())
    }

    /// A caller without a replica pushes an op, or the same one again.
    pub(super) fn bare_write(&mut self) {
        if self.phase == Phase::Healing && self.bare.pushing.is_none() {
            return;
        }
        if self.bare.pushing.is_none() {
            self.begin_bare(1);
        }
        self.try_bare();
        let gap = u64::from(100 / self.dials.bare_percent.max(1)) * self.dials.write_gap_ms;
        let delay = self.chance.between(1, 2 * gap).max(BARE_PATIENCE_MS / 8);
        self.schedule.set(delay, Event::BareWrite);
    }

    /// Begins an op whose clock leads the highest known by `lead`.
    pub(super) fn begin_bare(&mut self, lead: u64) {
        let highest = self.server_head().map_or(0, |head| head.clock_max);
        let at = self.server_clock.now();
        let (mut chance, mut numbers) = (self.chance.split(), std::mem::take(&mut self.numbers));
        let mut wishes = Wishes {
            chance: &mut chance,
            numbers: &mut numbers,
            poison_percent: 0,
            at,
        };
        let wish = wishes.opaque();
        self.numbers = numbers;
        self.bare.clock = (self.bare.clock + 1).max(highest.saturating_add(lead));
        let Ok(clock) = Clock::new(self.bare.clock) else {
            return;
        };
        let key = OpKey {
            actor: ActorId::new("caller").expect(NAME),
            clock,
            scope: wish.op.scope.clone(),
            resource: wish.op.resource.clone(),
        };
        let index = self.oracle.begin(
            &wish,
            Writer {
                machine: None,
                era: 0,
            },
        );
        self.bare.pushing = Some((key, wish, index));
    }

    pub(super) fn try_bare(&mut self) {
        let Some((key, wish, _)) = &self.bare.pushing else {
            return;
        };
        let request = PushRequest {
            client_id: ClientId::new("caller").expect(NAME),
            epoch: None,
            cursor: None,
            heal: None,
            ops: vec![OfferedOp {
                key: key.clone(),
                payload: Some(wish.op.payload.clone()),
                payload_hash: wish.op.payload.hash(),
            }],
        };
        let call = Call {
            method: Method::Post,
            path: "sync/push",
            query: String::new(),
            accept: "application/json",
            body: Some(request.encode()),
            save_to: None,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        self.bare.tries += 1;
        self.dispatch(Purpose::Bare(self.bare.tries), call);
    }

    pub(super) fn bare_answered(
        &mut self,
        number: u64,
        answer: Result<Answer, Unanswered>,
    ) -> Result<(), Violation> {
        let Some((key, _, index)) = &self.bare.pushing else {
            return Ok(());
        };
        let Ok(Answer {
            status: 200,
            body: AnswerBody::Bytes(body),
            ..
        }) = answer
        else {
            return Ok(());
        };
        // What answers an earlier op does not name this one's key.
        let Ok(received) = ReceivedAnswer::decode(&body, std::slice::from_ref(key)) else {
            return Ok(());
        };
        let index = *index;
        self.note(format_args!(
            "the caller's try {number} is answered: {:?}",
            received.verdicts
        ));
        match received.verdicts.first() {
            Some(Verdict::Accepted(_) | Verdict::Duplicate(_)) => self.oracle.done(index),
            // It makes no new actor: what is refused is given up.
            Some(Verdict::Rejected(_)) | None => {}
        }
        self.bare.pushing = None;
        Ok(())
    }
}

fn retry(
    replica: &mut Replica,
    id: QuarantineId,
    later: LaterWords,
) -> Result<Retried, ReplicaError> {
    let retried = replica.retry_quarantined(&[id], later)?;
    Ok(retried.into_iter().next().unwrap_or(Retried::Left))
}
