//! Backups whose process is killed before they are whole.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::machine::Machine;
use crate::served::Server;
use crate::wire::Wire;

/// How often a backup may be whole before it can be killed, on a machine that is busy with others.
const TRIES: usize = 30;

/// A server whose log takes a while to be copied.
fn server() -> Server {
    let server = Server::start();
    let token = server.token("ada");
    let mut wire = Wire::connect(server.address(), &token).unwrap();
    for push in 0..20_u64 {
        let op = |n: u64| {
            json!({"scope": "sketch", "resourceId": format!("drawing-{n}"), "actor": "a", "clock": push * 250 + n,
                "payload": {"text": "x".repeat(400)}})
        };
        let ops: Vec<_> = (1..=250).map(op).collect();
        let body = json!({"clientId": "laptop", "ops": ops}).to_string();
        let pushed = wire.post("/sync/push", body.as_bytes()).unwrap();
        assert_eq!(pushed.status, 200);
    }
    server
}

/// What is made in `directory` by way of backups, by name.
fn made_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_made = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("copy") || name.starts_with("syncline-")
    };
    let mut made: Vec<_> = paths.filter(is_made).collect();
    made.sort();
    made
}

/// Begins a backup in `directory`, kills it once something is in it, and gives what is left.
fn left_of_killed(machine: &Machine, directory: &Path, words: &[&str]) -> PathBuf {
    for _ in 0..TRIES {
        let mut child = machine.command(words).spawn().unwrap();
        let is_begun = |path: &PathBuf| fs::read_dir(path).is_ok_and(|files| files.count() > 0);
        while child.try_wait().unwrap().is_none() && !made_in(directory).iter().any(is_begun) {}
        let _ = child.kill();
        child.wait().unwrap();
        let [left] = &made_in(directory)[..] else {
            panic!("one backup: {:?}", made_in(directory))
        };
        if left.to_str().unwrap().contains(".part-") {
            return left.clone();
        }
        fs::remove_dir_all(left).unwrap();
    }
    panic!("no backup was killed before it was whole")
}

#[test]
fn a_backup_that_is_killed_is_none_and_the_next_removes_what_is_left_of_it() {
    let server = server();
    let machine = server.machine();
    let (work, named) = (machine.work_dir(), machine.work_dir().join("backups"));
    let data = ["--data", "srv"];
    for (directory, to) in [
        (&named, &["backup", "backups/copy"][..]),
        (&work, &["backup"]),
    ] {
        let words = [to, &data].concat();
        let left = left_of_killed(machine, directory, &words);
        // Nobody takes it for a backup.
        let path = left.to_str().unwrap();
        machine
            .run(&["backup", "--verify", path])
            .failed(1, "backup_missing");
        machine
            .run(&["restore", path, "--data", "new"])
            .failed(1, "backup_missing");
        let made = machine.run(&words).done();
        let [whole] = &made_in(directory)[..] else {
            panic!("one backup: {:?} {made:#?}", made_in(directory))
        };
        let verify = ["backup", "--verify", whole.to_str().unwrap()];
        machine.run(&verify).done();
    }
}
