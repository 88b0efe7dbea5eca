//! Databases of other programs, opened to be read and never to be changed.
//!
//! Which tables and columns they have differs by their versions: rows are given as JSON objects of all
//! that is there.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::ops::{Deref, DerefMut, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Map, Value};

use crate::file::{OpenError, StoreError};

/// How long to wait for a program that is writing.
const PATIENCE: Duration = Duration::from_secs(5);

/// A row, by the names of its columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ForeignRow {
    pub cells: Map<String, Value>,
    /// Whether bytes that are no text were replaced in a cell.
    pub mended: bool,
}

impl Deref for ForeignRow {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.cells
    }
}

impl DerefMut for ForeignRow {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.cells
    }
}

/// A value of a table of keys and values, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignText {
    pub text: String,
    /// Whether bytes that are no text were replaced in it.
    pub mended: bool,
}

/// A database of another program.
#[derive(Debug)]
pub struct ForeignDatabase {
    connection: Connection,
    /// How the file was found, where it is read without locks; none: locks keep its writers away.
    at_rest: Option<AtRest>,
}

/// A file that nobody had open, as far as could be seen.
#[derive(Debug, PartialEq, Eq)]
struct AtRest {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

impl ForeignDatabase {
    /// Opens it for reading.
    ///
    /// One with a log that nobody has open is read without locks and without the files that SQLite makes
    /// beside a database in use: not a byte appears in its directory. Its reader must ask
    /// [`ForeignDatabase::was_written_to`] before it believes what it has read.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        match AtRest::look(path) {
            Some(at_rest) => Self::connect(path, Some(at_rest), PATIENCE),
            None => Self::open_locked(path),
        }
    }

    /// Opens it for reading beside whoever writes to it: a query waits for them, and holds them back for
    /// as long as it takes.
    pub fn open_locked(path: &Path) -> Result<Self, OpenError> {
        Self::connect(path, None, PATIENCE)
    }

    fn connect(
        path: &Path,
        at_rest: Option<AtRest>,
        patience: Duration,
    ) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing {
                path: path.to_owned(),
            });
        }
        let failed = |error: rusqlite::Error| OpenError::store(path, error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let uri = at_rest.as_ref().and_then(|_| uri(path));
        let at_rest = at_rest.filter(|_| uri.is_some());
        let connection = match uri {
            Some(uri) => Connection::open_with_flags(uri, flags),
            None => Connection::open_with_flags(path, flags),
        };
        let connection = connection.map_err(failed)?;
        connection
            .pragma_update(None, "trusted_schema", "OFF")
            .map_err(failed)?;
        connection.busy_timeout(patience).map_err(failed)?;
        Ok(Self {
            connection,
            at_rest,
        })
    }

    /// Whether somebody has written to it since it was opened, so that what was read may be of two
    /// minds. Never so of one that is read under locks.
    pub fn was_written_to(&self) -> bool {
        let mut at_rest = self.at_rest.iter();
        at_rest.any(|before| AtRest::look(&before.path).as_ref() != Some(before))
    }

    /// Whether it has a table of this name.
    pub fn has_table(&self, table: &str) -> Result<bool, StoreError> {
        Ok(self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?)",
            [table],
            |row| row.get(0),
        )?)
    }

    /// The texts of a column, each once, in the order in which they were written first.
    pub fn texts_of(
        &self,
        table: &'static str,
        column: &'static str,
    ) -> Result<Vec<String>, StoreError> {
        let sql = format!(
            "SELECT \"{column}\" FROM \"{table}\" WHERE typeof(\"{column}\") = 'text' \
             GROUP BY 1 ORDER BY min(rowid)"
        );
        let mut statement = self.connection.prepare(&sql)?;
        let texts = statement.query_map([], |row| row.get(0))?;
        Ok(texts.collect::<Result<_, _>>()?)
    }

    /// The number of a table's last row; 0 where it has none.
    pub fn last_row(&self, table: &'static str) -> Result<i64, StoreError> {
        let sql = format!("SELECT coalesce(max(rowid), 0) FROM \"{table}\"");
        Ok(self.connection.query_row(&sql, [], |row| row.get(0))?)
    }

    /// Gives the rows of a table with these numbers, in the order in which they were written.
    pub fn each_row_between<E: From<StoreError>>(
        &self,
        table: &'static str,
        rows: RangeInclusive<i64>,
        mut take: impl FnMut(ForeignRow) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each(
            &format!("SELECT * FROM \"{table}\" WHERE rowid BETWEEN ? AND ? ORDER BY rowid"),
            [rows.start(), rows.end()],
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

    /// What tells rows that have not changed, without reading what they hold: of those whose `column` is
    /// `value`, how many there are, their numbers, and of the two columns `[times, texts]` when they were
    /// changed and how long they are. None: the table lacks one of these columns.
    pub fn stamp_of(
        &self,
        table: &'static str,
        column: &'static str,
        value: &str,
        [times, texts]: [&'static str; 2],
    ) -> Result<Option<String>, StoreError> {
        let sql = format!(
            "SELECT format('%d %d %s %d %d', count(*), coalesce(sum(rowid), 0), \
             coalesce(max(\"{times}\"), ''), coalesce(sum(\"{times}\" & 0xffffffff), 0), \
             coalesce(sum(octet_length(\"{texts}\")), 0)) FROM \"{table}\" WHERE \"{column}\" = ?"
        );
        if !self.has_columns(table, [times, texts])? {
            return Ok(None);
        }
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(Some(statement.query_row([value], |row| row.get(0))?))
    }

    fn has_columns(&self, table: &str, columns: [&str; 2]) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT count(*) FROM pragma_table_info(?) WHERE name IN (?, ?)")?;
        let found: i64 = statement.query_row([table, columns[0], columns[1]], |row| row.get(0))?;
        Ok(found == columns.len() as i64)
    }

    /// What a table of keys and values holds under a key.
    pub fn value(&self, table: &'static str, key: &str) -> Result<Option<ForeignText>, StoreError> {
        let mut found = None;
        let sql = format!("SELECT key, value FROM \"{table}\" WHERE key = ?");
        self.each::<StoreError, _>(&sql, [key], &mut |row: ForeignRow| {
            found = text_in(row).map(|(_, value)| value);
            Ok(())
        })?;
        Ok(found)
    }

    /// Gives what a table of keys and values holds under the keys that begin with `prefix`.
    pub fn each_value<E: From<StoreError>>(
        &self,
        table: &'static str,
        prefix: &str,
        mut take: impl FnMut(&str, ForeignText) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql =
            format!("SELECT key, value FROM \"{table}\" WHERE key >= ? AND key < ? ORDER BY key");
        let end = end_of(prefix);
        self.each(
            &sql,
            [prefix, &end],
            &mut |row: ForeignRow| match text_in(row) {
                Some((key, value)) => take(&key, value),
                None => Ok(()),
            },
        )
    }

    /// What follows `prefix` in a table's keys, up to the next `:`, each name once. Costs a look into the
    /// index for each name, not for each key.
    pub fn names_below(
        &self,
        table: &'static str,
        prefix: &str,
    ) -> Result<Vec<String>, StoreError> {
        let sql = format!("SELECT min(key) FROM \"{table}\" WHERE key >= ? AND key < ?");
        let mut statement = self.connection.prepare(&sql)?;
        let (mut from, end) = (prefix.to_owned(), end_of(prefix));
        let mut names = Vec::new();
        loop {
            let key: Option<String> = statement.query_row([&from, &end], |row| row.get(0))?;
            let Some(key) = key else {
                return Ok(names);
            };
            let rest = &key[prefix.len()..];
            let name = rest.split(':').next().unwrap_or_default().to_owned();
            from = match rest.len() == name.len() {
                // The key that would follow at once.
                true => format!("{key}\0"),
                false => end_of(&key[..=prefix.len() + name.len()]),
            };
            names.push(name);
        }
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

/// The key of a row, and its value; none: it holds none, or no text is its key.
fn text_in(mut row: ForeignRow) -> Option<(String, ForeignText)> {
    let Some(Value::String(key)) = row.remove("key") else {
        return None;
    };
    let text = match row.remove("value")? {
        Value::Null => return None,
        Value::String(text) => text,
        number => number.to_string(),
    };
    let mended = row.mended;
    Some((key, ForeignText { text, mended }))
}

fn object(names: &[String], row: &Row<'_>) -> rusqlite::Result<ForeignRow> {
    let mut mended = false;
    let cells = names.iter().enumerate().map(|(place, name)| {
        let value = match row.get_ref(place)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            // Some programs keep JSON as bytes.
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                mended |= matches!(text, Cow::Owned(_));
                text.into_owned().into()
            }
        };
        Ok((name.clone(), value))
    });
    let cells = cells.collect::<rusqlite::Result<_>>()?;
    Ok(ForeignRow { cells, mended })
}

impl AtRest {
    /// None: it is in use, or may be. A program that keeps its changes in a journal need not leave a trace
    /// between two transactions; one that keeps them in a log has it there for as long as it runs.
    fn look(path: &Path) -> Option<Self> {
        /// Where its header says how the file is written and read, and what stands there for a log.
        const FORMAT: (usize, [u8; 2]) = (18, [2, 2]);
        let mut header = [0; FORMAT.0 + 2];
        let mut file = File::open(path).ok()?;
        file.read_exact(&mut header).ok()?;
        if header[FORMAT.0..] != FORMAT.1 {
            return None;
        }
        if beside(path, "-wal").exists() || beside(path, "-journal").exists() {
            return None;
        }
        let metadata = file.metadata().ok()?;
        Some(Self {
            path: path.to_owned(),
            length: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

/// The end of the keys that begin with `prefix`, by which an index answers.
fn end_of(prefix: &str) -> String {
    let mut end = prefix.to_owned();
    let last = end.pop().unwrap_or_default();
    end.push(char::from_u32(last as u32 + 1).unwrap_or(last));
    end
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
