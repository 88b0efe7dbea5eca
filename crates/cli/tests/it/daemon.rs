use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::machine::Machine;
use crate::served::{Server, terminate};

/// What nothing here takes, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon; killed when dropped.
struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts a daemon, and waits until commands meet it.
    fn start(machine: &Machine) -> Self {
        let child = machine
            .command(&["daemon"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let run = machine.home().join(".local/state/syncline/run");
        until("the daemon listens", || {
            let sockets = std::fs::read_dir(&run).into_iter().flatten();
            sockets
                .flatten()
                .any(|entry| std::os::unix::net::UnixStream::connect(entry.path()).is_ok())
        });
        Self { child }
    }

    /// Asks it to end, and waits until it has.
    fn stop(mut self) {
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

fn until(what: &str, mut holds: impl FnMut() -> bool) {
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
