//! What a command reports of a write is what became of it.

#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

use serde_json::json;

use crate::machine::{Answer, Machine};
use crate::served::Server;

/// Runs with a limit on the size of files, so that some writes fail as on a full disk.
#[cfg(target_os = "linux")]
fn run_limited(machine: &Machine, blocks: u32, arguments: &[&str]) -> Answer {
    run_after(&format!("ulimit -f {blocks}"), machine, arguments)
}

/// Runs in a shell that has done something before.
#[cfg(target_os = "linux")]
fn run_after(before: &str, machine: &Machine, arguments: &[&str]) -> Answer {
    let inner = machine.command(arguments);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{before}; exec \"$0\" \"$@\""))
        .arg(inner.get_program())
        .args(inner.get_args())
        .env_clear()
        .env("HOME", machine.home())
        .current_dir(machine.work_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    crate::machine::finish(command, b"")
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_is_reported_as_done_when_it_is_and_only_then() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "first"]).done();
    // Blocks of half a kilobyte: from too little for SQLite's own files to room for everything.
    for blocks in (56..=260).step_by(6) {
        let text = format!("limit {blocks}");
        let answer = run_limited(&machine, blocks, &["thread", "push", "plan", &text]);
        let is_there = machine.contents("plan").contains(&text);
        assert_eq!(answer.code == Some(0), is_there, "{answer:#?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_change_of_lists_is_reported_as_done_when_it_is_and_only_then() {
    let machine = Machine::new();
    machine.run(&["list", "new", "todo"]).done();
    let exported = || {
        let export = ["list", "export", "todo", "--format", "text"];
        machine.run(&export).done().stdout
    };
    for blocks in (56..=260).step_by(12) {
        let text = format!("limit {blocks}");
        let added = run_limited(&machine, blocks, &["list", "add", "todo", &text]);
        let is_there = exported().contains(&text);
        assert_eq!(added.code == Some(0), is_there, "{added:#?}");
        assert_eq!(!added.stdout.is_empty(), is_there, "{added:#?}");
        if !is_there {
            continue;
        }
        let before = exported();
        let undone = run_limited(&machine, blocks, &["list", "undo"]);
        assert_eq!(undone.code == Some(0), exported() != before, "{undone:#?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_grow_is_told_with_the_limit_that_the_shell_has_set() {
    let machine = Machine::new();
    machine.run(&["thread", "new", "plan", "first"]).done();
    let long = "x".repeat(100_000);
    for (limit, bytes, text) in [
        // No room for the file in which processes share what is new, and none for a long text.
        ("ulimit -f 56", 28_672, "second"),
        ("ulimit -f 200", 102_400, &long),
        ("trap '' XFSZ; ulimit -f 200", 102_400, &long),
    ] {
        let told = run_after(limit, &machine, &["thread", "push", "plan", text])
            .failed(1, "file_limit")
            .says(&format!("no file may grow beyond {bytes} bytes"))
            .says("ulimit -f unlimited");
        assert!(!told.stderr.contains("syncline doctor"), "{told:#?}");
        assert_eq!(machine.contents("plan"), ["first"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_whose_answer_cannot_be_printed_is_told_to_be_done() {
    let machine = Machine::new();
    let mut command = machine.command(&["thread", "new", "plan", "first"]);
    command.stdout(std::fs::File::create("/dev/full").unwrap());
    crate::machine::finish(command, b"")
        .failed(1, "output_failed")
        .says("the write is done");
    assert_eq!(machine.contents("plan"), ["first"]);
}

#[test]
fn a_refused_write_is_reported_as_quarantined() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    // Stamped by ada's actor, and offered by ben: the server takes it from ada alone.
    let ben = server.token("ben");
    let as_ben = [("SYNCLINE_TOKEN", ben.as_str())];
    let made = machine
        .run_with(&as_ben, &["thread", "new", "Other", "text", "--json"])
        .done();
    let shown = made.json();
    assert_eq!(
        (&shown["state"], &shown["name"], &shown["project"]),
        (&json!("quarantined"), &json!("Other"), &json!("default"))
    );
    made.says("the server refused default/Other");
    // From now on the replica is ben's; what ada offers next is refused in turn.
    machine
        .run_with(&as_ben, &["thread", "push", "plan", "second"])
        .done()
        .says("synced");
    let path = machine.work_dir().join("in.jsonl");
    let line = r#"{"thread":"x","author":"a","timestamp":"2026-01-01T00:00:00Z","content":"c"}"#;
    std::fs::write(&path, line).unwrap();
    let imported = machine
        .run(&["thread", "import", path.to_str().unwrap(), "--json"])
        .done();
    assert_eq!(imported.json()["state"], "quarantined");
    imported.says("the server refused a part");
}

#[test]
fn an_import_of_nothing_new_is_unchanged_whatever_else_waits() {
    let machine = Machine::new();
    let line = r#"{"thread":"x","author":"a","timestamp":"2026-01-01T00:00:00Z","content":"c"}"#;
    let state = || {
        machine
            .run_on(line, &["thread", "import", "-", "--json"])
            .done()
            .json()["state"]
            .clone()
    };
    assert_eq!(state(), "pending");
    assert_eq!(state(), "unchanged");
}

#[test]
fn after_a_login_as_somebody_else_the_next_write_is_theirs() {
    let server = Server::start();
    let machine = server.member("ada");
    machine.run(&["thread", "new", "plan", "first"]).done();
    server.log_in(&machine, "ben");
    let pushed = machine
        .run(&["thread", "push", "plan", "second", "--json"])
        .done();
    assert_eq!(pushed.json()["state"], "acknowledged");
}
