//! Planted secrets on all their ways into a replica and to its server: of what redaction finds, no byte is
//! in a file or on the wire.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use syncline_capture::redact::Redactor;

use crate::capture::{call, spooled};
use crate::daemon::{Daemon, until};
use crate::machine::Machine;
use crate::recorded::Relay;
use crate::served::Server;

#[path = "../../../capture/tests/planted/list.rs"]
mod list;

use list::{Plant, kinds, plants, traces};

/// So many bytes of a secret in a row give it away.
const RUN: usize = 12;
/// How many events hooks tell; each is a process.
const EVENTS: usize = 24;

/// What is said beside the secrets, and must arrive: who looks for nothing finds nothing.
fn control(way: &str) -> String {
    format!("the way of {way} is open")
}

/// The runs of secrets that are looked for.
struct Wanted {
    /// Each with what it is of.
    runs: HashMap<Vec<u8>, String>,
    lengths: BTreeSet<usize>,
    /// By their first bytes, so that most places are passed over at a glance.
    begins: Vec<bool>,
}

impl Wanted {
    fn of(plants: &[Plant]) -> Self {
        let mut runs = HashMap::new();
        for plant in plants {
            let body = plant.body.as_bytes();
            let of = format!("{} ({})", plant.kind, plant.place);
            let windows = body.windows(RUN.min(body.len())).map(<[u8]>::to_vec);
            runs.extend(windows.map(|run| (run, of.clone())));
        }
        let mut begins = vec![false; 1 << GLANCE_BITS];
        runs.keys().for_each(|run| begins[glance(run)] = true);
        Self {
            lengths: runs.keys().map(Vec::len).collect(),
            runs,
            begins,
        }
    }

    /// A run that stands in `bytes`, and what it is of.
    fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let begins = bytes.windows(GLANCE_BYTES).enumerate();
        let mut places = begins.filter(|(_, begin)| self.begins[glance(begin)]);
        places.find_map(|(at, _)| {
            let mut runs = self
                .lengths
                .iter()
                .filter_map(|len| bytes.get(at..at + len));
            let found = runs.find_map(|run| self.runs.get(run).map(|of| (run, of)));
            found.map(|(run, of)| format!("{} of {of}", String::from_utf8_lossy(run)))
        })
    }
}

const GLANCE_BYTES: usize = 4;
const GLANCE_BITS: u32 = 20;

fn glance(run: &[u8]) -> usize {
    let begin = u32::from_le_bytes([run[0], run[1], run[2], run[3]]);
    (begin.wrapping_mul(0x9e37_79b1) >> (32 - GLANCE_BITS)) as usize
}

/// A line of a transcript.
fn line(session: &str, number: usize, text: &str) -> String {
    let id = format!("{session}-{number}");
    let (kind, content) = match number % 3 {
        0 => ("user", json!(text)),
        1 => (
            "assistant",
            json!([{ "type": "tool_use", "id": id, "name": "Bash", "input": { "command": text } }]),
        ),
        _ => (
            "user",
            json!([{ "type": "tool_result", "tool_use_id": format!("{session}-{}", number - 1),
                "content": text }]),
        ),
    };
    let message = json!({ "id": id, "role": kind, "content": content });
    let line = json!({ "type": kind, "uuid": id, "sessionId": session, "cwd": "/w/app",
        "timestamp": "2026-03-01T10:00:00.000Z", "message": message });
    format!("{line}\n")
}

fn write_transcript(path: &Path, session: &str, plants: &[Plant]) {
    let texts = plants.iter().map(|plant| plant.text.clone());
    let texts = texts.chain([control(session)]).enumerate();
    let lines: String = texts
        .map(|(number, text)| line(session, number, &text))
        .collect();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, lines).unwrap();
}

