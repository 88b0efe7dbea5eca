//! Lines that can't be read.

use serde_json::json;
use syncline_capture::agent::Agent;

use crate::place::Place;
use crate::script::{Script, jsonl};

/// Imports a file twice; gives the lines that were told as damaged, and what of them was kept.
fn kept(lines: &[&[u8]]) -> (Vec<Option<u64>>, Vec<String>) {
    let agent = Agent::ClaudeCode;
    let mut place = Place::new();
    let mut text = lines.join(&b'\n');
    text.push(b'\n');
    place.write("s.jsonl", &text);
    let done = place.import_files(agent);
    assert_eq!(done.counts.not_understood, 0);
    let told = done.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(place.import_files(agent).ops, 0);
    let kept = place.rows("raw");
    place.lose_notes();
    assert_eq!(place.import_files(agent).ops, 0);
    assert_eq!(place.rows("raw"), kept);
    (told, kept)
}

#[test]
fn a_damaged_line_is_kept_as_it_stands_without_its_secrets() {
    let mut script = Script::new("s");
    let good = [script.user("u1", "one"), script.user("u2", "two")].map(|line| line.to_string());
    let token = format!("{}{}", "ghp_", "a8Kd02mZq7Lw91XcTb54VnRf63Hy0PsJuEiG");
    let broken = format!(r#"{{"type":"user","text":"T={token}", broken"#);
    let lines = [
        // Nobody has told yet whose it is.
        b"{".as_slice(),
        good[0].as_bytes(),
        broken.as_bytes(),
        b"\x80\x81junk",
        good[1].as_bytes(),
    ];
    let (told, kept) = kept(&lines);
    assert_eq!(told, [Some(1), Some(3), Some(4)]);
    let [broken, junk] = kept.as_slice() else {
        panic!("{kept:?}");
    };
    assert!(broken.starts_with(r#"{"type":"user","text":"T=[redacted:"#));
    assert!(broken.ends_with(r#"", broken"#) && !broken.contains(&token));
    assert_eq!(junk, "\u{fffd}\u{fffd}junk");
}

#[test]
fn a_damaged_line_of_a_subagent_is_kept_with_it() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut called = script.user("u1", "a task");
    called["isSidechain"] = json!(true);
    called["agentId"] = json!("ab12");
    place.write("agent-ab12.jsonl", jsonl(&[called]) + "{broken\n");
    place.import_files(Agent::ClaudeCode);
    assert_eq!(place.rows("raw"), ["{broken"]);
    assert_eq!(place.figures().len(), 1);
}
