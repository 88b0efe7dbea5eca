//! Sessions of databases, and of files that are damaged, which nothing has told the place of.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::json;
use syncline_capture::agent::Agent;
use syncline_capture::privacy::Exclusions;

use crate::agents::{GEMINI, OPENCODE, figures};
use crate::place::{Place, rest};
use crate::script::{Script, jsonl};
use crate::untold::{By, closed, import};

/// So many milliseconds since 1970 were it so many minutes ago.
fn minutes_ago(minutes: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis() as i64 - 60_000 * minutes
}

/// The database of an editor, in use, with a conversation of these rows.
fn conversation_of(user: &Path, rows: &str) -> Connection {
    for directory in ["globalStorage", "workspaceStorage/abc"] {
        fs::create_dir_all(user.join(directory)).unwrap();
    }
    let database = Connection::open(user.join("globalStorage/state.vscdb")).unwrap();
    database.execute_batch(rows).unwrap();
    database
}

/// The same with a conversation to which something was added so many minutes ago.
fn conversation(user: &Path, minutes: i64) -> Connection {
    let then = minutes_ago(minutes);
    let rows = include_str!("cursor.sql");
    let times = format!("1767600000000,\"lastUpdatedAt\":{then}");
    conversation_of(user, &rows.replace("1767600000000", &times))
}

#[test]
fn a_session_of_a_database_in_use_waits_no_longer_than_until_it_rests_itself() {
    for (minutes, waiting) in [(50, 1), (61, 0)] {
        let mut place = Place::new();
        let (_, rules) = closed(&place, By::Path);
        let _database = conversation(&place.files().join("User"), minutes);
        let done = import(&mut place, Agent::Cursor, &rules);
        assert_eq!((done.ops == 0, done.waiting), (waiting == 1, waiting));
        assert_eq!(done.unplaced as u64, 1 - waiting);
    }
}

#[test]
fn neither_when_it_was_begun_nor_a_time_to_come_tells_that_a_session_rests() {
    let begun = |minutes| format!("\"createdAt\":{}", minutes_ago(minutes));
    let to_come = format!("{},\"lastUpdatedAt\":{}", begun(1), minutes_ago(-120));
    for times in [begun(120), to_come] {
        let mut place = Place::new();
        let (_, rules) = closed(&place, By::Path);
        let rows = include_str!("cursor.sql").replace("\"createdAt\":1767600000000", &times);
        let rows = rows.replace("\"createdAt\":\"2026-01-05T12:00:00.000Z\",", "");
        let _database = conversation_of(&place.files().join("User"), &rows);
        let done = import(&mut place, Agent::Cursor, &rules);
        assert_eq!((done.ops, done.waiting), (0, 1), "{times}");
    }
}

#[test]
fn a_conversation_of_an_editor_waits_until_a_workspace_lists_it() {
    let mut place = Place::new();
    let (cwd, rules) = closed(&place, By::Path);
    let user = place.files().join("User");
    let _database = conversation(&user, 1);
    let done = import(&mut place, Agent::Cursor, &rules);
    assert_eq!((done.ops, done.unplaced, done.waiting), (0, 0, 1));
    let workspace = user.join("workspaceStorage/abc");
    let about = json!({"folder": format!("file://{cwd}")}).to_string();
    fs::write(workspace.join("workspace.json"), about).unwrap();
    let database = Connection::open(workspace.join("state.vscdb")).unwrap();
    let listed = database.execute_batch(include_str!("workspace.sql"));
    listed.unwrap();
    let done = import(&mut place, Agent::Cursor, &rules);
    assert_eq!((done.ops, done.unplaced, done.waiting), (0, 0, 0));
}

/// A session of OpenCode whose own file is damaged, with no message that tells a directory, after so many minutes.
fn damaged(place: &Place, torn: &str, minutes: u64) {
    for (path, content) in &OPENCODE[1..] {
        place.write(&format!("storage/{path}"), content);
    }
    rest(&place.write("storage/session/p1/s1.json", torn), minutes);
}

#[test]
fn a_session_whose_file_stays_damaged_is_kept_once_that_has_rested() {
    let (_, whole) = OPENCODE[0];
    for torn in ["{", "null", &whole[..60]] {
        let mut place = Place::new();
        let open = Exclusions::default();
        damaged(&place, torn, 50);
        let done = import(&mut place, Agent::OpenCode, &open);
        assert_eq!((done.ops, done.waiting), (0, 1), "{torn}");
        damaged(&place, torn, 61);
        let done = import(&mut place, Agent::OpenCode, &open);
        assert_eq!((done.waiting, done.counts.damaged), (0, 1), "{torn}");
        assert_eq!(figures(&mut place, "s1").messages, 2);
        assert_eq!(place.rows("raw"), [torn]);
        assert_eq!(import(&mut place, Agent::OpenCode, &open).unchanged, 1);
        place.write("storage/session/p1/s1.json", whole);
        import(&mut place, Agent::OpenCode, &open);
        assert_eq!(place.rows("raw"), [""; 0]);
        assert_eq!(place.rows("titled"), ["opencode|s1|Fix|/w/app||gpt-x"]);
    }
}

