//! Rows of the view, read into types.

use rusqlite::{Connection, Row};
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, Status, ThreadId};

use crate::StoreError;

/// A live thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    pub thread_id: ThreadId,
    /// What it is called within its project, where no two threads share it: its key, with `-2`, `-3`
    /// and so on behind it where others of that key were there before; its id while its creation is
    /// not known.
    pub key: String,
    pub project: String,
    pub name: String,
    pub status: Status,
    pub created_at: Timestamp,
    /// When its last change in log order was made.
    pub updated_at: Timestamp,
    pub entry_count: u64,
    /// Who wrote entries, first come first; up to a bound.
    pub authors: Vec<String>,
    /// What its id follows from; none while its creation is not known.
    pub origin: Option<Origin>,
}

/// What a thread's id follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The project that it was made in.
    pub project: String,
    pub key: String,
    pub generation: u64,
}

/// An entry of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub thread_id: ThreadId,
    pub entry_id: EntryId,
    pub place: EntryPlace,
    pub author: String,
    pub content: String,
    pub timestamp: Timestamp,
    /// The name that the thread had when the entry was made, where that was told.
    pub thread_name: Option<String>,
}

/// Where an entry stands in its thread; the order is that of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryPlace {
    /// In the log: its place in the thread, 0-based and dense.
    Sequence(u64),
    /// In the outbox, after all that is in the log: its place in the outbox.
    Pending(u64),
}

/// What is known of an entry's way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryState {
    Acknowledged,
    Pending,
}

impl EntryState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Pending => "pending",
        }
    }
}

impl EntryPlace {
    /// The `sequence_id` of the entry; none until it is pulled from the log.
    pub const fn sequence_id(self) -> Option<u64> {
        match self {
            Self::Sequence(sequence) => Some(sequence),
            Self::Pending(_) => None,
        }
    }

    pub const fn state(self) -> EntryState {
        match self {
            Self::Sequence(_) => EntryState::Acknowledged,
            Self::Pending(_) => EntryState::Pending,
        }
    }
}

/// The columns that [`read_thread`] reads, of `threads AS t`. The last is how many live threads of
/// its project and key come before it: those at home there first, then by age.
macro_rules! thread_columns {
    () => {
        "t.thread_id, t.key, t.project, t.name, t.status, t.created_at, t.updated_at, \
         t.entry_count, t.authors, t.home_project, t.generation, \
         (SELECT count(*) FROM threads AS s \
          WHERE s.key = t.key AND s.project = t.project AND s.status <> 'deleted' \
          AND (s.home_project <> s.project, s.created_at, s.thread_id) \
              < (t.home_project <> t.project, t.created_at, t.thread_id))"
    };
}
pub(super) use thread_columns;

/// Reads a row of [`thread_columns`].
pub(super) fn read_thread(connection: &Connection, row: &Row<'_>) -> Result<Thread, StoreError> {
    let thread_id = thread_id_cell(row, 0)?;
    let key: Option<String> = row.get(1)?;
    let project: String = row.get(2)?;
    let status: String = row.get(4)?;
    let authors: String = row.get(8)?;
    let home: Option<String> = row.get(9)?;
    let origin = match (&key, home) {
        (Some(key), Some(project)) => Some(Origin {
            project,
            key: key.clone(),
            generation: count_cell(row, 10)?,
        }),
        _ => None,
    };
    let key = match key {
        Some(key) => shown_key(connection, &project, key, count_cell(row, 11)?)?,
        None => thread_id.to_string(),
    };
    Ok(Thread {
        thread_id,
        key,
        name: row.get(3)?,
        status: status
            .parse()
            .map_err(|_| StoreError::damaged("a thread's status is none"))?,
        created_at: time_cell(row, 5)?,
        updated_at: time_cell(row, 6)?,
        entry_count: count_cell(row, 7)?,
        authors: serde_json::from_str(&authors)
            .map_err(|_| StoreError::damaged("a thread's authors are not a list"))?,
        origin,
        project,
    })
}

/// The key that is shown for the thread of `key` that has `before` others of it before it.
///
/// `key-2` may be the true key of another thread: that one keeps it.
fn shown_key(
    connection: &Connection,
    project: &str,
    key: String,
    before: u64,
) -> Result<String, StoreError> {
    if before == 0 {
        return Ok(key);
    }
    let mut taken = connection.prepare_cached(
        "SELECT 1 FROM threads WHERE key = ? AND project = ? AND status <> 'deleted'",
    )?;
    let (mut free, mut number) = (0, 1_u64);
    loop {
        number += 1;
        let shown = format!("{key}-{number}");
        if !taken.exists((&shown, project))? {
            free += 1;
        }
        if free == before {
            return Ok(shown);
        }
    }
}

/// The live thread with this id.
pub fn thread(connection: &Connection, id: ThreadId) -> Result<Option<Thread>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        thread_columns!(),
        " FROM threads AS t WHERE t.thread_id = ? AND t.status <> 'deleted'"
    );
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([id.to_string()])?;
    match rows.next()? {
        Some(row) => read_thread(connection, row).map(Some),
        None => Ok(None),
    }
}

/// The columns that [`read_entry`] reads, of `entries`.
macro_rules! entry_columns {
    () => {
        "thread_id, entry_id, sequence_id, pending_order, timestamp, author, thread_name, content"
    };
}
pub(super) use entry_columns;

/// Reads a row of [`entry_columns`].
pub(super) fn read_entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        thread_id: thread_id_cell(row, 0)?,
        entry_id: entry_id_cell(row, 1)?.ok_or(StoreError::damaged("an entry has no id"))?,
        place: place_cells(row, 2)?,
        timestamp: time_cell(row, 4)?,
        author: row.get(5)?,
        thread_name: row.get(6)?,
        content: row.get(7)?,
    })
}

/// Reads `sequence_id` and, behind it, `pending_order`.
pub(crate) fn place_cells(row: &Row<'_>, at: usize) -> Result<EntryPlace, StoreError> {
    match (row.get(at)?, row.get(at + 1)?) {
        (Some(sequence), None) => Ok(EntryPlace::Sequence(unsigned(sequence)?)),
        (None, Some(order)) => Ok(EntryPlace::Pending(unsigned(order)?)),
        _ => Err(StoreError::damaged("an entry has not one place")),
    }
}

pub(crate) fn thread_id_cell(row: &Row<'_>, at: usize) -> Result<ThreadId, StoreError> {
    let text = row.get_ref(at)?.as_str().map_err(rusqlite::Error::from)?;
    text.parse()
        .map_err(|_| StoreError::damaged("a thread's id is no UUID"))
}

/// Reads an entry's id; empty stands for none.
pub(crate) fn entry_id_cell(row: &Row<'_>, at: usize) -> Result<Option<EntryId>, StoreError> {
    let text = row.get_ref(at)?.as_str().map_err(rusqlite::Error::from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let id = text
        .parse()
        .map_err(|_| StoreError::damaged("an entry's id is no UUID"))?;
    Ok(Some(id))
}

pub(crate) fn time_cell(row: &Row<'_>, at: usize) -> Result<Timestamp, StoreError> {
    let text = row.get_ref(at)?.as_str().map_err(rusqlite::Error::from)?;
    text.parse()
        .map_err(|_| StoreError::damaged("a time is not RFC 3339"))
}

pub(crate) fn count_cell(row: &Row<'_>, at: usize) -> Result<u64, StoreError> {
    unsigned(row.get(at)?)
}

fn unsigned(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::damaged("a count is negative"))
}

/// A number of rows, as SQLite counts them.
pub(crate) fn sql_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
