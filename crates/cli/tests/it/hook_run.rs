//! `syncline hook run`: quick, quiet, never failing; and what becomes of what it is told.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::machine::{Answer, Machine, finish};

/// A session of Claude Code where it would lie.
fn transcript(machine: &Machine, session: &str) -> PathBuf {
    let path = machine
        .home()
        .join(".claude/projects/-w-app")
        .join(format!("{session}.jsonl"));
    let line = json!({
        "type": "user", "uuid": format!("u-{session}"), "sessionId": session, "cwd": "/w/app",
        "timestamp": "2026-03-01T10:00:00.000Z", "message": {"role": "user", "content": "hello"},
    });
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, format!("{line}\n")).unwrap();
    path
}

fn ended(session: &str, path: &Path) -> String {
    let body = json!({
        "session_id": session, "transcript_path": path, "cwd": "/w/app",
        "hook_event_name": "SessionEnd", "reason": "other", "secret": "hunter2",
    });
    body.to_string()
}

/// Runs a hook with what it is given in a file, so that nothing of it can come too late.
fn hook(machine: &Machine, body: impl AsRef<[u8]>, words: &[&str]) -> Answer {
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(body.as_ref()).unwrap();
    std::io::Seek::rewind(&mut input).unwrap();
    let words: Vec<&str> = ["hook", "run"].iter().chain(words).copied().collect();
    let mut command = machine.command(&words);
    command.stdin(Stdio::from(input));
    finish(command, b"")
}

fn spool(machine: &Machine) -> PathBuf {
    machine
        .home()
        .join(".local/share/syncline/profiles/default/spool")
}

fn waiting(machine: &Machine) -> Value {
    let status = machine.run(&["hook", "status", "--json"]).done().json();
    json!([status["waiting"], status["unreadable"]])
}

fn sessions(machine: &Machine) -> Value {
    let words = ["session", "list", "--json"];
    machine.run(&words).done().json()["sessions"].clone()
}

/// Asserts that a command prints these words.
#[track_caller]
fn shows(machine: &Machine, command: &[&str], words: &str) {
    let answer = machine.run(command).done();
    assert!(answer.stdout.contains(words), "{answer:#?}");
}

#[test]
fn an_event_waits_without_a_daemon_and_the_next_import_takes_it() {
    let machine = Machine::new();
    let path = transcript(&machine, "s1");
    let answer = hook(&machine, ended("s1", &path), &["claude-code", "SessionEnd"]).done();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
    assert_eq!(waiting(&machine), json!([1, 0]));
    let kept: Vec<_> = fs::read_dir(spool(&machine)).unwrap().flatten().collect();
    let kept = fs::read_to_string(kept[0].path()).unwrap();
    assert!(
        kept.contains("s1.jsonl") && !kept.contains("hunter2"),
        "{kept}"
    );
    machine.run(&["import", "auto"]).done();
    assert_eq!(waiting(&machine), json!([0, 0]));
    let sessions = sessions(&machine);
    assert!(sessions[0]["ended_at"].is_string(), "{sessions}");
}

#[test]
fn an_event_leads_to_a_transcript_that_lies_where_nobody_looks() {
    let machine = Machine::new();
    let path = transcript(&machine, "s1");
    let elsewhere = machine.home().join("elsewhere/projects/p/s1.jsonl");
    fs::create_dir_all(elsewhere.parent().unwrap()).unwrap();
    fs::rename(&path, &elsewhere).unwrap();
    fs::remove_dir_all(machine.home().join(".claude")).unwrap();
    hook(
        &machine,
        ended("s1", &elsewhere),
        &["claude-code", "SessionEnd"],
    )
    .done();
    machine
        .run(&["import", "auto"])
        .done()
        .says("1 file of 1 session");
    assert_eq!(sessions(&machine)[0]["id"], "s1");
}

/// Everything that lies in a directory, as one text.
fn all_bytes(directory: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        bytes.extend(match path.is_dir() {
            true => all_bytes(&path),
            false => fs::read(&path).unwrap(),
        });
    }
    bytes
}

fn holds(bytes: &[u8], text: &str) -> bool {
    let mut windows = bytes.windows(text.len());
    windows.any(|window| window == text.as_bytes())
}

