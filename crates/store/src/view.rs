//! The rows of a view inside one write transaction, and the confirmed images beneath pending ones.
//!
//! Rows of small tables are kept in memory until the end of the batch and written once; rows of
//! searched tables go in at once, and their full-text rows last.

mod documents;
mod dump;
mod images;
mod touch;

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, ToSql, params_from_iter};
use serde::{Serialize, Serializer};
use syncline_model::{Row, Rows, Table, Value};

use crate::file::StoreError;
use crate::schema::sql_of;
use documents::{Document, Documents};
pub(crate) use dump::dump;
pub(crate) use images::parse_cells;
use images::{Beneath, is_of_session};
pub(crate) use touch::Touch;

/// How many rows are kept in memory for further ops. A batch of an import has some thousands.
const KEPT_ROWS_MAX: usize = 50_000;

/// How many bytes of text they may have.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// The view within one transaction. Nothing it holds survives without [`View::flush`].
#[derive(Debug)]
pub(crate) struct View<'c> {
    connection: &'c Connection,
    layer: Layer,
    /// By their tables' names and their keys.
    cached: BTreeMap<&'static str, HashMap<Vec<Value>, CachedRow>>,
    /// The keys of those that the file does not hold as they are here.
    changed: BTreeMap<&'static str, Vec<Vec<Value>>>,
    /// The full-text rows to write, by their tables' names and their ids.
    documents: Documents,
    /// The rows written since they were last taken; none where nobody asks.
    touches: Option<Vec<Touch>>,
    /// What pending ops have found of sessions, by their ids.
    beneath: HashMap<String, Beneath>,
    /// Sessions of which the file held nothing, and what this view has written of them is in memory: of
    /// searched tables the keys. What is not there is nowhere.
    begun: HashMap<String, HashSet<Vec<Value>>>,
    /// How many rows and keys are in memory.
    kept_rows: usize,
    /// The bytes of their texts.
    kept_bytes: usize,
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

impl<'c> View<'c> {
    pub(crate) fn new(connection: &'c Connection, layer: Layer) -> Self {
        Self {
            connection,
            layer,
            cached: BTreeMap::new(),
            changed: BTreeMap::new(),
            documents: Documents::new(),
            touches: None,
            beneath: HashMap::new(),
            begun: HashMap::new(),
            kept_rows: 0,
            kept_bytes: 0,
        }
    }

    /// The connection of this transaction.
    pub(crate) fn connection(&self) -> &'c Connection {
        self.connection
    }

    /// Writes what is kept in memory, and keeps it no longer.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        self.write_kept()?;
        self.cached.clear();
        self.begun.clear();
        self.kept_rows = 0;
        self.kept_bytes = 0;
        Ok(())
    }

    /// Writes what is kept in memory, and keeps it for the ops to come, unless it has become much.
    pub(crate) fn settle(&mut self) -> Result<(), StoreError> {
        if self.kept_rows > KEPT_ROWS_MAX || self.kept_bytes > KEPT_BYTES_MAX {
            return self.flush();
        }
        self.write_kept()
    }

    /// Writes small tables' rows, then full-text rows.
    fn write_kept(&mut self) -> Result<(), StoreError> {
        for (name, mut keys) in std::mem::take(&mut self.changed) {
            // In key order: what is written then follows from the ops alone, and pages fill in order.
            keys.sort_unstable();
            let rows = self.cached.entry(name).or_default();
            for key in keys {
                let Some(cached) = rows.get_mut(&key) else {
                    continue;
                };
                cached.changed = false;
                if let Some(row) = &cached.row {
                    execute(self.connection, &sql_of(cached.table).upsert, row)?;
                }
            }
        }
        documents::write(self.connection, std::mem::take(&mut self.documents))
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
        self.changed.clear();
        self.documents.clear();
        self.beneath.clear();
        self.begun.clear();
        self.kept_rows = 0;
        self.kept_bytes = 0;
    }

    /// Writes a row in place of the one with its key. Its full-text row is written with the others,
    /// in place of any that was to be written for it.
    fn write(&mut self, table: &'static Table, row: Row) -> Result<(), StoreError> {
        let sql = sql_of(table);
        let Some(column) = table.searched else {
            execute(self.connection, &sql.upsert, &row)?;
            return Ok(());
        };
        let key = &row[..table.key_columns];
        let known = match self.is_nowhere(table, key) {
            true => None,
            false => self.id_of(table, key)?,
        };
        if let Some(id) = known {
            self.connection
                .prepare_cached(&sql.unindex)?
                .execute([id])?;
        }
        execute(self.connection, &sql.upsert, &row)?;
        self.note_searched(table, key);
        let id = known.unwrap_or_else(|| self.connection.last_insert_rowid());
        self.keep_document(table, id, row, column);
        Ok(())
    }

    /// Whether all that there is of the session of a row is in memory.
    fn is_begun(&self, table: &Table, key: &[Value]) -> bool {
        let resource = key[0].as_text();
        !self.begun.is_empty()
            && resource.is_some_and(|one| self.begun.contains_key(one))
            && is_of_session(table)
    }

    /// Whether there is no row with this key of a searched table, as far as memory tells.
    fn is_nowhere(&self, table: &Table, key: &[Value]) -> bool {
        let resource = key[0].as_text();
        let keys = resource.and_then(|one| self.begun.get(one));
        keys.is_some_and(|keys| !keys.contains(key)) && is_of_session(table)
    }

    /// Notes that a row of a searched table was written.
    fn note_searched(&mut self, table: &Table, key: &[Value]) {
        let resource = key[0].as_text().filter(|_| is_of_session(table));
        if let Some(keys) = resource.and_then(|one| self.begun.get_mut(one)) {
            self.kept_rows += usize::from(keys.insert(key.to_vec()));
        }
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
}

