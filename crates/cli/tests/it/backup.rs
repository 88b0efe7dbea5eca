//! Backups of a server and of a replica, made in use and put back.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::daemon::Daemon;
use crate::machine::Machine;
use crate::served::Server;
use crate::wire::Wire;

/// How long something that is due at once may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn push(machine: &Machine, text: &str) {
    machine
        .run(&["thread", "push", "plan", text, "--json"])
        .done();
}

fn sync(machines: &[&Machine]) {
    // Twice: what the first offers again, the second has only after a round of its own.
    for machine in machines.iter().chain(machines) {
        machine.run(&["sync"]).done();
    }
}

#[test]
fn replicas_heal_a_server_that_was_put_back_and_all_are_equal_again() {
    let server = Server::start();
    let (ann, ben) = (server.member("ann"), server.member("ben"));
    ann.run(&["thread", "new", "plan", "one"]).done();
    sync(&[&ann, &ben]);
    let made = server
        .machine()
        .run(&["backup", "copy", "--data", "srv", "--json"])
        .done();
    assert_eq!(made.json()["files"][1]["log"]["server_seq"], 2);
    push(&ann, "two");
    push(&ben, "three");
    sync(&[&ann, &ben]);
    let stopped = server.stop();
    push(&ben, "four, while it was down");
    let restored = stopped
        .machine
        .run(&["restore", "copy", "--data", "srv", "--yes", "--json"])
        .done();
    assert_eq!(restored.json()["mode"], "heal");
    assert!(Path::new(restored.json()["aside"].as_str().unwrap()).starts_with("srv"));
    let server = stopped.start();
    let told = ben.run(&["sync"]).done();
    assert_eq!(
        told.stdout,
        "Syncing... 1 thread, 1 entry uploaded; 2 changes given to the server, which lacked them.\n"
    );
    sync(&[&ben, &ann]);
    let contents = ann.contents("plan");
    let mut sorted = contents.clone();
    sorted.sort();
    assert_eq!(sorted, ["four, while it was down", "one", "three", "two"]);
    assert_eq!(ben.entries("plan"), ann.entries("plan"));
    let late = server.member("cem");
    late.run(&["sync"]).done();
    assert_eq!(late.entries("plan"), ann.entries("plan"));
}

#[test]
fn what_was_written_after_a_backup_is_discarded_where_that_was_meant() {
    let server = Server::start();
    let (ann, ben) = (server.member("ann"), server.member("ben"));
    ann.run(&["thread", "new", "plan", "one"]).done();
    sync(&[&ann, &ben]);
    server
        .machine()
        .run(&["backup", "copy", "--data", "srv"])
        .done();
    push(&ann, "two");
    ben.run(&["thread", "new", "other", "later"]).done();
    sync(&[&ann, &ben]);
    let stopped = server.stop();
    let restore = [
        "restore",
        "copy",
        "--data",
        "srv",
        "--discard-later",
        "--yes",
    ];
    stopped.machine.run(&restore).done();
    let _server = stopped.start();
    sync(&[&ann, &ben]);
    for machine in [&ann, &ben] {
        assert_eq!(machine.contents("plan"), ["one"]);
        machine
            .run(&["thread", "read", "other"])
            .failed(1, "thread_unknown");
    }
}

#[test]
fn replacing_what_is_there_is_confirmed_and_a_served_directory_left_alone() {
    let server = Server::start();
    let ann = server.member("ann");
    ann.run(&["thread", "new", "plan", "one"]).done();
    let host = server.machine();
    host.run(&["backup", "copy", "--data", "srv"]).done();
    host.run(&["restore", "copy", "--data", "srv", "--yes"])
        .failed(1, "data_locked")
        .says("stop that server");
    host.run(&["backup", "copy", "--data", "srv"])
        .failed(1, "backup_exists");
    host.run(&["restore", "nothing", "--data", "srv"])
        .failed(1, "backup_missing");
    host.run(&["restore", "copy", "--yes"])
        .failed(2, "backup_other_kind")
        .says("syncline restore copy --data DIR");
    host.run(&["restore", "copy", "--data", ".", "--yes"])
        .failed(1, "data_foreign");
    let stopped = server.stop();
    stopped
        .machine
        .run(&["restore", "copy", "--data", "srv"])
        .failed(2, "not_confirmed")
        .says("syncline restore copy --data srv --yes")
        .says("Replace 1 log (tenants/t-acme.db) in srv by the backup of ");
    // Into an empty directory nobody needs to be asked.
    stopped
        .machine
        .run(&["restore", "copy", "--data", "elsewhere"])
        .done();
}