#[test]
fn of_what_cannot_be_read_it_is_kept_why_and_not_a_byte_of_it() {
    let machine = Machine::new();
    let bodies: [&[u8]; 4] = [
        b"\xff\xfe{hunter2",
        b"{\"session_id\":\"hunter2",
        b"[\"hunter2\"]",
        b"\"hunter2\"",
    ];
    for body in bodies {
        let answer = hook(&machine, body, &["claude-code", "Stop"]).done();
        assert_eq!(answer.stdout, "");
    }
    assert_eq!(waiting(&machine), json!([4, 4]));
    let kept = all_bytes(machine.home());
    assert!(!holds(&kept, "hunter2"));
    assert!(holds(
        &kept,
        "claude-code Stop: the 22 bytes are no JSON object"
    ));
}

#[test]
fn a_body_that_does_not_come_to_its_end_in_time_leaves_nothing_of_itself() {
    let machine = Machine::new();
    let mut command = machine.command(&["hook", "run", "claude-code", "PostToolUse"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Kept open: the agent is slow to say the rest.
    let mut agent = child.stdin.take().unwrap();
    let _ = agent.write_all(br#"{"session_id":"s1","tool_response":"password=hunter2"#);
    assert!(child.wait().unwrap().success());
    drop(agent);
    assert_eq!(waiting(&machine), json!([1, 1]));
    assert!(!holds(&all_bytes(machine.home()), "hunter2"));
}

#[test]
fn what_waits_is_taken_also_where_no_agent_has_left_anything() {
    let machine = Machine::new();
    let body = r#"{"session_id":"s1","transcript_path":"/nowhere/s1.jsonl"}"#;
    hook(&machine, body, &["claude-code", "Stop"]).done();
    fs::create_dir(spool(&machine).join("0.json")).unwrap();
    machine
        .run(&["import", "auto", "/nowhere"])
        .failed(2, "agent_unknown");
    assert_eq!(waiting(&machine), json!([2, 0]));
    machine
        .run(&["import", "auto"])
        .done()
        .says("1 event of hooks could not be read");
    assert_eq!(waiting(&machine), json!([0, 1]));
    machine.run(&["import", "auto"]).failed(1, "nothing_found");
}

#[test]
fn whatever_is_wrong_the_hook_ends_well() {
    let machine = Machine::new();
    for words in [
        &["nobody", "Stop"][..],
        &["claude-code", "no such event"],
        &["claude-code"],
        &["claude-code", "Stop", "{}", "and", "more"],
        &["claude-code", "Stop", "--unknown"],
        &[],
    ] {
        let answer = hook(&machine, "{}", words).done();
        assert_eq!(answer.stdout, "", "{words:?}");
        assert!(!answer.stderr.is_empty(), "{words:?}");
    }
    machine.write_config("this is = no TOML [");
    hook(&machine, "{}", &["claude-code", "Stop"]).done();
    machine.write_config("");
    assert_eq!(waiting(&machine), json!([1, 0]));
    let mut command = machine.command(&["hook", "run", "claude-code", "Stop"]);
    command
        .env_remove("HOME")
        .env("SYNCLINE_DATA_DIR", "/proc/nowhere");
    let answer = finish(command, b"").done().says("syncline hook: ");
    assert_eq!(answer.stdout, "");
}

#[test]
fn what_one_profile_is_told_goes_to_no_other() {
    let machine = Machine::new();
    let stop = ["claude-code", "Stop"];
    let spools = || {
        ["default", "work"].map(|profile| {
            let spool = machine.home().join(".local/share/syncline/profiles");
            let files = fs::read_dir(spool.join(profile).join("spool"));
            files.map_or(0, |files| files.count())
        })
    };
    let work = |words: &[&str]| {
        let words = [&["--profile", "work", "hook", "run"], words].concat();
        finish(machine.command(&words), b"{}").done()
    };
    machine
        .run(&["config", "profiles", "create", "work"])
        .done();
    let config = fs::read_to_string(machine.config_file()).unwrap();
    work(&stop);
    assert_eq!(spools(), [0, 1]);
    // While nobody can say which profile is in use, it is the one that is named.
    machine.write_config("this is = no TOML [");
    work(&stop);
    assert_eq!(spools(), [0, 2]);
    hook(&machine, "{}", &stop).says("which profile");
    assert_eq!(spools(), [0, 2]);
    machine.write_config(&config);
    machine
        .run(&["config", "profiles", "delete", "work"])
        .done();
    work(&stop).says("there is no such profile");
    let invalid = ["--profile", "no/such", "hook", "run", "claude-code", "Stop"];
    finish(machine.command(&invalid), b"{}")
        .done()
        .says("there is no such profile");
    assert_eq!(spools()[0], 0);
}

#[test]
fn an_agent_that_says_nothing_and_hangs_does_not_hang_its_hook() {
    let machine = Machine::new();
    let mut command = machine.command(&["hook", "run", "claude-code", "Stop"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let held = child.stdin.take().unwrap();
    assert!(child.wait().unwrap().success());
    drop(held);
    assert_eq!(waiting(&machine), json!([1, 0]));
}

#[test]
fn each_agent_is_told_in_its_own_way() {
    let machine = Machine::new();
    let turn =
        json!({"type": "agent-turn-complete", "thread-id": "t1", "input-messages": ["hunter2"]});
    let words = [
        "hook",
        "run",
        "codex",
        "agent-turn-complete",
        &turn.to_string(),
    ];
    let answer = machine.run(&words).done();
    assert_eq!(answer.stdout, "");
    let answer = hook(&machine, "{\"conversation_id\":\"c\"}", &["cursor", "stop"]).done();
    assert_eq!(answer.stdout, "{}\n");
    assert_eq!(waiting(&machine), json!([2, 0]));
}

#[test]
fn ten_at_once_lose_nothing() {
    let machine = Machine::new();
    let path = transcript(&machine, "s1");
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                hook(&machine, ended("s1", &path), &["claude-code", "SessionEnd"]).done()
            });
        }
    });
    assert_eq!(waiting(&machine), json!([10, 0]));
    machine.run(&["import", "auto"]).done();
    assert_eq!(waiting(&machine), json!([0, 0]));
}

