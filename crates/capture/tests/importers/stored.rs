//! Transcripts of several files, and databases that are in use, damaged or large.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::json;
use syncline_capture::agent::Agent;
use syncline_capture::import::{Importer, Keeping, Source, transcript_of};
use syncline_capture::privacy::{Exclusions, Privacy};
use syncline_capture::redact::Redactor;

use crate::agents::OPENCODE;
use crate::place::{Place, rest};
use crate::script::{Script, jsonl};

/// A database of OpenCode with its three tables, and whom it is held open by.
fn opencode(place: &Place, journal: &str) -> (PathBuf, Connection) {
    let path = place.files().join("opencode.db");
    let database = Connection::open(&path).unwrap();
    database
        .pragma_update(None, "journal_mode", journal)
        .unwrap();
    let tables = include_str!("opencode.sql");
    let is_table = |line: &&str| !line.contains(" TRIGGER ");
    let tables: Vec<_> = tables.lines().filter(is_table).collect();
    database.execute_batch(&tables.concat()).unwrap();
    (path, database)
}

fn insert(database: &Connection, table: &str, columns: &str, row: &[&str]) {
    let places = vec!["?"; row.len()].join(", ");
    let sql = include_str!("insert.sql").replace("(id, session_id, data)", columns);
    let sql = sql.replace("{table}", table).replace("?, ?, ?", &places);
    database
        .execute(&sql, rusqlite::params_from_iter(row))
        .unwrap();
}

fn say(database: &Connection, session: &str, message: &str, said: &str) {
    let info = json!({"id": message, "role": "user", "time": {"created": 1_767_000_000_500_i64}});
    let columns = "(id, session_id, data)";
    insert(
        database,
        "message",
        columns,
        &[message, session, &info.to_string()],
    );
    let part = json!({"type": "text", "text": said}).to_string();
    let columns = "(id, message_id, session_id, data)";
    let id = format!("p-{message}");
    insert(database, "part", columns, &[&id, message, session, &part]);
}

#[test]
fn an_answer_to_a_session_that_is_kept_in_files_is_found_in_files_of_its_own() {
    let mut place = Place::new();
    for (path, content) in &OPENCODE[..4] {
        if !path.contains("m2") {
            place.write(&format!("storage/{path}"), content);
        }
    }
    assert_eq!(place.import_files(Agent::OpenCode).counts.new, 2);
    let done = place.import_files(Agent::OpenCode);
    assert_eq!((done.unchanged, done.counts.files), (1, 0));
    for (path, content) in OPENCODE {
        if path.contains("m2") {
            place.write(&format!("storage/{path}"), content);
        }
    }
    assert_eq!(place.import_files(Agent::OpenCode).counts.new, 1);
    assert_eq!(
        place.rows("said"),
        ["user|text|fix it", "assistant|text|Fixed."]
    );
    assert_eq!(place.import_files(Agent::OpenCode).unchanged, 1);
    // A part that is written anew in its place.
    place.write(
        "storage/part/m2/p3.json",
        r#"{"id":"p3","type":"text","text":"Fixed it."}"#,
    );
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("said")[1], "assistant|text|Fixed it.");
}

#[test]
fn what_changes_among_messages_and_parts_leads_to_their_session() {
    let place = Place::new();
    for (path, content) in OPENCODE {
        place.write(&format!("storage/{path}"), content);
    }
    let storage = place.files().join("storage");
    let session = storage.join("session/p1/s1.json");
    for path in [
        "session/p1/s1.json",
        "message/s1",
        "message/s1/m2.json",
        "part/m2",
        "part/m2/p2.json",
    ] {
        let found = transcript_of(Agent::OpenCode, &storage.join(path));
        assert_eq!(found.as_ref(), Some(&session), "{path}");
    }
    for path in ["message", "part/m9/p9.json", "project/p1.json"] {
        assert_eq!(transcript_of(Agent::OpenCode, &storage.join(path)), None);
    }
}

