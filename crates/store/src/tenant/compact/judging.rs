//! The rows that ops are judged by: each is read once for all of its ops.

use std::collections::HashMap;

use rusqlite::Connection;
use syncline_model::{Row, Rows, Table, Value};

use crate::file::StoreError;
use crate::view::View;

/// Bytes of the rows that are kept; past this, all are forgotten and read again as they come.
const BYTES_MAX: usize = 8 << 20;
/// What a row takes beside its texts.
const ROW_BYTES: usize = 512;

/// Rows as they were read, also between steps, for as long as nobody writes to the file.
#[derive(Debug, Default)]
pub(super) struct KnownRows {
    /// By their tables' names and their keys.
    rows: HashMap<&'static str, HashMap<Vec<Value>, Option<Row>>>,
    bytes: usize,
    /// The state of the file that they are of.
    state: Option<FileState>,
}

/// What is another one after whatever is written: by other connections, and by this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileState {
    others: i64,
    own: u64,
}

impl FileState {
    fn of(connection: &Connection) -> Result<Self, StoreError> {
        let others = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        let own = connection.total_changes();
        Ok(Self { others, own })
    }
}

impl KnownRows {
    /// Forgets the rows if the file may hold others by now; asked inside a step's transaction.
    pub(super) fn begin(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let state = FileState::of(connection)?;
        if self.state != Some(state) {
            self.forget();
        }
        Ok(())
    }

    /// Notes that what was written since [`KnownRows::begin`] was no row of the view.
    pub(super) fn end(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.state = Some(FileState::of(connection)?);
        Ok(())
    }

    fn forget(&mut self) {
        self.rows.clear();
        self.bytes = 0;
    }
}

/// A view whose rows are looked at again and again.
pub(super) struct Judging<'a, 'c> {
    pub(super) view: &'a mut View<'c>,
    pub(super) known: &'a mut KnownRows,
}

impl Rows for Judging<'_, '_> {
    type Error = StoreError;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        self.look(table, key, |row| row.cloned())
    }

    fn look<T>(
        &mut self,
        table: &'static Table,
        key: &[Value],
        see: impl FnOnce(Option<&Row>) -> T,
    ) -> Result<T, StoreError> {
        if let Some(row) = self
            .known
            .rows
            .get(table.name)
            .and_then(|rows| rows.get(key))
        {
            return Ok(see(row.as_ref()));
        }
        let row = self.view.get(table, key)?;
        let seen = see(row.as_ref());
        if self.known.bytes > BYTES_MAX {
            self.known.forget();
        }
        let texts = row.iter().flatten().filter_map(Value::as_text);
        self.known.bytes += ROW_BYTES + texts.map(str::len).sum::<usize>();
        let rows = self.known.rows.entry(table.name).or_default();
        rows.insert(key.to_vec(), row);
        Ok(seen)
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), StoreError> {
        self.known.forget();
        self.view.put(table, row)
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, StoreError> {
        self.known.forget();
        self.view.insert(table, row)
    }

    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), StoreError> {
        self.known.forget();
        self.view.clear(table, resource)
    }
}
