//! Rows and files that can't be read.

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use syncline_capture::agent::Agent;

use crate::agents::{GEMINI, OPENCODE, figures};
use crate::place::{Place, rest};

/// Asserts that nothing more is written of what is there, and that what is kept stays where it goes.
fn stays(place: &mut Place, agent: Agent) {
    let kept = place.rows("raw");
    assert_eq!(place.import_files(agent).ops, 0);
    place.age_marks();
    assert_eq!(place.import_files(agent).ops, 0);
    place.lose_notes();
    assert_eq!(place.import_files(agent).ops, 0);
    std::fs::remove_dir_all(place.files()).unwrap();
    std::fs::create_dir(place.files()).unwrap();
    assert_eq!(place.import_files(agent).ops, 0);
    assert_eq!(place.rows("raw"), kept);
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

fn insert(database: &Connection, table: &str, columns: &str, row: &[Cell]) {
    let places = vec!["?"; row.len()].join(", ");
    let sql = include_str!("insert.sql").replace("(id, session_id, data)", columns);
    let sql = sql.replace("{table}", table).replace("?, ?, ?", &places);
    database
        .execute(&sql, rusqlite::params_from_iter(row))
        .unwrap();
}

fn cell(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// A text of which a byte is none.
fn mended(text: &str) -> Cell {
    let mut bytes = text.as_bytes().to_vec();
    let last = bytes.iter().rposition(|byte| *byte == b'!').unwrap();
    bytes[last] = 0x80;
    Cell::Blob(bytes)
}

#[test]
fn damaged_rows_of_cursor_are_told_with_their_keys_and_kept() {
    let mut place = Place::new();
    std::fs::create_dir(place.files().join("globalStorage")).unwrap();
    let database = Connection::open(place.files().join("globalStorage/state.vscdb")).unwrap();
    let tables = include_str!("cursor.sql").lines();
    let tables: Vec<_> = tables.filter(|line| line.starts_with("CREATE")).collect();
    database.execute_batch(&tables.concat()).unwrap();
    let token = format!("{}{}", "ghp_", "a8Kd02mZq7Lw91XcTb54VnRf63Hy0PsJuEiG");
    for (key, value) in [
        ("composerData:c1", cell("{torn")),
        (
            "bubbleId:c1:b0",
            cell(&format!("{{\"text\":\"T={token}\", broken")),
        ),
        ("bubbleId:c1:b1", cell(r#"{"type":1,"text":"go"}"#)),
        ("bubbleId:c1:b2", cell("[1]")),
        ("bubbleId:c1:b3", cell("null")),
        ("bubbleId:c1:b4", mended(r#"{"type":2,"text":"Gone!"}"#)),
        ("bubbleId:c1:b5", Cell::Integer(7)),
        // Nothing else is left of it.
        ("composerData:c2", cell("{lost")),
    ] {
        insert(
            &database,
            "cursorDiskKV",
            "(key, value)",
            &[cell(key), value],
        );
    }
    drop(database);
    let done = place.import_files(Agent::Cursor);
    assert_eq!((done.counts.damaged, done.counts.not_understood), (5, 0));
    let told: Vec<_> = done
        .problems
        .iter()
        .map(|told| told.cause.as_str())
        .collect();
    for key in [
        "composerData:c1",
        "bubbleId:c1:b0",
        "bubbleId:c1:b2",
        "bubbleId:c1:b5",
    ] {
        assert!(told.iter().any(|cause| cause.starts_with(key)), "{told:?}");
    }
    let no_text = "bubbleId:c1:b4: it has bytes that are no text; they are left out";
    assert!(told.contains(&no_text), "{told:?}");
    assert_eq!(
        place.rows("said"),
        ["user|text|go", "assistant|text|Gone\u{fffd}"]
    );
    let kept = sorted(place.rows("raw"));
    assert!(kept[2].starts_with(r#"{"text":"T=[redacted:"#), "{kept:?}");
    assert_eq!(
        [&kept[..2], &kept[3..]].concat(),
        ["7", "[1]", "{lost", "{torn"]
    );
    let about = place.rows("titled");
    assert!(about[1].starts_with("cursor|c2|"), "{about:?}");
    stays(&mut place, Agent::Cursor);
}

#[test]
fn damaged_rows_of_opencode_are_told_with_their_ids_and_kept() {
    let mut place = Place::new();
    let database = Connection::open(place.files().join("opencode.db")).unwrap();
    let tables = include_str!("opencode.sql").lines();
    let tables: Vec<_> = tables.filter(|line| !line.contains(" TRIGGER ")).collect();
    database.execute_batch(&tables.concat()).unwrap();
    let message = json!({"role": "user", "time": {"created": 1_767_000_000_500_i64}});
    let message = message.to_string();
    let columns = "(id, session_id, data)";
    for (id, data) in [("m1", message.as_str()), ("m2", "{torn"), ("m3", "[1]")] {
        insert(
            &database,
            "message",
            columns,
            &[cell(id), cell("s1"), cell(data)],
        );
    }
    let columns = "(id, message_id, session_id, data)";
    for (id, message, data) in [
        ("p1", "m1", mended(r#"{"type":"text","text":"go!"}"#)),
        ("p2", "m1", cell("{broken")),
        // It may be a marked prompt, and is not kept.
        ("p4", "m1", cell("{\"text\":\"lost\\n#do-not-record\\n")),
        (
            "p3",
            "m2",
            cell(r#"{"type":"text","text":"of a torn message"}"#),
        ),
    ] {
        insert(
            &database,
            "part",
            columns,
            &[cell(id), cell(message), cell("s1"), data],
        );
    }
    drop(database);
    let done = place.import_files(Agent::OpenCode);
    assert_eq!((done.counts.damaged, done.counts.not_understood), (4, 1));
    let told: Vec<_> = done
        .problems
        .iter()
        .map(|told| told.cause.as_str())
        .collect();
    for row in ["message m2", "message m3", "part p2", "part p4", "part p1"] {
        let row = format!("{row} of session s1");
        assert!(told.iter().any(|cause| cause.starts_with(&row)), "{told:?}");
    }
    assert_eq!(place.rows("said"), ["user|text|go\u{fffd}"]);
    let kept = sorted(place.rows("raw"));
    assert_eq!(
        [&kept[..1], &kept[2..]].concat(),
        ["[1]", "{broken", "{torn"]
    );
    assert!(kept[1].contains("of a torn message"), "{kept:?}");
    stays(&mut place, Agent::OpenCode);
}

#[test]
fn damaged_files_of_opencode_are_told_with_their_paths_and_kept() {
    let mut place = Place::new();
    for (path, content) in OPENCODE {
        place.write(&format!("storage/{path}"), content);
    }
    place.write("storage/session/p1/s1.json", "{\"id\":\"s1\", torn");
    let mut placed: Value = serde_json::from_str(OPENCODE[2].1).unwrap();
    placed["path"] = json!({"cwd": "/w/app"});
    place.write("storage/message/s1/m2.json", placed.to_string());
    rest(&place.write("storage/message/s1/m3.json", "{torn"), 61);
    place.write(
        "storage/part/m3/p7.json",
        r#"{"id":"p7","type":"text","text":"left"}"#,
    );
    rest(&place.write("storage/part/m1/p8.json", "[1]"), 61);
    place.write(
        "storage/part/m1/p9.json",
        b"{\"id\":\"p9\",\"type\":\"text\",\"text\":\"more\x80\"}",
    );
    let done = place.import_files(Agent::OpenCode);
    assert_eq!((done.counts.damaged, done.counts.not_understood), (3, 1));
    let told: Vec<_> = done
        .problems
        .iter()
        .map(|told| told.cause.as_str())
        .collect();
    for name in ["m3.json: ", "p8.json: ", "p9.json: it has bytes"] {
        assert!(told.iter().any(|cause| cause.contains(name)), "{told:?}");
    }
    assert!(
        place
            .rows("said")
            .contains(&"user|text|more\u{fffd}".to_owned())
    );
    assert_eq!(figures(&mut place, "s1").messages, 2);
    let kept = sorted(place.rows("raw"));
    assert_eq!(kept[0], "[1]");
    assert!(kept[1].contains("left"), "{kept:?}");
    assert_eq!([&kept[2], &kept[3]], ["{\"id\":\"s1\", torn", "{torn"]);
    stays(&mut place, Agent::OpenCode);
}

#[test]
fn a_damaged_file_of_gemini_is_kept_in_its_session_and_read_where_no_more_than_a_byte_is_lost() {
    let mut place = Place::new();
    let torn = &GEMINI[..GEMINI.len() - 40];
    let path = "h/chats/session-a.json";
    place.write(path, torn);
    rest(&place.files().join(path), 61);
    let done = place.import_files(Agent::Gemini);
    assert_eq!(done.counts.damaged, 1);
    assert_eq!(place.rows("raw"), [torn]);
    let about = place.rows("titled");
    assert!(about[0].starts_with("gemini|g1|"), "{about:?}");
    stays(&mut place, Agent::Gemini);
    let mut place = Place::new();
    let at = GEMINI.find("read a.rs").unwrap();
    let mut bytes = GEMINI.as_bytes().to_vec();
    bytes[at] = 0x80;
    place.write("h/chats/session-a.json", bytes);
    let done = place.import_files(Agent::Gemini);
    assert_eq!((done.counts.damaged, done.problems.len()), (0, 1));
    assert!(done.problems[0].cause.contains("no text"));
    assert_eq!(figures(&mut place, "g1").messages, 2);
}

#[test]
fn a_line_of_aider_that_is_no_text_is_told_once_and_kept() {
    let mut place = Place::new();
    let name = "app/.aider.chat.history.md";
    let mut text =
        b"# aider chat started at 2026-01-02 10:00:00\n\n#### one\x80\n\nOne.\n".to_vec();
    place.write(name, &text);
    let done = place.import_files(Agent::Aider);
    let told: Vec<_> = done.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(told, [Some(3)]);
    assert_eq!(
        place.rows("said"),
        ["user|text|one\u{fffd}", "assistant|text|One."]
    );
    // Half a character is still being written.
    text.extend(b"\n#### two\n\nTw\xc3");
    place.write(name, &text);
    assert_eq!(place.import_files(Agent::Aider).problems, []);
}
