//! Many disks at once, one after another and side by side.

use std::thread;

use syncline_simdisk::{Disk, Fault};

use crate::workload::{self, WAL_FULL, survivors};
use crate::{number, open};

/// A world of some machines, each cut off somewhere and started again.
fn world(number: u64) -> Vec<i64> {
    let disk = Disk::new(number);
    let machines: Vec<_> = (1..=3).map(|i| disk.process(&format!("r{i}/"))).collect();
    machines[0].arm(Fault::power_loss_at(20 + number % 80));
    let mut acknowledged = 0;
    let _cut_off = workload::run(&machines[0], WAL_FULL, &mut acknowledged);
    disk.revive("");
    let mut seen = vec![acknowledged, survivors(&machines[0])];
    for (i, machine) in machines.iter().enumerate() {
        for file in ["a", "b", "c"] {
            let connection = open(machine, &format!("r{}/{file}.db", i + 1)).unwrap();
            connection
                .execute_batch(
                    "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)",
                )
                .unwrap();
            seen.push(self::number(&connection, "SELECT count(*) FROM t"));
        }
    }
    seen
}

#[test]
fn worlds_on_several_threads_end_as_they_do_alone() {
    let alone: Vec<_> = (0..40).map(world).collect();
    let together: Vec<_> = (0..4)
        .map(|_| thread::spawn(|| (0..40).map(world).collect::<Vec<_>>()))
        .collect();
    for thread in together {
        assert_eq!(thread.join().unwrap(), alone);
    }
}

#[test]
fn a_disk_may_go_before_the_connections_to_it() {
    let disk = Disk::new(1);
    let name = disk.vfs_name().to_owned();
    let connection = open(disk.operator(), "a.db").unwrap();
    connection.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(disk);
    connection
        .execute_batch("INSERT INTO t VALUES (1)")
        .unwrap_err();
    let later = Disk::new(2);
    assert_ne!(later.vfs_name(), name, "a name in use is not given again");
    drop(connection);
    assert!(!later.operator().exists("a.db").unwrap());
}

#[test]
fn the_name_of_a_disk_that_is_gone_opens_nothing() {
    let disk = Disk::new(1);
    let name = disk.vfs_name().to_owned();
    drop(disk);
    let opened = rusqlite::Connection::open_with_flags_and_vfs(
        "a.db",
        rusqlite::OpenFlags::default(),
        name.as_str(),
    );
    assert!(opened.is_err());
}
