//! Files by name: what hosts do beside SQLite, and what happens to whole machines.

use std::collections::BTreeSet;

use syncline_simdisk::{Disk, FileError, Process};

use crate::workload::{PATH, WAL_FULL, commit_one, prepare, survivors};
use crate::{number, open};

fn write_commits(process: &Process, count: i64) {
    let mut connection = open(process, PATH).unwrap();
    prepare(&connection, WAL_FULL).unwrap();
    let first = number(&connection, "SELECT entries + 1 FROM total");
    for id in first..first + count {
        commit_one(&mut connection, id).unwrap();
    }
}

/// What a power loss leaves of `a` over many chances, when `act` was the last that happened.
fn ends(act: impl Fn(&Process)) -> BTreeSet<Option<Vec<u8>>> {
    (0..200)
        .map(|number| {
            let disk = Disk::new(number);
            let process = disk.process("r1/");
            process.write_durably("r1/a", b"old").unwrap();
            act(&process);
            disk.crash("r1/");
            disk.revive("r1/");
            process.read("r1/a").ok()
        })
        .collect()
}

fn some(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(bytes.to_vec())
}

#[test]
fn a_durable_write_outlives_a_power_loss() {
    let seen = ends(|process| process.write_durably("r1/a", b"new").unwrap());
    assert_eq!(seen, BTreeSet::from([some(b"new")]));
}

#[test]
fn a_plain_write_may_leave_an_empty_file() {
    let seen = ends(|process| process.write("r1/a", b"new").unwrap());
    assert!(seen.contains(&some(b"")), "{seen:?}");
    let synced = ends(|process| {
        process.write("r1/a", b"new").unwrap();
        process.sync("r1/a").unwrap();
    });
    assert_eq!(synced, BTreeSet::from([some(b"new")]));
}

#[test]
fn a_new_name_needs_a_sync_of_its_directory() {
    let make = |process: &Process| {
        process.remove("r1/a").unwrap();
        process.sync_directory("r1/").unwrap();
        process.write("r1/a", b"new").unwrap();
        process.sync("r1/a").unwrap();
    };
    assert_eq!(ends(make), BTreeSet::from([None, some(b"new")]));
}

#[test]
fn a_renaming_is_durable_once_the_directory_is_synced() {
    let rename = |process: &Process| {
        process.write("r1/b", b"new").unwrap();
        process.sync("r1/b").unwrap();
        process.rename("r1/b", "r1/a").unwrap();
    };
    let seen = ends(rename);
    assert_eq!(seen, BTreeSet::from([some(b"old"), some(b"new")]));
    let synced = ends(|process| {
        rename(process);
        process.sync_directory("r1/").unwrap();
    });
    assert_eq!(synced, BTreeSet::from([some(b"new")]));
}

#[test]
fn a_renaming_of_what_was_not_synced_may_leave_neither_old_nor_new() {
    let seen = ends(|process| {
        process.write("r1/b", b"new").unwrap();
        process.rename("r1/b", "r1/a").unwrap();
        process.sync_directory("r1/").unwrap();
    });
    assert!(seen.contains(&some(b"")), "{seen:?}");
}

#[test]
fn a_removed_file_may_return_until_the_directory_is_synced() {
    let seen = ends(|process| process.remove("r1/a").unwrap());
    assert_eq!(seen, BTreeSet::from([None, some(b"old")]));
    let synced = ends(|process| {
        process.remove("r1/a").unwrap();
        process.sync_directory("r1/").unwrap();
    });
    assert_eq!(synced, BTreeSet::from([None]));
}

#[test]
fn a_process_stays_within_its_home() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    assert!(open(&process, "r2/a.db").is_err());
    let refused = process.write("r2/a", b"x").unwrap_err();
    assert!(matches!(refused, FileError::Outside { .. }), "{refused}");
    let missing = process.read("r1/none").unwrap_err();
    assert_eq!(
        std::io::Error::from(missing).kind(),
        std::io::ErrorKind::NotFound
    );
}

