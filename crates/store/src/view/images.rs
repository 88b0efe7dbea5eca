//! What stands beneath pending rows: confirmed images, one for each row that a pending op has written,
//! or for a session that is nowhere but in the outbox, one note that there was nothing.
//!
//! An import writes whole sessions, with thousands of rows each: a note for each of them that it was
//! not there would be a tenth of the work.

use std::collections::HashSet;

use rusqlite::OptionalExtension;
use syncline_model::{Row, Rows as _, Table, Value, session, tables};

use super::{Layer, View, cells};
use crate::file::StoreError;
use crate::schema::sql_of;

/// The key that the note has in place of a row's, under the name of the first table of sessions. A
/// row's is a JSON array, and so comes after it.
const NOTHING: &str = "";

/// Whether anything of a session was confirmed when pending ops first wrote to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beneath {
    Nothing,
    Rows,
}

impl View<'_> {
    /// The resources that pending ops have written.
    pub(crate) fn resources_with_images(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self
            .connection
            .prepare("SELECT DISTINCT resource_id FROM confirmed_rows")?;
        let resources = statement.query_map([], |row| row.get(0))?;
        Ok(resources.collect::<Result<_, _>>()?)
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
            if key == NOTHING {
                self.rewind_to_nothing(&name, resource)?;
                continue;
            }
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
        self.beneath.remove(resource);
        Ok(())
    }

    fn rewind_to_nothing(&mut self, name: &str, resource: &str) -> Result<(), StoreError> {
        if name != session::SESSIONS.name {
            return Err(StoreError::damaged("a note of no table of sessions"));
        }
        for table in session::TABLES {
            self.clear(table, resource)?;
        }
        Ok(())
    }

    /// Keeps the confirmed image of a row that a pending op is about to write.
    pub(super) fn keep_image(
        &mut self,
        table: &'static Table,
        key: &[Value],
        current: Option<&Row>,
    ) -> Result<(), StoreError> {
        if self.layer == Layer::Confirmed || self.beneath(table, key)? == Beneath::Nothing {
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

    /// What is confirmed of the resource of a row; that there is nothing is noted, in place of the images
    /// of all its rows. Asked before the first of them is written.
    pub(super) fn beneath(
        &mut self,
        table: &'static Table,
        key: &[Value],
    ) -> Result<Beneath, StoreError> {
        let Some(resource) = key[0].as_text().filter(|_| is_of_session(table)) else {
            return Ok(Beneath::Rows);
        };
        if let Some(known) = self.beneath.get(resource) {
            return Ok(*known);
        }
        let found = match self.first_image(resource)? {
            Some(key) if key == NOTHING => Beneath::Nothing,
            Some(_) => Beneath::Rows,
            None if self.holds_any(resource)? => Beneath::Rows,
            None => {
                self.note_nothing(resource)?;
                self.begun.insert(resource.to_owned(), HashSet::new());
                Beneath::Nothing
            }
        };
        self.beneath.insert(resource.to_owned(), found);
        Ok(found)
    }

    /// The first key of what was kept of a session's rows; none: nothing was.
    fn first_image(&self, resource: &str) -> Result<Option<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT row_key FROM confirmed_rows WHERE resource_id = ? AND table_name = ? \
             ORDER BY row_key LIMIT 1",
        )?;
        for table in session::TABLES {
            let key = statement.query_row((resource, table.name), |row| row.get(0));
            if let Some(key) = key.optional()? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Whether a row of a session is in the file. What is kept in memory has asked before it came there.
    fn holds_any(&self, resource: &str) -> Result<bool, StoreError> {
        for table in session::TABLES {
            let sql = &sql_of(table).select_resource;
            if self.connection.prepare_cached(sql)?.exists([resource])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn note_nothing(&self, resource: &str) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO confirmed_rows (table_name, row_key, resource_id, row) \
                 VALUES (?, ?, ?, NULL)",
            )?
            .execute((session::SESSIONS.name, NOTHING, resource))?;
        Ok(())
    }
}

/// Cells as a JSON array: the form of keys and images.
pub(super) fn print_cells(values: &[Value]) -> String {
    let cells: Vec<_> = cells(values).collect();
    serde_json::to_string(&cells).expect("cells are written as JSON")
}

/// What [`print_cells`] has written.
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

/// Whether a table holds parts of sessions.
pub(super) fn is_of_session(table: &Table) -> bool {
    session::TABLES.iter().any(|one| one.name == table.name)
}