/// Tells the daemon what a plugin would.
fn tell(machine: &Machine, plants: &[Plant]) {
    let done = |method: &str, params: Value| {
        let answer = call(machine, method, &params);
        assert!(answer["error"].is_null(), "{answer}");
    };
    let session = json!({ "id": "plugin", "source": "opencode", "title": control("plugin") });
    done("upsertSession", json!({ "session": session }));
    for (number, plant) in plants.iter().enumerate() {
        let id = format!("p{number}");
        let text = &plant.text;
        match number % 3 {
            0 => {
                let message = json!({ "id": id, "sessionId": "plugin", "role": "user",
                    "textContent": text });
                done("upsertMessage", json!({ "message": message }));
            }
            1 => {
                let tool = json!({ "id": id, "sessionId": "plugin", "toolName": "bash",
                    "toolInput": { "command": text }, "toolOutput": text });
                done("upsertTool", json!({ "tool": tool }));
            }
            _ => {
                let entry = json!({ "level": "info", "component": "plugin", "message": text,
                    "context": { "said": text } });
                done("log.write", json!({ "entry": entry }));
            }
        }
    }
}

/// All files below a directory.
fn files(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// Asserts that no file of ours on a machine tells a secret; gives all that they hold.
#[track_caller]
fn assert_clean(machine: &Machine, wanted: &Wanted) -> Vec<u8> {
    let mut all = Vec::new();
    for path in files(machine.home()) {
        let name = path.to_string_lossy().into_owned();
        if name.contains("/.claude/") || name.contains("/given/") {
            continue;
        }
        // One that vanishes between two looks is a log that was taken in.
        let bytes = fs::read(&path).unwrap_or_default();
        assert_eq!(wanted.found_in(&bytes), None, "in {name}");
        all.extend(bytes);
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

#[test]
fn no_byte_of_a_secret_that_is_found_reaches_a_file_or_the_wire() {
    let redactor = Redactor::standard();
    let mut plants = plants(20_260_109);
    plants.retain(|plant| {
        let redacted = redactor.redact_text(&plant.text);
        traces::of(&plant.body, &redacted.text).is_none()
    });
    assert!(kinds() >= 40 && plants.len() >= 490, "{}", plants.len());
    let wanted = Wanted::of(&plants);
    assert!(wanted.found_in(plants[1].text.as_bytes()).is_some());

    let server = Server::start();
    let relay = Relay::to(server.address());
    let machine = Machine::new();
    let token = server.token("ada");
    machine.run_on(&token, &["login", &relay.url()]).done();
    let (imported, rest) = plants.split_at(150);
    let (watched, rest) = rest.split_at(150);
    let (told, hooked) = rest.split_at(90);

    let given = machine.home().join("given/import.jsonl");
    write_transcript(&given, "import", imported);
    let given = given.to_str().unwrap();
    machine.run(&["import", "claude-code", given]).done();

    // What hooks are told waits in the spool, as no daemon runs.
    let path = machine.home().join("given/hook.jsonl");
    write_transcript(&path, "hook", hooked);
    for plant in hooked.iter().take(EVENTS) {
        let body = json!({ "session_id": "hook", "transcript_path": path, "cwd": plant.text,
            "prompt": plant.text, "message": plant.text, "tool_response": { "said": plant.text } });
        let words = ["hook", "run", "claude-code", "UserPromptSubmit"];
        machine.run_on(&body.to_string(), &words).done();
    }
    assert_eq!(spooled(&machine), EVENTS);
    assert_clean(&machine, &wanted);

    let place = machine.home().join(".claude/projects/-w-app/daemon.jsonl");
    write_transcript(&place, "daemon", watched);
    let daemon = Daemon::start(&machine);
    tell(&machine, told);
    let ways = ["import", "hook", "daemon", "plugin"].map(control);
    until("all of it has reached the server", || {
        let passed = relay.passed();
        ways.iter().all(|way| holds(&passed, way)) && spooled(&machine) == 0
    });
    until("nothing is pending", || {
        let status = machine.run(&["status", "--json"]).done().json();
        status["pending"] == 0
    });
    let kept = assert_clean(&machine, &wanted);
    for way in &ways {
        assert!(holds(&kept, way), "{way}");
    }
    daemon.stop();
    assert_clean(&machine, &wanted);
    assert_eq!(wanted.found_in(&relay.passed()), None, "on the wire");
    let stored = assert_clean(server.machine(), &wanted);
    for way in &ways {
        assert!(holds(&stored, way), "{way}");
    }
}
