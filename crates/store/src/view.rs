//! The rows of a view inside one write transaction, and the confirmed images beneath pending ones.
//!
//! Rows of small tables are kept in memory until the end of the batch and written once; rows of
//! searched tables go in at once, and their full-text rows last.

mod dump;
mod touch;

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params_from_iter};
use serde::{Serialize, Serializer};
use syncline_model::{Row, Rows, Table, Value, tables};

use crate::file::StoreError;
use crate::schema::sql_of;
use crate::search::index_text;
pub(crate) use dump::dump;
pub(crate) use touch::Touch;

/// The view within one transaction. Nothing it holds survives without [`View::flush`].
#[derive(Debug)]
pub(crate) struct View<'c> {
    connection: &'c Connection,
    layer: Layer,
    /// By their tables' names and their keys.
    cached: BTreeMap<&'static str, HashMap<Vec<Value>, CachedRow>>,
    /// The full-text rows to write, by their tables' names and their ids.
    documents: BTreeMap<(&'static str, i64), Document>,
    /// The rows written since they were last taken; none where nobody asks.
    touches: Option<Vec<Touch>>,
}

/// Which ops write: those of the log, or those of the outbox on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Confirmed,
    Pending,
}

#[derive(Debug)]
struct CachedRow {
    table: &'static Table,
    row: Option<Row>,
    changed: bool,
}

#[derive(Debug)]
struct Document {
    table: &'static Table,
    text: String,
}

impl<'c> View<'c> {
    pub(crate) fn new(connection: &'c Connection, layer: Layer) -> Self {
        Self {
            connection,
            layer,
            cached: BTreeMap::new(),
            documents: BTreeMap::new(),
            touches: None,
        }
    }

    /// The connection of this transaction.
    pub(crate) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Writes what is kept in memory: small tables' rows, then full-text rows.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        for cached in std::mem::take(&mut self.cached).into_values() {
            let mut changed: Vec<_> = cached.into_iter().filter(|(_, row)| row.changed).collect();
            // In key order: what is written then follows from the ops alone, and pages fill in order.
            changed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
            for (key, cached) in changed {
                let sql = sql_of(cached.table);
                match cached.row {
                    Some(row) => execute(self.connection, &sql.upsert, &row)?,
                    None => execute(self.connection, &sql.delete, &key)?,
                };
            }
        }
        for ((_, id), document) in std::mem::take(&mut self.documents) {
            index(self.connection, document.table, id, &document.text)?;
        }
        Ok(())
    }

    /// Removes one row, as no fold does.
    pub(crate) fn remove(
        &mut self,
        table: &'static Table,
        key: &[Value],
    ) -> Result<(), StoreError> {
        self.flush()?;
        self.delete(table, key)
    }

    /// Drops what is kept in memory, after the transaction or savepoint that it belongs to was undone.
    pub(crate) fn forget(&mut self) {
        self.cached.clear();
        self.documents.clear();
    }

    /// Puts the confirmed rows of `resource` back in place of the pending ones.
    pub(crate) fn rewind(&mut self, resource: &str) -> Result<(), StoreError> {
        self.flush()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT table_name, row_key, row FROM confirmed_rows WHERE resource_id = ?",
        )?;
        let images = statement
            .query_map([resource], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
            .collect::<Result<Vec<(String, String, Option<String>)>, _>>()?;
        if images.is_empty() {
            return Ok(());
        }
        for (name, key, image) in images {
            let table = tables()
                .find(|table| table.name == name)
                .ok_or(StoreError::damaged("an image of an unknown table"))?;
            match image {
                Some(image) => self.write(table, parse_cells(&image)?)?,
                None => self.delete(table, &parse_cells(&key)?)?,
            }
        }
        self.connection
            .prepare_cached("DELETE FROM confirmed_rows WHERE resource_id = ?")?
            .execute([resource])?;
        Ok(())
    }

    /// Writes a row in place of the one with its key. Its full-text row is written with the others,
    /// in place of any that was to be written for it.
    fn write(&mut self, table: &'static Table, row: Row) -> Result<(), StoreError> {
        let sql = sql_of(table);
        let Some(column) = table.searched else {
            execute(self.connection, &sql.upsert, &row)?;
            return Ok(());
        };
        let known = self.id_of(table, &row[..table.key_columns])?;
        if let Some(id) = known {
            self.connection
                .prepare_cached(&sql.unindex)?
                .execute([id])?;
        }
        execute(self.connection, &sql.upsert, &row)?;
        let id = known.unwrap_or_else(|| self.connection.last_insert_rowid());
        self.keep_document(table, id, row, column);
        Ok(())
    }

    fn keep_document(&mut self, table: &'static Table, id: i64, row: Row, column: usize) {
        let text = row.into_iter().nth(column).and_then(Value::into_text);
        let text = text.unwrap_or_default();
        let document = Document { table, text };
        self.documents.insert((table.name, id), document);
    }

    fn delete(&self, table: &'static Table, key: &[Value]) -> Result<(), StoreError> {
        let sql = sql_of(table);
        if table.searched.is_some()
            && let Some(id) = self.id_of(table, key)?
        {
            self.connection
                .prepare_cached(&sql.unindex)?
                .execute([id])?;
        }
        execute(self.connection, &sql.delete, key)?;
        Ok(())
    }

    fn id_of(&self, table: &'static Table, key: &[Value]) -> Result<Option<i64>, StoreError> {
        let mut statement = self.connection.prepare_cached(&sql_of(table).select_id)?;
        Ok(statement
            .query_row(params_from_iter(cells(key)), |row| row.get(0))
            .optional()?)
    }

    fn load(&self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(&sql_of(table).select)?;
        let row = statement
            .query_row(params_from_iter(cells(key)), |row| read_row(row, table))
            .optional()?;
        Ok(row)
    }

    /// Keeps the confirmed image of a row that a pending op is about to write.
    fn keep_image(
        &self,
        table: &'static Table,
        key: &[Value],
        current: Option<&Row>,
    ) -> Result<(), StoreError> {
        if self.layer == Layer::Confirmed {
            return Ok(());
        }
        let image = current.map(|row| print_cells(row));
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO confirmed_rows (table_name, row_key, resource_id, row) \
                 VALUES (?, ?, ?, ?)",
            )?
            .execute((table.name, print_cells(key), key[0].as_text(), image))?;
        Ok(())
    }
}

