//! Where backups may be made, how often, and what becomes of one that is taken for something else.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::machine::Machine;
use crate::served::Server;
use crate::wire::Wire;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_plan_of_backups_that_can_not_be_kept_is_wrong_usage() {
    let machine = Machine::new();
    let serve = |more: &[&str]| {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--data", "srv"];
        machine.run(&[&serve[..], more].concat())
    };
    for every in ["3s", "0s"] {
        serve(&["--backup-to", "backups", "--backup-every", every])
            .failed(2, "usage")
            .says("say 1m or more");
    }
    for alone in [["--backup-every", "1h"], ["--backup-keep", "3"]] {
        serve(&alone).failed(2, "usage").says("add --backup-to DIR");
    }
    serve(&["--backup-to", "srv/backups"])
        .failed(2, "backup_inside")
        .says("name a directory outside of it");
    // Nobody can make anything there.
    serve(&["--backup-to", "/proc/backups"])
        .failed(1, "backup_failed")
        .says("name a directory that can be written to with --backup-to");
    assert!(!machine.work_dir().join("srv").exists());
    assert!(!machine.work_dir().join("backups").exists());
}

#[test]
fn a_backup_is_not_made_inside_what_it_backs_up_nor_inside_another() {
    let server = Server::start();
    let ann = server.member("ann");
    ann.run(&["thread", "new", "plan", "one"]).done();
    let host = server.machine();
    std::os::unix::fs::symlink("srv", host.work_dir().join("link")).unwrap();
    for inside in ["srv/in", "srv", "srv/not/there", "srv/../srv/in", "link/in"] {
        host.run(&["backup", inside, "--data", "srv"])
            .failed(2, "backup_inside")
            .says("name a directory outside of it");
    }
    host.run(&["backup", "copy", "--data", "srv"]).done();
    host.run(&["backup", "copy/in", "--data", "srv"])
        .failed(2, "backup_inside");
    host.run(&["backup", "--verify", "copy"]).done();
    ann.run(&["backup", "copy"]).done();
    ann.run(&["backup", "copy/in"]).failed(2, "backup_inside");
    let status = ann.run(&["status", "--json"]).done().json();
    let replica = Path::new(status["data_dir"].as_str().unwrap());
    let inside = replica.join("in");
    ann.run(&["backup", inside.to_str().unwrap()])
        .failed(2, "backup_inside");
    assert!(replica.is_dir() && !inside.exists());
}

#[test]
fn a_backup_stays_whole_whoever_takes_it_for_a_servers_data() {
    let server = Server::start();
    let ann = server.member("ann");
    ann.run(&["thread", "new", "plan", "one"]).done();
    ann.run(&["sync"]).done();
    let host = server.machine();
    host.run(&["backup", "my copy", "--data", "srv"]).done();
    for command in [
        &["admin", "tenants"][..],
        &["admin", "clients"],
        &["admin", "compact"],
        &["admin", "expire"],
        &["token", "list"],
        &["token", "create", "--tenant", "acme", "--user", "eve"],
        &["member", "list"],
        &["schema", "show"],
        &["backup", "again"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        host.run(&[command, &["--data", "my copy"]].concat())
            .failed(1, "data_is_backup")
            .says("syncline restore 'my copy' --data NEW");
        host.run(&["backup", "--verify", "my copy"]).done();
    }
    let restored = host.shell("syncline restore 'my copy' --data NEW");
    restored.done();
    host.run(&["admin", "tenants", "--data", "NEW"]).done();
}

#[test]
fn a_backup_stays_whole_whoever_takes_it_for_a_replica() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "one"]).done();
    machine.run(&["backup", "moved/profiles/default"]).done();
    machine
        .run(&["--data-dir", "moved", "thread", "list"])
        .failed(1, "data_is_backup")
        .says("syncline --data-dir NEW restore ");
    machine
        .run(&["backup", "--verify", "moved/profiles/default"])
        .done();
}

#[test]
fn what_is_to_be_typed_about_a_backup_can_be_typed() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "one"]).done();
    let made = machine.run(&["backup", "my copy"]).done();
    let told = made.stderr.split_once("to put it back: ").unwrap().1;
    let told = told.lines().next().unwrap();
    let asked = machine.shell(told);
    let asked = asked.failed(2, "not_confirmed");
    let again = asked.stderr.split_once("fix:   ").unwrap().1;
    machine.shell(again.lines().next().unwrap()).done();
    machine
        .run(&["backup", "/proc/copy"])
        .failed(1, "backup_failed")
        .says("name a directory that can be written to");
}

#[test]
fn a_restore_says_which_log_the_backup_lacks() {
    let server = Server::start();
    server.member("ann").run(&["sync"]).done();
    let host = server.stop().machine;
    let damaged = host.work_dir().join("srv/tenants/t-lost.db");
    std::fs::write(damaged, [0xff; 8_192]).unwrap();
    for command in [
        &["backup", "copy", "--data", "srv"][..],
        &["restore", "copy", "--data", "new"],
    ] {
        let told = host.run(command).says("error[backup_incomplete]");
        let told = told.says("tenants/t-lost.db");
        assert_eq!(told.code, Some(1), "{told:#?}");
    }
    assert!(host.work_dir().join("new/tenants/t-acme.db").exists());
}

#[test]
fn a_server_whose_backups_fail_says_so_beside_the_last_that_is_verified() {
    let machine = Machine::new();
    let serve = |to: &str| {
        let words = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            "srv",
            "--backup-to",
            to,
        ];
        let (child, url) = crate::served::serve(machine.command(&words));
        (Stopping(child), url)
    };
    let health = |url: &str| machine.run(&["health", url, "--json"]).done();
    let until = |url: &str, key: &str| {
        let deadline = Instant::now() + PATIENCE;
        while health(url).json()[key].is_null() {
            assert!(Instant::now() < deadline, "{key}: {}", health(url).stdout);
        }
    };
    let (server, url) = serve("backups");
    until(&url, "last_verified_backup_at");
    let said = health(&url).json();
    assert_eq!(said["last_backup_failed_at"], Value::Null);
    drop(server);
    // The only log is none.
    let log = machine.work_dir().join("srv/tenants/t-acme.db");
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    std::fs::write(
        log,
        "no database, and as long as the head of one. ".repeat(99),
    )
    .unwrap();
    let (_server, url) = serve("other-backups");
    until(&url, "last_backup_failed_at");
    let now = health(&url).says("regular backup failed at");
    let now = now.json();
    assert_eq!(now["last_backup_failure"], "backup_failed");
    assert_eq!(
        now["last_verified_backup_at"],
        said["last_verified_backup_at"]
    );
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    let metrics = Wire::connect(address, "").unwrap().get("/metrics").unwrap();
    let metrics = metrics.body.as_str().unwrap().to_owned();
    assert!(metrics.contains("syncline_backup_failing 1"), "{metrics}");
}

/// A server that is killed when this is dropped.
struct Stopping(Child);

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
