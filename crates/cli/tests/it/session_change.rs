//! Sessions that are resumed, linked, deleted, and go on.

use std::path::Path;

use serde_json::{Value, json};

use crate::daemon::until;
use crate::machine::Machine;
use crate::served::Server;
use crate::session::{NATIVE, hostile, line, listed, machine, transcripts};

#[test]
fn the_agents_own_command_resumes_a_session() {
    let machine = machine();
    let answer = machine.run(&["session", "resume", NATIVE]).done();
    let command = format!("cd /Users/paul/src/entireio/cli && claude --resume {NATIVE}\n");
    assert_eq!(answer.stdout, command);
    answer.says("no directory");
    machine
        .run(&["session", "resume", NATIVE, "--run"])
        .failed(1, "resume_failed");
}

#[test]
fn a_session_is_linked_to_a_thread_and_back() {
    let machine = machine();
    machine.run(&["thread", "new", "Plan", "first"]).done();
    let link = [
        "session",
        "link",
        NATIVE,
        "plan",
        "--note",
        "where it began",
    ];
    machine.run(&link).done().says("default/plan");
    let show = ["session", "show", NATIVE, "--json"];
    let links = machine.run(&show).done().json()["links"].clone();
    assert_eq!(
        (&links[0]["kind"], &links[0]["note"]),
        (&json!("thread"), &json!("where it began"))
    );
    let shown = machine.run(&["session", "show", NATIVE]).done().stdout;
    let link = "\nlink      thread default/plan  where it began\n";
    assert!(shown.contains(link), "{shown}");
    machine
        .run(&["session", "link", NATIVE, "plan", "--remove"])
        .done();
    assert_eq!(machine.run(&show).done().json()["links"], json!([]));
}

#[test]
fn a_deleted_session_is_gone_and_no_import_brings_it_back() {
    let machine = machine();
    machine
        .run(&["session", "delete", NATIVE])
        .failed(2, "not_confirmed");
    assert_eq!(listed(&machine, &[]).len(), 1);
    machine
        .run(&["session", "delete", NATIVE, "--yes"])
        .done()
        .says("backups made before still hold it, and so do claude-code's own files");
    let place = transcripts();
    let copy = machine.work_dir().join("copy");
    std::fs::create_dir(&copy).unwrap();
    let name = format!("{NATIVE}.jsonl");
    std::fs::copy(place.join(&name), copy.join(&name)).unwrap();
    machine
        .run(&["import", "claude-code", copy.to_str().unwrap()])
        .done();
    assert!(listed(&machine, &[]).is_empty());
    let found = machine
        .run(&["session", "search", "gitleaks", "--json"])
        .done()
        .json();
    assert_eq!(found["total"], 0);
}

