//! Which sessions flags and names choose, and how those are told that say little of themselves.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::capture::call;
use crate::daemon::{Daemon, until};
use crate::machine::Machine;
use crate::session::{hostile, line, listed};

/// A machine whose daemon was told of a session by the plugins of two agents, and of one by one.
fn told() -> Machine {
    let machine = Machine::new();
    let daemon = Daemon::start(&machine);
    for (agent, id) in [
        ("opencode", "same"),
        ("claude-code", "same"),
        ("opencode", "bare"),
    ] {
        let params = json!({ "session": { "id": id, "source": agent } });
        let answer = call(&machine, "upsertSession", &params);
        assert_eq!(answer["result"], json!({ "ok": true }), "{answer}");
    }
    daemon.stop();
    machine
}

#[test]
fn an_agent_or_model_is_named_by_what_stands_before_a_dash() {
    let machine = hostile();
    for (flags, count) in [
        (["--agent", "claude"], 1),
        (["--agent", "claude-"], 0),
        (["--agent", "clau"], 0),
        (["--model", "claude-sonnet-4"], 1),
        (["--model", "claude-sonnet-4-5"], 1),
        (["--model", "claude-sonnet-4-"], 0),
        (["--model", "sonnet"], 0),
    ] {
        assert_eq!(listed(&machine, &flags).len(), count, "{flags:?}");
    }
    let found = |model| {
        let search = ["session", "search", "alert", "--json", "--model", model];
        machine.run(&search).done().json()["total"]
            .as_u64()
            .unwrap()
    };
    assert!(found("claude-sonnet") > 0);
    assert_eq!(found("claude-opus"), 0);
    machine
        .run(&["session", "show", "hostile", "--agent", "claude", "--json"])
        .done();
}

#[test]
fn who_finds_nothing_is_told_to_import_only_where_there_is_nothing() {
    let advice = "syncline import auto";
    let nothing = Machine::new();
    nothing.run(&["session", "list"]).done().says(advice);
    let none = hostile()
        .run(&["session", "list", "--min-cost", "99"])
        .done();
    assert!(!none.stderr.contains(advice), "{}", none.stderr);
    assert!(none.stderr.contains("no sessions match"), "{}", none.stderr);
}

#[test]
fn stats_and_exports_are_narrowed_by_error_and_cost() {
    let machine = hostile();
    let place = machine.work_dir().join("calm.jsonl");
    let calm = line("c1", "user", 0, json!("all is well")).replace("hostile", "calm");
    std::fs::write(&place, calm + "\n").unwrap();
    let import = ["import", "claude-code", place.to_str().unwrap()];
    machine.run(&import).done();
    let sessions = |flags: &[&str]| {
        let stats = [&["session", "stats", "--json"], flags].concat();
        let stats = machine.run(&stats).done().json();
        let export = [&["session", "export", "--format", "jsonl"], flags].concat();
        let lines = machine.run(&export).done().stdout;
        let is_session = |line: &&str| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["type"] == "session"
        };
        let exported = lines.lines().filter(is_session).count() as u64;
        (stats["total"]["session_count"].as_u64().unwrap(), exported)
    };
    assert_eq!(sessions(&[]), (2, 2));
    assert_eq!(sessions(&["--has-error"]), (1, 1));
    assert_eq!(sessions(&["--min-cost", "1"]), (1, 1));
    assert_eq!(sessions(&["--min-cost", "99"]), (0, 0));
}

#[test]
fn an_export_of_nothing_leaves_the_file_as_it_is() {
    let machine = hostile();
    let file = machine.work_dir().join("kept.md");
    std::fs::write(&file, "precious\n").unwrap();
    let path = file.to_str().unwrap();
    for format in ["markdown", "html", "jsonl"] {
        let words = ["session", "export", "--agent", "aider", "-f", format, "-o"];
        machine
            .run(&[&words[..], &[path]].concat())
            .failed(1, "nothing_matches")
            .says("kept.md is as it was");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious\n");
    }
    machine
        .run(&["session", "export", "--agent", "aider"])
        .done();
}

#[test]
fn who_asks_for_no_rows_or_an_agent_of_no_name_is_told_what_to_type() {
    let machine = hostile();
    machine
        .run(&["session", "list", "-n", "0"])
        .failed(2, "usage");
    let none = machine
        .run(&["session", "list", "-a", "Claude-Code"])
        .done();
    let meant = r#"for --agent "Claude-Code", did you mean claude-code?"#;
    assert!(none.stderr.contains(meant), "{}", none.stderr);
    let none = machine.run(&["session", "list", "-a", "codex"]).done();
    assert!(!none.stderr.contains("did you mean"), "{}", none.stderr);
    machine
        .run(&["session", "search", "all", "is", "well"])
        .failed(2, "usage")
        .says("in quotes");
}

