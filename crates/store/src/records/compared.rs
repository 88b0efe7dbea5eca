//! What SQL compares values of records by: what they mean, as [`compare_key`] tells it.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Result};
use serde_json::Value as Json;
use syncline_model::record::{CompareKey, compare_key};
use syncline_model::schema::FieldKind;

use super::stored::{cell_of, value_of};

/// The SQL functions of kinds that no function of SQLite orders. An index may be on what they give: who
/// changes that gives them other names, so that the indexes are made anew.
const FUNCTIONS: [(&str, FieldKind); 4] = [
    ("date_key", FieldKind::Date),
    ("time_key", FieldKind::Time),
    ("timestamp_key", FieldKind::Timestamp),
    ("decimal_key", FieldKind::Decimal),
];

/// Makes the functions known to a connection. Every one that may write records needs them, or copy them
/// with their indexes.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    for (name, kind) in FUNCTIONS {
        connection.create_scalar_function(name, 1, flags, move |context| key(context, &kind))?;
    }
    Ok(())
}

fn key(context: &Context<'_>, kind: &FieldKind) -> Result<Cell> {
    let value = match context.get_raw(0) {
        ValueRef::Text(text) => Json::from(String::from_utf8_lossy(text)),
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Null | ValueRef::Blob(_) => Json::Null,
    };
    Ok(compare_key(kind, &value).map_or(Cell::Null, cell_of_key))
}

fn cell_of_key(key: CompareKey) -> Cell {
    match key {
        CompareKey::Whole(number) => Cell::Integer(number),
        CompareKey::Text(text) => Cell::Text(text),
    }
}

/// The SQL value that a column of this kind is compared by.
pub(super) fn compared(kind: &FieldKind, column: &str) -> String {
    compared_value(kind, &value_of(column))
}

/// What a value that SQL has is compared by.
pub(super) fn compared_value(kind: &FieldKind, value: &str) -> String {
    let called = FUNCTIONS.iter().find(|(_, of)| of == kind);
    match (called, kind) {
        (Some((name, _)), _) => format!("{name}({value})"),
        (None, FieldKind::Uuid) => format!("lower({value})"),
        (None, _) => value.to_owned(),
    }
}

/// What a value is compared by with a column of this kind; none: it is none of the kind, and nothing is
/// compared with it.
pub(super) fn compared_cell(kind: &FieldKind, value: &Json) -> Option<Cell> {
    let key = compare_key(kind, value).map(cell_of_key);
    match (kind, value) {
        (_, Json::Null) => Some(Cell::Null),
        // Texts that are none are compared too: a path names records by them.
        (FieldKind::Uuid, Json::String(text)) => {
            Some(key.unwrap_or_else(|| Cell::Text(text.to_ascii_lowercase())))
        }
        (FieldKind::Date | FieldKind::Time | FieldKind::Timestamp | FieldKind::Decimal, _) => key,
        (_, value) => Some(cell_of(value)),
    }
}
