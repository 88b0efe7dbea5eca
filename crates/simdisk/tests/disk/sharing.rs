//! Several connections and processes on one file.

use rusqlite::ErrorCode;
use syncline_simdisk::{Disk, Fault};

use crate::workload::{self, PATH, WAL_FULL, commit_one, prepare, survivors};
use crate::{code, number, open};

#[test]
fn connections_of_two_processes_see_each_others_commits() {
    let disk = Disk::new(1);
    let (one, other) = (disk.process("r1/"), disk.process("r1/"));
    let mut first = open(&one, PATH).unwrap();
    prepare(&first, WAL_FULL).unwrap();
    let mut second = open(&other, PATH).unwrap();
    for id in 1..=60 {
        let (writer, reader) = if id % 2 == 0 {
            (&mut first, &second)
        } else {
            (&mut second, &first)
        };
        commit_one(writer, id).unwrap();
        assert_eq!(number(reader, "SELECT count(*) FROM entry"), id);
    }
}

#[test]
fn one_writer_blocks_the_other_and_no_reader() {
    for journal in ["WAL", "DELETE"] {
        let disk = Disk::new(1);
        let (one, other) = (disk.process("r1/"), disk.process("r1/"));
        let mode = workload::Mode {
            journal,
            ..WAL_FULL
        };
        let first = open(&one, PATH).unwrap();
        prepare(&first, mode).unwrap();
        let second = open(&other, PATH).unwrap();
        first
            .execute_batch("BEGIN IMMEDIATE; INSERT INTO entry VALUES (1, 'one')")
            .unwrap();
        let refused = second.execute_batch("BEGIN IMMEDIATE").unwrap_err();
        assert_eq!(code(&refused), ErrorCode::DatabaseBusy);
        assert_eq!(number(&second, "SELECT count(*) FROM entry"), 0);
        first.execute_batch("COMMIT").unwrap();
        second.execute_batch("BEGIN IMMEDIATE; COMMIT").unwrap();
        assert_eq!(number(&second, "SELECT count(*) FROM entry"), 1);
    }
}

#[test]
fn who_waits_for_a_lock_takes_no_time() {
    let disk = Disk::new(1);
    let process = disk.process("r1/");
    let first = open(&process, PATH).unwrap();
    prepare(&first, WAL_FULL).unwrap();
    let second = open(&process, PATH).unwrap();
    second
        .busy_timeout(std::time::Duration::from_secs(3_600))
        .unwrap();
    first.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(second.execute_batch("BEGIN IMMEDIATE").is_err());
    assert!(process.counters().sleeps > 10);
}

#[test]
fn a_reader_keeps_its_view_while_another_process_writes_and_checkpoints() {
    let disk = Disk::new(1);
    let (one, other) = (disk.process("r1/"), disk.process("r1/"));
    let mut writer = open(&one, PATH).unwrap();
    prepare(&writer, WAL_FULL).unwrap();
    commit_one(&mut writer, 1).unwrap();
    let reader = open(&other, PATH).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(number(&reader, "SELECT count(*) FROM entry"), 1);
    for id in 2..=40 {
        commit_one(&mut writer, id).unwrap();
    }
    assert_eq!(number(&reader, "SELECT count(*) FROM entry"), 1);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(number(&reader, "SELECT count(*) FROM entry"), 40);
}

#[test]
fn one_of_two_processes_dies_at_any_change_and_the_other_goes_on() {
    let mut change = 0;
    let mut alive = false;
    while !alive {
        change += 1;
        let disk = Disk::new(change);
        let (dying, living) = (disk.process("r1/"), disk.process("r1/"));
        let mut survivor = open(&living, PATH).unwrap();
        prepare(&survivor, WAL_FULL).unwrap();
        commit_one(&mut survivor, 1).unwrap();
        let mut victim = open(&dying, PATH).unwrap();
        dying.arm(Fault::kill_at(change));
        let mut acknowledged = 1;
        while acknowledged < 20 && commit_one(&mut victim, acknowledged + 1).is_ok() {
            acknowledged += 1;
        }
        drop(victim);
        alive = dying.is_alive();
        let next = number(&survivor, "SELECT max(id) + 1 FROM entry");
        assert!(next > acknowledged, "change {change}");
        for id in next..next + 15 {
            commit_one(&mut survivor, id).unwrap();
        }
        drop(survivor);
        assert_eq!(survivors(&living), next + 14, "change {change}");
    }
    assert!(change > 40);
}

#[test]
fn a_killed_writer_lets_go_of_its_lock() {
    let disk = Disk::new(1);
    let (one, other) = (disk.process("r1/"), disk.process("r1/"));
    let first = open(&one, PATH).unwrap();
    prepare(&first, WAL_FULL).unwrap();
    let mut second = open(&other, PATH).unwrap();
    first
        .execute_batch("BEGIN IMMEDIATE; INSERT INTO entry VALUES (1, 'one')")
        .unwrap();
    assert!(commit_one(&mut second, 1).is_err());
    one.kill();
    drop(first);
    commit_one(&mut second, 1).unwrap();
    assert_eq!(survivors(&other), 1);
}
