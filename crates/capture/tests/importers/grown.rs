//! Transcripts that are read again from their starts, as they were moved, and have grown since: what is
//! known already moves their readers as it did the first time.

use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use syncline_capture::agent::Agent;
use syncline_capture::privacy::{Exclusions, Privacy};
use syncline_capture::redact::Redactor;

use crate::agents::{CODEX, GEMINI};
use crate::place::Place;
use crate::script::{Script, jsonl, text};

/// Queries of all rows that an import leaves.
const ROWS: [&str; 6] = ["sessions", "messages", "tools", "parts", "spent", "trees"];

/// A transcript before it was moved and after, by its paths; what it says at the end begins with what it
/// said then.
struct Moved<'t> {
    agent: Agent,
    paths: [&'t str; 2],
    begins: String,
    ends: String,
}

/// Writes a file as of one moment: some agents tell no other time.
fn write(place: &Place, name: &str, content: &str) {
    let path = place.write(name, content);
    let file = File::options().write(true).open(path).unwrap();
    let then = UNIX_EPOCH + Duration::from_secs(1_770_000_000);
    file.set_modified(then).unwrap();
}

fn check(moved: &Moved<'_>) {
    let mut at_once = Place::new();
    write(&at_once, moved.paths[1], &moved.ends);
    at_once.import_files(moved.agent);
    let expected = ROWS.map(|query| at_once.rows(query));
    let mut place = Place::new();
    write(&place, moved.paths[0], &moved.begins);
    place.import_files(moved.agent);
    fs::remove_file(place.files().join(moved.paths[0])).unwrap();
    write(&place, moved.paths[1], &moved.ends);
    let done = place.import_files(moved.agent);
    assert_eq!(done.problems, []);
    for (query, expected) in ROWS.iter().zip(expected) {
        assert_eq!(place.rows(query), expected, "{query}");
    }
}

#[test]
fn codex_counts_what_came_since_and_keeps_its_title_and_its_beginning() {
    let began = r#"{"timestamp":"2026-05-01T10:00:06.000Z","type":"response_item","payload":{"type":"function_call","name":"shell","call_id":"k2","arguments":"{}"}}"#;
    let since = [
        r#"{"timestamp":"2026-05-01T10:00:08.000Z","type":"response_item","payload":{"type":"function_call_output","call_id":"k2","output":"ok"}}"#,
        r#"{"timestamp":"2026-05-01T10:00:09.000Z","type":"event_msg","payload":{"type":"user_message","message":"and now"}}"#,
        r#"{"timestamp":"2026-05-01T10:00:10.000Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Done."}]}}"#,
        r#"{"timestamp":"2026-05-01T10:00:11.000Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":2600,"cached_input_tokens":1550,"output_tokens":107,"reasoning_output_tokens":30}}}}"#,
    ];
    let begins = format!("{CODEX}{began}\n");
    let ends = format!("{begins}{}\n", since.join("\n"));
    check(&Moved {
        agent: Agent::Codex,
        paths: ["2026/rollout-a-c1.jsonl", "archived/rollout-a-c1.jsonl"],
        begins,
        ends,
    });
}

