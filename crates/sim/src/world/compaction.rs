//! The life of logs: the server's and the replicas' drop what no row needs, replicas sleep, and come
//! back below the floor.

use std::collections::BTreeSet;
use std::time::Duration;

use syncline_model::{OpKey, ServerSeq};
use syncline_replica::EngineEvent;
use syncline_server::tenant::{Compacting, Keep, Liveness, Rewrite};
use syncline_store::{ClientRecord, PageLimit, Stepped};

use super::{Doing, Event, Phase, Pid, World};
use crate::coverage::Happening;
use crate::oracle::Violation;

const WHOLE: PageLimit = PageLimit {
    ops: usize::MAX >> 1,
    bytes: usize::MAX >> 1,
};
/// Milliseconds between two moments in which replicas may have nothing to do, at most.
const REST_MS: u64 = 1_500;

impl World {
    /// The server begins to compact its log, or is at it.
    pub(super) fn compact_server(&mut self) -> Result<(), Violation> {
        if self.compacting.is_some() || self.phase != Phase::Trouble {
            return Ok(());
        }
        let keep = self.keep();
        // What goes is known, also which history it was of.
        let _known = self.server_holdings();
        self.enter_server();
        let now = self.server_clock.now();
        let Some(server) = &mut self.server else {
            return Ok(());
        };
        // Whether ops go in steps or at once, and the file is written anew, is nothing that a replica sees.
        let rewrite = if now.as_millis() % 2 == 0 {
            Rewrite::Always
        } else {
            Rewrite::UpTo(0)
        };
        let begun = server.log().and_then(|log| {
            let compacting = log.begin_compaction(&keep, rewrite, now)?;
            Ok((compacting, log.file()?.clients()?))
        });
        match begun {
            Ok((compacting, clients)) => {
                let report = compacting.report();
                let (floor, standing) = (report.aim, report.floor);
                let mut live = clients
                    .iter()
                    .filter(|client| keep.liveness(client, standing, now) == Liveness::Live);
                let is_behind =
                    |client: &&ClientRecord| client.cursor.is_some_and(|at| at.server_seq < floor);
                if let Some(client) = live.find(is_behind) {
                    return Err(Violation(format!(
                        "the floor {floor} is above the cursor of a live replica: {client:?}"
                    )));
                }
                self.note(format_args!("compaction up to {floor}, {keep:?}"));
                self.highest_floor = self.highest_floor.max(floor);
                if floor > ServerSeq::ZERO {
                    self.count(Happening::ServerCompaction);
                }
                self.compacting = Some(compacting);
                self.schedule.set(1, Event::Compact(self.server_life));
            }
            Err(refused) => self.note(format_args!("no compaction: {refused}")),
        }
        Ok(())
    }

    /// The server notes how far its log has come by now: retention goes by that.
    pub(super) fn note_time(&mut self) {
        self.enter_server();
        let now = self.server_clock.now();
        let noted = self.server.as_mut().map(|server| {
            let log = server.log()?;
            log.note_time(now)
        });
        if let Some(Err(refused)) = noted {
            self.note(format_args!("the time is not noted: {refused}"));
        }
    }

    /// What a compaction keeps.
    fn keep(&mut self) -> Keep {
        Keep {
            retention: Duration::from_millis(*self.chance.pick(&[0, 0, 500, 8_000])),
            idle: Duration::from_millis(*self.chance.pick(&[1, 2_000, 20_000, 10_000_000])),
        }
    }

