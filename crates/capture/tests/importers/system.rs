//! Lines that no person and no model has said.

use std::fs;

use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::{figures, twice};
use crate::claude_code::{put, transcripts};
use crate::place::{Place, rest};
use crate::script::{Script, jsonl};

#[test]
fn what_the_agent_itself_says_is_kept_and_counts_as_no_message() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut say = |uuid: &str, subtype: &str, content: serde_json::Value| {
        script.line(
            "system",
            uuid,
            json!({"subtype": subtype, "content": content}),
        )
    };
    let lines = [
        say(
            "l1",
            "local_command",
            json!("<command-name>/model</command-name>"),
        ),
        say("i1", "informational", json!("a remark")),
        say("i2", "informational", json!({"of": "another shape"})),
        say("t1", "turn_duration", json!(null)),
    ];
    // Nobody has spoken in it yet.
    rest(&place.write("s.jsonl", jsonl(&lines)), 61);
    let done = twice(&mut place, Agent::ClaudeCode);
    assert_eq!(done.counts.not_understood, 1);
    let said = [
        "system|text|<command-name>/model</command-name>",
        "system|text|a remark",
    ];
    assert_eq!(place.rows("said"), said);
    assert_eq!(figures(&mut place, "s").messages, 0);
    assert_eq!(place.rows("raw").len(), 1);
}

#[test]
fn a_compaction_without_figures_is_one_and_an_error_with_some_is_one() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let about = json!({"trigger": "auto", "preTokens": 9});
    let lines = [
        script.user("u1", "one"),
        script.line(
            "system",
            "c1",
            json!({"subtype": "compact_boundary", "content": "Compacted"}),
        ),
        script.line(
            "system",
            "c2",
            json!({"subtype": "compact_boundary", "compactMetadata": null}),
        ),
        script.line(
            "system",
            "e1",
            json!({"subtype": "api_error", "error": "full", "compactMetadata": about}),
        ),
    ];
    place.write("s.jsonl", jsonl(&lines));
    twice(&mut place, Agent::ClaudeCode);
    assert_eq!(place.rows("compactions"), ["|", "|"]);
    assert_eq!(place.rows("errors"), ["api_error|full"]);
}

#[test]
fn a_line_before_any_session_is_kept_in_that_of_the_file() {
    let mut place = Place::new();
    let session = "595f7a87-dd6e-4eb7-943a-b2b009259be7";
    let mut script = Script::new(session);
    let lines = [
        json!({"type": "brand-new", "payload": "first"}),
        script.user("u1", "one"),
    ];
    place.write(&format!("{session}.jsonl"), jsonl(&lines));
    // Of another name it can't be told whose it is.
    place.write("agent-ab12.jsonl", jsonl(&lines[..1]));
    let done = twice(&mut place, Agent::ClaudeCode);
    assert_eq!(done.counts.not_understood, 2);
    assert_eq!(
        place.rows("raw"),
        [r#"{"payload":"first","type":"brand-new"}"#]
    );
    assert_eq!(place.figures().keys().collect::<Vec<_>>(), [session]);
}

#[test]
fn what_a_person_queues_is_kept_though_no_line_repeats_it() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let queue = |operation: &str, content: serde_json::Value| {
        json!({"type": "queue-operation", "operation": operation, "content": content,
               "sessionId": "s", "timestamp": "2026-03-01T10:00:02.000Z"})
    };
    let lines = [
        script.user("u1", "begin"),
        queue("enqueue", json!("merge conflicts with main")),
        queue("remove", json!(null)),
        script.line(
            "attachment",
            "q1",
            json!({"attachment": {"type": "queued_command", "prompt": "and then"}}),
        ),
        script.line("attachment", "q2", json!({"attachment": {"type": "other"}})),
    ];
    place.write("s.jsonl", jsonl(&lines));
    let done = twice(&mut place, Agent::ClaudeCode);
    assert_eq!((done.counts.not_understood, done.counts.idle), (1, 1));
    let mut said = place.rows("said");
    said.sort();
    let expected = [
        "user|text|and then",
        "user|text|begin",
        "user|text|merge conflicts with main",
    ];
    assert_eq!(said, expected);
    assert_eq!(figures(&mut place, "s").prompts, 1);
    let kinds = place.rows("messages");
    let is_queued = |row: &&String| row.contains("|user|queued|");
    assert_eq!(kinds.iter().filter(is_queued).count(), 2);
}

