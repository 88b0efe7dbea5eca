//! The view table of records.

use super::Values;
use crate::{Column, Row, ServerSeq, Table, Value};

/// One row per record that there is or was.
///
/// `columns` is a JSON object of the values, in the order of their names; of a deleted record it is
/// empty. `seq` is the place of the last op that changed the row; null while only pending ops have
/// written it. `versions` says which op each column is from.
pub static RECORDS: Table = Table {
    name: "records",
    columns: &[
        Column::text("resource_id"),
        Column::text("entity"),
        Column::text("record_id"),
        Column::integer("deleted"),
        Column::integer("seq").or_null(),
        Column::text("columns"),
        Column::text("versions"),
    ],
    key_columns: 1,
    searched: None,
    indexes: &[&["entity", "deleted", "record_id"]],
};

/// All of them.
pub static TABLES: &[&Table] = &[&RECORDS];

/// A record as its row tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub entity: String,
    /// Its key, as text.
    pub id: String,
    pub deleted: bool,
    /// The place of the last op that changed it; none: it is pending alone.
    pub seq: Option<ServerSeq>,
    pub columns: Values,
}

impl Record {
    /// Reads a row of [`RECORDS`]; none if it isn't one.
    pub fn from_row(row: Row) -> Option<Self> {
        let [_, entity, id, deleted, seq, columns, _] = <[Value; 7]>::try_from(row).ok()?;
        Some(Self {
            entity: entity.into_text()?,
            id: id.into_text()?,
            deleted: deleted.as_integer()? == 1,
            seq: seq.as_integer().map(|seq| ServerSeq(seq as u64)),
            columns: serde_json::from_str(columns.as_text()?).ok()?,
        })
    }

    /// What a column holds; null and absent are one here.
    pub fn value(&self, column: &str) -> &serde_json::Value {
        self.columns.get(column).unwrap_or(&serde_json::Value::Null)
    }
}
