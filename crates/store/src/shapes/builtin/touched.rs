//! Which rows an op may have changed of a view, by the rows of tables that it has written.

use rusqlite::Connection;
use syncline_model::{Row, Value};

use super::Group;
use crate::file::StoreError;
use crate::view::Touch;

fn texts(values: &[Value]) -> Group {
    let texts = values.iter().filter_map(Value::as_text);
    texts.map(str::to_owned).collect()
}

/// The first parts of the keys of touched rows, each once.
pub(super) fn parts(touches: &[Touch], tables: &[&str], count: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = touches
        .iter()
        .filter(|touch| tables.contains(&touch.table.name))
        .map(|touch| texts(&touch.key[..touch.key.len().min(count)]))
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

pub(super) fn first_parts(touches: &[Touch], tables: &[&str]) -> Vec<Group> {
    parts(touches, tables, 1)
}

/// A cell of the touched row before and after.
fn before_and_after<'t>(touch: &'t Touch, column: &str) -> impl Iterator<Item = &'t Value> {
    let place = touch
        .table
        .columns
        .iter()
        .position(|found| found.name == column);
    let rows = [touch.before.as_ref(), touch.after.as_ref()];
    let cell = move |row: &'t Row| place.and_then(|place| row.get(place));
    rows.into_iter().flatten().filter_map(cell)
}

/// The lists that showed or show touched items, and those that came or went.
pub(super) fn homes(_: &Connection, touches: &[Touch]) -> Result<Vec<Group>, StoreError> {
    let mut groups = Vec::new();
    for touch in touches {
        let column = match touch.table.name {
            "list_items" => "home",
            "lists" => "list_id",
            _ => continue,
        };
        if touch.key.len() < touch.table.key_columns {
            // All items of a list were cleared, wherever they were shown.
            return Ok(vec![Group::new()]);
        }
        groups.extend(
            before_and_after(touch, column).map(|value| texts(std::slice::from_ref(value))),
        );
    }
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

pub(super) fn all_sessions(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT session_id FROM main.sessions")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The sessions above one, itself with them: where its figures count.
fn above(connection: &Connection, session: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE up(id, height) AS (VALUES (?1, 0) UNION SELECT s.parent_session, height + 1 \
         FROM up JOIN main.sessions AS s ON s.session_id = up.id \
         WHERE s.parent_session IS NOT NULL AND height < 64) SELECT DISTINCT id FROM up",
    )?;
    let ids = statement.query_map([session], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// The sessions below one, itself with them: what is shown as its rows.
fn below(connection: &Connection, session: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE down(id, depth) AS (VALUES (?1, 0) UNION SELECT s.session_id, depth + 1 \
         FROM down JOIN main.sessions AS s ON s.parent_session = down.id WHERE depth < 64) \
         SELECT DISTINCT id FROM down",
    )?;
    let ids = statement.query_map([session], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

pub(super) fn sessions_touched(
    connection: &Connection,
    touches: &[Touch],
) -> Result<Vec<Group>, StoreError> {
    let mut found = Vec::new();
    for group in first_parts(touches, &["sessions", "session_usage"]) {
        for session in &group {
            found.extend(above(connection, session)?);
        }
    }
    for touch in touches
        .iter()
        .filter(|touch| touch.table.name == "sessions")
    {
        let parents = texts(
            &before_and_after(touch, "parent_session")
                .cloned()
                .collect::<Vec<_>>(),
        );
        for parent in parents {
            found.extend(above(connection, &parent)?);
        }
        if has_new_identity(touch) {
            // Subagents are shown by themselves once what began them is gone.
            for session in texts(&touch.key[..1]) {
                found.extend(below(connection, &session)?);
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found.into_iter().map(|session| vec![session]).collect())
}

/// Whether a session is called or placed otherwise than before: rows of it show that.
fn has_new_identity(touch: &Touch) -> bool {
    const COLUMNS: &[&str] = &[
        "agent",
        "native_id",
        "source",
        "parent_session",
        "parent_kind",
        "deleted_at",
    ];
    COLUMNS.iter().any(|column| {
        let values: Vec<_> = before_and_after(touch, column).collect();
        values.len() < 2 || values[0] != values[1]
    })
}

/// Touched messages or tool calls, and all of sessions that are called otherwise now.
pub(super) fn in_sessions(
    connection: &Connection,
    touches: &[Touch],
    owner: &str,
) -> Result<Vec<Group>, StoreError> {
    let table = format!("session_{owner}s");
    let mut groups = parts(touches, &[&table], 2);
    for touch in touches {
        match (touch.table.name, touch.key.as_slice()) {
            ("session_parts", [session, of, id, ..]) if of.as_text() == Some(owner) => {
                groups.push(texts(&[session.clone(), id.clone()]));
            }
            ("session_parts" | "session_usage", [session]) => {
                groups.push(texts(std::slice::from_ref(session)));
            }
            ("session_usage", [session, usage]) if owner == "message" => {
                let (session, usage) = (session.as_text(), usage.as_text());
                groups.extend(answered(connection, session, usage)?);
            }
            ("sessions", [session, ..]) if has_new_identity(touch) => {
                if let Some(session) = session.as_text() {
                    let all = below(connection, session)?;
                    groups.extend(all.into_iter().map(|session| vec![session]));
                }
            }
            _ => {}
        }
    }
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

/// The messages of a response.
fn answered(
    connection: &Connection,
    session: Option<&str>,
    usage: Option<&str>,
) -> Result<Vec<Group>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT session_id, message_id FROM main.session_messages \
         WHERE session_id = ?1 AND coalesce(response_id, message_id) = ?2",
    )?;
    let rows = statement.query_map((session, usage), |row| Ok(vec![row.get(0)?, row.get(1)?]))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
