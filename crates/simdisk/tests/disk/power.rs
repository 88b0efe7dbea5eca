//! The power goes, or the process is killed, at every single change of the disk.

use syncline_simdisk::{Disk, Fault, Process};

use crate::workload::{self, Mode, TRANSACTIONS, WAL_FULL, inspect, survivors};

/// What was acknowledged before the end, and what is there after it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    acknowledged: i64,
    survived: Result<i64, String>,
}

impl Outcome {
    fn is_loss(&self) -> bool {
        let survived = self.survived.as_ref();
        survived.is_ok_and(|survived| *survived < self.acknowledged)
    }
}

fn count_changes(mode: Mode) -> u64 {
    let disk = Disk::new(0);
    let process = disk.process("r1/");
    let mut acknowledged = 0;
    workload::run(&process, mode, &mut acknowledged).unwrap();
    let changes = process.counters().changes();
    assert_eq!(survivors(&process), TRANSACTIONS);
    changes
}

fn cut_off(disk: &Disk, mode: Mode, fault: Fault) -> Outcome {
    let process = disk.process("r1/");
    process.arm(fault);
    let mut acknowledged = 0;
    let done = workload::run(&process, mode, &mut acknowledged);
    assert!(!process.is_alive(), "the fault struck");
    // A fault in the last close is seen by nobody.
    assert!(done.is_err() || acknowledged == TRANSACTIONS);
    process.revive();
    Outcome {
        acknowledged,
        survived: inspect(&process).map_err(|wrong| wrong.to_string()),
    }
}

/// Cuts off the script at each of its changes, `rounds` times each with other chances.
fn at_every_change(
    mode: Mode,
    rounds: u64,
    fault: fn(u64) -> Fault,
    prepare: fn(&Disk),
) -> Vec<Outcome> {
    let changes = count_changes(mode);
    assert!(changes > 100, "the script has only {changes} changes");
    let points = (0..rounds).flat_map(|round| (1..=changes).map(move |change| (round, change)));
    points
        .map(|(round, change)| {
            let disk = Disk::new(round * 10_000 + change);
            prepare(&disk);
            cut_off(&disk, mode, fault(change))
        })
        .collect()
}

fn assert_nothing_acknowledged_was_lost(outcomes: &[Outcome]) {
    for outcome in outcomes {
        let survived = *outcome.survived.as_ref().unwrap();
        assert!(survived >= outcome.acknowledged, "{outcome:?}");
        assert!(survived <= outcome.acknowledged + 1, "{outcome:?}");
    }
}

#[test]
fn a_full_wal_keeps_every_commit_through_power_loss_at_any_change() {
    let outcomes = at_every_change(WAL_FULL, 2, Fault::power_loss_at, |_| {});
    assert_nothing_acknowledged_was_lost(&outcomes);
    let untold = |outcome: &Outcome| outcome.survived == Ok(outcome.acknowledged + 1);
    assert!(outcomes.iter().any(untold), "a sync was done and not told");
}

#[test]
fn an_extra_rollback_journal_keeps_every_commit_through_power_loss_at_any_change() {
    let mode = Mode {
        journal: "DELETE",
        synchronous: "EXTRA",
    };
    let outcomes = at_every_change(mode, 1, Fault::power_loss_at, |_| {});
    assert_nothing_acknowledged_was_lost(&outcomes);
}

#[test]
fn a_normal_wal_may_lose_commits_but_never_its_wholeness() {
    let mode = Mode {
        synchronous: "NORMAL",
        ..WAL_FULL
    };
    let outcomes = at_every_change(mode, 1, Fault::power_loss_at, |_| {});
    assert!(outcomes.iter().any(Outcome::is_loss));
    assert!(outcomes.iter().all(|outcome| outcome.survived.is_ok()));
}

#[test]
fn a_disk_that_lies_about_sync_loses_commits_and_damages_files() {
    let outcomes = at_every_change(WAL_FULL, 1, Fault::power_loss_at, |disk| {
        disk.lie_about_sync("r1/");
    });
    assert!(outcomes.iter().any(Outcome::is_loss));
    assert!(outcomes.iter().any(|outcome| outcome.survived.is_err()));
}

#[test]
fn without_syncs_commits_are_lost_and_files_damaged() {
    let mode = Mode {
        synchronous: "OFF",
        ..WAL_FULL
    };
    let outcomes = at_every_change(mode, 1, Fault::power_loss_at, |_| {});
    assert!(outcomes.iter().any(Outcome::is_loss));
    assert!(outcomes.iter().any(|outcome| outcome.survived.is_err()));
}

#[test]
fn a_killed_process_loses_nothing_even_without_syncs() {
    let mode = Mode {
        synchronous: "OFF",
        ..WAL_FULL
    };
    let outcomes = at_every_change(mode, 1, Fault::kill_at, |_| {});
    assert_nothing_acknowledged_was_lost(&outcomes);
}

#[test]
fn the_same_number_gives_the_same_end() {
    let mode = Mode {
        synchronous: "NORMAL",
        ..WAL_FULL
    };
    let end = |number| cut_off(&Disk::new(number), mode, Fault::power_loss_at(60));
    for number in 0..50 {
        assert_eq!(end(number), end(number));
    }
    let different = (0..50).any(|number| end(number).survived != end(0).survived);
    assert!(different, "chance has a part in it");
}

#[test]
fn power_loss_of_one_machine_leaves_the_others_alone() {
    let disk = Disk::new(1);
    let (one, other) = (disk.process("r1/"), disk.process("r2/"));
    let first = crate::open(&one, "r1/a.db").unwrap();
    let second = crate::open(&other, "r2/a.db").unwrap();
    disk.crash("r1/");
    assert!(first.execute_batch("CREATE TABLE t (x)").is_err());
    second.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(!one.is_alive() && other.is_alive());
}

#[test]
fn a_dead_process_opens_nothing_until_it_is_revived() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    let connection = crate::open(&process, "r1/a.db").unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    disk.kill("r1/");
    assert!(crate::open(&process, "r1/a.db").is_err());
    assert!(process.exists("r1/a.db").is_err());
    drop(connection);
    disk.revive("r1/");
    assert_eq!(open_handles_after_reading(&process), 0);
}

fn open_handles_after_reading(process: &Process) -> usize {
    let connection = crate::open(process, "r1/a.db").unwrap();
    assert_eq!(crate::number(&connection, "SELECT count(*) FROM t"), 0);
    drop(connection);
    process.open_handles()
}

#[test]
#[should_panic(expected = "dead handles open")]
fn a_process_is_not_revived_while_its_old_connections_live() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    let connection = crate::open(&process, "r1/a.db").unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    process.kill();
    process.revive();
}