/// Tenants of one server, of which a backup holds one.
#[test]
fn what_is_to_be_confirmed_names_the_logs_that_are_replaced_and_those_that_become_empty() {
    let server = Server::start();
    let (ann, host) = (server.member("ann"), server.machine());
    ann.run(&["thread", "new", "plan", "one"]).done();
    host.run(&["backup", "copy", "--data", "srv"]).done();
    for tenant in ["bolt", "core"] {
        let create = [
            "token", "create", "--data", "srv", "--tenant", tenant, "--user", "ann",
        ];
        let token = host.run(&create).done().stdout;
        let machine = Machine::new();
        machine.run_on(&token, &["login", &server.url]).done();
        machine.run(&["thread", "new", "plan", "one"]).done();
    }
    let stopped = server.stop();
    let restore = ["restore", "copy", "--data", "srv"];
    let asked = stopped.machine.run(&restore).failed(2, "not_confirmed");
    let asked = asked.says("Replace 1 log (tenants/t-acme.db) in srv");
    assert!(!asked.stderr.contains("t-bolt"), "{asked:#?}");
    let discard = [&restore[..], &["--discard-later"]].concat();
    stopped
        .machine
        .run(&discard)
        .failed(2, "not_confirmed")
        .says("Replace 1 log (tenants/t-acme.db) in srv")
        .says("2 logs (tenants/t-bolt.db, tenants/t-core.db) that it lacks become empty.");
}

/// An administrator puts back what a server must read that runs as another user.
#[cfg(unix)]
#[test]
fn what_is_put_back_belongs_to_the_owner_of_the_directory() {
    let server = Server::start();
    let ann = server.member("ann");
    ann.run(&["thread", "new", "plan", "one"]).done();
    let host = server.machine();
    host.run(&["backup", "copy", "--data", "srv"]).done();
    let stopped = server.stop();
    // Who isn't root owns it before and after.
    stopped
        .machine
        .shell("test $(id -u) != 0 || chown -R 65532:65532 srv")
        .done();
    stopped
        .machine
        .run(&["restore", "copy", "--data", "srv", "--yes"])
        .done();
    let others = stopped
        .machine
        .shell("find srv ! -user $(stat -c %u srv)")
        .done();
    assert_eq!(others.stdout, "");
    assert!(stopped.machine.work_dir().join("srv/tenants").is_dir());
}

#[test]
fn a_damaged_backup_is_told_and_changes_nothing() {
    let server = Server::start();
    let ann = server.member("ann");
    ann.run(&["thread", "new", "plan", "one"]).done();
    let host = server.machine();
    host.run(&["backup", "copy", "--data", "srv"]).done();
    let file = host.work_dir().join("copy/tenants/t-acme.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&file, bytes).unwrap();
    host.run(&["backup", "--verify", "copy"])
        .failed(1, "backup_damaged")
        .says("holds other bytes");
    let stopped = server.stop();
    stopped
        .machine
        .run(&["restore", "copy", "--data", "srv", "--yes"])
        .failed(1, "backup_damaged");
    let nowhere = ["restore", "copy", "--data", "new/srv"];
    stopped.machine.run(&nowhere).failed(1, "backup_damaged");
    assert!(!stopped.machine.work_dir().join("new").exists());
    let _server = stopped.start();
    ann.run(&["sync"]).done();
    assert_eq!(ann.contents("plan"), ["one"]);
}

#[test]
fn a_replica_is_put_back_as_another_one_and_loses_nothing_that_it_held() {
    let server = Server::start();
    let (ann, ben) = (server.member("ann"), server.member("ben"));
    ann.run(&["thread", "new", "plan", "one"]).done();
    let offline = [("SYNCLINE_SYNC_ENABLED", "false")];
    let unsent = ["thread", "push", "plan", "unsent"];
    ann.run_with(&offline, &unsent).done();
    let made = ann.run(&["backup", "copy", "--json"]).done().json();
    assert_eq!(made["kind"], "replica");
    assert_eq!(made["pending"], 1);
    ann.run(&["backup", "--verify", "copy"])
        .done()
        .says("1 log, 2 ops, 1 op to send");
    let status = |machine: &Machine| -> Value { machine.run(&["status", "--json"]).done().json() };
    assert_eq!(
        status(&ann)["last_verified_backup"]["verified_at"],
        made["made_at"]
    );
    push(&ann, "after the backup");
    ann.run(&["restore", "copy"]).failed(2, "not_confirmed");
    ann.run_with(&offline, &["thread", "push", "plan", "never sent"])
        .done();
    let restored = ann
        .run(&["restore", "copy", "--yes"])
        .done()
        .says("1 op has not been sent");
    assert_eq!(ann.contents("plan"), ["one", "unsent"]);
    push(&ann, "as another replica");
    sync(&[&ann, &ben]);
    let expected = ["one", "unsent", "after the backup", "as another replica"];
    assert_eq!(ann.contents("plan"), expected);
    assert_eq!(ben.contents("plan"), expected);
    for data in ["srv", "new"] {
        ann.run(&["restore", "copy", "--data", data, "--yes"])
            .failed(1, "backup_other_kind");
    }
    assert!(!ann.work_dir().join("new").exists());
    // What it replaced is sent as that says.
    let told = restored.stderr.split_once("to send them all the same: ");
    ann.shell(told.unwrap().1.lines().next().unwrap()).done();
    sync(&[&ann, &ben]);
    assert!(ben.contents("plan").contains(&"never sent".to_owned()));
}

#[test]
fn nothing_is_put_back_under_a_daemon_though_it_has_no_server() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "one"]).done();
    machine.run(&["backup", "copy"]).done();
    let daemon = Daemon::start(&machine);
    let command = format!("kill {}", daemon.child.id());
    machine
        .run(&["restore", "copy", "--yes"])
        .failed(1, "daemon_running")
        .says(&command);
    daemon.stop();
    machine.run(&["restore", "copy", "--yes"]).done();
    assert_eq!(machine.contents("plan"), ["one"]);
}

