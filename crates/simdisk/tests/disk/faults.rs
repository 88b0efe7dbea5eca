//! A full disk, calls that fail, and a machine that comes back from them.

use rusqlite::ErrorCode;
use syncline_simdisk::{Disk, Effect, Fault, Process, Verb, When};

use crate::workload::{self, PATH, WAL_FULL, commit_one, prepare, survivors};
use crate::{code, number, open};

/// Commits until one fails; the answer is how many are acknowledged, and the failure.
fn commit_until_failure(process: &Process) -> (i64, Option<rusqlite::Error>) {
    let mut connection = open(process, PATH).unwrap();
    prepare(&connection, WAL_FULL).unwrap();
    let first = number(&connection, "SELECT coalesce(max(id), 0) + 1 FROM entry");
    for id in first..first + 100 {
        if let Err(error) = commit_one(&mut connection, id) {
            return (id - 1, Some(error));
        }
    }
    (first + 99, None)
}

#[test]
fn a_full_disk_refuses_and_recovers_when_there_is_room_again() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    disk.set_quota("r1/", 150_000);
    let (acknowledged, error) = commit_until_failure(&process);
    assert_eq!(code(&error.unwrap()), ErrorCode::DiskFull);
    assert!(acknowledged > 0);
    assert!(disk.used("r1/") <= 150_000);
    assert_eq!(survivors(&process), acknowledged);
    disk.lift_quota("r1/");
    let (later, error) = commit_until_failure(&process);
    assert!(error.is_none());
    assert_eq!(survivors(&process), later);
}

#[test]
fn an_open_connection_works_again_once_the_disk_has_room() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    let mut connection = open(&process, PATH).unwrap();
    prepare(&connection, WAL_FULL).unwrap();
    disk.set_quota("r1/", disk.used("r1/"));
    let mut id = 1;
    while commit_one(&mut connection, id).is_ok() {
        id += 1;
    }
    disk.lift_quota("r1/");
    commit_one(&mut connection, id).unwrap();
    drop(connection);
    assert_eq!(survivors(&process), id);
}

#[test]
fn a_quota_elsewhere_is_no_bound_here() {
    let disk = Disk::new(1);
    disk.set_quota("r2/", 0);
    let (_, error) = commit_until_failure(&disk.process("r1/"));
    assert!(error.is_none());
}

#[test]
fn a_write_or_sync_that_fails_costs_no_acknowledged_commit() {
    for verb in [Verb::Read, Verb::Write, Verb::Sync] {
        for nth in 1..120 {
            let disk = Disk::new(nth);
            let process = disk.process("r1/");
            process.arm(Fault::failure_at(verb, nth));
            let mut acknowledged = 0;
            // Whoever meets a failure opens the file anew, as a writer after a failed sync must.
            while workload::run(&process, WAL_FULL, &mut acknowledged).is_err() {
                let there = survivors(&process);
                assert!(there >= acknowledged, "{verb:?} {nth}");
                acknowledged = there;
            }
            disk.crash("r1/");
            disk.revive("r1/");
            assert_eq!(survivors(&process), workload::TRANSACTIONS);
        }
    }
}

#[test]
fn failures_now_and_then_strike_until_disarmed() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    let mut connection = open(&process, PATH).unwrap();
    prepare(&connection, WAL_FULL).unwrap();
    disk.arm(
        "r1/",
        Fault {
            verb: Verb::Write,
            when: When::OneIn(10),
            effect: Effect::Fail,
        },
    );
    let failed = (0..200).filter(|_| {
        let id = number(&connection, "SELECT entries + 1 FROM total");
        commit_one(&mut connection, id).is_err()
    });
    let failed = failed.count();
    assert!(failed > 20 && failed < 200, "{failed}");
    disk.disarm("r1/");
    let id = number(&connection, "SELECT entries + 1 FROM total");
    commit_one(&mut connection, id).unwrap();
    drop(connection);
    assert_eq!(survivors(&process), id);
}

#[test]
fn the_clock_stands_where_it_was_set() {
    let disk = Disk::new(1);
    let connection = open(disk.operator(), "a.db").unwrap();
    let now = || crate::text(&connection, "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')");
    assert_eq!(now(), "2026-01-01T00:00:00.000Z");
    disk.set_clock(1_234_567_890_123);
    assert_eq!(now(), "2009-02-13T23:31:30.123Z");
}
