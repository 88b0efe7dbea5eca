//! Settings of what is recorded.

#[cfg(unix)]
use std::fs;

use serde_json::json;

#[cfg(unix)]
use crate::daemon::{Daemon, until};
use crate::machine::Machine;

#[test]
fn whose_sessions_are_captured_is_a_switch_or_a_list_of_agents() {
    let machine = Machine::new();
    let captured = |given: &str| {
        machine.run(&["config", "set", "capture", given]).done();
        let file = std::fs::read_to_string(machine.config_file()).unwrap();
        let listing = machine.run(&["config", "list", "--json"]).done().json();
        (
            file.lines().last().unwrap().to_owned(),
            listing["profiles"]["default"]["capture"].clone(),
        )
    };
    assert_eq!(
        captured("false"),
        ("capture = false".to_owned(), json!(false))
    );
    assert_eq!(
        captured(r#"["codex", "gemini"]"#),
        (
            r#"capture = ["codex", "gemini"]"#.to_owned(),
            json!(["codex", "gemini"])
        )
    );
    assert_eq!(captured("true"), ("capture = true".to_owned(), json!(true)));
    machine
        .run(&["config", "set", "capture", "clippy"])
        .failed(2, "value_invalid");
}

#[test]
fn what_is_not_recorded_is_set_in_lists_that_an_import_goes_by() {
    let machine = Machine::new();
    let set = |key, value| machine.run(&["config", "set", key, value]);
    set("redact_patterns", r#"["ticket=TICKET-[0-9]{4}"]"#).done();
    set("exclude_projects", "closed").done();
    set("redact_patterns", "ticket=TICKET-[0-9")
        .failed(2, "value_invalid")
        .says("unclosed");
    let listing = machine.run(&["config", "list", "--json"]).done().json();
    let profile = &listing["profiles"]["default"];
    assert_eq!(
        profile["redact_patterns"],
        json!(["ticket=TICKET-[0-9]{4}"])
    );
    assert_eq!(profile["exclude_projects"], json!(["closed"]));
    let transcripts = machine.home().join("transcripts");
    std::fs::create_dir_all(&transcripts).unwrap();
    for (name, cwd) in [("a", "/w/open"), ("b", "/w/closed")] {
        let line = json!({
            "type": "user", "uuid": name, "sessionId": name, "cwd": cwd,
            "message": {"role": "user", "content": "see TICKET-1234"},
        });
        std::fs::write(
            transcripts.join(format!("{name}.jsonl")),
            format!("{line}\n"),
        )
        .unwrap();
    }
    let transcripts = transcripts.to_str().unwrap();
    let done = machine.run(&["import", "claude-code", transcripts, "--json"]);
    let done = done.done().json();
    // In the prompt, and in the title that is made of it.
    assert_eq!(done["secrets"], json!({"ticket": 2}));
    assert_eq!((&done["new"], &done["excluded"]), (&json!(1), &json!(1)));
}

#[cfg(unix)]
#[test]
fn a_rule_is_in_force_in_a_daemon_from_when_it_is_set() {
    let machine = Machine::new();
    let say = |session: &str, place: &str| {
        let line = json!({
            "type": "user", "uuid": session, "sessionId": session, "cwd": place,
            "timestamp": "2026-03-01T10:00:00.000Z",
            "message": {"role": "user", "content": "said"},
        });
        let directory = machine.home().join(".claude/projects/-w");
        fs::create_dir_all(&directory).unwrap();
        fs::write(
            directory.join(format!("{session}.jsonl")),
            format!("{line}\n"),
        )
        .unwrap();
    };
    let recorded = || {
        let list = machine.run(&["session", "list", "--json"]).done().json();
        let sessions = list["sessions"].as_array().unwrap().clone();
        let mut ids: Vec<_> = sessions.iter().map(|one| one["id"].clone()).collect();
        ids.sort_by_key(|id| id.to_string());
        ids
    };
    say("begun", "/w/app");
    let daemon = Daemon::start(&machine);
    until("what was there is read", || recorded() == ["begun"]);
    machine
        .run(&["config", "set", "exclude_paths", "/w/private"])
        .done();
    say("hidden", "/w/private");
    say("open", "/w/app");
    until("what is written is read", || {
        recorded().contains(&json!("open"))
    });
    assert_eq!(recorded(), ["begun", "open"]);
    daemon.stop();
}