#[test]
fn a_copied_machine_has_the_same_commits_in_other_files() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    write_commits(&process, 5);
    // A copy of files in use takes the log along.
    let connection = open(&process, PATH).unwrap();
    assert_eq!(number(&connection, "SELECT count(*) FROM entry"), 5);
    disk.copy("r1/", "r2/r1/");
    let copy = disk.process("r2/");
    assert_ne!(
        process.identity(PATH).unwrap(),
        copy.identity("r2/r1/local.db").unwrap()
    );
    let copied = open(&copy, "r2/r1/local.db").unwrap();
    assert_eq!(number(&copied, "SELECT count(*) FROM entry"), 5);
}

#[test]
fn a_machine_that_was_rolled_back_has_its_old_files_and_identities() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    write_commits(&process, 5);
    let identity = process.identity(PATH).unwrap();
    let snapshot = disk.snapshot("r1/");
    assert_eq!(snapshot.names().collect::<Vec<_>>(), ["local.db"]);
    write_commits(&process, 5);
    process.write("r1/later", b"x").unwrap();
    disk.roll_back("r1/", &snapshot);
    disk.revive("r1/");
    assert_eq!(survivors(&process), 5);
    assert_eq!(process.identity(PATH).unwrap(), identity);
    assert_eq!(process.list("r1/").unwrap(), [PATH]);
    disk.put_copy("r1/", &snapshot);
    disk.revive("r1/");
    assert_ne!(process.identity(PATH).unwrap(), identity);
    assert_eq!(survivors(&process), 5);
}

#[test]
fn a_file_keeps_its_identity_when_it_is_renamed_and_written() {
    let disk = Disk::new(1);
    let process = disk.operator();
    process.write("a", b"one").unwrap();
    let identity = process.identity("a").unwrap();
    process.write("a", b"two").unwrap();
    process.rename("a", "b").unwrap();
    assert_eq!(process.identity("b").unwrap(), identity);
    process.copy("b", "c").unwrap();
    assert_ne!(process.identity("c").unwrap(), identity);
    assert_eq!(process.identity("a").unwrap(), None);
}

#[test]
fn a_lock_has_one_holder_and_is_freed_by_its_death() {
    let disk = Disk::new(1);
    let (one, other) = (disk.process("r1/"), disk.process("r1/"));
    let lock = one.try_lock("r1/sync.lock").unwrap().unwrap();
    assert!(other.try_lock("r1/sync.lock").unwrap().is_none());
    one.kill();
    assert!(!lock.is_held());
    let taken = other.try_lock("r1/sync.lock").unwrap().unwrap();
    drop(lock);
    assert!(taken.is_held());
    drop(taken);
    assert!(other.try_lock("r1/sync.lock").unwrap().is_some());
}

#[test]
fn a_removed_database_stays_readable_for_who_has_it_open() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    write_commits(&process, 5);
    let mut old = open(&process, PATH).unwrap();
    commit_one(&mut old, 6).unwrap();
    process.remove(PATH).unwrap();
    process.remove("r1/local.db-wal").unwrap();
    write_commits(&process, 1);
    assert_eq!(number(&old, "SELECT count(*) FROM entry"), 6);
    drop(old);
    assert_eq!(survivors(&process), 1);
}

#[test]
fn temporary_tables_that_spill_leave_no_file() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    let connection = open(&process, PATH).unwrap();
    connection
        .execute_batch(
            "PRAGMA temp_store = FILE; PRAGMA cache_size = 10; PRAGMA temp.cache_size = 10;
             CREATE TEMP TABLE t (x);
             INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
                 SELECT hex(zeroblob(50)) || i FROM n;",
        )
        .unwrap();
    assert!(process.open_handles() > 1, "the table is in a file");
    let sorted = number(
        &connection,
        "SELECT count(*) FROM (SELECT DISTINCT x FROM t ORDER BY x DESC)",
    );
    assert_eq!(sorted, 20_000);
    drop(connection);
    assert_eq!(process.list("r1/").unwrap(), [PATH]);
    assert_eq!(process.open_handles(), 0);
}
