//! Records, as they are shown.

use std::io::{self, Write};

use serde_json::Value;
use syncline_model::record::{Record, Values, seen};
use syncline_model::schema::Entity;
use syncline_replica::Replica;
use syncline_store::records::{StoredRecords, is_pending};

use crate::failure::Failure;
use crate::output::{Colour, printable};
use crate::table::{on_one_line, write_rows};

/// How many letters of a value stand in a table.
const CELL_CHARS_MAX: usize = 40;
/// What tells that a record is not yet what the server has.
const PENDING: &str = "_pending";
/// The role of who reads it.
const ROLE: &str = "_role";

/// What who reads here may see of a record, with `_role`, and `_pending` where the server has not decided
/// all of it; none: nothing.
pub(super) fn row(
    replica: &mut Replica,
    entity: &Entity,
    record: Record,
) -> Result<Option<Values>, Failure> {
    let asker = replica.asker()?;
    let connection = replica.view()?.connection();
    let pending = is_pending(connection, &record.entity, &record.id)?;
    let seen = seen(&mut StoredRecords(connection), entity, record, &asker)?;
    Ok(seen.map(|seen| {
        let mut row = seen.into_row();
        if pending {
            row.insert(PENDING.to_owned(), Value::Bool(true));
        }
        row
    }))
}

/// Writes a table: the key first, then the fields in the schema's order.
pub(super) fn write_table(
    rows: &[Values],
    entity: &Entity,
    out: &mut dyn Write,
    colour: Colour,
) -> io::Result<()> {
    let fields = entity.stored_fields().map(|field| &*field.name);
    let fields = fields.filter(|name| *name != entity.key);
    let names: Vec<&str> = std::iter::once(&*entity.key).chain(fields).collect();
    let mut lines = Vec::with_capacity(rows.len() + 1);
    let mut head: Vec<String> = names.iter().map(|name| on_one_line(name)).collect();
    head.extend([ROLE.to_owned(), String::new()]);
    lines.push(head);
    for row in rows {
        let mut cells: Vec<String> = names.iter().map(|name| cell(row.get(*name))).collect();
        cells.push(cell(row.get(ROLE)));
        cells.push(pending(row).to_owned());
        lines.push(cells);
    }
    write_rows(&lines, out, colour)
}

/// Writes a record: a line for each field.
pub(super) fn write_one(row: &Values, entity: &Entity, out: &mut dyn Write) -> io::Result<()> {
    for field in entity.stored_fields() {
        if let Some(value) = row.get(&field.name) {
            writeln!(out, "{}: {}", field.name, printable(&text(value)))?;
        }
    }
    let others = row.iter().filter(|(name, _)| entity.field(name).is_none());
    for (name, value) in others.filter(|(name, _)| *name != PENDING) {
        writeln!(out, "{}: {}", printable(name), printable(&text(value)))?;
    }
    match pending(row) {
        "" => Ok(()),
        pending => writeln!(out, "({pending})"),
    }
}

/// A value as text: text as it is, null as nothing, the rest as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn cell(value: Option<&Value>) -> String {
    let text = on_one_line(&value.map(text).unwrap_or_default());
    if text.chars().count() <= CELL_CHARS_MAX {
        return text;
    }
    let mut cut: String = text.chars().take(CELL_CHARS_MAX - 1).collect();
    cut.push('…');
    cut
}

fn pending(row: &Values) -> &'static str {
    if row.contains_key(PENDING) {
        "pending"
    } else {
        ""
    }
}