#[test]
fn what_is_in_the_log_of_a_database_alone_is_read() {
    let mut place = Place::new();
    let (_, database) = opencode(&place, "wal");
    say(&database, "s1", "m1", "one");
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("said"), ["user|text|one"]);
    say(&database, "s1", "m2", "two");
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("said"), ["user|text|one", "user|text|two"]);
    assert_eq!(place.import_files(Agent::OpenCode).unchanged, 1);
}

#[test]
fn a_database_that_cannot_be_read_is_tried_again() {
    let mut place = Place::new();
    let path = place.write("opencode.db", "no database at all, and longer than its header would be: by a line or so, that is to say, of which this is one");
    let done = place.import_files(Agent::OpenCode);
    assert_eq!((done.problems.len(), done.unchanged), (1, 0));
    let done = place.import_files(Agent::OpenCode);
    assert_eq!((done.problems.len(), done.unchanged), (1, 0));
    fs::remove_file(path).unwrap();
    let (_, database) = opencode(&place, "delete");
    say(&database, "s1", "m1", "one");
    drop(database);
    assert_eq!(place.import_files(Agent::OpenCode).problems, []);
    assert_eq!(place.rows("said"), ["user|text|one"]);
}

#[test]
fn what_has_lost_its_session_or_its_message_is_kept_and_what_is_no_json_is_counted() {
    let mut place = Place::new();
    let (_, database) = opencode(&place, "delete");
    say(&database, "gone", "m1", "alone");
    let columns = "(id, message_id, session_id, data)";
    insert(
        &database,
        "part",
        columns,
        &["p8", "m8", "s1", r#"{"type":"text","text":"left"}"#],
    );
    insert(&database, "part", columns, &["p9", "m9", "s1", "torn"]);
    drop(database);
    let done = place.import_files(Agent::OpenCode);
    assert_eq!((done.counts.damaged, done.counts.not_understood), (1, 1));
    assert!(done.problems[0].cause.contains("part p9 of session s1"));
    assert_eq!(place.rows("said"), ["user|text|alone"]);
    assert!(place.rows("raw")[0].contains("left"));
}

#[test]
fn of_a_database_only_the_sessions_that_were_written_to_are_read_again() {
    let mut place = Place::new();
    let (path, database) = opencode(&place, "delete");
    database
        .execute_batch(include_str!("opencode_times.sql"))
        .unwrap();
    for session in ["s1", "s2", "s3"] {
        for message in ["a", "b", "c"] {
            say(&database, session, &format!("{session}{message}"), "one");
        }
    }
    assert_eq!(place.import(Agent::OpenCode, &path).counts.new, 12);
    // The rows of the sessions, and one for what is in each.
    let unchanged = |place: &mut Place| {
        let done = place.import(Agent::OpenCode, &path);
        (done.counts.new, done.counts.known)
    };
    say(&database, "s2", "s2d", "two");
    assert_eq!(unchanged(&mut place), (1, 3 + 3 + 2));
    // What is written over keeps its number and its length.
    let updated = database.execute_batch(include_str!("opencode_update.sql"));
    updated.unwrap();
    assert_eq!(unchanged(&mut place), (1, 3 + 2 + 2));
    let said = place.rows("said");
    assert!(said.contains(&"user|text|new".to_owned()), "{said:?}");
    // A user's rule that comes and goes: what it left out is read again.
    let privacy = |rule: &[&str]| {
        let exclusions = Exclusions {
            projects: rule.iter().map(|rule| rule.parse().unwrap()).collect(),
            ..Exclusions::default()
        };
        Privacy::new(Redactor::standard(), exclusions)
    };
    let mut other = Place::new();
    rest(&path, 61);
    let done = other.import_with(Agent::OpenCode, &path, privacy(&["app"]));
    assert_eq!((done.counts.new, done.counts.excluded > 0), (9, true));
    let done = other.import_with(Agent::OpenCode, &path, privacy(&[]));
    assert_eq!(done.counts.new, 4, "{:?}", done.counts);
}

#[test]
fn bubbles_that_no_header_and_no_composer_names_are_read() {
    let mut place = Place::new();
    fs::create_dir(place.files().join("globalStorage")).unwrap();
    let database = Connection::open(place.files().join("globalStorage/state.vscdb")).unwrap();
    database.execute_batch(include_str!("cursor.sql")).unwrap();
    for (key, said) in [("7f2a:b9", "left over"), ("lost:b1", "lost")] {
        let bubble = json!({"type": 1, "text": said}).to_string();
        let key = format!("bubbleId:{key}");
        insert(&database, "cursorDiskKV", "(key, value)", &[&key, &bubble]);
    }
    drop(database);
    assert_eq!(place.import_files(Agent::Cursor).problems, []);
    let said = place.rows("said");
    for text in ["user|text|left over", "user|text|lost"] {
        assert!(said.contains(&text.to_owned()), "{said:?}");
    }
    assert_eq!(place.import_files(Agent::Cursor).ops, 0);
}

#[test]
fn a_large_database_comes_in_batches_and_is_read_on_after_a_crash_in_between() {
    let mut place = Place::new();
    let (path, database) = opencode(&place, "delete");
    let said = "words and words ".repeat(4_000);
    for session in 0..40 {
        say(
            &database,
            &format!("s{session}"),
            &format!("m{session}"),
            &said,
        );
    }
    drop(database);
    let sources = [Source {
        agent: Agent::OpenCode,
        root: path,
    }];
    let importer = |place: &mut Place| {
        let privacy = Privacy::standard();
        Importer::new(&sources, Keeping::Written, privacy, &mut place.replica)
            .unwrap()
            .in_small_batches()
    };
    let mut first = importer(&mut place);
    let batch = first.next_batch(&place.replica).unwrap().unwrap();
    assert!(batch.notes.files.is_empty());
    assert!((5..20).contains(&batch.counts.new), "{:?}", batch.counts);
    place
        .replica
        .write_imported(&batch.ops, &batch.notes)
        .unwrap();
    // What was to come never does.
    drop(first);
    let mut rest = importer(&mut place);
    let mut batches = 0;
    while let Some(batch) = rest.next_batch(&place.replica).unwrap() {
        batches += 1;
        place
            .replica
            .write_imported(&batch.ops, &batch.notes)
            .unwrap();
    }
    assert!(batches > 2);
    assert_eq!(place.figures().len(), 40);
    assert_eq!(importer(&mut place).unchanged(), 1);
}

#[test]
#[cfg(unix)]
fn a_transcript_that_is_reached_by_a_link_too_is_read_once() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    place.write("s.jsonl", jsonl(&[script.user("u1", "one")]));
    let link = place.directory.path().join("link");
    std::os::unix::fs::symlink(place.files(), &link).unwrap();
    std::os::unix::fs::symlink(place.files().join("s.jsonl"), place.files().join("t.jsonl"))
        .unwrap();
    let done = place.import(Agent::ClaudeCode, &link);
    assert_eq!((done.counts.files, done.counts.new), (1, 1));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.counts.files, done.unchanged), (0, 1));
    let alone = place.import(Agent::ClaudeCode, &link.join("t.jsonl"));
    assert_eq!((alone.counts.files, alone.unchanged), (0, 1));
}

