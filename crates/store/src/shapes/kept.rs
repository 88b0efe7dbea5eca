//! The rows that are kept of relations, and what ops have made of them.

use rusqlite::{Connection, OptionalExtension};
use syncline_model::ServerSeq;

use super::builtin::BETWEEN;
use super::relation::{Relation, Source};
use super::{cells, entity};
use crate::file::StoreError;

/// A row, and the group that it is found by; none: it is found by its key.
pub(super) type Grouped = (Option<String>, String);

/// The rows of a group as the view has them, with their keys.
pub(super) fn read_rows(
    connection: &Connection,
    relation: &Relation,
    group: &[String],
    mut each: impl FnMut(String, Grouped) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let key = relation.key_columns();
    let mut each = |found_by: Option<String>, cells: Vec<Option<String>>| {
        each(
            cells::key_of(&cells, &key),
            (found_by, cells::print(&cells)),
        )
    };
    match relation.source {
        Source::Entity => entity::read(connection, relation, group, |_, cells| each(None, cells)),
        Source::BuiltIn(built_in) => {
            built_in.read(connection, group, |group, cells| each(Some(group), cells))
        }
    }
}

/// The rows of a group as they are kept, with their keys.
pub(super) fn kept_rows(
    connection: &Connection,
    number: i64,
    relation: &Relation,
    group: &[String],
    mut each: impl FnMut(String, String),
) -> Result<(), StoreError> {
    let parts = match relation.source {
        Source::Entity => return kept_record(connection, number, group, each),
        Source::BuiltIn(built_in) => built_in.group_parts(),
    };
    let joined = group.join(&BETWEEN.to_string());
    let (from, to) = if group.is_empty() {
        (String::new(), "\u{10ffff}".to_owned())
    } else if group.len() < parts {
        (format!("{joined}{BETWEEN}"), format!("{joined}\u{20}"))
    } else {
        (joined.clone(), format!("{joined}\0"))
    };
    let mut statement = connection.prepare_cached(
        "SELECT row_key, row FROM shape_rows \
         WHERE relation = ?1 AND row_group >= ?2 AND row_group < ?3",
    )?;
    let mut rows = statement.query((number, from, to))?;
    while let Some(row) = rows.next()? {
        each(row.get(0)?, row.get(1)?);
    }
    Ok(())
}

/// The row of a record, whose key says where it is.
fn kept_record(
    connection: &Connection,
    number: i64,
    id: &[String],
    mut each: impl FnMut(String, String),
) -> Result<(), StoreError> {
    let key = cells::key_of(&[id.first().cloned()], &[0]);
    let row: Option<String> = connection
        .prepare_cached("SELECT row FROM shape_rows WHERE relation = ? AND row_key = ?")?
        .query_row((number, &key), |row| row.get(0))
        .optional()?;
    if let Some(row) = row {
        each(key, row);
    }
    Ok(())
}

/// Keeps what an op at a place has made of a row: the relation's number, the op's place, the row's among
/// those that the op has changed.
pub(super) fn keep(
    connection: &Connection,
    (relation, seq, ordinal): (i64, ServerSeq, i64),
    key: &str,
    (before, after): (Option<&String>, Option<&String>),
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO shape_history (relation, server_seq, ordinal, row_key, row_before, row_after) \
         VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute((relation, seq.get() as i64, ordinal, key, before, after))?;
    Ok(())
}

/// Writes a row in place of the one with its key, or removes that.
pub(super) fn write_row(
    connection: &Connection,
    number: i64,
    key: &str,
    row: Option<&Grouped>,
) -> Result<(), StoreError> {
    match row {
        Some((group, row)) => connection
            .prepare_cached(
                "INSERT INTO shape_rows (relation, row_key, row_group, row) VALUES (?, ?, ?, ?) \
                 ON CONFLICT (relation, row_key) DO UPDATE \
                 SET row_group = excluded.row_group, row = excluded.row",
            )?
            .execute((number, key, group, row))?,
        None => connection
            .prepare_cached("DELETE FROM shape_rows WHERE relation = ? AND row_key = ?")?
            .execute((number, key))?,
    };
    Ok(())
}
