//! Restores that were killed when all was in its place, or nothing yet.

use super::*;
use crate::backup::finish::DECIDED_RESTORE;

#[test]
fn a_restore_that_was_killed_while_its_directory_was_removed_is_done() {
    for left in ["restored", "restored/tenants"] {
        let server = Server::new();
        server.append("acme", 1..=3);
        let data = server.data();
        fs::create_dir_all(data.path().join(left)).unwrap();
        drop(data.lock().unwrap());
        assert!(!data.path().join(DECIDED_RESTORE).exists());
        assert!(!data.path().join("restoring").exists());
        assert_eq!(server.head("acme"), 3);
    }
}

#[test]
fn a_restore_without_its_note_that_has_something_left_is_not_taken_for_done() {
    for left in ["restored/tenants/acme.db", "restored/control.db"] {
        let server = Server::new();
        let data = server.data();
        let left = data.path().join(left);
        fs::create_dir_all(left.parent().unwrap()).unwrap();
        fs::write(&left, "a log").unwrap();
        assert!(data.lock().is_err());
        assert_eq!(fs::read(&left).unwrap(), b"a log");
    }
}

#[test]
fn what_a_killed_restore_has_left_goes_when_the_data_is_locked() {
    let server = Server::new();
    server.append("acme", 1..=3);
    let data = server.data();
    let left = data.path().join("restoring/tenants");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("acme.db"), "half of a log").unwrap();
    let lock = data.lock().unwrap();
    assert!(!data.path().join("restoring").exists());
    fs::create_dir_all(&left).unwrap();
    assert!(data.lock().is_err(), "it is locked");
    assert!(left.is_dir(), "who holds the lock may be restoring");
    drop(lock);
}

#[test]
fn what_a_killed_restore_has_left_and_can_not_be_removed_keeps_no_server_from_its_data() {
    let server = Server::new();
    server.append("acme", 1..=3);
    let data = server.data();
    // What no directory can be removed as.
    fs::write(data.path().join("restoring"), "").unwrap();
    drop(data.lock().unwrap());
    assert_eq!(server.head("acme"), 3);
}
