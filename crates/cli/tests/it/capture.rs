//! What the daemon captures of coding agents: from their transcripts, their plugins and their hooks.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::bad_disk::with_files_up_to;
use crate::daemon::{Daemon, socket, until};
use crate::machine::Machine;
use crate::session::line;

fn transcript(machine: &Machine, session: &str) -> PathBuf {
    let place = machine.home().join(".claude/projects/-w-app");
    fs::create_dir_all(&place).unwrap();
    place.join(format!("{session}.jsonl"))
}

fn say(machine: &Machine, session: &str, number: u64) {
    let line = json!({
        "type": "user", "uuid": format!("{session}-{number}"), "sessionId": session, "cwd": "/w/app",
        "timestamp": "2026-03-01T10:00:00.000Z",
        "message": {"role": "user", "content": format!("said {number}")},
    });
    let path = transcript(machine, session);
    let mut file = fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    writeln!(file, "{line}").unwrap();
}

/// How many messages each session has.
fn counts(machine: &Machine) -> Vec<(String, u64)> {
    let list = machine.run(&["session", "list", "--json"]).done().json();
    let sessions = list["sessions"].as_array().unwrap().iter();
    let count = |one: &Value| {
        let id = one["id"].as_str().unwrap().to_owned();
        (id, one["message_count"].as_u64().unwrap())
    };
    let mut counts: Vec<_> = sessions.map(count).collect();
    counts.sort();
    counts
}

/// Calls the daemon as the plugins' own client does.
pub(crate) fn call(machine: &Machine, method: &str, params: &Value) -> Value {
    let mut stream = UnixStream::connect(socket(machine).unwrap()).unwrap();
    let body = json!({ "jsonrpc": "2.0", "id": "req-1", "method": method, "params": params });
    let body = body.to_string();
    write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (header, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(header, format!("Content-Length: {}", body.len()));
    serde_json::from_str(body).unwrap()
}

pub(crate) fn spooled(machine: &Machine) -> usize {
    let spool = machine
        .home()
        .join(".local/share/syncline/profiles/default/spool");
    let files = fs::read_dir(spool).into_iter().flatten().flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|end| end == "json"))
        .count()
}

fn hook(machine: &Machine, session: &str) {
    let body = json!({ "session_id": session, "transcript_path": transcript(machine, session) });
    machine
        .run_on(&body.to_string(), &["hook", "run", "claude-code", "Stop"])
        .done();
}

#[test]
fn sessions_are_captured_as_they_grow_and_status_says_so() {
    let machine = Machine::new();
    say(&machine, "before", 1);
    let daemon = Daemon::start(&machine);
    until("what was there is read", || {
        counts(&machine) == [("before".to_owned(), 1)]
    });
    say(&machine, "before", 2);
    say(&machine, "new", 1);
    let both = [("before".to_owned(), 2), ("new".to_owned(), 1)];
    until("what is written is read", || counts(&machine) == both);
    let status = machine.run(&["status"]).done();
    assert!(
        status.stdout.contains("claude-code; last event "),
        "{status:#?}"
    );
    let status = machine.run(&["status", "--json"]).done().json();
    let place = &status["capture"]["agents"]["claude-code"]["places"][0];
    assert_eq!(place["watched"], "told");
    machine.run(&["config", "set", "capture", "codex"]).done();
    until("capture is turned off", || {
        let status = machine.run(&["status", "--json"]).done().json();
        let agents = status["capture"]["agents"].as_object().unwrap().clone();
        agents.keys().eq(["codex"])
    });
    daemon.stop();
}

/// The damaged places that the log names, each as a file's name and a line.
fn damaged_places(machine: &Machine) -> Vec<(String, u64)> {
    let log = machine.run(&["logs", "-n", "1000", "--json"]).done().stdout;
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let place = |line: Value| {
        let said = line.get("fields").unwrap_or(&line);
        let is_damage = line
            .to_string()
            .contains("some of what agents left could not be read");
        let path = PathBuf::from(said["path"].as_str().filter(|_| is_damage)?);
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, said["line"].as_u64()?))
    };
    let mut places: Vec<_> = lines.filter_map(place).collect();
    places.sort();
    places
}

