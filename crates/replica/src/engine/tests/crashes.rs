//! The power goes, or the process dies, at every write, sync and renaming of a scenario.

use std::path::Path;
use std::sync::Arc;

use syncline_model::{Epoch, EpochMode, ServerSeq};
use syncline_simdisk::{Disk, Fault, Process, Verb};
use syncline_store::LogStart;
use syncline_store::local::Verdict;
use uuid::Uuid;

use super::{LIVE, Node, WireServer};
use crate::testing::{DiskHost, REFUSED, at, contents, create, entry};
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

    /// Starts what died again, offline at first.
    fn recover(&mut self) -> Node {
        self.process.disarm();
        if !self.process.is_alive() {
            self.process.revive();
        }
        self.open().expect("a replica opens after a crash")
    }

    /// Everything that was reported is in the view at once, and after a sync in the log exactly
    /// once, or in quarantine; nothing waits.
    fn check(&mut self, discarded: &[&str], what: &str) {
        let mut node = self.recover();
        self.check_reported(&mut node, discarded, &format!("offline, {what}"));
        node.settle(&mut self.server);
        assert_eq!(node.waiting(), 0, "{what}");
        self.check_reported(&mut node, discarded, what);
        let replica = node.engine.replica();
        let view = replica.view().unwrap().dump_view().unwrap();
        assert_eq!(view, self.server.file.dump_view().unwrap(), "{what}");
        let refused = self.reported.iter().filter(|text| *text == REFUSED).count();
        let held = replica.quarantined().unwrap().len();
        assert!(
            held >= refused && !contents(replica).contains(&REFUSED.to_owned()),
            "{what}"
        );
    }

    fn check_reported(&self, node: &mut Node, discarded: &[&str], what: &str) {
        let mut found = contents(node.engine.replica());
        found.sort();
        let all = found.len();
        found.dedup();
        assert_eq!(found.len(), all, "{what}: doubled in {found:?}");
        for text in &self.reported {
            let may_be_gone = text == REFUSED || discarded.contains(&text.as_str());
            assert!(
                may_be_gone || found.contains(text),
                "{what}: {text} is lost in {found:?}"
            );
        }
    }
}

/// Which points of a scenario are tried: every one takes its time, so only the main ones are cut
/// everywhere.
#[derive(Debug, Clone, Copy)]
enum Points {
    All,
    /// Each fifth, beginning here.
    EachFifth(u64),
}

/// Runs `before` in peace, then `steps` with a fault at each point in turn.
fn at_points(
    points: Points,
    before: &[Step],
    steps: &[Step],
    discarded: &[&str],
    fault: impl Fn(u64) -> Fault,
) {
    let (first, stride) = match points {
        Points::All => (1, 1),
        Points::EachFifth(first) => (first, 5),
    };
    let mut world = World::new(first);
    world.run(before);
    world.copy = Some(world.server.back_up());
    let (peaceful, rest) = split_at_loss(steps);
    world.run(peaceful);
    let (machine, log) = (world.disk.snapshot("r1/"), world.server.back_up());
    let reported = world.reported.clone();
    for n in (first..).step_by(stride) {
        world.disk.roll_back("r1/", &machine);
        world.process.revive();
        world.server.restore(&log);
        world.reported.clone_from(&reported);
        let calls = world.process.counters().changes();
        world.process.arm(fault(n));
        world.run(rest);
        let reached = world.process.counters().changes() - calls;
        if world.process.is_alive() {
            // What a failed call has left unsynced is put to the test.
            world.process.disarm();
            world.disk.crash("r1/");
        }
        world.check(discarded, &format!("point {n} of {steps:?}"));
        if reached < n {
            assert!(n > 100, "the scenario has only {n} points to cut it at");
            return;
        }
    }
}

/// What comes before the server is put back happens in peace.
fn split_at_loss(steps: &[Step]) -> (&[Step], &[Step]) {
    let is_loss = |step: &Step| matches!(step, Step::RollBack | Step::Restore(_));
    steps.split_at(steps.iter().position(is_loss).unwrap_or(0))
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
    at_points(Points::All, &[], FIRST_SYNC, &[], Fault::power_loss_at);
}

#[test]
fn power_lost_at_any_point_of_healing_loses_and_doubles_nothing() {
    at_points(Points::All, KEPT, ROLLED_BACK, &[], Fault::power_loss_at);
}

#[test]
fn a_kill_during_the_first_syncs_loses_and_doubles_nothing() {
    at_points(Points::EachFifth(1), &[], FIRST_SYNC, &[], Fault::kill_at);
}

#[test]
fn a_kill_during_healing_loses_and_doubles_nothing() {
    at_points(Points::EachFifth(2), KEPT, ROLLED_BACK, &[], Fault::kill_at);
}

#[test]
fn power_lost_while_healing_a_restore_loses_and_doubles_nothing() {
    let steps = restored(EpochMode::Heal);
    at_points(
        Points::EachFifth(3),
        KEPT,
        &steps,
        &[],
        Fault::power_loss_at,
    );
}

#[test]
fn power_lost_while_following_a_restore_keeps_what_is_pending() {
    let steps = restored(EpochMode::Follow);
    at_points(
        Points::EachFifth(4),
        KEPT,
        &steps,
        &["lost"],
        Fault::power_loss_at,
    );
}

#[test]
fn a_call_to_the_disk_that_fails_loses_no_reported_write() {
    let fails = |n| Fault::failure_at(Verb::Change, n);
    at_points(Points::EachFifth(5), &[], FIRST_SYNC, &[], fails);
}

#[test]
fn a_write_after_a_failed_sync_of_the_disk_is_as_durable_as_any() {
    for seed in 0..40 {
        let mut world = World::new(seed);
        world.run(&[Step::Write("1"), Step::Sync, Step::Write("2"), Step::Sync]);
        let mut node = world.recover();
        // An acknowledgement is not waited for: it is what a failed sync may lose.
        let acknowledged = node
            .engine
            .replica()
            .write(&[create(), entry("3")])
            .unwrap()
            .keys;
        let verdict = Verdict::Acknowledged(ServerSeq(99));
        let verdicts: Vec<_> = acknowledged
            .into_iter()
            .map(|key| (key, verdict.clone()))
            .collect();
        let replica = node.engine.replica();
        replica
            .local
            .judged_by(&replica.tenant_name)
            .settle(&verdicts, &"unused".parse().unwrap(), 0, at())
            .unwrap();
        world.process.arm(Fault::failure_at(Verb::Sync, 1));
        let failed = node.engine.replica().write(&[entry("4")]);
        world.process.disarm();
        assert!(failed.is_err());
        node.engine.replica().write(&[entry("5")]).unwrap();
        world.disk.crash("r1/");
        drop(node);
        world.process.revive();
        let found = contents(world.open().unwrap().engine.replica());
        assert!(found.contains(&"5".to_owned()), "seed {seed}: {found:?}");
    }
}