/// A queue as it is written down by versions that bring what is in it into the turn under way.
fn queue(operation: &str, content: &Value) -> Value {
    json!({"type": "queue-operation", "operation": operation, "content": content,
           "sessionId": "s", "timestamp": "2026-03-01T10:00:02.000Z"})
}

fn out_of_queue(script: &mut Script, uuid: &str, mode: &str, prompt: &Value) -> Value {
    let attachment = json!({"type": "queued_command", "commandMode": mode, "prompt": prompt});
    script.line("attachment", uuid, json!({"attachment": attachment}))
}

#[test]
fn what_was_queued_is_told_once_whatever_line_tells_it_in_the_end() {
    let mut script = Script::new("s");
    let (first, folded) = (json!("first"), json!("keep the api"));
    let told = json!("<task-notification>\n<task-id>b1</task-id>\n</task-notification>");
    let long = json!("x".repeat(250_000));
    let mut again = queue("enqueue", &json!("never sent"));
    again["timestamp"] = json!("2026-03-01T10:00:09.000Z");
    let lines = [
        queue("enqueue", &first),
        queue("dequeue", &json!(null)),
        script.user("u1", "first"),
        queue("enqueue", &folded),
        out_of_queue(&mut script, "q1", "prompt", &folded),
        queue("remove", &folded),
        queue("enqueue", &told),
        out_of_queue(&mut script, "q2", "task-notification", &told),
        queue("enqueue", &json!("never sent")),
        again,
        queue("enqueue", &long),
        script.user("u2", long.as_str().unwrap()),
    ];
    let (mut at_once, mut grown) = (Place::new(), Place::new());
    at_once.write("s.jsonl", jsonl(&lines));
    twice(&mut at_once, Agent::ClaudeCode);
    for count in 1..=lines.len() {
        grown.write("s.jsonl", jsonl(&lines[..count]));
        grown.import_files(Agent::ClaudeCode);
    }
    for place in [&mut at_once, &mut grown] {
        let mut said = place.rows("said");
        said.retain(|said| !said.ends_with('|'));
        said.iter_mut().for_each(|said| said.truncate(40));
        said.sort();
        let told = format!("user|text|{}", told.as_str().unwrap());
        let long = format!("user|text|{}", "x".repeat(30));
        let mut expected = vec![
            told[..40].to_owned(),
            "user|text|first".to_owned(),
            "user|text|keep the api".to_owned(),
            "user|text|never sent".to_owned(),
            "user|text|never sent".to_owned(),
        ];
        expected.extend(std::iter::repeat_n(long, 3));
        assert_eq!(said, expected);
        // The first prompt, what came into its turn, and the last.
        assert_eq!(place.figures()["s"].prompts, 3);
        assert_eq!(place.rows("titles"), ["first"]);
    }
}

/// Each line that tells what was queued, and lines that tell it again outside of the queue.
fn told_twice() -> Vec<Value> {
    let mut script = Script::new("s");
    let folded = json!("keep the api");
    let long = json!("x".repeat(250_000));
    vec![
        script.user("u1", "begin"),
        queue("enqueue", &folded),
        out_of_queue(&mut script, "q1", "prompt", &folded),
        queue("enqueue", &long),
        script.user("u2", long.as_str().unwrap()),
    ]
}

#[test]
fn what_was_queued_and_told_once_is_so_however_often_it_is_read() {
    let lines = told_twice();
    let (mut at_once, mut grown) = (Place::new(), Place::new());
    at_once.write("s.jsonl", jsonl(&lines));
    at_once.import_files(Agent::ClaudeCode);
    for count in 1..=lines.len() {
        grown.write("s.jsonl", jsonl(&lines[..count]));
        grown.import_files(Agent::ClaudeCode);
    }
    let told = at_once.rows("said");
    let of_queue = |said: &&String| said.as_str() == "user|text|keep the api";
    assert_eq!(told.iter().filter(of_queue).count(), 1);
    for mut place in [at_once, grown] {
        let parts = place.rows("parts");
        for forget in [Place::lose_notes, Place::age_marks] {
            forget(&mut place);
            let done = place.import_files(Agent::ClaudeCode);
            assert!(place.rows("parts") == parts);
            assert_eq!((done.ops, done.counts.new), (0, 0));
        }
        // Other machines, which have synced first.
        for step in [1, lines.len()] {
            let mut other = Place::new();
            other.replica.write(&place.ops).unwrap();
            for count in (step..=lines.len()).step_by(step) {
                other.write("s.jsonl", jsonl(&lines[..count]));
                let done = other.import_files(Agent::ClaudeCode);
                assert!(other.rows("parts") == parts);
                assert_eq!((done.ops, done.counts.new), (0, 0));
            }
        }
    }
}

