//! Orders on a disk that is full.

use rusqlite::OpenFlags;
use syncline_simdisk::{Disk, Process};

use super::*;

const PREFIX: &str = "server/";

fn order(number: u8) -> Order {
    Order {
        id: OrderId::new([number; 16]),
        tenant: TenantId::new("acme").unwrap(),
        work: OrderedWork::Expire {
            idle: Duration::ZERO,
        },
    }
}

/// The control file of a simulated disk, but for the count of its changes, which no SQLite writes.
fn control_of(process: &Process, directory: &DataDirectory) -> ControlFile {
    let path = "server/control.db";
    let flags = OpenFlags::default();
    let connection = Connection::open_with_flags_and_vfs(path, flags, process.vfs_name()).unwrap();
    set_up(&connection).unwrap();
    let changes = ControlChanges::open(directory).unwrap();
    let mut control = ControlFile {
        connection,
        changes,
    };
    control.prepare(Path::new(path)).unwrap();
    control
}

#[test]
fn orders_are_placed_and_answered_on_a_full_disk_within_the_log_that_is_there() {
    let disk = Disk::new(7);
    let process = disk.process(PREFIX);
    let (_root, directory) = directory();
    let control = control_of(&process, &directory);
    let go_round = |number| -> Result<(), ControlError> {
        let order = order(number);
        control.place_order(&order, at(0))?;
        let taken = control.take_order(at(1))?;
        assert_eq!(taken, Some(order.clone()));
        control.note_order_progress(&order.id, "half of it")?;
        control.answer_order(&order.id, "done")?;
        control.drop_order(&order.id)
    };
    go_round(0).unwrap();
    let full = disk.used(PREFIX);
    disk.set_quota(PREFIX, full);
    for number in 1..=50 {
        go_round(number).unwrap();
    }
    assert_eq!(disk.used(PREFIX), full);
}

#[test]
fn what_needs_more_than_the_log_that_is_there_is_refused_as_on_a_full_disk_and_changes_nothing() {
    let disk = Disk::new(7);
    let process = disk.process(PREFIX);
    let (_root, directory) = directory();
    let control = control_of(&process, &directory);
    let id = order(1).id;
    control.place_order(&order(1), at(0)).unwrap();
    disk.set_quota(PREFIX, disk.used(PREFIX));
    let long = "x".repeat(1_000_000);
    let refused = control.answer_order(&id, &long).unwrap_err();
    assert!(refused.is_disk_full(), "{refused:?}");
    assert_eq!(control.order_news(&id).unwrap(), OrderNews::Placed);
    disk.lift_quota(PREFIX);
    control.answer_order(&id, &long).unwrap();
    let answered = OrderNews::Answered { answer: long };
    assert_eq!(control.order_news(&id).unwrap(), answered);
}
