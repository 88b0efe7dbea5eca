//! Sessions of databases, and of files that are damaged, which nothing has told the place of.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::json;
use syncline_capture::agent::Agent;

use crate::place::Place;
use crate::untold::{By, closed, import};

/// The database of an editor with a conversation to which something was added so many minutes ago, in use.
fn conversation(user: &Path, minutes: u64) -> Connection {
    for directory in ["globalStorage", "workspaceStorage/abc"] {
        fs::create_dir_all(user.join(directory)).unwrap();
    }
    let database = Connection::open(user.join("globalStorage/state.vscdb")).unwrap();
    let then = SystemTime::now() - Duration::from_secs(60 * minutes);
    let then = then.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let rows = include_str!("cursor.sql");
    let rows = rows.replace(
        "1767600000000",
        &format!("1767600000000,\"lastUpdatedAt\":{then}"),
    );
    database.execute_batch(&rows).unwrap();
    database
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
