//! `syncline query --write`: rows that a statement changes.

use serde_json::{Value, json};

use crate::machine::{Answer, Machine};
use crate::session::{NATIVE, line, machine as with_session};

fn machine() -> Machine {
    let machine = Machine::new();
    for (key, text) in [("plan", "first"), ("ideas", "second")] {
        machine.run(&["thread", "new", key, text]).done();
    }
    machine.run(&["list", "new", "groceries"]).done();
    for item in ["milk", "bread"] {
        machine.run(&["list", "add", "groceries", item]).done();
    }
    machine
}

fn write(machine: &Machine, sql: &str) -> Answer {
    machine.run(&["query", sql, "--write", "--yes"])
}

fn rows(machine: &Machine, sql: &str) -> Value {
    machine.run(&["query", sql, "--json"]).done().json()
}

#[test]
fn a_delete_or_update_becomes_ops_once_it_is_confirmed() {
    let machine = machine();
    let rename = "UPDATE threads SET name = upper(name), status = 'archived' WHERE key LIKE 'pl%'";
    machine
        .run(&["query", rename])
        .failed(1, "sql_read_only")
        .says("syncline query SQL --write");
    machine
        .run(&["query", rename, "--write"])
        .failed(2, "not_confirmed")
        .says("changed name, status of 1 row of threads")
        .says("nothing was changed");
    let before = rows(
        &machine,
        "SELECT count(*) AS n FROM threads WHERE status = 'active'",
    );
    assert_eq!(before, json!([{"n": 2}]));
    let changed = machine
        .run(&["query", rename, "--write", "--yes", "--json"])
        .done()
        .json();
    let expected = json!({"view": "threads", "rows": 1, "deleted": false,
        "columns": ["name", "status"], "state": "pending"});
    assert_eq!(changed, expected);
    let now = rows(
        &machine,
        "SELECT name, status FROM threads WHERE key = 'plan'",
    );
    assert_eq!(now, json!([{"name": "PLAN", "status": "archived"}]));
    write(
        &machine,
        "WITH old AS (SELECT 'plan' AS k) DELETE FROM threads WHERE key IN (SELECT k FROM old)",
    )
    .done()
    .says("deleted 1 row of threads");
    let left = rows(&machine, "SELECT key FROM threads");
    assert_eq!(left, json!([{"key": "ideas"}]));
    // What changes nothing is no change, and what reads is read.
    write(&machine, "UPDATE threads SET name = name").done();
    let pending = machine.run(&["sync", "pending", "--json"]).done().json();
    let read = machine.run(&["query", "SELECT 1 AS one", "--write", "--json"]);
    assert_eq!(read.done().json(), json!([{"one": 1}]));
    let still = machine.run(&["sync", "pending", "--json"]).done().json();
    assert_eq!(still["pending"], pending["pending"]);
}

#[test]
fn lists_and_items_are_changed_as_one_change_that_can_be_undone() {
    let machine = machine();
    write(
        &machine,
        "UPDATE items SET done = 1, note = 'bought' WHERE text <> 'eggs'",
    )
    .done()
    .says("changed done, note of 2 rows of items")
    .says("syncline list undo");
    let items = "SELECT text, done, note FROM items ORDER BY place";
    let bought = json!([{"text": "milk", "done": 1, "note": "bought"},
        {"text": "bread", "done": 1, "note": "bought"}]);
    assert_eq!(rows(&machine, items), bought);
    machine.run(&["list", "undo"]).done();
    let before = json!([{"text": "milk", "done": 0, "note": ""},
        {"text": "bread", "done": 0, "note": ""}]);
    assert_eq!(rows(&machine, items), before);
    write(&machine, "DELETE FROM items WHERE text = 'milk'").done();
    write(&machine, "UPDATE lists SET title = 'Food'").done();
    assert_eq!(
        rows(&machine, "SELECT title, item_count FROM lists"),
        json!([{"title": "Food", "item_count": 1}])
    );
    write(&machine, "DELETE FROM lists").done();
    assert_eq!(rows(&machine, "SELECT * FROM lists"), json!([]));
}

