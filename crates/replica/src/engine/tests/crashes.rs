//! The power goes, or the process dies, at every write, sync and renaming of a scenario.

use std::path::Path;
use std::sync::Arc;

use syncline_model::{Epoch, EpochMode};
use syncline_simdisk::{Disk, Fault, Process, Verb};
use syncline_store::LogStart;
use uuid::Uuid;

use super::{LIVE, Node, WireServer};
use crate::testing::{DiskHost, REFUSED, contents, create, entry};
use crate::{EngineEvent, Replica};

/// What happens while the fault waits.
#[derive(Debug, Clone, Copy)]
enum Step {
    Write(&'static str),
    Sync,
    /// The server is put back to the copy made before.
    RollBack,
    /// As `RollBack`, in a new epoch.
    Restore(EpochMode),
    Reopen,
}

struct World {
    disk: Disk,
    process: Arc<Process>,
    server: WireServer,
    copy: Option<std::path::PathBuf>,
    /// Texts whose write was reported as done.
    reported: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let disk = Disk::new(seed);
        let process = Arc::new(disk.process("r1/"));
        Self {
            disk,
            process,
            server: WireServer::new(),
            copy: None,
            reported: Vec::new(),
        }
    }

    fn open(&self) -> Option<Node> {
        let replica = Replica::open(Path::new("r1"), DiskHost::options(&self.process)).ok()?;
        let mut node = Node::try_start(replica, LIVE).ok()?;
        node.process = Some(Arc::clone(&self.process));
        Some(node)
    }

    /// Runs the steps as far as the process lives.
    fn run(&mut self, steps: &[Step]) {
        let mut node = self.open();
        for step in steps {
            let Some(open) = &mut node else { return };
            match step {
                Step::Write(text) => {
                    let ops = [create(), entry(text)];
                    if open.engine.replica().write(&ops).is_ok() {
                        self.reported.push((*text).to_owned());
                    }
                    open.tell(EngineEvent::LocalWrite);
                }
                Step::Sync => open.settle(&mut self.server),
                Step::RollBack => {
                    let copy = self.copy.clone().expect("a copy was made before");
                    self.server.restore(&copy);
                }
                Step::Restore(mode) => {
                    let copy = self.copy.clone().expect("a copy was made before");
                    self.server.restore(&copy);
                    let old = self.server.file.head().unwrap().epoch;
                    let next = Epoch::new(Uuid::now_v7());
                    self.server
                        .file
                        .start_epoch(old, next, LogStart::Restored(*mode))
                        .unwrap();
                }
                Step::Reopen => {
                    drop(node.take());
                    node = self.open();
                }
            }
            if !self.process.is_alive() {
                return;
            }
        }
    }

    /// Starts what died again, and syncs until there is nothing left to do.
    fn recover(&mut self) -> Node {
        self.process.disarm();
        if !self.process.is_alive() {
            self.process.revive();
        }
        let mut node = self.open().expect("a replica opens after a crash");
        node.settle(&mut self.server);
        node
    }

    /// Everything that was reported is in the log exactly once, or in quarantine; nothing waits.
    fn check(&mut self, discarded: &[&str], what: &str) {
        let mut node = self.recover();
        assert_eq!(node.waiting(), 0, "{what}");
        let replica = node.engine.replica();
        let view = replica.view().unwrap().dump_view().unwrap();
        assert_eq!(view, self.server.file.dump_view().unwrap(), "{what}");
        let held = replica.quarantined().unwrap();
        let found = contents(replica);
        for text in &self.reported {
            let times = found.iter().filter(|found| *found == text).count();
            if text == REFUSED {
                assert_eq!((times, held.len()), (0, 1), "{what}: {text}");
            } else if discarded.contains(&text.as_str()) {
                assert!(times <= 1, "{what}: {text}");
            } else {
                assert_eq!(times, 1, "{what}: {text} in {found:?}");
            }
        }
        let mut once = found.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), found.len(), "{what}: {found:?}");
    }
}

const SEEDS: u64 = 2;

/// Runs `before` in peace, then `steps` with a fault at each point in turn.
fn at_every_point(
    before: &[Step],
    steps: &[Step],
    discarded: &[&str],
    fault: impl Fn(u64) -> Fault,
) {
    for seed in 0..SEEDS {
        for n in 1.. {
            let mut world = World::new(seed * 100_003 + n);
            world.run(before);
            world.copy = Some(world.server.back_up());
            let (peaceful, lost): (Vec<Step>, Vec<Step>) = split_at_loss(steps);
            world.run(&peaceful);
            let calls = world.process.counters().changes();
            world.process.arm(fault(n));
            world.run(&lost);
            let reached = world.process.counters().changes() - calls;
            world.check(
                discarded,
                &format!("seed {seed}, point {n}, steps {steps:?}"),
            );
            if reached < n {
                assert!(n > 50, "the scenario has points to crash at");
                break;
            }
        }
        drop(Disk::new(0));
    }
}

/// What comes before the server is put back happens in peace.
fn split_at_loss(steps: &[Step]) -> (Vec<Step>, Vec<Step>) {
    let at = steps
        .iter()
        .position(|step| matches!(step, Step::RollBack | Step::Restore(_)))
        .unwrap_or(0);
    (steps[..at].to_vec(), steps[at..].to_vec())
}

const FIRST_SYNC: &[Step] = &[
    Step::Write("1"),
    Step::Sync,
    Step::Write("2"),
    Step::Write(REFUSED),
    Step::Write("3"),
    Step::Sync,
    Step::Reopen,
    Step::Write("4"),
    Step::Sync,
];

const KEPT: &[Step] = &[Step::Write("kept"), Step::Sync];

const ROLLED_BACK: &[Step] = &[
    Step::Write("lost 1"),
    Step::Sync,
    Step::Write("lost 2"),
    Step::Sync,
    Step::RollBack,
    Step::Write("pending"),
    Step::Sync,
    Step::Write("after"),
    Step::Sync,
];

const fn restored(mode: EpochMode) -> [Step; 7] {
    [
        Step::Write("lost"),
        Step::Sync,
        Step::Restore(mode),
        Step::Write("pending"),
        Step::Sync,
        Step::Write("after"),
        Step::Sync,
    ]
}

#[test]
fn power_lost_at_any_point_of_the_first_syncs_loses_and_doubles_nothing() {
    at_every_point(&[], FIRST_SYNC, &[], Fault::power_loss_at);
}

#[test]
fn a_kill_at_any_point_of_the_first_syncs_loses_and_doubles_nothing() {
    at_every_point(&[], FIRST_SYNC, &[], Fault::kill_at);
}

#[test]
fn power_lost_at_any_point_of_healing_loses_and_doubles_nothing() {
    at_every_point(KEPT, ROLLED_BACK, &[], Fault::power_loss_at);
}

#[test]
fn a_kill_at_any_point_of_healing_loses_and_doubles_nothing() {
    at_every_point(KEPT, ROLLED_BACK, &[], Fault::kill_at);
}

#[test]
fn power_lost_at_any_point_of_healing_a_restore_loses_and_doubles_nothing() {
    at_every_point(KEPT, &restored(EpochMode::Heal), &[], Fault::power_loss_at);
}

#[test]
fn power_lost_at_any_point_of_following_a_restore_keeps_what_is_pending() {
    at_every_point(
        KEPT,
        &restored(EpochMode::Follow),
        &["lost"],
        Fault::power_loss_at,
    );
}

#[test]
fn a_sync_of_the_disk_that_fails_anywhere_loses_no_reported_write() {
    at_every_point(&[], FIRST_SYNC, &[], |n| Fault::failure_at(Verb::Change, n));
}
