//! Summaries of Claude Code, by the lines that they end with.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::twice;
use crate::place::{Place, rest};
use crate::script::{Script, jsonl, text};

const SESSION: &str = "595f7a87-dd6e-4eb7-943a-b2b009259be7";

fn summary(summary: &str, leaf: &str) -> Value {
    json!({"type": "summary", "summary": summary, "leafUuid": leaf})
}

fn named() -> String {
    format!("{SESSION}.jsonl")
}

/// Asserts that the summaries are kept, once, also when their files are gone.
fn stay(place: &mut Place, kept: &[&Value]) {
    let mut kept: Vec<_> = kept.iter().map(ToString::to_string).collect();
    kept.sort();
    let raw = |place: &mut Place| {
        let mut raw = place.rows("raw");
        raw.sort();
        raw
    };
    assert_eq!(raw(place), kept);
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
    place.age_marks();
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
    place.lose_notes();
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
    std::fs::remove_dir_all(place.files()).unwrap();
    std::fs::create_dir(place.files()).unwrap();
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
    assert_eq!(raw(place), kept);
}

#[test]
fn a_summary_of_what_no_file_holds_is_kept_once() {
    let (lost, own) = (summary("Of another", "elsewhere"), summary("Of this", "u1"));
    let mut script = Script::new("s");
    let lines = [lost.clone(), own, script.user("u1", "begin")];
    let mut place = Place::new();
    place.write("s.jsonl", jsonl(&lines));
    // One that has no more than the same summary, and one that was lost too.
    let alone = summary("Of a third", "elsewhere");
    place.write(&named(), jsonl(&[lost.clone(), alone.clone()]));
    rest(&place.files().join(named()), 61);
    let done = twice(&mut place, Agent::ClaudeCode);
    assert_eq!((done.counts.new, done.counts.known), (4, 1));
    assert_eq!(
        place
            .rows("titles")
            .iter()
            .filter(|title| *title == "Of this")
            .count(),
        1
    );
    stay(&mut place, &[&lost, &alone]);
}

#[test]
fn a_summary_is_kept_also_where_its_file_grows_line_by_line() {
    let lines = [summary("Of another", "elsewhere"), summary("Of this", "u1")];
    let mut script = Script::new(SESSION);
    let all = [&lines[..], &[script.user("u1", "begin")]].concat();
    let mut place = Place::new();
    for end in 1..=all.len() {
        place.write(&named(), jsonl(&all[..end]));
        place.import_files(Agent::ClaudeCode);
    }
    // What waits for its place waits for the line that it ends with, too.
    assert_eq!(place.rows("raw"), [lines[0].to_string()]);
    assert_eq!(place.rows("titles"), ["Of this"]);
    assert_eq!(place.figures().len(), 1);
}

#[test]
fn a_summary_that_becomes_no_title_is_kept() {
    let mut script = Script::new("s");
    let title = json!({"type": "custom-title", "customTitle": "Mine", "sessionId": "s"});
    let said = [
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
        title,
    ];
    let (own, other) = (summary("Of s", "a1"), summary("Of s too", "a1"));
    let mut place = Place::new();
    place.write(
        "s.jsonl",
        jsonl(&[&said[..], std::slice::from_ref(&own)].concat()),
    );
    place.import_files(Agent::ClaudeCode);
    let mut script = Script::new("x");
    let lines = [other.clone(), script.user("x1", "go on")];
    place.write("x.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    // As a title it says nothing new.
    assert_eq!((done.counts.new, done.counts.known), (1, 1));
    let mut titles = place.rows("titles");
    titles.sort();
    assert_eq!(titles, ["Mine", "go on"]);
    stay(&mut place, &[&own, &other]);
}

#[test]
fn a_summary_that_an_earlier_build_has_counted_is_kept_when_its_file_is_read_again() {
    let lost = summary("Of another", "elsewhere");
    let mut script = Script::new("s");
    let mut place = Place::new();
    place.write(
        "s.jsonl",
        jsonl(&[lost.clone(), script.user("u1", "begin")]),
    );
    place.import_files(Agent::ClaudeCode);
    place.forget_kept();
    place.age_marks();
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!(done.counts.new, 0);
    stay(&mut place, &[&lost]);
}