#[test]
fn sessions_are_said_anew_field_by_field_and_deleted_whole() {
    let machine = with_session();
    let title =
        format!("UPDATE sessions SET title = 'Mine', git_branch = NULL WHERE id = '{NATIVE}'");
    write(&machine, &title).done();
    let now = rows(&machine, "SELECT title, git_branch FROM sessions");
    assert_eq!(now, json!([{"title": "Mine", "git_branch": null}]));
    write(
        &machine,
        "UPDATE messages SET role = 'assistant' WHERE role = 'user'",
    )
    .done();
    write(
        &machine,
        "UPDATE tools SET success = 0, error_message = 'by hand'",
    )
    .done();
    let left = "SELECT (SELECT count(*) FROM messages WHERE role = 'user') AS users, \
                (SELECT min(error_message) FROM tools) AS error";
    assert_eq!(
        rows(&machine, left),
        json!([{"users": 0, "error": "by hand"}])
    );
    write(&machine, "DELETE FROM sessions WHERE message_count > 0").done();
    assert_eq!(rows(&machine, "SELECT * FROM messages"), json!([]));
}

#[test]
fn a_row_that_is_joined_with_several_is_changed_once() {
    let machine = with_session();
    let several = "SELECT count(*) > 1 AS more FROM messages";
    assert_eq!(rows(&machine, several), json!([{"more": 1}]));
    write(&machine, "UPDATE sessions SET title = 'a' FROM messages")
        .done()
        .says("changed title of 1 row of sessions");
    let lists = self::machine();
    let others = "UPDATE items SET done = 1 FROM items AS other WHERE items.text = 'milk'";
    write(&lists, others)
        .done()
        .says("changed done of 1 row of items");
}

#[test]
fn what_a_person_sets_to_what_an_agent_told_stands_over_what_is_told_later() {
    let machine = Machine::new();
    let place = machine.work_dir().join("grows.jsonl");
    let import = |lines: &[String]| {
        std::fs::write(&place, lines.join("\n") + "\n").unwrap();
        machine
            .run(&["import", "claude-code", place.to_str().unwrap()])
            .done();
    };
    let titled = |title: &str| {
        json!({"type": "custom-title", "customTitle": title, "sessionId": "hostile"}).to_string()
    };
    let mut lines = vec![line("u1", "user", 0, json!("begin")), titled("Told")];
    import(&lines);
    // What is set to what it is alone: what no statement names may change as before.
    let same = "UPDATE sessions SET title = title, project_path = '/w/other', agent = agent";
    write(&machine, same)
        .done()
        .says("changed project_path, title of 1 row of sessions");
    let pending = || machine.run(&["sync", "pending", "--json"]).done().json()["pending"].clone();
    let before = pending();
    let again = ["query", same, "--write", "--yes", "--json"];
    let again = machine.run(&again).done().json();
    let told = ["rows", "columns", "state"].map(|key| again[key].clone());
    assert_eq!(told, [json!(0), json!([]), json!("unchanged")]);
    write(&machine, "UPDATE messages SET role = role")
        .done()
        .says("changed role of 1 row of messages");
    write(&machine, "UPDATE messages SET role = role")
        .done()
        .says("changed 0 rows of messages");
    assert_ne!(pending(), before, "a role that is decided is an op");
    lines.push(line("u2", "user", 1, json!("go on")).replace("dev", "main"));
    lines.push(titled("Told later"));
    import(&lines);
    let now = rows(
        &machine,
        "SELECT title, project_path, git_branch FROM sessions",
    );
    let decided = json!([{"title": "Told", "project_path": "/w/other", "git_branch": "main"}]);
    assert_eq!(now, decided);
    // Of two columns that show one thing, the one that is changed stands.
    write(
        &machine,
        "UPDATE sessions SET started_at = started_at, created_at = 7",
    )
    .done();
    let begun = rows(&machine, "SELECT started_at, created_at FROM sessions");
    assert_eq!(begun, json!([{"started_at": 7, "created_at": 7}]));
}