#[test]
fn of_a_line_of_too_many_long_texts_its_ids_are_kept_and_it_is_told_once() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut long = script.user("u2", "");
    let text = json!({"type": "text", "text": "x".repeat(520_000)});
    long["message"]["content"] = vec![text; 65].into();
    let lines = [script.user("u1", "one"), long, script.user("u3", "two")];
    place.write("s.jsonl", jsonl(&lines));
    let done = place.import_files(Agent::ClaudeCode);
    assert_eq!((done.counts.new, done.counts.not_understood), (2, 1));
    let told: Vec<_> = done.problems.iter().collect();
    assert_eq!((told.len(), told[0].line), (1, Some(2)));
    assert!(told[0].cause.starts_with("it has 34 MB"), "{told:?}");
    let raw = place.rows("raw");
    assert!(raw.len() == 1 && raw[0].len() < 500, "{raw:?}");
    let kept: serde_json::Value = serde_json::from_str(&raw[0]).unwrap();
    assert_eq!(
        (&kept["uuid"], &kept["sessionId"]),
        (&json!("u2"), &json!("s"))
    );
    assert_eq!(kept["left_out"]["type"], "user");
}

#[test]
fn a_line_that_is_mended_and_damaged_is_one_place() {
    let mut place = Place::new();
    let mut script = Script::new("s");
    let mut text = jsonl(&[script.user("u1", "one")]).into_bytes();
    text.extend(b"\xff\xfe{\n\0\0");
    text.extend(jsonl(&[script.user("u2", "two")]).into_bytes());
    place.write("s.jsonl", text);
    let done = place.import_files(Agent::ClaudeCode);
    let lines: Vec<_> = done.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [Some(2), Some(3)]);
    assert_eq!((done.counts.damaged, done.counts.new), (1, 2));
}