#[test]
fn an_empty_file_is_no_session() {
    for (agent, name) in [
        (Agent::OpenCode, "storage/session/p1/s1.json"),
        (Agent::Gemini, "h/chats/session-a.json"),
    ] {
        let mut place = Place::new();
        place.write("h/.project_root", "/w/app");
        rest(&place.write(name, "\n"), 61);
        let done = import(&mut place, agent, &Exclusions::default());
        assert_eq!((done.ops, done.counts.damaged), (0, 1), "{agent:?}");
    }
}

#[test]
fn where_rules_or_a_mark_may_hold_for_a_damaged_session_it_is_not_kept() {
    for by in [By::Path, By::Project, By::Mark] {
        let mut place = Place::new();
        let (cwd, rules) = closed(&place, by);
        let whole = OPENCODE[0].1.replace("/w/app", &cwd);
        let torn = match by {
            By::Path | By::Project => "{",
            // What is left of the file tells the place.
            By::Mark => &whole[..whole.len() - 9],
        };
        for _ in 0..2 {
            damaged(&place, torn, 61);
            let done = import(&mut place, Agent::OpenCode, &rules);
            let waiting = u64::from(by != By::Mark);
            assert_eq!((done.ops, done.unplaced), (0, 0), "{by:?}");
            assert_eq!(done.waiting, waiting, "{by:?}");
        }
        place.write("storage/session/p1/s1.json", whole);
        let done = import(&mut place, Agent::OpenCode, &rules);
        assert_eq!((done.ops, done.waiting), (0, 0), "{by:?}");
    }
    // One whose place is known from before.
    let mut place = Place::new();
    let (_, rules) = closed(&place, By::Path);
    damaged(&place, OPENCODE[0].1, 61);
    import(&mut place, Agent::OpenCode, &rules);
    let part = r#"{"id":"p9","type":"text","text":"more"}"#;
    place.write("storage/part/m2/p9.json", part);
    damaged(&place, "{", 61);
    let done = import(&mut place, Agent::OpenCode, &rules);
    assert_eq!(done.waiting, 0);
    assert!(
        place
            .rows("said")
            .contains(&"assistant|text|more".to_owned())
    );
}

#[test]
fn a_damaged_file_of_gemini_is_kept_once_it_has_rested_unless_a_prompt_in_it_is_marked() {
    let torn = &GEMINI[..GEMINI.len() - 40];
    let prompt = r#""read a.rs""#;
    assert!(torn.contains(prompt));
    let marked = torn.replace(prompt, r##""read a.rs\n#do-not-record""##);
    for (torn, kept) in [(torn, 1), (&marked, 0)] {
        let mut place = Place::new();
        rest(&place.write("h/chats/session-a.json", torn), 61);
        let done = import(&mut place, Agent::Gemini, &Exclusions::default());
        assert_eq!((done.counts.damaged, done.waiting), (1, 0));
        assert_eq!(place.rows("raw").len(), kept);
        assert_eq!(place.figures().len(), kept);
    }
}

#[test]
fn a_file_of_gemini_that_is_being_written_anew_waits_until_it_is_whole() {
    let name = "h/chats/session-a.json";
    for torn in ["", "{", &GEMINI[..20], &GEMINI[..GEMINI.len() - 40]] {
        let mut place = Place::new();
        let open = Exclusions::default();
        place.write("h/.project_root", "/w/app");
        place.write(name, torn);
        assert_eq!(import(&mut place, Agent::Gemini, &open).ops, 0, "{torn}");
        place.write(name, GEMINI);
        let done = import(&mut place, Agent::Gemini, &open);
        assert_eq!(done.problems, []);
        assert_eq!(place.rows("titled").len(), 1, "{torn}");
        // One that is known is not told as damaged at once either.
        place.write(name, torn);
        assert_eq!(import(&mut place, Agent::Gemini, &open).ops, 0, "{torn}");
    }
}

#[test]
fn a_file_waits_also_where_it_takes_out_what_was_read_before_it() {
    let mut place = Place::new();
    let (cwd, rules) = closed(&place, By::Path);
    let mut script = Script::new("x");
    let lines = ["one", "two", "three"].map(|text| script.user(text, text));
    rest(&place.write("x.jsonl", jsonl(&lines)), 1);
    let mut later = script.user("four", "four");
    later["cwd"] = json!(cwd);
    let title = json!({"type": "custom-title", "customTitle": "Mine", "sessionId": "y"});
    let path = place.write("y.jsonl", jsonl(&[title, later]));
    let done = import(&mut place, Agent::ClaudeCode, &rules);
    assert_eq!((done.ops, done.waiting, done.unplaced), (0, 1, 0));
    rest(&path, 61);
    let done = import(&mut place, Agent::ClaudeCode, &rules);
    assert_eq!((done.waiting, done.unplaced), (0, 1));
    assert_eq!(place.rows("titles"), ["Mine"]);
}
