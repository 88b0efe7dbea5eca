//! Single records, look-ups by value, and the schema.

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde_json::Value as Json;
use syncline_model::ServerSeq;
use syncline_model::record::{Held, RECORDS, Record, Records, resource_of};
use syncline_model::schema::{RESOURCE, Schema};

use super::compared::{compared, compared_cell};
use crate::StoreError;
use crate::schema::sql_of;
use crate::view::{parse_cells, read_row};

/// The records of a file, for who decides or looks.
#[derive(Debug, Clone, Copy)]
pub struct StoredRecords<'c>(pub &'c Connection);

impl Records for StoredRecords<'_> {
    type Error = StoreError;

    fn record(&mut self, entity: &str, id: &str) -> Result<Option<Record>, StoreError> {
        let Ok(resource) = resource_of(entity, id) else {
            return Ok(None);
        };
        let mut statement = self.0.prepare_cached(&sql_of(&RECORDS).select)?;
        let row = statement
            .query_row([resource.as_str()], |row| read_row(row, &RECORDS))
            .optional()?;
        row.map(record_of).transpose()
    }

    fn holding(&mut self, entity: &str, held: &[Held<'_>]) -> Result<Vec<Record>, StoreError> {
        let values = held.iter().map(|held| {
            let value = compared(held.kind, held.column);
            format!(" AND {value} IS ?")
        });
        let sql = format!(
            "SELECT {COLUMNS} FROM records WHERE entity = {} AND deleted = 0{}",
            literal(entity),
            values.collect::<String>(),
        );
        let mut statement = self.0.prepare_cached(&sql)?;
        // What is none of its field's kind counts as null, and is then told from null.
        let cells = held
            .iter()
            .map(|held| compared_cell(held.kind, held.value).unwrap_or(Cell::Null));
        let rows = statement.query_map(params_from_iter(cells), |row| read_row(row, &RECORDS))?;
        let mut found = Vec::new();
        for row in rows {
            let record = record_of(row?)?;
            // SQLite has one value for true and 1.
            if held.iter().all(|held| held.is_in(&record)) {
                found.push(record);
            }
        }
        Ok(found)
    }
}

pub(super) const COLUMNS: &str = "resource_id, entity, record_id, deleted, seq, columns, versions";

/// The place of the values among them.
pub(super) const COLUMNS_PLACE: usize = 5;

pub(super) fn record_of(row: syncline_model::Row) -> Result<Record, StoreError> {
    Record::from_row(row).ok_or(StoreError::damaged("a record's row is none"))
}

/// The SQL expression of a column's value.
pub(super) fn value_of(column: &str) -> String {
    format!("json_extract(columns, {})", path_of(column))
}

/// Where a column's value is among those of its record, as SQL.
pub(super) fn path_of(column: &str) -> String {
    let name = Json::from(column).to_string();
    literal(&format!("$.{name}"))
}

/// A text as SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A JSON value as `json_extract` gives it.
pub(super) fn cell_of(value: &Json) -> Cell {
    match value {
        Json::Null => Cell::Null,
        Json::Bool(value) => Cell::Integer((*value).into()),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Cell::Integer(whole),
            (None, Some(real)) => Cell::Real(real),
            (None, None) => Cell::Null,
        },
        Json::String(text) => Cell::Text(text.clone()),
        Json::Array(_) | Json::Object(_) => Cell::Text(value.to_string()),
    }
}

/// The schema that stands, and its place; none: the tenant has none.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingSchema {
    pub schema: Schema,
    /// The place of the op that brought it.
    pub seq: ServerSeq,
}

/// The place of the op that brought the schema that stands.
pub fn schema_place(connection: &Connection) -> Result<Option<ServerSeq>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT seq FROM schemas WHERE resource_id = ?")?;
    let seq = statement.query_row([RESOURCE], |row| row.get::<_, i64>(0));
    Ok(seq.optional()?.map(|seq| ServerSeq(seq as u64)))
}

/// The schema that stands in this file.
pub fn schema(connection: &Connection) -> Result<Option<StandingSchema>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT schema, seq FROM schemas WHERE resource_id = ?")?;
    let found = statement
        .query_row([RESOURCE], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((text, seq)) = found else {
        return Ok(None);
    };
    let schema =
        serde_json::from_str(&text).map_err(|_| StoreError::damaged("a schema is none"))?;
    Ok(Some(StandingSchema {
        schema,
        seq: ServerSeq(seq as u64),
    }))
}

/// A record as the log alone has it, without what is pending on top.
pub fn confirmed(
    connection: &Connection,
    entity: &str,
    id: &str,
) -> Result<Option<Record>, StoreError> {
    let Ok(resource) = resource_of(entity, id) else {
        return Ok(None);
    };
    let mut statement = connection.prepare_cached(
        "SELECT row FROM confirmed_rows WHERE resource_id = ? AND table_name = 'records'",
    )?;
    let image: Option<Option<String>> = statement
        .query_row([resource.as_str()], |row| row.get(0))
        .optional()?;
    match image {
        None => StoredRecords(connection).record(entity, id),
        Some(None) => Ok(None),
        Some(Some(image)) => Ok(Some(record_of(parse_cells(&image)?)?)),
    }
}

/// Whether a change of the record is only in the outbox.
pub fn is_pending(connection: &Connection, entity: &str, id: &str) -> Result<bool, StoreError> {
    let Ok(resource) = resource_of(entity, id) else {
        return Ok(false);
    };
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM confirmed_rows WHERE resource_id = ? AND table_name = 'records')",
    )?;
    Ok(statement.query_row([resource.as_str()], |row| row.get(0))?)
}
