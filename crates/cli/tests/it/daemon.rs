use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::machine::Machine;
use crate::served::{Server, terminate};

/// What nothing here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon; killed when dropped.
pub(crate) struct Daemon {
    pub(crate) child: Child,
}

impl Daemon {
    /// Starts a daemon, and waits until commands meet it.
    pub(crate) fn start(machine: &Machine) -> Self {
        Self::run(machine, machine.command(&["daemon"]))
    }

    /// As [`Self::start`], by a command of the caller's.
    pub(crate) fn run(machine: &Machine, mut command: std::process::Command) -> Self {
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("the daemon listens", || {
            socket(machine).is_some_and(|path| UnixStream::connect(path).is_ok())
        });
        Self { child }
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(mut self) {
        terminate(&self.child);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            let _ = self.child.wait();
        }
    }
}

/// The control socket, once there is one.
pub(crate) fn socket(machine: &Machine) -> Option<PathBuf> {
    let run = machine.home().join(".local/state/syncline/run");
    let entries = std::fs::read_dir(run).into_iter().flatten().flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.find(|path| path.extension().is_some_and(|end| end == "sock"))
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn states(machine: &Machine) -> Vec<Value> {
    let read = machine
        .run(&["thread", "read", "plan", "--json"])
        .done()
        .json();
    let entries = read["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["state"].clone()).collect()
}

fn until_acknowledged(machine: &Machine, entries: usize) {
    until("everything is acknowledged", || {
        let states = states(machine);
        states.len() == entries && states.iter().all(|state| state == "acknowledged")
    });
}

#[test]
fn a_push_wakes_the_daemon_which_syncs_it() {
    let server = Server::start();
    let machine = server.member("ada");
    let daemon = Daemon::start(&machine);
    machine
        .run(&["thread", "new", "plan", "first"])
        .done()
        .says("the daemon");
    until_acknowledged(&machine, 1);
    let other = server.member("ben");
    other.run(&["sync"]).done();
    other
        .run(&["thread", "push", "plan", "second"])
        .done()
        .says("synced");
    // Nothing is typed on the first machine.
    until_acknowledged(&machine, 2);
    daemon.stop();
    let logged = machine.run(&["logs"]).done().stdout;
    assert!(
        logged.contains("the daemon is ready") && logged.contains("has ended"),
        "{logged}"
    );
}

#[test]
fn a_push_that_is_told_to_wait_is_acknowledged_by_the_daemon() {
    let server = Server::start();
    let machine = server.member("ada");
    let daemon = Daemon::start(&machine);
    let wait = ["--wait", "60", "--json"];
    let made = machine
        .run(&[&["thread", "new", "plan", "first"][..], &wait].concat())
        .done()
        .json();
    assert_eq!(made["state"], "acknowledged");
    let pushed = machine
        .run(&[&["thread", "push", "plan", "second"][..], &wait].concat())
        .done()
        .json();
    assert_eq!(
        (&pushed["state"], &pushed["sequence_id"]),
        (&json!("acknowledged"), &json!(1))
    );
    drop(server);
    // The daemon knows at once that it does not go on, and nobody waits for a minute.
    let pushed = machine
        .run(&[&["thread", "push", "plan", "third"][..], &wait].concat())
        .done();
    assert_eq!(pushed.json()["state"], "pending");
    pushed.says("queued: default/plan (the server can't be reached");
    daemon.stop();
}

#[test]
fn a_daemon_without_a_server_leaves_sync_to_the_command() {
    let server = Server::start();
    let machine = Machine::new();
    let daemon = Daemon::start(&machine);
    let token = server.token("ada");
    let variables = [
        ("SYNCLINE_ENDPOINT", server.url.as_str()),
        ("SYNCLINE_TOKEN", token.as_str()),
    ];
    let made = machine
        .run_with(&variables, &["thread", "new", "plan", "first", "--json"])
        .done();
    assert_eq!(made.json()["state"], "acknowledged");
    let off = [("SYNCLINE_SYNC_ENABLED", "false")];
    machine
        .run_with(&off, &["thread", "push", "plan", "second"])
        .done();
    let synced = machine.run_with(&variables, &["sync"]).done();
    assert_eq!(synced.stdout, "Syncing... 1 thread, 1 entry uploaded.\n");
    daemon.stop();
}

#[test]
fn a_daemon_with_another_server_is_not_taken_for_ours() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let daemon = Daemon::start(&machine);
    let elsewhere = ["--endpoint", "http://127.0.0.1:9"];
    machine
        .run(&[&elsewhere[..], &["sync"]].concat())
        .failed(1, "daemon_elsewhere")
        .says(&server.url);
    machine
        .run(&[&elsewhere[..], &["thread", "push", "plan", "second"]].concat())
        .done()
        .says(&format!(
            "the daemon that runs syncs it with {}",
            server.url
        ));
    let status = machine.run(&[&elsewhere[..], &["status"]].concat()).done();
    assert!(status.stdout.contains(&format!("with {}", server.url)));
    daemon.stop();
}

#[test]
fn a_daemon_that_does_not_answer_is_not_said_to_sync() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    let daemon = Daemon::start(&machine);
    let met = socket(&machine).unwrap();
    daemon.stop();
    // In the place of a daemon that hangs: callers are let in, and hear nothing. A daemon that is
    // halted may hold the files.
    let silent = UnixListener::bind(met).unwrap();
    machine
        .run(&["thread", "push", "plan", "second"])
        .done()
        .says("the daemon does not answer");
    drop(silent);
    let daemon = Daemon::start(&machine);
    until_acknowledged(&machine, 2);
    daemon.stop();
}