#[test]
fn each_damaged_line_is_named_once_in_the_log_also_where_a_hook_names_its_file() {
    let machine = Machine::new();
    let damage = |session: &str| {
        let mut file = fs::File::options()
            .append(true)
            .open(transcript(&machine, session))
            .unwrap();
        writeln!(file, "{{\"type\":").unwrap();
    };
    for session in ["one", "two"] {
        say(&machine, session, 1);
        damage(session);
        say(&machine, session, 2);
        damage(session);
    }
    let place = |name: &str, line| (format!("{name}.jsonl"), line);
    let mut expected = vec![
        place("one", 2),
        place("one", 4),
        place("two", 2),
        place("two", 4),
    ];
    let daemon = Daemon::start(&machine);
    until("all four are named", || {
        damaged_places(&machine) == expected
    });
    daemon.stop();

    say(&machine, "one", 3);
    damage("one");
    hook(&machine, "one");
    expected.insert(2, place("one", 6));
    let daemon = Daemon::start(&machine);
    until("the fifth is named", || {
        damaged_places(&machine) == expected
    });
    until("the event is taken", || spooled(&machine) == 0);
    assert_eq!(damaged_places(&machine), expected);
    daemon.stop();
}

#[test]
fn a_plugin_is_answered_by_the_daemon() {
    let machine = Machine::new();
    let daemon = Daemon::start(&machine);
    let health = call(&machine, "health", &json!({}));
    assert_eq!(
        (&health["id"], &health["result"]["ok"]),
        (&json!("req-1"), &json!(true))
    );
    let client = json!({ "name": "opencode-plugin", "version": "0.1.0" });
    let session = json!({ "schemaVersion": "v1", "client": client,
        "session": { "id": "ses_1", "title": "Fix login", "source": "opencode" } });
    let told = call(&machine, "upsertSession", &session);
    assert_eq!(told["result"], json!({ "ok": true }));
    let message = json!({ "schemaVersion": "v1", "client": client,
        "message": { "id": "m", "sessionId": "ses_1", "role": "user", "textContent": "why?" } });
    call(&machine, "upsertMessage", &message);
    assert_eq!(counts(&machine), [("ses_1".to_owned(), 1)]);
    let missing = call(&machine, "upsertTool", &json!({ "tool": { "id": "t" } }));
    assert_eq!(missing["error"]["data"], json!({ "field": "sessionId" }));
    daemon.stop();
}

#[test]
fn what_waits_is_taken_by_the_next_daemon_though_one_is_killed_over_it() {
    let machine = Machine::new();
    // Not where the daemon looks by itself: the events alone lead to them.
    machine.run(&["config", "set", "capture", "true"]).done();
    for number in 0..20 {
        let session = format!("s{number:02}");
        (0..50).for_each(|line| say(&machine, &session, line));
        hook(&machine, &session);
    }
    assert_eq!(spooled(&machine), 20);
    let all: Vec<_> = (0..20)
        .map(|number| (format!("s{number:02}"), 50))
        .collect();
    for _ in 0..3 {
        let mut daemon = Daemon::start(&machine);
        daemon.child.kill().unwrap();
        daemon.child.wait().unwrap();
    }
    let daemon = Daemon::start(&machine);
    until("everything is taken", || {
        spooled(&machine) == 0 && counts(&machine) == all
    });
    let second = machine.run(&["daemon"]).failed(1, "daemon_running");
    assert!(second.stderr.contains("already"), "{second:#?}");
    say(&machine, "s00", 50);
    hook(&machine, "s00");
    until("the first goes on", || {
        counts(&machine)[0] == ("s00".to_owned(), 51)
    });
    daemon.stop();
}

