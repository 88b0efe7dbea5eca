//! The tables beside the view, made with the first shape.

use rusqlite::{Connection, OptionalExtension};
use syncline_model::ServerSeq;

use super::made::forget_relation;
use crate::file::StoreError;
use crate::schema::fold_version;
use crate::tenant::Head;

const DDL: &str = "
CREATE TABLE shape_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    reached INTEGER NOT NULL,
    fold_version INTEGER NOT NULL
) STRICT;
CREATE TABLE shape_relations (
    relation INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    columns TEXT NOT NULL,
    trimmed INTEGER NOT NULL
) STRICT;
CREATE TABLE shape_rows (
    relation INTEGER NOT NULL,
    row_key TEXT NOT NULL,
    row_group TEXT,
    row TEXT NOT NULL,
    PRIMARY KEY (relation, row_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX shape_rows_group ON shape_rows (relation, row_group) WHERE row_group IS NOT NULL;
CREATE TABLE shape_history (
    relation INTEGER NOT NULL,
    server_seq INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    row_key TEXT NOT NULL,
    row_before TEXT,
    row_after TEXT,
    PRIMARY KEY (relation, server_seq, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX shape_history_key ON shape_history (relation, row_key, server_seq, ordinal);
CREATE TABLE shapes (
    handle TEXT PRIMARY KEY,
    definition TEXT NOT NULL,
    relation INTEGER NOT NULL,
    start INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX shapes_definition ON shapes (definition);
CREATE TABLE shape_filling (
    relation INTEGER PRIMARY KEY,
    reached TEXT NOT NULL
) STRICT;
";

const NAMES: &[&str] = &[
    "shape_filling",
    "shapes",
    "shape_history",
    "shape_rows",
    "shape_relations",
    "shape_state",
];

/// Whether the file has these tables, of this form.
pub(super) fn are_made(connection: &Connection) -> Result<bool, StoreError> {
    has_table(connection, "shape_filling")
}

fn has_table(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)")?;
    Ok(statement.query_row([name], |row| row.get(0))?)
}

/// Makes the tables if they are not there, or anew where the log has moved without them.
pub(super) fn settle(connection: &Connection, head: &Head) -> Result<(), StoreError> {
    if are_made(connection)? && is_current(connection, head)? {
        return Ok(());
    }
    drop_tables(connection)?;
    connection.execute_batch(DDL)?;
    connection.execute(
        "INSERT INTO shape_state (id, epoch, reached, fold_version) VALUES (1, ?, ?, ?)",
        state_of(head),
    )?;
    Ok(())
}

/// Of another form is what an older version kept of rows that this one keeps otherwise.
const FORM: i64 = 3;

fn state_of(head: &Head) -> (String, i64, i64) {
    let seq = head.cursor.server_seq.get() as i64;
    (head.epoch.to_string(), seq, fold_version() << 8 | FORM)
}

/// Whether the tables hold what the view does.
pub(super) fn is_current(connection: &Connection, head: &Head) -> Result<bool, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT epoch, reached, fold_version FROM shape_state")?;
    let found: Option<(String, i64, i64)> = statement
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    Ok(found == Some(state_of(head)))
}

/// Notes that the tables hold what the view does at this place.
pub(super) fn write_reached(connection: &Connection, head: &Head) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE shape_state SET epoch = ?, reached = ?, fold_version = ?")?
        .execute(state_of(head))?;
    Ok(())
}

/// Drops the tables, and with them all shapes; says whether there were any.
pub(crate) fn drop_tables(connection: &Connection) -> Result<bool, StoreError> {
    // Also those of an older form.
    if !has_table(connection, "shape_state")? {
        return Ok(false);
    }
    for name in NAMES {
        connection.execute_batch(&format!("DROP TABLE IF EXISTS {name}"))?;
    }
    Ok(true)
}

/// Drops history up to the floor: who is behind it begins anew.
pub(crate) fn trim(connection: &Connection, floor: ServerSeq) -> Result<(), StoreError> {
    if !are_made(connection)? {
        return Ok(());
    }
    let floor = floor.get() as i64;
    connection.execute(
        "UPDATE shape_relations SET trimmed = max(trimmed, coalesce((SELECT max(server_seq) \
         FROM shape_history AS h WHERE h.relation = shape_relations.relation \
         AND h.server_seq <= ?1), 0))",
        [floor],
    )?;
    let relations = connection
        .prepare("SELECT relation FROM shape_relations")?
        .query_map([], |row| row.get::<_, i64>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for relation in relations {
        connection.execute(
            "DELETE FROM shape_history WHERE relation = ?1 AND server_seq <= ?2",
            (relation, floor),
        )?;
        let is_used: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM shapes WHERE relation = ?)",
            [relation],
            |row| row.get(0),
        )?;
        if !is_used {
            forget_relation(connection, relation)?;
        }
    }
    Ok(())
}