/// The files of a directory that hold a text.
fn holding(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holding(&path, text));
            continue;
        }
        // A file may go while it is looked for.
        let bytes = std::fs::read(&path).unwrap_or_default();
        let mut windows = bytes.windows(text.len());
        if windows.any(|window| window == text.as_bytes()) {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

/// Imports a session that says `text` from a place that is no agent's own.
fn import_saying(machine: &Machine, text: &str) {
    let copy = machine.work_dir().join("copy");
    std::fs::create_dir(&copy).unwrap();
    let lines = [
        line("u1", "user", 0, json!(text)),
        line(
            "a1",
            "assistant",
            1,
            json!([{"type": "text", "text": text}]),
        ),
    ];
    std::fs::write(copy.join("hostile.jsonl"), lines.join("\n") + "\n").unwrap();
    machine
        .run(&["import", "claude-code", copy.to_str().unwrap()])
        .done();
    std::fs::remove_dir_all(copy).unwrap();
}

#[test]
fn what_a_deleted_session_said_is_in_no_byte_of_a_machine_that_never_synced() {
    let machine = Machine::new();
    import_saying(&machine, "not a word of plutonium");
    assert_ne!(holding(machine.home(), "plutonium"), [""; 0]);
    machine
        .run(&["session", "delete", "hostile", "--yes"])
        .done();
    assert_eq!(holding(machine.home(), "plutonium"), [""; 0]);
    let sync = machine.run(&["sync", "status", "--json"]).done().json();
    assert_eq!(sync["pending_things"]["messages"], 0);
}

#[test]
fn what_a_deleted_session_said_is_in_no_byte_of_a_server_nor_of_who_synced_it() {
    let server = Server::start();
    let (ada, bob) = (server.member("ada"), server.member("bob"));
    import_saying(&ada, "not a word of plutonium");
    ada.run(&["sync", "now"]).done();
    bob.run(&["sync", "now"]).done();
    let places = [server.machine().home(), ada.home(), bob.home()];
    for place in &places {
        assert_ne!(holding(place, "plutonium"), [""; 0], "{place:?}");
    }
    ada.run(&["session", "delete", "hostile", "--yes"]).done();
    ada.run(&["sync", "now"]).done();
    bob.run(&["sync", "now"]).done();
    for place in &places {
        until("it is forgotten", || holding(place, "plutonium").is_empty());
    }
}

#[test]
fn subagents_stand_below_the_session_that_started_them_and_go_with_it() {
    let machine = Machine::new();
    let project = machine.work_dir().join("projects/p");
    std::fs::create_dir_all(project.join("hostile/subagents")).unwrap();
    let call =
        json!([{"type": "tool_use", "id": "t1", "name": "Task", "input": {"prompt": "look"}}]);
    let result = json!([{"type": "tool_result", "tool_use_id": "t1", "content": "seen"}]);
    let mut answer: Value = serde_json::from_str(&line("u2", "user", 3, result)).unwrap();
    answer["toolUseResult"] = json!({"agentId": "ab12", "status": "completed"});
    let lines = [
        line("u1", "user", 0, json!("find it")),
        line("a1", "assistant", 1, call),
        answer.to_string(),
    ];
    std::fs::write(project.join("hostile.jsonl"), lines.join("\n") + "\n").unwrap();
    let said = [
        line("s1", "user", 1, json!("look")),
        line("s2", "assistant", 2, json!("found")),
    ];
    let said = said.map(|line| {
        let mut line: Value = serde_json::from_str(&line).unwrap();
        line["agentId"] = json!("ab12");
        line["isSidechain"] = json!(true);
        line.to_string()
    });
    let file = project.join("hostile/subagents/agent-ab12.jsonl");
    std::fs::write(file, said.join("\n") + "\n").unwrap();
    let place = machine.work_dir();
    machine
        .run(&["import", "claude-code", place.to_str().unwrap()])
        .done();
    let sessions = listed(&machine, &[]);
    assert_eq!(
        (sessions.len(), &sessions[0]["subagent_count"]),
        (1, &json!(1))
    );
    assert_eq!(listed(&machine, &["--subagents"]).len(), 2);
    let text = machine.run(&["session", "show", "hostile"]).done().stdout;
    assert!(text.contains("subagents\n  └─ "), "{text}");
    let shown = machine
        .run(&["session", "show", "hostile", "--json"])
        .done()
        .json();
    assert_eq!(shown["subagents"][0]["parent_kind"], "subagent");
    machine
        .run(&["session", "delete", "hostile", "--yes"])
        .done();
    assert!(listed(&machine, &["--subagents"]).is_empty());
}

#[test]
fn a_live_session_is_followed() {
    use std::io::{BufRead, BufReader};
    let machine = hostile();
    let follow = ["session", "show", "hostile", "--follow", "--json"];
    let mut child = machine.command(&follow).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |id: &str| {
        let wanted = |line: &String| serde_json::from_str::<Value>(line).unwrap()["id"] == id;
        assert!(
            lines.by_ref().map(Result::unwrap).any(|line| wanted(&line)),
            "{id}"
        );
    };
    until("t1");
    let place = machine.work_dir().join("hostile.jsonl");
    let mut text = std::fs::read_to_string(&place).unwrap();
    text.push_str(&line("u9", "user", 9, json!("and now?")));
    text.push('\n');
    std::fs::write(&place, text).unwrap();
    machine
        .run(&["import", "claude-code", place.to_str().unwrap()])
        .done();
    until("u9");
    child.kill().unwrap();
    let talk = child.wait_with_output().unwrap().stderr;
    let talk = String::from_utf8(talk).unwrap();
    assert!(
        talk.contains("no daemon answers") && talk.contains("syncline daemon"),
        "{talk}"
    );
}