#[test]
fn nothing_is_backed_up_where_there_is_nothing() {
    let machine = Machine::new();
    machine.run(&["backup", "copy"]).failed(1, "backup_nothing");
    machine
        .run(&["backup", "copy", "--data", "nowhere"])
        .failed(1, "data_missing");
    assert!(!machine.work_dir().join("nowhere").exists());
}

#[test]
fn a_log_that_was_reset_is_kept_and_can_be_put_back() {
    let server = Server::start();
    let (ann, ben) = (server.member("ann"), server.member("ben"));
    ann.run(&["thread", "new", "plan", "one"]).done();
    sync(&[&ann, &ben]);
    let admin = [
        "token", "create", "--data", "srv", "--tenant", "acme", "--user", "ann", "--right", "admin",
    ];
    let token = server.machine().run(&admin).done().stdout;
    ann.run_on(&token, &["login", &server.url]).done();
    let reset = ann.run(&["sync", "reset", "--confirm", "acme"]).done();
    ann.run(&["thread", "new", "fresh", "since"]).done();
    sync(&[&ann]);
    let told = ben.run(&["sync", "now", "--json"]).done();
    assert_eq!(told.json()["cut_ops"], 2);
    told.says("the server's log was reset");
    let status = ben.run(&["status", "--json"]).done().json();
    assert_eq!(status["log_cut"]["ops_gone"], 2);
    let again = ben.run(&["sync", "now", "--json"]).done().json();
    assert_eq!(again["cut_ops"], 0);
    ben.run(&["thread", "read", "plan"])
        .failed(1, "thread_unknown");
    let resets = server.machine().work_dir().join("srv/resets");
    let kept: Vec<_> = std::fs::read_dir(resets).unwrap().collect();
    let [Ok(kept)] = &kept[..] else {
        panic!("one log was reset, so one is kept: {kept:?}")
    };
    let stopped = server.stop();
    let kept = kept.path();
    let epoch = kept.file_name().unwrap().to_str().unwrap();
    let epoch = epoch.split_once("Z-").unwrap().1;
    reset.says(&format!(
        "syncline restore DATA/resets/*-{epoch} --data DATA"
    ));
    let restore = ["restore", kept.to_str().unwrap(), "--data", "srv", "--yes"];
    stopped.machine.run(&restore).done();
    let _server = stopped.start();
    sync(&[&ann, &ben]);
    for machine in [&ann, &ben] {
        assert_eq!(machine.contents("plan"), ["one"]);
        assert_eq!(machine.contents("fresh"), ["since"]);
        let status = machine.run(&["status", "--json"]).done().json();
        assert_eq!(status["log_cut"], Value::Null);
    }
}

#[test]
fn a_server_backs_itself_up_and_says_when_it_last_did() {
    let machine = Machine::new();
    let serve = |machine: &Machine| {
        crate::served::serve(machine.command(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            "srv",
            "--backup-to",
            "backups",
            "--backup-every",
            "1m",
            "--backup-keep",
            "1",
        ]))
    };
    let backups = || -> Vec<_> {
        let Ok(entries) = std::fs::read_dir(machine.work_dir().join("backups")) else {
            return Vec::new();
        };
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.contains(".part-")).collect()
    };
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (mut child, url) = serve(&machine);
        // At its start, then each minute: one is made at once.
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        let deadline = Instant::now() + PATIENCE;
        let (at, found) = loop {
            let found = backups();
            let health = Wire::connect(address, "").unwrap().get("/health").unwrap();
            let at = health.body["last_verified_backup_at"]
                .as_str()
                .map(str::to_owned);
            match at {
                Some(at) if found.len() == 1 && found != seen => break (at, found),
                _ => assert!(
                    Instant::now() < deadline,
                    "no new backup: {:?}",
                    health.body
                ),
            }
        };
        assert!(found[0].contains(&at[..10]), "{at}");
        seen = found;
        crate::served::terminate(&child);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        machine
            .run(&["backup", "--verify", &format!("backups/{}", seen[0])])
            .done();
        // As if it had been made long ago.
        let manifest = machine
            .work_dir()
            .join(format!("backups/{}/backup.json", seen[0]));
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(text.contains(&at), "{text}");
        let text = text.replace(&at, "2024-01-01T00:00:00.000Z");
        std::fs::write(manifest, text).unwrap();
    }
}