#[test]
fn one_daemon_keeps_a_profile_in_sync_and_says_so_to_the_next() {
    let machine = Machine::new();
    let first = Daemon::start(&machine);
    machine.run(&["daemon"]).failed(1, "daemon_running");
    first.stop();
    Daemon::start(&machine).stop();
}

#[test]
fn a_login_while_the_daemon_runs_resumes_the_outbox() {
    let server = Server::start();
    let machine = Machine::new();
    let daemon = Daemon::start(&machine);
    machine.run(&["thread", "new", "plan", "first"]).done();
    assert_eq!(states(&machine), ["pending"]);
    server.log_in(&machine, "ada");
    until_acknowledged(&machine, 1);
    let tokens = server
        .machine()
        .run(&["token", "list", "--data", "srv", "--json"])
        .done()
        .json();
    let id = tokens["tokens"][0]["id"].as_str().unwrap().to_owned();
    server
        .machine()
        .run(&["token", "revoke", "--data", "srv", &id])
        .done();
    until("the daemon notices", || {
        let status = machine.run(&["status", "--json"]).done().json();
        status["last_error"]["code"] == "unauthorized"
    });
    machine.run(&["thread", "push", "plan", "second"]).done();
    assert_eq!(states(&machine), ["acknowledged", "pending"]);
    server.log_in(&machine, "ada");
    until_acknowledged(&machine, 2);
    daemon.stop();
}

#[test]
fn sync_that_is_turned_off_and_on_again_is_followed_by_the_daemon() {
    let server = Server::start();
    let machine = server.member("ada");
    let daemon = Daemon::start(&machine);
    machine.run(&["thread", "new", "plan", "first"]).done();
    until_acknowledged(&machine, 1);
    machine
        .run(&["config", "set", "sync_enabled", "false"])
        .done();
    // The daemon is told of no write here; it has a look at the configuration every second.
    machine
        .run(&["thread", "push", "plan", "second"])
        .done()
        .says("sync is turned off");
    machine.run(&["config", "unset", "sync_enabled"]).done();
    until_acknowledged(&machine, 2);
    daemon.stop();
}
