//! A log whose file opens, and of which a page in the middle can't be read.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use serde_json::Value;

use crate::daemon::{Daemon, until};
use crate::machine::Machine;
use crate::served::Server;

const OFF: [(&str, &str); 1] = [("SYNCLINE_SYNC_ENABLED", "false")];

/// Where the replica lies.
fn directory(machine: &Machine) -> PathBuf {
    let home = machine.home();
    home.join(".local/share/syncline/profiles/default")
}

/// The files of the replica that are called so.
fn files(machine: &Machine, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory(machine))
        .unwrap()
        .map(|entry| entry.unwrap());
    let named = |name: &str| name.starts_with(prefix) && name.ends_with(".db");
    entries
        .filter(|entry| named(entry.file_name().to_str().unwrap()))
        .map(|entry| entry.path())
        .collect()
}

/// Writes over a page of the items of lists.
fn damage(machine: &Machine) {
    let path = &files(machine, "tenant-")[0];
    let file = rusqlite::Connection::open(path).unwrap();
    // tidy: sql because a page is damaged by hand
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'list_items'";
    let page: i64 = file.query_row(root, [], |row| row.get(0)).unwrap();
    let size = file.pragma_query_value(None, "page_size", |row| row.get(0));
    let size: i64 = size.unwrap();
    // The last who closes it moves all of the write-ahead log into it.
    drop(file);
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start((page as u64 - 1) * size as u64))
        .unwrap();
    file.write_all(&vec![0xa5; size as usize]).unwrap();
}

/// A list of which a part waits to be sent.
fn list(machine: &Machine) {
    machine.run(&["list", "new", "Trip"]).done();
    machine.run(&["list", "add", "Trip", "tent"]).done();
    machine
        .run_with(&OFF, &["list", "add", "Trip", "rope"])
        .done();
}

/// What reads the damaged page names what mends it.
fn fails(machine: &Machine) {
    for words in [
        ["list", "show", "Trip", "--json"],
        // tidy: sql because it is what a person types
        ["query", "SELECT * FROM items", "--format", "json"],
    ] {
        let failed = machine.run(&words);
        assert_eq!(failed.code, Some(1), "{failed:#?}");
        let said = &failed.stderr;
        assert!(said.contains("replica_failed"), "{said}");
        assert!(said.contains("syncline doctor --fix"), "{said}");
    }
}

fn shows_all(machine: &Machine) {
    let shown = machine.run(&["list", "show", "Trip"]).done().stdout;
    assert!(shown.contains("tent") && shown.contains("rope"), "{shown}");
}

/// What the doctor says of the log.
fn check(machine: &Machine, arguments: &[&str]) -> Value {
    let mut words = vec!["doctor", "--json"];
    words.extend(arguments);
    let report = machine.run(&words).json();
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == "tenant_file");
    found.unwrap().clone()
}

#[test]
fn a_log_that_is_damaged_where_only_reads_meet_it_is_fetched_again() {
    let server = Server::start();
    let (ada, bob) = (server.member("ada"), server.member("bob"));
    list(&ada);
    damage(&ada);
    fails(&ada);
    assert_eq!(check(&ada, &[])["fix"], "syncline doctor --fix");
    fails(&ada);
    assert_eq!(check(&ada, &["--fix"])["repaired"], true);
    assert_eq!(files(&ada, "damaged-").len(), 1);
    ada.run(&["sync"]).done();
    for machine in [&ada, &bob] {
        machine.run(&["sync"]).done();
        shows_all(machine);
    }
    assert_eq!(check(&ada, &["--fix"])["state"], "ok");
    assert_eq!(files(&ada, "damaged-").len(), 1);
}

/// A machine whose log is damaged, and a daemon that has it open.
fn damaged_beside_daemon(server: &Server) -> (Machine, Daemon) {
    let ada = server.member("ada");
    list(&ada);
    // With nothing to send, it does not meet the damage by itself, which it would mend.
    ada.run(&["sync"]).done();
    damage(&ada);
    let daemon = Daemon::start(&ada);
    (ada, daemon)
}

#[test]
fn a_daemon_that_has_the_damaged_log_open_fetches_it_again() {
    let server = Server::start();
    let (ada, daemon) = damaged_beside_daemon(&server);
    fails(&ada);
    assert_eq!(check(&ada, &["--fix"])["repaired"], true);
    until("the daemon has all of it again", || {
        let shown = ada.run(&["list", "show", "Trip"]).stdout;
        shown.contains("tent") && shown.contains("rope")
    });
    daemon.stop();
}

/// A file that the check does not read unasked is read where a repair is asked for.
#[test]
fn a_damaged_log_of_any_size_is_mended_as_its_failures_say() {
    let machine = Machine::new();
    list(&machine);
    damage(&machine);
    let log = &files(&machine, "tenant-")[0];
    let file = OpenOptions::new().write(true).open(log).unwrap();
    // Beyond its pages there is nothing in it, and nothing on the disk.
    file.set_len(600 << 20).unwrap();
    fails(&machine);
    let found = check(&machine, &[]);
    assert_eq!(found["state"], "skipped", "{found}");
    let advice = found["fix"].as_str().unwrap();
    assert!(advice.contains("syncline doctor --fix"), "{advice}");
    let found = check(&machine, &["--fix"]);
    assert_eq!(found["repaired"], true, "{found}");
    shows_all(&machine);
}

#[test]
fn a_sync_beside_a_daemon_ends_when_a_log_that_was_set_aside_is_there_again() {
    let server = Server::start();
    let (ada, daemon) = damaged_beside_daemon(&server);
    ada.run(&["sync"]).done();
    // The next command finds the daemon before that has looked for what others do.
    syncline_replica::set_aside_if_damaged(&directory(&ada)).unwrap();
    ada.run(&["sync"]).done();
    shows_all(&ada);
    daemon.stop();
}

#[test]
fn what_never_met_a_server_is_made_anew_from_what_was_written() {
    let machine = Machine::new();
    list(&machine);
    damage(&machine);
    fails(&machine);
    assert_eq!(check(&machine, &["--fix"])["repaired"], true);
    shows_all(&machine);
}

#[test]
fn a_log_that_no_server_would_give_again_stays() {
    let server = Server::start();
    let ada = server.member("ada");
    list(&ada);
    damage(&ada);
    ada.run(&["config", "set", "sync_enabled", "false"]).done();
    fails(&ada);
    let found = check(&ada, &["--fix"]);
    assert_eq!(found["state"], "warning");
    assert_ne!(found["fix"], "syncline doctor --fix");
    assert_eq!(files(&ada, "damaged-"), [] as [PathBuf; 0]);
}