#[test]
fn what_was_undone_in_opencode_counts_no_more_and_an_older_copy_undoes_nothing() {
    let mut place = Place::new();
    let (path, database) = opencode(&place, "delete");
    for (message, said) in [("m1", "begin"), ("m2", "wrong"), ("m3", "more")] {
        say(&database, "s1", message, said);
    }
    let copy = fs::read(&path).unwrap();
    place.import_files(Agent::OpenCode);
    database.execute_batch(include_str!("undo.sql")).unwrap();
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("taken_back"), Vec::<String>::new());
    say(&database, "s1", "m4", "right");
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("taken_back"), ["m2", "m3"]);
    assert_eq!(place.figures()["s1"].messages, 2);
    assert_eq!(place.import_files(Agent::OpenCode).ops, 0);
    place.write("copy/opencode.db", copy);
    assert_eq!(place.import_files(Agent::OpenCode).ops, 0);
    assert_eq!(place.rows("taken_back"), ["m2", "m3"]);
}

#[test]
fn what_a_person_may_still_have_back_in_opencode_is_taken_back_until_they_do() {
    let mut place = Place::new();
    let (_, database) = opencode(&place, "delete");
    let sql: Vec<&str> = include_str!("revert.sql").lines().collect();
    database.execute_batch(sql[0]).unwrap();
    for message in ["m1", "m2", "m3"] {
        say(&database, "s1", message, message);
    }
    place.import_files(Agent::OpenCode);
    for (sql, taken_back) in [(sql[1], &["m3"][..]), (sql[2], &[]), (sql[1], &["m3"])] {
        database.execute_batch(sql).unwrap();
        place.import_files(Agent::OpenCode);
        assert_eq!(place.rows("taken_back"), taken_back, "{sql}");
        assert_eq!(place.import_files(Agent::OpenCode).ops, 0);
    }
    assert_eq!(place.figures()["s1"].messages, 2);
}

#[test]
fn an_older_copy_of_opencodes_hides_nothing_that_a_person_has_had_back() {
    let mut place = Place::new();
    let (path, database) = opencode(&place, "delete");
    let sql: Vec<&str> = include_str!("revert.sql").lines().collect();
    database.execute_batch(sql[0]).unwrap();
    say(&database, "s1", "m3", "said");
    database.execute_batch(sql[1]).unwrap();
    let copy = fs::read(&path).unwrap();
    database.execute_batch(sql[2]).unwrap();
    place.import_files(Agent::OpenCode);
    place.write("copy/opencode.db", copy);
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("taken_back"), Vec::<String>::new());
}

#[test]
fn a_copy_of_opencodes_that_lacks_a_message_takes_nothing_back() {
    let mut place = Place::new();
    let (path, database) = opencode(&place, "delete");
    say(&database, "s1", "m1", "begin");
    say(&database, "s1", "m3", "more");
    place.write("copy/opencode.db", fs::read(&path).unwrap());
    say(&database, "s1", "m2", "between");
    let copy = place.files().join("copy/opencode.db");
    let hidden = copy.with_extension("db-hidden");
    fs::rename(&copy, &hidden).unwrap();
    place.import_files(Agent::OpenCode);
    fs::rename(&hidden, &copy).unwrap();
    place.import_files(Agent::OpenCode);
    assert_eq!(place.rows("taken_back"), Vec::<String>::new());
    assert_eq!(place.figures()["s1"].messages, 3);
}