#[test]
fn events_that_find_no_room_are_left_out_and_what_they_told_of_is_read() {
    use syncline_capture::hook::WAITING_MAX;
    let machine = Machine::new();
    let path = transcript(&machine, "s1");
    hook(&machine, ended("s1", &path), &["claude-code", "SessionEnd"]).done();
    let kept = fs::read_dir(spool(&machine)).unwrap().flatten().next();
    let kept = fs::read(kept.unwrap().path()).unwrap();
    for place in 1..WAITING_MAX {
        fs::write(spool(&machine).join(format!("{place}.json")), &kept).unwrap();
    }
    let path = transcript(&machine, "s2");
    for _ in 0..2 {
        let words = ["claude-code", "SessionEnd"];
        let answer = hook(&machine, ended("s2", &path), &words).done();
        assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("", ""));
    }
    let status = machine.run(&["hook", "status", "--json"]).done().json();
    assert_eq!(status["waiting"], WAITING_MAX);
    assert!(status["left_out_since"].is_string(), "{status}");
    shows(&machine, &["hook", "status"], "no room for more since");
    shows(&machine, &["doctor"], "there is no room for more since");
    let logs = machine.home().join(".local/state/syncline/logs");
    let logs = fs::read_dir(logs).unwrap().flatten();
    let logs: String = logs
        .map(|log| fs::read_to_string(log.path()).unwrap())
        .collect();
    assert_eq!(
        logs.matches("events of hooks are left out").count(),
        1,
        "{logs}"
    );
    machine.run(&["import", "auto"]).done();
    assert_eq!(waiting(&machine), json!([0, 0]));
    let status = machine.run(&["hook", "status", "--json"]).done().json();
    assert_eq!(status["left_out_since"], Value::Null);
    assert_eq!(sessions(&machine).as_array().unwrap().len(), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told_and_breaks_nothing() {
    use crate::bad_disk::with_files_up_to;
    let machine = Machine::new();
    let path = transcript(&machine, "s1");
    let body = ended("s1", &path);
    let words = ["hook", "run", "codex", "agent-turn-complete", body.as_str()];
    let answer = finish(with_files_up_to(0, &machine.command(&words)), b"").done();
    assert!(
        answer.stderr.contains("could not keep the event"),
        "{answer:?}"
    );
    assert_eq!(answer.stdout, "");
    assert_eq!(waiting(&machine), json!([0, 0]));
    let left = fs::read_dir(spool(&machine)).map_or(0, |entries| entries.count());
    assert_eq!(left, 0);
    machine.run(&["import", "auto"]).done();
}
