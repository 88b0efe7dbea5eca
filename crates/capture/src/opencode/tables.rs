//! The tables of both versions, of which a database has those of one, or of both.

use serde_json::{Value, json};
use syncline_store::StoreError;
use syncline_store::foreign::{ForeignDatabase, ForeignRow};

use super::second;
use crate::facts::{Known, UnitKey, Verdict, take_unit};
use crate::import::Tally;
use crate::unit::each_once;

/// The sessions of a database, also those of which no more is left than messages or parts.
pub(crate) fn units(
    database: &ForeignDatabase,
    tally: &mut Tally<'_>,
) -> Result<Vec<String>, StoreError> {
    let mut lacking = Vec::new();
    let mut lists = Vec::new();
    for (table, column) in [
        ("session", "id"),
        ("message", "session_id"),
        ("part", "session_id"),
        (second::SESSIONS, "id"),
        (second::MESSAGES, "session_id"),
    ] {
        match database.has_table(table)? {
            true => lists.push(database.texts_of(table, column)?),
            false => lacking.push(table),
        }
    }
    // Of one version all are there; those of the other need not be.
    let is_whole = |tables: &[&str]| !tables.iter().any(|table| lacking.contains(table));
    if is_whole(&["session", "message", "part"]) || is_whole(&[second::SESSIONS, second::MESSAGES])
    {
        return Ok(each_once(lists));
    }
    let cause = format!(
        "it has no table {}: it is none of OpenCode's, or of one that is newer",
        lacking[0]
    );
    tally.count(Verdict::Damaged(cause), None);
    Ok(Vec::new())
}

/// The row of a session, of the later version where both have one; of one whose row has gone, its id is all that is
/// known.
pub(super) fn session_row(database: &ForeignDatabase, native: &str) -> Result<Value, StoreError> {
    let mut session = json!({"id": native});
    for table in ["session", second::SESSIONS] {
        each_row(database, table, ("id", native), |row| {
            session = Value::Object(row.cells);
        })?;
    }
    Ok(session)
}

/// Whether messages or parts of a session were written or hidden since it was read, as their times and sizes
/// tell; so, where they have none. Noted before they are read: what is written meanwhile is seen the next time.
pub(super) fn has_changed(
    database: &ForeignDatabase,
    native: &str,
    hidden_from: Option<&str>,
    known: &mut dyn Known,
) -> Result<bool, StoreError> {
    let mut stamps = Vec::new();
    for table in ["message", "part", second::MESSAGES] {
        if !database.has_table(table)? {
            continue;
        }
        match database.stamp_of(table, "session_id", native, ["time_updated", "data"])? {
            Some(stamp) => stamps.push(stamp),
            None => return Ok(true),
        }
    }
    let key = UnitKey::of(&["opencode rows of session", native]);
    let mut content: Vec<&str> = stamps.iter().map(String::as_str).collect();
    content.extend(hidden_from);
    Ok(take_unit(known, key, &content))
}

/// Gives the rows of a table whose column is as this; none, where there is no such table.
pub(super) fn each_row(
    database: &ForeignDatabase,
    table: &'static str,
    (column, value): (&'static str, &str),
    mut take: impl FnMut(ForeignRow),
) -> Result<(), StoreError> {
    if !database.has_table(table)? {
        return Ok(());
    }
    database.each_row_of(table, column, value, "id", |row| {
        take(row);
        Ok(())
    })
}
