//! Files that an older reader has read, which told less of them.

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_model::session::session_id;
use syncline_model::{Payload, Scope};
use syncline_replica::NewOp;

use crate::agents::{CODEX, GEMINI, OPENCODE, twice};
use crate::place::{Figures, Place};
use crate::script::{Script, jsonl, text};

/// A response and what it has used, so many times.
fn codex(turns: u64) -> String {
    let line = |turn: u64, kind: &str, payload: Value| {
        let at = format!("2026-01-01T10:{:02}:{:02}.000Z", turn / 60, turn % 60);
        json!({"timestamp": at, "type": kind, "payload": payload}).to_string()
    };
    let begun = json!({"id": "c8", "cwd": "/w/app", "source": "cli"});
    let mut lines = vec![line(0, "session_meta", begun)];
    for turn in 1..=turns {
        let prompt = json!({"type": "user_message", "message": format!("prompt {turn}")});
        lines.push(line(turn, "event_msg", prompt));
        let text = json!([{"type": "output_text", "text": "said ".repeat(200)}]);
        let answer = json!({"type": "message", "role": "assistant", "content": text});
        lines.push(line(turn, "response_item", answer));
        let total =
            json!({"input_tokens": 100 * turn, "cached_input_tokens": 0, "output_tokens": turn});
        let used = json!({"type": "token_count", "info": {"total_token_usage": total}});
        lines.push(line(turn, "event_msg", used));
    }
    lines.join("\n") + "\n"
}

const AIDER: &str = "# aider chat started at 2026-01-02 10:00:00\n\n#### one  \n\nOne.\n\n> Tokens: 1k sent, 10 received.  \n";

/// Takes from the messages of a replica which responses they are, as though the reader of their files had
/// not told it, and from the notes of the files that a later one has read them.
fn as_read_by_an_older_reader(place: &mut Place) {
    let forget = |op: &NewOp| {
        let payload: Value = serde_json::from_str(op.payload.as_str()).unwrap();
        let messages = payload["patch"]["messages"].as_array();
        let messages = messages
            .into_iter()
            .flatten()
            .filter(|message| !message["responseId"].is_null());
        let messages = messages.map(|message| json!({"id": message["id"], "responseId": null}));
        let messages: Vec<_> = messages.collect();
        let patch = json!({"upTo": payload["patch"]["upTo"], "messages": messages});
        NewOp {
            payload: Payload::parse(&json!({"type": "patch", "patch": patch}).to_string()).unwrap(),
            ..op.clone()
        }
    };
    let ops: Vec<_> = place.ops.iter().map(forget).collect();
    place.replica.write(&ops).unwrap();
    place.age_marks();
}

fn what_counts(place: &mut Place) -> (Vec<Figures>, Vec<String>, Vec<String>) {
    let figures = place.figures().into_values().collect();
    (figures, place.rows("spent"), place.rows("messages"))
}

#[test]
fn what_a_newer_reader_tells_is_told_of_files_that_are_read_already() {
    for (agent, name, text) in [
        (Agent::Codex, "rollout-a-c8.jsonl", codex(3)),
        (Agent::Aider, "app/.aider.chat.history.md", AIDER.to_owned()),
    ] {
        let mut place = Place::new();
        place.write(name, text);
        place.import_files(agent);
        let (answered, counts) = (place.rows("answered"), what_counts(&mut place));
        assert!(!answered.is_empty());
        as_read_by_an_older_reader(&mut place);
        assert_eq!(place.rows("answered"), Vec::<String>::new());
        let done = place.import_files(agent);
        assert_eq!((done.unchanged, done.problems.as_slice()), (0, &[][..]));
        assert_eq!(place.rows("answered"), answered);
        assert_eq!(what_counts(&mut place), counts);
        let done = place.import_files(agent);
        assert_eq!((done.unchanged, done.ops), (1, 0));
    }
}

#[test]
fn what_a_person_has_changed_of_a_session_stays_when_its_file_is_read_again() {
    let mut place = Place::new();
    place.write("rollout-a-c8.jsonl", codex(2));
    place.import_files(Agent::Codex);
    let named = r#"{"type":"patch","patch":{"decided":true,"session":{"title":"Mine"}}}"#;
    let named = NewOp {
        payload: Payload::parse(named).unwrap(),
        ..place.ops[0].clone()
    };
    place.replica.write(&[named]).unwrap();
    place.age_marks();
    place.import_files(Agent::Codex);
    assert_eq!(place.rows("titles"), ["Mine"]);
}

