//! What Cursor says besides texts.

use rusqlite::Connection;
use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::{figures, twice};
use crate::place::{Done, Place};

/// Imports the bubbles `b0`, `b1`, … of the conversation `c1`.
fn import(place: &mut Place, bubbles: &[Value]) -> Done {
    std::fs::create_dir(place.files().join("globalStorage")).unwrap();
    let database = Connection::open(place.files().join("globalStorage/state.vscdb")).unwrap();
    let tables = include_str!("cursor.sql");
    let tables: Vec<_> = tables
        .lines()
        .filter(|line| line.starts_with("CREATE"))
        .collect();
    database.execute_batch(&tables.concat()).unwrap();
    let insert = include_str!("insert.sql")
        .replace("{table}", "cursorDiskKV")
        .replace("(id, session_id, data)", "(key, value)")
        .replace("?, ?, ?", "?, ?");
    for (place, bubble) in bubbles.iter().enumerate() {
        let key = format!("bubbleId:c1:b{place}");
        let row = (key, bubble.to_string());
        database.execute(&insert, row).unwrap();
    }
    drop(database);
    let done = place.import_files(Agent::Cursor);
    assert_eq!(done.problems, []);
    assert_eq!(place.import_files(Agent::Cursor).ops, 0);
    done
}

#[test]
fn a_bubble_of_cursor_that_nobody_said_is_kept_and_counted() {
    let bubble = json!({"type": 3, "text": "of tomorrow"});
    let mut place = Place::new();
    let done = import(
        &mut place,
        &[
            json!({"type": 1, "text": "go"}),
            bubble.clone(),
            Value::Null,
        ],
    );
    assert_eq!((done.counts.not_understood, done.counts.idle), (1, 1));
    assert_eq!(place.rows("raw"), [bubble.to_string()]);
    assert_eq!(figures(&mut place, "c1").messages, 1);
}

#[test]
fn what_was_attached_and_what_went_wrong_in_cursor_is_told() {
    let asked = json!({"type": 1, "text": "why", "images": [{"path": "/w/a.png"}, {"data": "iVBORw0KGg=="}],
        "context": {"selectedImages": [{"path": "/w/a.png"}],
            "fileSelections": [{"uri": {"fsPath": "/w/app/a.rs"}}],
            "selections": [{"uri": {"path": "/w/app/b.rs"}, "text": "fn b() {}"}]}});
    let failed = json!({"type": 2, "text": "", "errorDetails": {"title": "Busy", "message": "try again later"}});
    let well = json!({"type": 2, "text": "So.", "errorDetails": null});
    let mut place = Place::new();
    let done = import(&mut place, &[asked, failed, well]);
    assert_eq!(done.counts.not_understood, 0);
    let said = [
        "user|text|why",
        "user|image|",
        "user|image|",
        "user|file|",
        "user|file|fn b() {}",
        "assistant|text|So.",
    ];
    assert_eq!(place.rows("said"), said);
    let references = place.rows("references");
    assert_eq!(references[0], "|/w/a.png");
    assert!(references[1].starts_with("|sha256-16:"), "{references:?}");
    assert_eq!(references[2..], ["|/w/app/a.rs", "|/w/app/b.rs"]);
    assert_eq!(place.rows("errors"), ["Busy|try again later"]);
}

#[test]
fn a_call_of_cursor_is_told_whole_whatever_it_lacks() {
    let call = |call: Value| json!({"type": 2, "text": "", "toolFormerData": call});
    let kept = json!({"additionalData": {"of": "tomorrow"}});
    let bubbles = [
        call(
            json!({"tool": 15, "params": {"command": "ls"}, "result": {"output": "a.rs"}, "status": "completed"}),
        ),
        call(
            json!({"name": "edit_file", "rawArgs": "{}", "status": "error", "error": {"why": "locked"}}),
        ),
        call(kept.clone()),
        call(json!({})),
    ];
    let mut place = Place::new();
    let done = import(&mut place, &bubbles);
    assert_eq!(done.counts.not_understood, 1);
    assert_eq!(
        place.rows("given"),
        [r#"tool-15|{"output":"a.rs"}"#, "edit_file|"]
    );
    assert_eq!(place.rows("raw"), [kept.to_string()]);
    let told = place.rows("told").join("\n");
    assert!(told.contains(r#"tool_error|{"why":"locked"}"#), "{told}");
}

#[test]
fn a_transcript_of_cursor_loses_no_more_than_a_line_that_is_torn() {
    let line = |role: &str, content: Value| {
        json!({"role": role, "message": {"content": content}}).to_string()
    };
    let strange = line("assistant", json!({"of": "tomorrow"}));
    let lines = [
        line("user", json!("go")),
        line("assistant", json!([{"type": "text", "text": "Gone."}])),
        strange.clone(),
    ];
    let (whole, torn) = (lines.join("\n"), lines.join("\n")[20..].to_owned());
    for (text, damaged, messages) in [(whole, 0, 3), (torn, 1, 2)] {
        let mut place = Place::new();
        place.write("agent-transcripts/t1/t1.jsonl", text + "\n");
        let done = place.import_files(Agent::Cursor);
        assert_eq!(
            (done.counts.damaged, done.counts.not_understood),
            (damaged, 1)
        );
        assert_eq!(figures(&mut place, "t1").messages, messages);
        assert!(
            place
                .rows("said")
                .contains(&format!("assistant|raw|{strange}"))
        );
    }
    let mut place = Place::new();
    place.write(
        "agent-transcripts/t1/t1.jsonl",
        lines[..2].join("\n") + "\n",
    );
    twice(&mut place, Agent::Cursor);
}
