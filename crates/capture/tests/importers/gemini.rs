//! What Gemini says besides texts, and files of its that have lost something.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::{GEMINI, figures, twice};
use crate::place::Place;
use crate::script::jsonl;

const NAME: &str = "h/chats/session-2026-11-21T15-30-d35d246d.jsonl";
const FIXTURE: &str = include_str!("../fixtures/gemini/session-2026-11-21T15-30-d35d246d.jsonl");

fn header() -> Value {
    json!({"sessionId": "g1", "projectHash": "h", "startTime": "2026-02-01T09:00:00.000Z"})
}

fn message(id: &str, kind: &str, content: Value) -> Value {
    json!({"id": id, "timestamp": "2026-02-01T09:00:01.000Z", "type": kind, "content": content})
}

#[test]
fn a_file_of_gemini_without_its_header_goes_by_its_name() {
    let mut whole = Place::new();
    whole.write(NAME, FIXTURE);
    twice(&mut whole, Agent::Gemini);
    let (header, rest) = FIXTURE.split_once('\n').unwrap();
    let mut place = Place::new();
    place.write(NAME, format!("{}\n{rest}", &header[..60]));
    assert_eq!(place.import_files(Agent::Gemini).counts.damaged, 1);
    let found = figures(&mut place, "session-2026-11-21T15-30-d35d246d");
    assert!(found.messages > 1);
    assert_eq!(
        found,
        figures(&mut whole, "d35d246d-f855-417f-83e7-155bd5ea6841")
    );
    assert_eq!(place.rows("said"), whole.rows("said"));
    assert_eq!(place.import_files(Agent::Gemini).ops, 0);
    // One that is one value.
    let mut nameless: Value = serde_json::from_str(GEMINI).unwrap();
    nameless["sessionId"] = json!(7);
    let mut place = Place::new();
    place.write("h/chats/session-a.json", nameless.to_string());
    assert_eq!(place.import_files(Agent::Gemini).counts.not_understood, 1);
    assert_eq!(figures(&mut place, "session-a").messages, 2);
}

#[test]
fn what_is_no_text_in_a_message_of_gemini_is_named_or_kept() {
    let other = json!({"weird": "words"});
    let content = json!([
        {"text": "look at"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGg=="}},
        {"fileData": {"mimeType": "text/plain", "fileUri": "https://a.example.org/b.txt"}},
        other,
        {"functionResponse": {"response": {"output": "told with its call"}}},
    ]);
    let mut answer = message("m2", "gemini", json!({"text": "one part alone"}));
    answer["thoughts"] = json!([{"subject": "So", "description": "be it"}, {"said": "else"}]);
    let set =
        json!({"$set": {"messages": [message("m3", "user", json!([{"executableCode": {}}]))]}});
    let mut place = Place::new();
    let lines = [header(), message("m1", "user", content), answer, set];
    place.write("h/chats/session-a.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::Gemini);
    assert_eq!(done.problems, []);
    assert_eq!((done.counts.new, done.counts.not_understood), (1, 3));
    let said = [
        "user|text|look at",
        "user|image|",
        "user|file|",
        r#"user|raw|{"weird":"words"}"#,
        "assistant|thinking|So\nbe it",
        r#"assistant|raw|{"said":"else"}"#,
        "assistant|text|one part alone",
        r#"user|raw|{"executableCode":{}}"#,
    ];
    assert_eq!(place.rows("said"), said);
    let references = place.rows("references");
    assert!(
        references[0].starts_with("image/png|sha256-16:"),
        "{references:?}"
    );
    assert_eq!(references[1], "text/plain|https://a.example.org/b.txt");
    assert_eq!(place.import_files(Agent::Gemini).ops, 0);
}

#[test]
fn a_call_of_gemini_is_told_whole_whatever_it_lacks() {
    let mut answer = message("m1", "gemini", json!(""));
    answer["toolCalls"] = json!([
        {"name": "edit", "args": {"path": "a.rs"}, "status": "success", "result": [],
         "resultDisplay": {"fileDiff": "-a\n+b"}},
        {"id": "c2", "name": "look", "args": {}, "result": [{"text": "seen"}, {"new": 1}]},
        {"id": "c3", "name": "draw", "args": {}, "result": [{"functionResponse": {
            "response": {"output": "drawn"},
            "parts": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGg=="}}]}}]},
    ]);
    let mut place = Place::new();
    place.write("h/chats/session-a.jsonl", jsonl(&[header(), answer]));
    twice(&mut place, Agent::Gemini);
    let given = place.rows("given");
    assert_eq!(given[0], r#"edit|{"fileDiff":"-a\n+b"}"#);
    assert_eq!(given[1], "look|seen\n{\"new\":1}");
    assert!(
        given[2].starts_with("draw|drawn\n[image/png, 7 bytes, sha256-16:"),
        "{given:?}"
    );
}

#[test]
fn a_line_of_gemini_that_cannot_be_named_is_kept_and_counted() {
    let kept = [
        json!({"$annotate": {"note": "of tomorrow"}}),
        json!({"$set": "all"}),
        json!({"type": "user", "content": "without an id"}),
    ];
    let mut lines = vec![header()];
    lines.extend(kept.clone());
    lines.push(message("m1", "user", json!("go")));
    let mut place = Place::new();
    place.write("h/chats/session-a.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::Gemini);
    assert_eq!(done.problems, []);
    assert_eq!((done.counts.new, done.counts.not_understood), (2, 3));
    let (mut raw, mut kept) = (place.rows("raw"), kept.map(|line| line.to_string()));
    raw.sort();
    kept.sort();
    assert_eq!(raw, kept);
    assert_eq!(figures(&mut place, "g1").prompts, 1);
    assert_eq!(place.import_files(Agent::Gemini).ops, 0);
}

#[test]
fn a_file_that_is_one_value_takes_place_where_its_project_says() {
    let mut place = Place::new();
    place.write("h/.project_root", "/w/app\n");
    place.write("h/chats/session-a.json", GEMINI);
    place.import_files(Agent::Gemini);
    assert_eq!(
        place.rows("titled"),
        ["gemini|g1|read a.rs|/w/app||gemini-x"]
    );
}