#[test]
fn a_reading_from_the_start_goes_on_where_it_was_broken_off() {
    let mut place = Place::new();
    place.write("rollout-a-c8.jsonl", codex(1_500));
    place.import_files(Agent::Codex);
    let (answered, counts) = (place.rows("answered"), what_counts(&mut place));
    as_read_by_an_older_reader(&mut place);
    assert!(place.import_one_batch(Agent::Codex) > 0);
    assert!(place.rows("answered").len() < answered.len());
    place.import_files(Agent::Codex);
    assert_eq!(place.rows("answered"), answered);
    assert_eq!(what_counts(&mut place), counts);
}

#[test]
fn files_of_every_agent_that_are_read_again_say_nothing_that_is_not_new() {
    let mut script = Script::new("s");
    let lines = [
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
        json!({"type": "unheard-of", "uuid": "x1", "sessionId": "s"}),
    ];
    for (agent, files) in [
        (Agent::ClaudeCode, vec![("s.jsonl", jsonl(&lines))]),
        (Agent::Codex, vec![("rollout-a-c1.jsonl", CODEX.to_owned())]),
        (
            Agent::Gemini,
            vec![("h/chats/session-a.json", GEMINI.to_owned())],
        ),
        (
            Agent::OpenCode,
            OPENCODE
                .map(|(name, text)| (name, text.to_owned()))
                .to_vec(),
        ),
    ] {
        let mut place = Place::new();
        for (name, text) in files {
            let name = match agent {
                Agent::OpenCode => format!("storage/{name}"),
                _ => name.to_owned(),
            };
            place.write(&name, text);
        }
        twice(&mut place, agent);
        place.age_marks();
        let done = place.import_files(agent);
        assert_eq!((done.ops, done.unchanged), (0, 0), "{agent:?}");
        assert!(done.counts.files > 0);
    }
}

#[test]
fn a_secret_that_was_kept_beside_half_a_character_goes_when_its_file_is_read_again() {
    let secret = ["ghp", "_16C7e42F292c6912E7710c838347Ae178B4a"].concat();
    let mut script = Script::new("s");
    let lines = [
        script.user("u1", "begin"),
        script.user("u2", &format!("my token {secret} is cut CUT")),
    ];
    let cut = |text: String| text.replace("CUT", "\\ud83d");
    let mut place = Place::new();
    place.write("s.jsonl", cut(jsonl(&lines)));
    place.import_files(Agent::ClaudeCode);
    // As it was kept by a reader that could not read the line: under its own id, and under a digest.
    let kept = cut(lines[1].to_string());
    let parts = ["u2", "0123456789abcdef"]
        .map(|id| json!({"id": id, "kind": "raw", "order": 7, "text": kept}));
    let patch = json!({"type": "patch", "patch": {"parts": parts}}).to_string();
    let old = NewOp {
        scope: Scope::session(),
        resource: session_id("claude-code", "s", "").into(),
        payload: Payload::parse(&patch).unwrap(),
    };
    place.replica.write(&[old]).unwrap();
    place.age_marks();
    assert!(place.rows("raw").concat().contains(&secret));
    twice(&mut place, Agent::ClaudeCode);
    // Nothing tells of the other that the message is read from it.
    let raw = place.rows("raw").concat();
    assert_eq!(place.rows("raw").len(), 1);
    assert!(!raw.contains(&secret), "{raw}");
    assert!(raw.contains("my token [redacted:"), "{raw}");
}

#[test]
fn a_piece_of_a_long_text_that_is_said_again_goes_on_the_one_before() {
    let mut script = Script::new("s");
    let begin = script.user("u1", "begin");
    let mut place = Place::new();
    place.write("s.jsonl", jsonl(&[begin]));
    place.import_files(Agent::ClaudeCode);
    // As an older reader kept it, in characters of several bytes.
    let text = "\u{e9}".repeat(60_000) + "\\ud83d";
    let part = json!({"id": "x1+1", "kind": "raw", "order": 8, "continues": true, "text": text});
    let patch = json!({"type": "patch", "patch": {"parts": [part]}}).to_string();
    let old = NewOp {
        scope: Scope::session(),
        resource: session_id("claude-code", "s", "").into(),
        payload: Payload::parse(&patch).unwrap(),
    };
    place.replica.write(&[old]).unwrap();
    place.age_marks();
    assert!(place.import_files(Agent::ClaudeCode).ops > 0);
    assert!(!place.rows("raw").concat().contains("ud83d"));
    assert_eq!(place.rows("continued"), ["x1+1"]);
}