#[test]
fn an_empty_id_names_no_session_and_a_letter_deletes_none() {
    let machine = hostile();
    for command in ["show", "resume", "link", "delete", "export"] {
        let mut words = vec!["session", command, ""];
        match command {
            "delete" => words.push("--yes"),
            "link" => words.push("thread"),
            _ => {}
        }
        machine.run(&words).failed(2, "session_missing");
    }
    machine
        .run(&["session", "search", "alert", "--session", ""])
        .failed(2, "session_missing");
    machine
        .run(&["session", "delete", "hos", "--yes"])
        .failed(2, "session_short")
        .says("(claude-code, ");
    assert_eq!(listed(&machine, &[]).len(), 1);
    machine.run(&["session", "show", "h"]).done();
    machine.run(&["session", "delete", "host", "--yes"]).done();
    assert_eq!(listed(&machine, &[]).len(), 0);
}

#[test]
fn one_id_of_two_agents_asks_for_the_agent() {
    let machine = told();
    machine
        .run(&["session", "show", "same"])
        .failed(1, "session_ambiguous")
        .says("--agent ");
    machine
        .run(&["session", "show", "sa"])
        .failed(1, "session_ambiguous")
        .says("by more of its id");
    let show = ["session", "show", "same", "--agent", "opencode", "--json"];
    let shown = machine.run(&show).done().json();
    assert_eq!(shown["session"]["agent"], "opencode");
    let export = ["session", "export", "same", "--agent", "opencode"];
    machine.run(&export).done();
}

#[test]
fn a_session_without_a_time_has_none() {
    let machine = told();
    let sessions = listed(&machine, &[]);
    let bare = sessions.iter().find(|one| one["id"] == "bare").unwrap();
    assert_eq!(bare["updated_at"], Value::Null);
    let list = machine.run(&["session", "list"]).done().stdout;
    assert!(!list.contains("1970"), "{list}");
    let shown = machine.run(&["session", "show", "bare"]).done().stdout;
    assert!(!shown.contains("1970"), "{shown}");
}

#[test]
fn a_fork_says_what_it_is_of() {
    let machine = Machine::new();
    let place = machine.work_dir().join("forked");
    std::fs::create_dir(&place).unwrap();
    let shared = [
        line("u1", "user", 0, json!("plant flowers")),
        line(
            "a1",
            "assistant",
            1,
            json!([{"type": "text", "text": "planted"}]),
        ),
    ];
    let forked = shared.each_ref().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["forkedFrom"] = json!({"sessionId": "hostile", "messageUuid": line["uuid"]});
        line["sessionId"] = json!("other");
        line.to_string()
    });
    let write = |name: &str, lines: &[String]| {
        std::fs::write(place.join(name), lines.join("\n") + "\n").unwrap();
    };
    write("hostile.jsonl", &shared);
    let own = line("u2", "user", 2, json!("and water them")).replace("hostile", "other");
    write("other.jsonl", &[&forked[..], &[own]].concat());
    let import = ["import", "claude-code", place.to_str().unwrap()];
    machine.run(&import).done();
    let shown = machine.run(&["session", "show", "other"]).done().stdout;
    assert!(shown.contains("\nfrom      fork of "), "{shown}");
}

#[test]
fn plugins_of_clankers_reach_the_daemon_where_they_look() {
    let machine = Machine::new();
    let daemon = Daemon::start(&machine);
    let place = machine
        .home()
        .join(".local/share/clankers/dxta-clankers.sock");
    // Commands are answered a moment before plugins are.
    let mut stream = None;
    until("plugins are answered", || {
        stream = UnixStream::connect(&place).ok();
        stream.is_some()
    });
    let mut stream = stream.unwrap();
    let body = r#"{"jsonrpc":"2.0","id":"req-1","method":"health"}"#;
    write!(stream, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = BufReader::new(stream);
    let mut header = String::new();
    answer.read_line(&mut header).unwrap();
    assert!(header.starts_with("Content-Length: "), "{header}");
    let mut rest = String::new();
    answer.read_to_string(&mut rest).unwrap();
    assert!(rest.contains(r#""ok":true"#), "{rest}");
    // A directory with a socket in it is no store of sessions.
    machine.run(&["import", "auto"]).failed(1, "nothing_found");
    let status = machine.run(&["status"]).done().stdout;
    assert!(
        status.contains("\n  daemon       runs, without sync\n"),
        "{status}"
    );
    daemon.stop();
    assert!(!place.exists());
    let elsewhere = machine.work_dir().join("plugins.sock");
    let mut command = machine.command(&["daemon", "--plugin-socket", "off"]);
    command.env("CLANKERS_SOCKET_PATH", &elsewhere);
    let off = Daemon::run(&machine, command);
    assert!(!elsewhere.exists() && !place.exists());
    off.stop();
}
