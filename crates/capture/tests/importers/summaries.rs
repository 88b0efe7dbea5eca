//! Summaries of Claude Code, by the lines that they end with.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::place::{Place, rest};
use crate::script::{Script, jsonl, text};

fn summary(summary: &str, leaf: &str) -> Value {
    json!({"type": "summary", "summary": summary, "leafUuid": leaf})
}

#[test]
fn a_summary_of_what_no_file_holds_is_kept_nowhere_and_counts_as_nothing_new() {
    let (lost, own) = (summary("Of another", "elsewhere"), summary("Of this", "u1"));
    let mut script = Script::new("s");
    let lines = [lost.clone(), own, script.user("u1", "begin")];
    let mut place = Place::new();
    place.write("s.jsonl", jsonl(&lines));
    rest(&place.write("other.jsonl", jsonl(&[lost])), 61);
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.counts.new, done.counts.idle), (1, 3));
    assert_eq!(place.rows("titles"), ["Of this"]);
    assert!(place.rows("raw").is_empty());
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
}

#[test]
fn of_a_session_that_is_not_recorded_no_summary_is_kept_in_another() {
    let mut script = Script::new("s");
    let said = [
        script.user("u1", "begin\n#do-not-record"),
        script.answer("a1", "m1", text("Begun."), 7),
    ];
    let mut place = Place::new();
    place.write("s.jsonl", jsonl(&said));
    place.import_files(Agent::ClaudeCode);
    let mut script = Script::new("x");
    let later = [summary("Of s", "a1"), script.user("x1", "go on")];
    place.write("x.jsonl", jsonl(&later));
    place.import_files(Agent::ClaudeCode);
    assert_eq!(place.rows("titles"), ["go on"]);
    assert!(place.rows("raw").is_empty());
}