impl Rows for View<'_> {
    type Error = StoreError;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        if table.searched.is_some() {
            return self.load(table, key);
        }
        if let Some(cached) = self.cached.entry(table.name).or_default().get(key) {
            return Ok(cached.row.clone());
        }
        let row = self.load(table, key)?;
        let cached = CachedRow {
            table,
            row: row.clone(),
            changed: false,
        };
        let rows = self.cached.entry(table.name).or_default();
        rows.insert(key.to_vec(), cached);
        Ok(row)
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), StoreError> {
        self.touch(table, &row)?;
        let key = &row[..table.key_columns];
        if self.layer == Layer::Pending {
            let current = self.get(table, key)?;
            self.keep_image(table, key, current.as_ref())?;
        }
        if table.searched.is_some() {
            return self.write(table, row);
        }
        let rows = self.cached.entry(table.name).or_default();
        // A fold has mostly read what it writes.
        if let Some(cached) = rows.get_mut(key) {
            cached.row = Some(row);
            cached.changed = true;
            return Ok(());
        }
        let key = key.to_vec();
        let cached = CachedRow {
            table,
            row: Some(row),
            changed: true,
        };
        rows.insert(key, cached);
        Ok(())
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, StoreError> {
        let key = &row[..table.key_columns];
        let Some(column) = table.searched else {
            if self.get(table, key)?.is_some() {
                return Ok(false);
            }
            self.keep_image(table, key, None)?;
            self.put(table, row)?;
            return Ok(true);
        };
        if execute(self.connection, &sql_of(table).insert, &row)? == 0 {
            return Ok(false);
        }
        let id = self.connection.last_insert_rowid();
        self.keep_image(table, key, None)?;
        self.touch(table, &row)?;
        self.keep_document(table, id, row, column);
        Ok(true)
    }

    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), StoreError> {
        self.flush()?;
        self.touch_all(table, resource);
        let sql = sql_of(table);
        if self.layer == Layer::Pending {
            let mut statement = self.connection.prepare_cached(&sql.select_resource)?;
            let rows = statement
                .query_map([resource], |row| read_row(row, table))?
                .collect::<Result<Vec<_>, _>>()?;
            for row in rows {
                self.keep_image(table, &row[..table.key_columns], Some(&row))?;
            }
        }
        if table.searched.is_some() {
            self.connection
                .prepare_cached(&sql.unindex_resource)?
                .execute([resource])?;
        }
        self.connection
            .prepare_cached(&sql.delete_resource)?
            .execute([resource])?;
        Ok(())
    }
}

fn index(
    connection: &Connection,
    table: &'static Table,
    id: i64,
    text: &str,
) -> Result<(), StoreError> {
    let text = index_text(text);
    connection
        .prepare_cached(&sql_of(table).index)?
        .execute((id, &*text))?;
    Ok(())
}

fn execute(connection: &Connection, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
    Ok(connection
        .prepare_cached(sql)?
        .execute(params_from_iter(cells(values)))?)
}

pub(crate) struct Cell<'a>(&'a Value);

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Integer(value) => serializer.serialize_i64(*value),
            Value::Text(value) => serializer.serialize_str(value),
        }
    }
}

pub(crate) fn cells(values: &[Value]) -> impl Iterator<Item = Cell<'_>> {
    values.iter().map(Cell)
}

pub(crate) fn read_row(row: &rusqlite::Row<'_>, table: &'static Table) -> rusqlite::Result<Row> {
    (0..table.columns.len())
        .map(|n| {
            Ok(match row.get_ref(n)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(value) => Value::Integer(value),
                other => Value::Text(other.as_str()?.to_owned()),
            })
        })
        .collect()
}

/// Cells as a JSON array: the form of keys and images.
fn print_cells(values: &[Value]) -> String {
    let cells: Vec<_> = cells(values).collect();
    serde_json::to_string(&cells).expect("cells are written as JSON")
}

pub(crate) fn parse_cells(text: &str) -> Result<Vec<Value>, StoreError> {
    const DAMAGED: &str = "an image is not a row";
    let json: Vec<serde_json::Value> =
        serde_json::from_str(text).map_err(|_| StoreError::damaged(DAMAGED))?;
    json.into_iter()
        .map(|value| match value {
            serde_json::Value::Null => Ok(Value::Null),
            serde_json::Value::Number(n) => n
                .as_i64()
                .map(Value::Integer)
                .ok_or(StoreError::damaged(DAMAGED)),
            serde_json::Value::String(text) => Ok(Value::Text(text)),
            _ => Err(StoreError::damaged(DAMAGED)),
        })
        .collect()
}
