//! What SQL compares values of records by: what they mean, as [`compare_key`] tells it.

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Result};
use serde_json::Value as Json;
use syncline_model::record::{CompareKey, compare_key, shown_as_kind};
use syncline_model::schema::FieldKind;

use super::stored::{cell_of, path_of, value_of};

/// The SQL functions of kinds that no function of SQLite orders. An index may be on what they give: who
/// changes that gives them other names, so that the indexes are made anew.
const FUNCTIONS: [(&str, FieldKind); 4] = [
    ("date_key", FieldKind::Date),
    ("time_key", FieldKind::Time),
    ("timestamp_key", FieldKind::Timestamp),
    ("decimal_key", FieldKind::Decimal),
];

/// The SQL functions of what is shown of a value that was written when its field was of another kind; and as
/// which types of JSON the values are written that are of the kind. No index is on what they give.
const SHOWN: [(&str, FieldKind, &str); 10] = [
    ("shown_text", FieldKind::Text, "'text'"),
    // A text may be none.
    ("shown_uuid", FieldKind::Uuid, ""),
    ("shown_boolean", FieldKind::Boolean, "'true', 'false'"),
    // A whole number may be too large.
    ("shown_int32", FieldKind::Int32, ""),
    ("shown_int64", FieldKind::Int64, "'integer'"),
    ("shown_float", FieldKind::Float, "'integer', 'real'"),
    ("shown_decimal", FieldKind::Decimal, "'text'"),
    ("shown_date", FieldKind::Date, "'text'"),
    ("shown_time", FieldKind::Time, "'text'"),
    ("shown_timestamp", FieldKind::Timestamp, "'text'"),
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
    for (name, kind, _) in SHOWN {
        connection.create_scalar_function(name, 1, flags, move |context| shown(context, &kind))?;
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

/// What the value that is written so is compared by, as it is shown.
fn shown(context: &Context<'_>, kind: &FieldKind) -> Result<Cell> {
    let written = context.get_raw(0).as_bytes_or_null()?;
    let value = written.and_then(|text| serde_json::from_slice::<Json>(text).ok());
    let value = value.unwrap_or_default();
    let shown = shown_as_kind(kind, &value).unwrap_or(value);
    Ok(compared_cell(kind, &shown).unwrap_or(Cell::Null))
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

/// The SQL value that a column of this kind is compared by as answers show it: a value that was written when the
/// field was of another kind by what is shown of it.
pub(super) fn compared_as_shown(kind: &FieldKind, column: &str) -> String {
    let plain = compared(kind, column);
    let path = path_of(column);
    match SHOWN.iter().find(|(_, of, _)| of == kind) {
        None => plain,
        Some((shown, _, "")) => format!("{shown}(columns -> {path})"),
        Some((shown, _, types)) => format!(
            "CASE WHEN json_type(columns, {path}) IN ({types}) THEN {plain} ELSE {shown}(columns -> {path}) END"
        ),
    }
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
