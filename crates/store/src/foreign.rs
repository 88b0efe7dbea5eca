//! Databases of other programs, opened to be read and never to be changed.
//!
//! Which tables and columns they have differs by their versions: rows are given as JSON objects of all
//! that is there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Map, Value};

use crate::file::{OpenError, StoreError};

/// How long to wait for a program that is writing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A row, by the names of its columns.
pub type ForeignRow = Map<String, Value>;

/// A database of another program.
#[derive(Debug)]
pub struct ForeignDatabase {
    connection: Connection,
}

impl ForeignDatabase {
    /// Opens it for reading.
    ///
    /// Where nobody has written to it lately, it is read without the files that SQLite makes beside a
    /// database in use: not a byte appears in its directory.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing {
                path: path.to_owned(),
            });
        }
        let failed = |error: rusqlite::Error| OpenError::store(path, error);
        let log = std::fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let connection = match uri(path).filter(|_| log == 0) {
            Some(uri) => Connection::open_with_flags(uri, flags),
            None => Connection::open_with_flags(path, flags),
        };
        let connection = connection.map_err(failed)?;
        connection
            .pragma_update(None, "trusted_schema", "OFF")
            .map_err(failed)?;
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        Ok(Self { connection })
    }

    /// Whether it has a table of this name.
    pub fn has_table(&self, table: &str) -> Result<bool, StoreError> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)",
            [table],
            |row| row.get(0),
        )?)
    }

    /// Gives all rows of a table, in the order in which they were written.
    pub fn each_row<E: From<StoreError>>(
        &self,
        table: &'static str,
        mut take: impl FnMut(ForeignRow) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each(
            &format!("SELECT * FROM \"{table}\" ORDER BY rowid"),
            [],
            &mut take,
        )
    }

    /// Gives the rows of a table whose `column` is `value`, ordered by `by`.
    pub fn each_row_of<E: From<StoreError>>(
        &self,
        table: &'static str,
        column: &'static str,
        value: &str,
        by: &'static str,
        mut take: impl FnMut(ForeignRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = format!("SELECT * FROM \"{table}\" WHERE \"{column}\" = ? ORDER BY \"{by}\"");
        self.each(&sql, [value], &mut take)
    }

    /// Gives what a table of keys and values holds under the keys that begin with `prefix`.
    pub fn each_value<E: From<StoreError>>(
        &self,
        table: &'static str,
        prefix: &str,
        mut take: impl FnMut(&str, String) -> Result<(), E>,
    ) -> Result<(), E> {
        // The character behind the prefix's last ends the range, which an index answers.
        let mut end = prefix.to_owned();
        let last = end.pop().unwrap_or_default();
        end.push(char::from_u32(last as u32 + 1).unwrap_or(last));
        let sql =
            format!("SELECT key, value FROM \"{table}\" WHERE key >= ? AND key < ? ORDER BY key");
        self.each(&sql, [prefix, &end], &mut |row: ForeignRow| match (
            row.get("key"),
            row.get("value"),
        ) {
            (Some(Value::String(key)), Some(Value::String(value))) => take(key, value.clone()),
            _ => Ok(()),
        })
    }

    fn each<E: From<StoreError>, P: rusqlite::Params>(
        &self,
        sql: &str,
        values: P,
        take: &mut impl FnMut(ForeignRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let fail = |error: rusqlite::Error| E::from(StoreError::from(error));
        let mut statement = self.connection.prepare_cached(sql).map_err(fail)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(values).map_err(fail)?;
        while let Some(row) = rows.next().map_err(fail)? {
            take(object(&names, row).map_err(fail)?)?;
        }
        Ok(())
    }
}

fn object(names: &[String], row: &Row<'_>) -> rusqlite::Result<ForeignRow> {
    let cells = names.iter().enumerate().map(|(place, name)| {
        let value = match row.get_ref(place)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            // Some programs keep JSON as bytes.
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                String::from_utf8_lossy(bytes).into_owned().into()
            }
        };
        Ok((name.clone(), value))
    });
    cells.collect()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The address by which SQLite takes a file for one that nobody writes to; none where its path is no
/// text.
fn uri(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let mut uri = "file:".to_owned();
    for byte in path.to_str()?.bytes() {
        match byte {
            b'?' | b'#' | b'%' => uri.push_str(&format!("%{byte:02x}")),
            b'\\' => uri.push('/'),
            _ => uri.push(byte as char),
        }
    }
    path.to_str()?.is_ascii().then(|| uri + "?immutable=1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_read_and_its_directory_stays_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("50%?#.db");
        let made = Connection::open(&path).unwrap();
        made.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE kv (key TEXT PRIMARY KEY, value BLOB); \
             INSERT INTO kv VALUES ('a:1', x'7b7d'), ('a:2', 'two'), ('b:1', 'three'), ('a;', 4);",
        )
        .unwrap();
        let seen = |database: &ForeignDatabase| {
            let mut found = Vec::new();
            database
                .each_value("kv", "a:", |key, value| {
                    found.push(format!("{key}={value}"));
                    Ok::<_, StoreError>(())
                })
                .unwrap();
            found
        };
        // Its writer is there still, with a log that is not empty.
        assert_eq!(
            seen(&ForeignDatabase::open(&path).unwrap()),
            ["a:1={}", "a:2=two"]
        );
        drop(made);
        let before = std::fs::read_dir(directory.path()).unwrap().count();
        let database = ForeignDatabase::open(&path).unwrap();
        assert_eq!(seen(&database), ["a:1={}", "a:2=two"]);
        assert!(database.has_table("kv").unwrap());
        assert!(!database.has_table("other").unwrap());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), before);
        let write = database.connection.execute("DELETE FROM kv", []);
        assert!(write.is_err());
    }

    #[test]
    fn rows_are_objects_of_all_columns() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let made = Connection::open(&path).unwrap();
        made.execute_batch(
            "CREATE TABLE t (x, y); INSERT INTO t VALUES ('b', 2), ('a', NULL), ('b', 1.5)",
        )
        .unwrap();
        drop(made);
        let database = ForeignDatabase::open(&path).unwrap();
        let mut rows = Vec::new();
        let mut take = |row: ForeignRow| {
            rows.push(Value::Object(row).to_string());
            Ok::<_, StoreError>(())
        };
        database.each_row("t", &mut take).unwrap();
        database.each_row_of("t", "x", "b", "y", &mut take).unwrap();
        let expected = [
            r#"{"x":"b","y":2}"#,
            r#"{"x":"a","y":null}"#,
            r#"{"x":"b","y":1.5}"#,
            r#"{"x":"b","y":1.5}"#,
            r#"{"x":"b","y":2}"#,
        ];
        assert_eq!(rows, expected);
    }
}