#[test]
fn what_a_fold_forbids_is_refused_with_what_to_do_instead() {
    let machine = machine();
    let pending = || machine.run(&["sync", "pending", "--json"]).done().json()["pending"].clone();
    let before = pending();
    for (sql, error, advice) in [
        (
            "UPDATE threads SET thread_id = 'x'",
            "sql_forbidden",
            "syncline thread",
        ),
        (
            "UPDATE threads SET tags = '[1]'",
            "sql_forbidden",
            "syncline thread tag",
        ),
        (
            "UPDATE entries SET content = 'other'",
            "sql_forbidden",
            "syncline thread delete",
        ),
        (
            "DELETE FROM entries",
            "sql_forbidden",
            "syncline thread delete",
        ),
        (
            "UPDATE items SET place = 9",
            "sql_forbidden",
            "syncline list move",
        ),
        (
            "UPDATE lists SET item_count = 9",
            "sql_forbidden",
            "syncline list",
        ),
        (
            "INSERT INTO lists (title) VALUES ('x')",
            "sql_refused",
            "takes a DELETE or an UPDATE of one view",
        ),
        ("DELETE FROM main.threads", "sql_refused", "query --views"),
        ("DELETE FROM main.ops", "sql_refused", "query --views"),
        ("DROP VIEW threads", "sql_refused", "query --views"),
        (
            "DELETE FROM threads RETURNING key",
            "sql_refused",
            "query --views",
        ),
        (
            "EXPLAIN DELETE FROM threads",
            "sql_refused",
            "EXPLAIN changes nothing",
        ),
        (
            "PRAGMA writable_schema = ON",
            "sql_refused",
            "query --views",
        ),
    ] {
        write(&machine, sql).failed(1, error).says(advice);
    }
    for (sql, error) in [
        ("UPDATE threads SET status = 'gone'", "sql_value"),
        ("UPDATE items SET done = 7", "sql_value"),
        ("UPDATE items SET text = NULL", "sql_value"),
        ("DELETE FROM threads; DELETE FROM lists", "sql_several"),
    ] {
        write(&machine, sql).failed(2, error);
    }
    assert_eq!(pending(), before);
}

#[test]
fn a_statement_that_matches_nothing_tells_of_its_own_view() {
    let machine = machine();
    write(&machine, "DELETE FROM threads WHERE key = 'none'")
        .done()
        .says("deleted 0 rows of threads");
    let changed = [
        "query",
        "UPDATE items SET done = 1 WHERE 0",
        "--write",
        "--yes",
        "--json",
    ];
    let changed = machine.run(&changed).done().json();
    let told = ["view", "rows", "deleted", "state"].map(|key| changed[key].clone());
    assert_eq!(
        told,
        [json!("items"), json!(0), json!(false), json!("unchanged")]
    );
    for sql in [
        "DELETE FROM tools WHERE 0",
        "UPDATE entries SET content = 'x' WHERE 0",
    ] {
        write(&machine, sql).failed(1, "sql_forbidden");
    }
}

#[test]
fn what_an_agent_told_is_not_rewritten() {
    let session = with_session();
    for (sql, error, advice) in [
        (
            "UPDATE messages SET text_content = 'x'",
            "sql_forbidden",
            "session delete",
        ),
        (
            "UPDATE messages SET id = 'x'",
            "sql_forbidden",
            "session delete",
        ),
        (
            "UPDATE sessions SET cost = 0",
            "sql_forbidden",
            "session delete",
        ),
        ("DELETE FROM messages", "sql_forbidden", "session delete"),
        ("DELETE FROM tools", "sql_forbidden", "session delete"),
    ] {
        write(&session, sql).failed(1, error).says(advice);
    }
    write(&session, "UPDATE sessions SET ended_at = 'soon'").failed(2, "sql_value");
}

#[test]
fn secrets_are_taken_out_of_what_is_written_of_a_session() {
    let machine = with_session();
    let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    let update = format!("UPDATE sessions SET title = 'push with {secret}'");
    write(&machine, &update).done().says("1 secret left out");
    let title = rows(&machine, "SELECT title FROM sessions").to_string();
    assert!(
        title.contains("push with ") && !title.contains(secret),
        "{title}"
    );
}

#[test]
fn a_name_that_is_not_there_is_told_with_those_of_the_view_alone() {
    let machine = with_session();
    // It is a column of sessions.
    let other = write(&machine, "UPDATE lists SET git_branch = 'x'").failed(1, "sql_invalid");
    assert!(!other.stderr.contains("maybe"), "{other:#?}");
    other.says("there are ");
    write(&machine, "DELETE FROM lists WHERE titel = 'x'")
        .failed(1, "sql_invalid")
        .says("maybe: title");
    // What is wrong in the midst of a statement, not what SQLite meets behind it.
    let within = "UPDATE sessions SET title = 'x' WHERE id IN \
        (SELECT session_id FROM messages WHERE rolle = 'x')";
    write(&machine, within)
        .failed(1, "sql_invalid")
        .says("no such column: rolle")
        .says("maybe: role");
}
