//! How far agents' transcripts have been read here, and what of them was taken.
//!
//! It commits with the ops that were made of what was read: after a crash the same is read again, or
//! nothing is.

use std::cmp::Ordering;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{Connection, OptionalExtension, Row, Rows, Transaction};
use syncline_model::Timestamp;

use super::outbox::append;
use super::{LocalFile, NewOp, StoreError, WAITING, WAITING_IN_A_ROW, WriteError, Written};

/// From how many bytes of payloads on ops are taken for a batch of an import of many.
const LARGE_BYTES: usize = 2 * 1024 * 1024;

/// How far a file has been read, in the words of its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFile {
    /// Where it is.
    pub path: String,
    /// Whose it is.
    pub agent: String,
    /// The place in it, as JSON.
    pub mark: String,
    /// What its reader must remember, as JSON.
    pub memory: String,
}

/// A unit of a transcript that was taken, by its key, and what its reader noted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedUnit {
    pub key: [u8; 16],
    pub note: Vec<u8>,
}

/// What a reading has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportNotes {
    pub files: Vec<ImportedFile>,
    pub units: Vec<ImportedUnit>,
}

impl LocalFile {
    /// Writes ops as [`LocalFile::write`] does, with what was read to make them. Where there are no ops,
    /// the commit does not wait for the disk: what it loses is read again.
    pub fn write_imported(
        &mut self,
        ops: &[NewOp],
        notes: &ImportNotes,
        clock_seen: impl FnOnce() -> Result<u64, StoreError>,
        now: Timestamp,
    ) -> Result<Option<Written>, WriteError> {
        if ops.is_empty() {
            self.relaxed(|transaction| note(transaction, notes))?;
            return Ok(None);
        }
        let bytes = ops.iter().map(|op| op.payload.as_str().len());
        let commits = match bytes.sum::<usize>() >= LARGE_BYTES {
            true => WAITING_IN_A_ROW,
            false => WAITING,
        };
        self.durable_by(commits, |transaction| {
            note(transaction, notes)?;
            append(transaction, ops, clock_seen, now).map(Some)
        })
    }

    /// How far the file at `path` has been read; none: never.
    pub fn imported_file(&self, path: &str) -> Result<Option<ImportedFile>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT path, agent, mark, memory FROM import_files WHERE path = ?")?;
        let found = statement.query_row([path], |row| {
            Ok(ImportedFile {
                path: row.get(0)?,
                agent: row.get(1)?,
                mark: row.get(2)?,
                memory: row.get(3)?,
            })
        });
        Ok(found.optional()?)
    }

    /// Has `work` compare the marks of an agent's files at `from` and after, and before `until`, by the
    /// bytes of their paths. They are read as they are asked for, and never held.
    pub fn compare_imported<T>(
        &self,
        agent: &str,
        [from, until]: [&str; 2],
        work: impl FnOnce(&mut ImportedMarks<'_>) -> T,
    ) -> Result<T, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT path, mark FROM import_files WHERE path >= ?1 AND path < ?2 AND agent = ?3 \
             ORDER BY path",
        )?;
        let rows = statement.query([from, until, agent])?;
        Ok(work(&mut ImportedMarks {
            rows,
            is_begun: false,
        }))
    }

    /// What was noted of a unit; none: it was never taken.
    pub fn imported_unit(&self, key: &[u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
        unit(&self.connection, key)
    }

    /// Keeps few pages in memory from here on, for who stays for long and is seldom busy.
    pub fn use_little_memory(&self) -> Result<(), StoreError> {
        crate::file::use_little_memory(&self.connection)
    }

    /// Forgets what was read of an agent's files, so that they are read again from their starts.
    pub fn forget_imported(&mut self, agent: &str) -> Result<(), StoreError> {
        self.durable(|transaction| {
            transaction.execute("DELETE FROM import_files WHERE agent = ?", [agent])?;
            Ok(())
        })
    }
}

/// Marks of files, in the order of their paths' bytes.
pub struct ImportedMarks<'s> {
    rows: Rows<'s>,
    is_begun: bool,
}

impl ImportedMarks<'_> {
    /// The mark of the file at `path`, as it was written down; none: it was never read. Who asks for a
    /// path asks for none before it from then on.
    pub fn of(&mut self, path: &str) -> Result<Option<&str>, StoreError> {
        if !self.is_begun {
            self.rows.advance()?;
            self.is_begun = true;
        }
        loop {
            let Some(row) = self.rows.get() else {
                return Ok(None);
            };
            match text(row, 0)?.cmp(path) {
                Ordering::Less => self.rows.advance()?,
                Ordering::Equal => break,
                Ordering::Greater => return Ok(None),
            }
        }
        let row = self.rows.get();
        row.map(|row| text(row, 1)).transpose()
    }
}

impl std::fmt::Debug for ImportedMarks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportedMarks").finish_non_exhaustive()
    }
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, StoreError> {
    let text = row.get_ref(column)?.as_str();
    text.map_err(|_| StoreError::damaged("what is noted of a file is no text"))
}

fn unit(connection: &Connection, key: &[u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT note FROM import_units WHERE key = ?")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

fn note(transaction: &Transaction<'_>, notes: &ImportNotes) -> Result<(), StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO import_units (key, note) VALUES (?, ?) \
         ON CONFLICT (key) DO UPDATE SET note = excluded.note",
    )?;
    for unit in &notes.units {
        statement.execute((&unit.key, &unit.note))?;
    }
    let mut statement = transaction.prepare_cached(
        "INSERT INTO import_files (path, agent, mark, memory) VALUES (?, ?, ?, ?) \
         ON CONFLICT (path) DO UPDATE SET agent = excluded.agent, mark = excluded.mark, \
         memory = excluded.memory",
    )?;
    for file in &notes.files {
        statement.execute((&file.path, &file.agent, &file.mark, &file.memory))?;
    }
    Ok(())
}