#[test]
fn claude_code_keeps_its_title_its_beginning_and_the_times_of_its_calls() {
    let mut script = Script::new("s");
    let call = json!({"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}});
    let first = [
        script.user("u1", "begin"),
        script.answer("a1", "m1", text("Begun."), 7),
        script.answer("a2", "m1", call, 9),
    ];
    let mut since = [
        script.result("u2", "t1", json!("a.rs")),
        script.user("u3", "go on"),
        script.answer("a3", "m2", text("Gone on."), 5),
    ];
    since[1]["cwd"] = json!("/w/app/deep");
    check(&Moved {
        agent: Agent::ClaudeCode,
        paths: ["a/s.jsonl", "b/s.jsonl"],
        begins: jsonl(&first),
        ends: jsonl(&first) + &jsonl(&since),
    });
}

#[test]
fn cursor_keeps_the_title_of_a_transcript() {
    let line = |role: &str, said: &str| {
        let content = json!([{"type": "text", "text": said}]);
        json!({"role": role, "message": {"content": content}})
    };
    let first = [line("user", "run"), line("assistant", "Ran.")];
    let since = [line("user", "again"), line("assistant", "Ran again.")];
    check(&Moved {
        agent: Agent::Cursor,
        paths: [
            "agent-transcripts/t1/t1.jsonl",
            "agent-transcripts/x/t1.jsonl",
        ],
        begins: jsonl(&first),
        ends: jsonl(&first) + &jsonl(&since),
    });
}

#[test]
fn cursor_goes_on_where_an_earlier_build_had_read_up_to() {
    let mut place = Place::new();
    let path = "agent-transcripts/t1/t1.jsonl";
    place.write(path, turns(&["one", "two", "three"]));
    place.import_files(Agent::Cursor);
    place.forget_places();
    place.ops.clear();
    place.write(path, turns(&["one", "two", "three", "four"]));
    place.import_files(Agent::Cursor);
    let payload: Value = serde_json::from_str(place.ops[0].payload.as_str()).unwrap();
    assert_eq!(payload["patch"]["upTo"], 4);
}

/// A line of a transcript of Cursor's for each text, said by a person and by the model in turns.
fn turns(said: &[&str]) -> String {
    let line = |(place, said): (usize, &&str)| {
        let role = ["user", "assistant"][place % 2];
        json!({"role": role, "message": {"content": [{"type": "text", "text": said}]}})
    };
    jsonl(&said.iter().enumerate().map(line).collect::<Vec<_>>())
}

#[test]
fn cursor_keeps_what_a_rewritten_transcript_has_no_more() {
    let mut place = Place::new();
    let name = "agent-transcripts/u2/u2.jsonl";
    let counted = |place: &mut Place| {
        let rows = place.rows("counted_texts");
        rows.into_iter().collect::<Vec<_>>().join(" ")
    };
    let mut now = |said: &[&str]| {
        write(&place, name, &turns(said));
        let done = place.import_files(Agent::Cursor);
        assert_eq!(done.problems, []);
        assert_eq!(place.import_files(Agent::Cursor).ops, 0);
        (counted(&mut place), place.rows("said").len())
    };
    let [one, two, three] = [["one", "A1"], ["two", "A2"], ["three", "A3"]];
    let first = [one, two].concat();
    assert_eq!(now(&first), ("one A1 two A2".to_owned(), 4));
    let other = [one, three].concat();
    assert_eq!(now(&other), ("one A1 three A3".to_owned(), 6));
    let grown = [one, three, ["four", "A4"]].concat();
    assert_eq!(now(&grown), ("one A1 three A3 four A4".to_owned(), 8));
    assert_eq!(now(&["one", "B1"]), ("one B1".to_owned(), 9));
    // Back as it was, and the same with a line before all.
    assert_eq!(now(&grown), ("one A1 three A3 four A4".to_owned(), 9));
    assert_eq!(now(&first), ("one A1 two A2".to_owned(), 9));
    let before = ["zero", "one", "A1"];
    assert_eq!(now(&before), ("zero one A1".to_owned(), 12));
    // Elsewhere, and from the start.
    write(&place, "agent-transcripts/x/u2.jsonl", &turns(&before));
    assert_eq!(place.import_files(Agent::Cursor).ops, 0);
}

/// A session of Gemini CLI, and the same with a further prompt and its answer.
fn gemini() -> [Value; 2] {
    let first: Value = serde_json::from_str(GEMINI).unwrap();
    let mut then = first.clone();
    let messages = then["messages"].as_array_mut().unwrap();
    messages.extend([
        json!({"id": "m3", "timestamp": "2026-02-01T09:01:00.000Z", "type": "user", "content": "and b.rs"}),
        json!({"id": "m4", "timestamp": "2026-02-01T09:01:02.000Z", "type": "gemini", "content": "Done too.",
               "model": "gemini-x", "tokens": {"input": 10, "output": 4, "cached": 2, "thoughts": 0, "tool": 0}}),
    ]);
    [first, then]
}

#[test]
fn gemini_keeps_the_title_of_a_file_that_is_one_value() {
    let [first, then] = gemini();
    for to in ["h/chats/session-a.json", "h2/chats/session-a.json"] {
        check(&Moved {
            agent: Agent::Gemini,
            paths: ["h/chats/session-a.json", to],
            begins: first.to_string(),
            ends: then.to_string(),
        });
    }
}

#[test]
fn gemini_keeps_the_title_of_a_file_of_lines() {
    let lines = gemini().map(|mut session| {
        let messages = session["messages"].take();
        session.as_object_mut().unwrap().remove("messages");
        let mut lines = vec![session];
        lines.extend(messages.as_array().unwrap().iter().cloned());
        jsonl(&lines)
    });
    let [begins, ends] = lines;
    check(&Moved {
        agent: Agent::Gemini,
        paths: ["h/chats/session-a.jsonl", "h2/chats/session-a.jsonl"],
        begins,
        ends,
    });
}

#[test]
fn aider_keeps_the_chats_of_a_history_that_grows() {
    let mut place = Place::new();
    let begins = "# aider chat started at 2026-01-02 10:00:00\n\n> Main model: x/y with diff edit format\n\n#### rename foo\n\nRenamed.\n\n> Tokens: 4.9k sent, 1.0k received. Cost: $0.03 message, $0.05 session.\n";
    let since = "\n#### and bar\n\nThat too.\n\n> Tokens: 1k sent, 10 received. Cost: $0.01 message, $0.06 session.\n";
    for text in [begins.to_owned(), format!("{begins}{since}")] {
        place.write("app/.aider.chat.history.md", text);
        assert_eq!(place.import_files(Agent::Aider).problems, []);
    }
    let all = place.figures();
    let figures = all.values().next().unwrap();
    assert_eq!((all.len(), figures.messages, figures.prompts), (1, 4, 2));
    assert_eq!(figures.tokens, [5900, 1010, 0, 0, 0, 0]);
    assert_eq!(place.rows("titles"), ["rename foo"]);
}

#[test]
fn rules_hold_for_gemini_where_a_file_was_seen_before_its_first_line_was_whole() {
    let header = json!({"sessionId": "g", "projectHash": "app"}).to_string();
    let prompt = json!({"id": "m1", "type": "user", "content": "read it"});
    for begun in ["", &header[..20]] {
        let mut place = Place::new();
        place.write("app/.project_root", "/w/secret/app\n");
        let path = "app/chats/session-g.jsonl";
        place.write(path, begun);
        let import = |place: &mut Place| {
            let rules = Exclusions {
                paths: vec!["/w/secret/".parse().unwrap()],
                ..Exclusions::default()
            };
            let files = place.files();
            let privacy = Privacy::new(Redactor::standard(), rules);
            place.import_with(Agent::Gemini, &files, privacy)
        };
        assert_eq!(import(&mut place).ops, 0);
        place.write(path, format!("{header}\n{prompt}\n"));
        let done = import(&mut place);
        assert_eq!((done.ops, done.unplaced), (0, 0), "after {begun:?}");
    }
}