fn text_bytes(row: &Row) -> usize {
    row.iter().filter_map(Value::as_text).map(str::len).sum()
}

impl Rows for View<'_> {
    type Error = StoreError;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        if table.searched.is_some() {
            return match self.is_nowhere(table, key) {
                true => Ok(None),
                false => self.load(table, key),
            };
        }
        if let Some(cached) = self.cached.entry(table.name).or_default().get(key) {
            return Ok(cached.row.clone());
        }
        if self.is_begun(table, key) {
            return Ok(None);
        }
        let row = self.load(table, key)?;
        let cached = CachedRow {
            table,
            row: row.clone(),
            changed: false,
        };
        let rows = self.cached.entry(table.name).or_default();
        rows.insert(key.to_vec(), cached);
        self.kept_rows += 1;
        self.kept_bytes += row.as_ref().map_or(0, text_bytes);
        Ok(row)
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), StoreError> {
        self.touch(table, &row)?;
        let key = &row[..table.key_columns];
        if self.layer == Layer::Pending && self.beneath(table, key)? == Beneath::Rows {
            let current = self.get(table, key)?;
            self.keep_image(table, key, current.as_ref())?;
        }
        if table.searched.is_some() {
            return self.write(table, row);
        }
        let key = key.to_vec();
        self.kept_bytes += text_bytes(&row);
        let rows = self.cached.entry(table.name).or_default();
        let was_changed = match rows.get_mut(&key) {
            // A fold has mostly read what it writes.
            Some(cached) => {
                let former = cached.row.replace(row);
                self.kept_bytes -= former.as_ref().map_or(0, text_bytes);
                std::mem::replace(&mut cached.changed, true)
            }
            None => {
                let cached = CachedRow {
                    table,
                    row: Some(row),
                    changed: true,
                };
                rows.insert(key.clone(), cached);
                self.kept_rows += 1;
                false
            }
        };
        if !was_changed {
            self.changed.entry(table.name).or_default().push(key);
        }
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
        let beneath = match self.layer {
            Layer::Confirmed => Beneath::Nothing,
            Layer::Pending => self.beneath(table, key)?,
        };
        if execute(self.connection, &sql_of(table).insert, &row)? == 0 {
            return Ok(false);
        }
        let id = self.connection.last_insert_rowid();
        self.note_searched(table, key);
        if beneath == Beneath::Rows {
            self.keep_image(table, key, None)?;
        }
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
    let mut cells = Row::with_capacity(table.columns.len());
    for n in 0..table.columns.len() {
        cells.push(match row.get_ref(n)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(value) => Value::Integer(value),
            other => Value::Text(other.as_str()?.to_owned()),
        });
    }
    Ok(cells)
}