#[test]
fn what_an_earlier_reading_took_for_queued_is_a_prompt_once_it_is_told_as_one() {
    let mut script = Script::new("s");
    let begin = script.user("u1", "begin");
    let mut folded = out_of_queue(&mut script, "q1", "prompt", &json!("keep the api"));
    let prompt = folded.clone();
    folded["attachment"]["commandMode"] = json!(null);
    let mut place = Place::new();
    for (line, prompts) in [(folded, 1), (prompt, 2)] {
        place.write("s.jsonl", jsonl(&[begin.clone(), line]));
        place.age_marks();
        place.import_files(Agent::ClaudeCode);
        assert_eq!(place.figures()["s"].prompts, prompts);
    }
}

#[test]
fn what_an_earlier_reading_kept_as_it_stood_goes_once_it_is_read() {
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A".repeat(250_000)}});
    let prompt = json!([{"type": "text", "text": "look at this"}, image]);
    let mut script = Script::new("s");
    let begin = script.user("u1", "begin");
    let now = out_of_queue(&mut script, "q1", "prompt", &prompt);
    let mut before = now.clone();
    before["attachment"]["type"] = json!("of no kind that it knows");
    let unknown = script.line("attachment", "q2", json!({"attachment": {"type": "other"}}));
    let mut place = Place::new();
    for (line, raw) in [(before, 4), (now, 1)] {
        place.write("s.jsonl", jsonl(&[begin.clone(), line, unknown.clone()]));
        place.age_marks();
        place.import_files(Agent::ClaudeCode);
        assert_eq!(place.rows("raw").len(), raw);
    }
    assert_eq!(place.figures()["s"].prompts, 2);
    place.age_marks();
    assert_eq!(place.import_files(Agent::ClaudeCode).ops, 0);
    assert!(place.rows("raw")[0].contains("other"));
}

#[test]
fn what_was_queued_with_an_image_is_read_as_what_is_said_with_one() {
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}});
    let with = |text: &str| json!([{"type": "text", "text": text}, image]);
    let mut script = Script::new("s");
    let mut lines = vec![
        script.user("u1", "begin"),
        queue("enqueue", &with("look at this")),
        out_of_queue(&mut script, "q1", "prompt", &with("look at this")),
        queue("enqueue", &json!({"of": "another shape"})),
    ];
    let mut place = Place::new();
    place.write("s.jsonl", jsonl(&lines));
    let done = twice(&mut place, Agent::ClaudeCode);
    assert_eq!(done.counts.not_understood, 1);
    let mut said = place.rows("said");
    said.retain(|said| !said.ends_with('|'));
    assert_eq!(said, ["user|text|begin", "user|text|look at this"]);
    let referred = place.rows("referred");
    assert!(
        referred.len() == 1 && referred[0].starts_with("image|image/png|"),
        "{referred:?}"
    );
    assert!(!place.rows("parts").concat().contains("aGVsbG8="));
    // A mark in it counts as in any prompt.
    for marked in [
        queue("enqueue", &with("do x\n#do-not-record")),
        out_of_queue(&mut script, "q2", "prompt", &with("do x\n#do-not-record")),
    ] {
        let mut place = Place::new();
        lines.truncate(1);
        lines.extend([marked, script.user("u9", "a secret plan")]);
        place.write("s.jsonl", jsonl(&lines));
        let done = place.import_files(Agent::ClaudeCode);
        assert_eq!((done.counts.new, done.counts.excluded), (1, 2));
        assert_eq!(place.rows("said"), ["user|text|begin"]);
    }
}

/// What comes into a turn under way stands in the lines of the queue alone.
#[test]
fn what_a_person_has_queued_is_there_as_they_wrote_it() {
    let files = transcripts();
    let place = &mut Place::new();
    put(place, &files);
    place.import_files(Agent::ClaudeCode);
    let said = place.rows("said");
    for file in &files {
        for line in fs::read_to_string(file).unwrap().lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            if line["type"] == "queue-operation"
                && let Some(queued) = line["content"].as_str()
            {
                let queued = format!("user|text|{queued}");
                assert!(said.contains(&queued), "{queued} of {}", file.display());
            }
        }
    }
}