#[test]
fn events_that_find_no_room_wait_until_there_is_some() {
    let machine = Machine::new();
    machine.run(&["session", "list"]).done();
    for number in 0..400 {
        say(&machine, "large", number);
    }
    hook(&machine, "large");
    assert_eq!(spooled(&machine), 1);
    let local = machine
        .home()
        .join(".local/share/syncline/profiles/default/local.db");
    let blocks = fs::metadata(local).unwrap().len() / 512;
    let mut full = with_files_up_to(blocks, &machine.command(&["daemon"]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("it says what is wrong", || {
        full.try_wait().unwrap().is_some() || {
            socket(&machine).is_some_and(|path| UnixStream::connect(path).is_ok())
                && !call(&machine, "capture.status", &json!({}))["result"]["error"].is_null()
        }
    });
    full.kill().unwrap();
    full.wait().unwrap();
    assert_eq!(spooled(&machine), 1);
    let daemon = Daemon::start(&machine);
    let all = [("large".to_owned(), 400)];
    until("everything is taken", || {
        spooled(&machine) == 0 && counts(&machine) == all
    });
    daemon.stop();
}

#[test]
fn the_doctor_warns_of_agents_that_delete_and_says_what_is_kept() {
    let machine = Machine::new();
    say(&machine, "s", 1);
    let settings = machine.home().join(".claude/settings.json");
    let commented = "{\n  // a week\n  \"cleanupPeriodDays\": 7,\n}\n";
    fs::write(&settings, commented).unwrap();
    machine.run(&["import", "claude-code"]).done();
    let check = |name: &str| check(&machine, name);
    let retention = check("agents_retention");
    assert_eq!(retention["state"], "warning", "{retention}");
    let message = retention["message"].as_str().unwrap();
    assert_eq!(message, "claude-code deletes its transcripts after 7 days");
    assert!(
        retention["fix"]
            .as_str()
            .unwrap()
            .contains("cleanupPeriodDays")
    );
    fs::write(&settings, "{\"cleanupPeriodDays\" 7}").unwrap();
    let unreadable = check("agents_retention");
    let message = unreadable["message"].as_str().unwrap();
    assert!(
        message.starts_with("could not read the settings of claude-code: "),
        "{message}"
    );
    assert!(message.contains("line 1, column 22"), "{message}");
    fs::write(&settings, commented).unwrap();
    let kept = check("agents_archived");
    let message = kept["message"].as_str().unwrap();
    assert_eq!(
        message,
        "claude-code: 1 session, 1 message, the oldest of 2026-03-01"
    );
    let daemon = Daemon::start(&machine);
    until("the daemon captures", || check("capture")["state"] == "ok");
    assert_eq!(check("agents_retention")["state"], "ok");
    daemon.stop();
}

/// What the doctor finds of one thing.
fn check(machine: &Machine, name: &str) -> Value {
    let report = machine.run(&["doctor", "--json"]).done().json();
    let checks = report["checks"].as_array().unwrap().clone();
    let found = checks.into_iter().find(|check| check["name"] == name);
    found.unwrap()
}

#[test]
fn the_doctor_tells_of_sessions_that_no_rule_by_place_can_leave_out() {
    let machine = Machine::new();
    say(&machine, "s", 1);
    let place = ".cursor/projects/w-that-is-gone/agent-transcripts/t1";
    let place = machine.home().join(place);
    fs::create_dir_all(&place).unwrap();
    let line = r#"{"role":"user","message":{"content":[{"type":"text","text":"go"}]}}"#;
    fs::write(place.join("t1.jsonl"), format!("{line}\n")).unwrap();
    machine.run(&["import", "claude-code"]).done();
    let placed = check(&machine, "agents_unplaced");
    assert_eq!(placed["state"], "ok", "{placed}");
    assert_eq!(placed["message"], "the directory of each session is known");
    machine.run(&["import", "cursor"]).done();
    let told = "nothing tells the directory of 1 session of cursor: \
                exclude_paths and exclude_projects can't leave them out";
    let unplaced = check(&machine, "agents_unplaced");
    // Without such a rule it is no fault.
    assert_eq!(unplaced["state"], "ok", "{unplaced}");
    assert_eq!(unplaced["message"], told);
    machine
        .run(&["config", "set", "exclude_paths", "/w/private"])
        .done();
    let unplaced = check(&machine, "agents_unplaced");
    assert_eq!(unplaced["state"], "warning", "{unplaced}");
    assert_eq!(unplaced["message"], told);
    let fix = unplaced["fix"].as_str().unwrap();
    assert!(fix.contains("exclude_agents cursor"), "{fix}");
}

#[test]
fn an_import_tells_how_many_sessions_rules_leave_out() {
    let machine = Machine::new();
    for (name, place, count) in [
        ("a", "/w/private", 2),
        ("b", "/w/private", 3),
        ("c", "/w/app", 1),
    ] {
        let lines = (0..count).map(|number| {
            let text = line(&format!("{name}{number}"), "user", number, json!("go"));
            let mut line: Value = serde_json::from_str(&text).unwrap();
            line["sessionId"] = json!(name);
            line["cwd"] = json!(place);
            format!("{line}\n")
        });
        let path = machine.work_dir().join(format!("{name}.jsonl"));
        fs::write(path, lines.collect::<String>()).unwrap();
    }
    machine
        .run(&["config", "set", "exclude_paths", "/w/private"])
        .done();
    let place = machine.work_dir();
    let import = [
        "import",
        "claude-code",
        place.to_str().unwrap(),
        "--dry-run",
    ];
    machine
        .run(&import)
        .done()
        .says("left out by rules and marks: 5 entries of 2 sessions\n");
    let told = machine
        .run(&[&import[..], &["--json"]].concat())
        .done()
        .json();
    assert_eq!(
        (&told["excluded"], &told["sessions_excluded"]),
        (&json!(5), &json!(2))
    );
    assert_eq!((&told["new"], &told["sessions"]), (&json!(1), &json!(1)));
}
