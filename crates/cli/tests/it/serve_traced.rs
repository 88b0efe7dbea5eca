//! A server whose calls to the system are watched: what it has acknowledged is on its disk.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::json;

use crate::machine::Machine;
use crate::served::terminate;
use crate::wire::Wire;

/// Clients that push at once, so that commits are of one push and of several.
const CLIENTS: usize = 6;
const PUSHES: usize = 5;
/// The ops of each push.
const OPS: usize = 2;

/// Every sync is drawn out, so that an answer that doesn't wait for it is seen before it ends.
const SYNC_DELAY: &str = "inject=fdatasync:delay_exit=2000";
const CALLS: &str =
    "trace=fdatasync,pwrite64,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg";
const RECEIVING: [&str; 4] = ["read", "readv", "recvfrom", "recvmsg"];
const SENDING: [&str; 4] = ["write", "writev", "sendto", "sendmsg"];
/// The tenant's write-ahead log, as strace shows an open file.
const LOG: &str = "acme.db-wal>";
/// What holds a page of the write-ahead log whole, and so any op of this test.
const STRING_BYTES: &str = "9000";

#[test]
fn each_acknowledgement_leaves_after_an_fdatasync_that_followed_the_write_of_its_op() {
    let machine = Machine::new();
    let create = [
        "token", "create", "--data", "srv", "--tenant", "acme", "--user", "ada",
    ];
    let token = machine.run(&create).done().stdout;
    let traced = Traced::start(&machine);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mut wire = Wire::connect(traced.address.parse().unwrap(), token.trim()).unwrap();
            scope.spawn(move || (0..PUSHES).for_each(|push| push_once(&mut wire, client, push)));
        }
    });
    let trace = traced.stop();
    let calls = calls_of(&trace);
    for number in 0..CLIENTS * PUSHES * OPS {
        check(&calls, &name(number));
    }
}

/// Pushes ops whose names are found in the request, in the write-ahead log, and in the answer.
fn push_once(wire: &mut Wire, client: usize, push: usize) {
    let first = (client * PUSHES + push) * OPS;
    let op = |number: usize| {
        json!({
            "scope": "notes", "resourceId": name(number), "actor": format!("actor-{client}"),
            "clock": number + 1, "payload": {},
        })
    };
    let ops: Vec<_> = (first..first + OPS).map(op).collect();
    let body = json!({"clientId": format!("client-{client}"), "ops": ops}).to_string();
    let reply = wire.post("/sync/push", body.as_bytes()).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    for result in reply.body["results"].as_array().unwrap() {
        assert_eq!(result["status"], "accepted", "{}", reply.body);
    }
}

fn name(number: usize) -> String {
    format!("traced-{number:04}")
}

/// Asks for an fdatasync of the log that began after the op was written there, and had ended well
/// before the answer began to leave.
#[track_caller]
fn check(calls: &[Call<'_>], name: &str) {
    let first = |names: &[&str], place: &str| {
        let mut those = calls.iter().filter(|call| names.contains(&call.name()));
        let found = those.find(|call| call.holds(place) && call.holds(name));
        found.unwrap_or_else(|| panic!("no {names:?} of {name}"))
    };
    let asked = first(&RECEIVING, "");
    let written = first(&["pwrite64"], LOG);
    let answered = first(&SENDING, "");
    assert!(
        asked.ends < written.begins,
        "{name} was written before it was asked for"
    );
    let is_synced = calls.iter().any(|call| {
        call.name() == "fdatasync"
            && call.holds(LOG)
            && call.result() == "0"
            && written.ends < call.begins
            && call.ends < answered.begins
    });
    assert!(
        is_synced,
        "{name} was acknowledged before it was on the disk"
    );
}

/// A server under strace, on a free port.
struct Traced {
    server: Child,
    stderr: ChildStderr,
    address: String,
    trace: std::path::PathBuf,
}

impl Traced {
    fn start(machine: &Machine) -> Self {
        let trace = machine.home().join("trace");
        let serve = machine.command(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            "srv",
            "--auth",
            "token",
        ]);
        // As a grandchild, the tracer leaves the server to be the child that signals reach.
        let mut command = Command::new("strace");
        command
            .args(["-D", "-f", "-y", "-qq", "-s", STRING_BYTES])
            .args(["-e", CALLS, "-e", SYNC_DELAY, "-o"])
            .arg(&trace)
            .arg(serve.get_program())
            .args(serve.get_args())
            .current_dir(machine.work_dir())
            .env_clear()
            .env("HOME", machine.home())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut server = command.spawn().unwrap_or_else(|error| {
            panic!("this test needs strace, `apt-get install strace`: {error}")
        });
        let mut stderr = server.stderr.take().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(server.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let Some(address) = line.trim_end().strip_prefix("listening on http://") else {
            let mut why = String::new();
            stderr.read_to_string(&mut why).unwrap();
            panic!("no server under strace, which needs leave to trace: {why}");
        };
        Self {
            address: address.to_owned(),
            server,
            stderr,
            trace,
        }
    }

    /// Ends the server, and reads what was seen of it.
    fn stop(mut self) -> String {
        terminate(&self.server);
        assert_eq!(self.server.wait().unwrap().code(), Some(0));
        // Its end is that of the tracer, which has then written everything.
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        let trace = std::fs::read(&self.trace).unwrap();
        String::from_utf8_lossy(&trace).into_owned()
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A call to the system: the line of the trace where it begins, and the one where it ends, which
/// are mostly the same.
struct Call<'a> {
    first: &'a str,
    last: &'a str,
    begins: usize,
    ends: usize,
}

impl<'a> Call<'a> {
    fn name(&self) -> &'a str {
        self.first.split('(').next().unwrap_or_default()
    }

    fn holds(&self, words: &str) -> bool {
        self.first.contains(words) || self.last.contains(words)
    }

    /// The number that came back.
    fn result(&self) -> &'a str {
        let result = self
            .last
            .rsplit_once(" = ")
            .map_or("", |(_, result)| result);
        result.split(' ').next().unwrap_or_default()
    }
}

/// The calls that ended, each `PID NAME(…) = RESULT`, or two lines of that thread:
/// `PID NAME(… <unfinished ...>` and `PID <... NAME resumed>…) = RESULT`.
fn calls_of(trace: &str) -> Vec<Call<'_>> {
    let mut unfinished = HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let (thread, line) = line.split_once(' ').unwrap();
        let line = line.trim_start();
        if line.ends_with("<unfinished ...>") {
            unfinished.insert(thread, (number, line));
            continue;
        }
        let (begins, first) = match line.starts_with("<... ") {
            true => unfinished.remove(thread).unwrap(),
            false => (number, line),
        };
        calls.push(Call {
            first,
            last: line,
            begins,
            ends: number,
        });
    }
    calls
}