    /// One step of the server's compaction.
    pub(super) fn compact_step(&mut self, life: u32) {
        let Some(mut compacting) = self.compacting.take() else {
            return;
        };
        if life != self.server_life {
            return;
        }
        let count = *self.chance.pick(&[1, 7, 1_000]);
        self.enter_server();
        match self.step_server(&mut compacting, count) {
            Some(Stepped::More) => {
                self.compacting = Some(compacting);
                let delay = self.chance.between(0, 60);
                self.schedule.set(delay, Event::Compact(life));
            }
            Some(Stepped::Done) => {
                let report = compacting.report();
                self.note(format_args!("compacted: {report:?}"));
                let asleep = self.expired_clients();
                if asleep > 0 && report.totals.dropped > 0 {
                    self.count(Happening::ReplicaExpired);
                }
            }
            None => {}
        }
    }

    /// Does the step; none: it could not be done, and the compaction has ended with it.
    fn step_server(&mut self, compacting: &mut Compacting, count: usize) -> Option<Stepped> {
        let server = self.server.as_mut()?;
        let log = server.log().ok()?;
        let before = compacting.report().totals;
        let held = keys(log.file().ok()?);
        let stepped = log.compact_step(compacting, count);
        let after = compacting.report().totals;
        if after.collected > before.collected {
            let left = log.file().ok().map(|file| keys(file)).unwrap_or_default();
            for key in held.difference(&left) {
                self.archive.note_collected(&key.scope, &key.resource);
            }
        }
        for _ in before.dropped..after.dropped {
            self.coverage.count(Happening::OpDropped);
        }
        for _ in before.collected..after.collected {
            self.coverage.count(Happening::TombstoneCollected);
        }
        stepped.ok()
    }

    /// How many replicas are so far behind the server's floor that they must rebuild.
    fn expired_clients(&mut self) -> usize {
        let Some(head) = self.server_head() else {
            return 0;
        };
        let Some(Ok(file)) = self
            .server
            .as_mut()
            .map(|it| it.log().and_then(|log| log.file()))
        else {
            return 0;
        };
        let clients = file.clients().unwrap_or_default();
        let places = clients.iter().filter_map(|client| client.cursor);
        places.filter(|at| at.server_seq < head.floor).count()
    }

    /// Somebody's machine is shut for long, in the middle of whatever it does.
    pub(super) fn sleep(&mut self) {
        let machine = self.some_machine();
        let length = self.chance.between(5_000, 90_000);
        self.note(format_args!("r{machine} sleeps for {length} ms"));
        self.count(Happening::ReplicaSlept);
        for pid in self.pids().into_iter().filter(|pid| pid.machine == machine) {
            if matches!(self.process(pid).doing, Doing::Nothing) {
                continue;
            }
            self.stop(pid);
            let life = self.life_of(pid);
            self.schedule.set(length, Event::Start(life));
        }
    }

    /// Gives somebody time for what can wait.
    pub(super) fn rest(&mut self) {
        let pid = self.some_pid();
        for _ in 0..self.chance.between(1, 12) {
            self.rest_once(pid);
            self.bury_the_dead();
        }
        if self.phase == Phase::Trouble {
            let delay = self.chance.between(50, REST_MS);
            self.schedule.set(delay, Event::Rest);
        }
    }

    fn rest_once(&mut self, pid: Pid) {
        let ops = *self.chance.pick(&[1, 5, 500]);
        self.enter(pid);
        let Doing::Syncing(engine) = &mut self.process(pid).doing else {
            return;
        };
        if !engine.could_compact() {
            return;
        }
        let before = engine.dropped();
        self.tell(pid, EngineEvent::Rest { ops });
        let Doing::Syncing(engine) = &mut self.process(pid).doing else {
            return;
        };
        let dropped = engine.dropped() - before;
        if dropped > 0 {
            self.note(format_args!("{pid} drops {dropped} ops"));
            self.count(Happening::ReplicaCompaction);
            let _known = self.holdings_of(pid.machine);
        }
    }
}

/// The keys of all ops that a log holds.
fn keys(file: &syncline_store::TenantFile) -> BTreeSet<OpKey> {
    let ops = file.ops_after(ServerSeq::ZERO, WHOLE).unwrap_or_default();
    ops.into_iter().map(|op| op.key).collect()
}
