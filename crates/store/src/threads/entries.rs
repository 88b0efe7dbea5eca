//! Reading a thread's entries.

use rusqlite::{Connection, Params};
use syncline_model::thread::{EntryId, ThreadId};

use super::row::{Entry, EntryPlace, entry_columns, read_entry, sql_count};
use crate::StoreError;

/// The fewest characters of an id by which an entry is looked for.
const ID_PREFIX_CHARS_MIN: usize = 4;
/// How many entries an ambiguous prefix lists.
const CANDIDATES_MAX: usize = 10;

/// Which entries of a thread to read. They come in reading order, whatever the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryRange {
    /// The last ones, at most so many.
    Last(u64),
    /// Those after a place, or from the first on.
    After {
        place: Option<EntryPlace>,
        limit: u64,
    },
    /// Those right before a place.
    Before { place: EntryPlace, limit: u64 },
    /// All of them.
    All,
}

/// Entries of a thread, in reading order: those in the log, then pending ones as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPage {
    pub entries: Vec<Entry>,
    /// Whether there are more in the direction of the range: before these, or after these.
    pub has_more: bool,
}

macro_rules! select_entries {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            entry_columns!(),
            " FROM entries WHERE thread_id = ?1 AND ",
            $condition
        )
    };
}

pub(super) const LOGGED_AFTER: &str =
    select_entries!("sequence_id >= ?2 ORDER BY sequence_id LIMIT ?3");
pub(super) const LOGGED_BEFORE: &str =
    select_entries!("sequence_id < ?2 ORDER BY sequence_id DESC LIMIT ?3");
pub(super) const PENDING_AFTER: &str =
    select_entries!("sequence_id IS NULL AND pending_order >= ?2 ORDER BY pending_order LIMIT ?3");
pub(super) const PENDING_BEFORE: &str = select_entries!(
    "sequence_id IS NULL AND pending_order < ?2 ORDER BY pending_order DESC LIMIT ?3"
);
pub(super) const BY_ID: &str = select_entries!("entry_id = ?2");
pub(super) const BY_ID_RANGE: &str =
    select_entries!("entry_id >= ?2 AND entry_id < ?3 ORDER BY entry_id LIMIT ?4");

/// Reads entries of a thread. One that isn't there has none.
pub fn read_entries(
    connection: &Connection,
    thread: ThreadId,
    range: EntryRange,
) -> Result<EntryPage, StoreError> {
    let reader = Reader { connection, thread };
    match range {
        EntryRange::Last(limit) => reader.before(EntryPlace::Pending(u64::MAX), limit),
        EntryRange::Before { place, limit } => reader.before(place, limit),
        EntryRange::After { place, limit } => reader.after(place, limit),
        EntryRange::All => reader.after(None, u64::MAX),
    }
}

struct Reader<'c> {
    connection: &'c Connection,
    thread: ThreadId,
}

impl Reader<'_> {
    fn after(&self, place: Option<EntryPlace>, limit: u64) -> Result<EntryPage, StoreError> {
        // One more is read than asked for, to know whether there is more.
        let wanted = limit.saturating_add(1);
        let (from, from_order) = match place {
            None => (Some(0), 0),
            Some(EntryPlace::Sequence(sequence)) => (Some(sequence.saturating_add(1)), 0),
            Some(EntryPlace::Pending(order)) => (None, order.saturating_add(1)),
        };
        let mut entries = Vec::new();
        if let Some(from) = from {
            self.select(LOGGED_AFTER, from, wanted, &mut entries)?;
        }
        let left = wanted.saturating_sub(entries.len() as u64);
        self.select(PENDING_AFTER, from_order, left, &mut entries)?;
        let has_more = entries.len() as u64 > limit;
        if has_more {
            entries.pop();
        }
        Ok(EntryPage { entries, has_more })
    }

    fn before(&self, place: EntryPlace, limit: u64) -> Result<EntryPage, StoreError> {
        let wanted = limit.saturating_add(1);
        let mut entries = Vec::new();
        let to = match place {
            EntryPlace::Pending(order) => {
                self.select(PENDING_BEFORE, order, wanted, &mut entries)?;
                u64::MAX
            }
            EntryPlace::Sequence(sequence) => sequence,
        };
        let left = wanted.saturating_sub(entries.len() as u64);
        self.select(LOGGED_BEFORE, to, left, &mut entries)?;
        let has_more = entries.len() as u64 > limit;
        if has_more {
            entries.pop();
        }
        entries.reverse();
        Ok(EntryPage { entries, has_more })
    }

    fn select(
        &self,
        sql: &str,
        from: u64,
        limit: u64,
        entries: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        let params = (self.thread.to_string(), sql_count(from), sql_count(limit));
        each_entry(self.connection, sql, params, |entry| {
            entries.push(entry);
            Ok(())
        })
    }
}

fn each_entry<E: From<StoreError>>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut visit: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let mut statement = connection.prepare_cached(sql).map_err(StoreError::from)?;
    let mut rows = statement.query(params).map_err(StoreError::from)?;
    while let Some(row) = rows.next().map_err(StoreError::from)? {
        visit(read_entry(row)?)?;
    }
    Ok(())
}

/// Visits all entries of a thread in reading order, one in memory at a time.
pub fn for_each_entry<E: From<StoreError>>(
    connection: &Connection,
    thread: ThreadId,
    mut visit: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let id = thread.to_string();
    each_entry(connection, LOGGED_AFTER, (&id, 0, i64::MAX), &mut visit)?;
    each_entry(connection, PENDING_AFTER, (&id, 0, i64::MAX), &mut visit)
}

/// The entry with this id in this thread.
pub fn entry(
    connection: &Connection,
    thread: ThreadId,
    id: EntryId,
) -> Result<Option<Entry>, StoreError> {
    let mut found = None;
    let params = (thread.to_string(), id.to_string());
    each_entry(connection, BY_ID, params, |entry| {
        found = Some(entry);
        Ok::<(), StoreError>(())
    })?;
    Ok(found)
}

/// What the beginning of an entry's id stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundEntry {
    One(Entry),
    /// Several; the first few of them.
    Ambiguous(Vec<Entry>),
    /// None, or too few characters to look for.
    Unknown,
}

/// Finds an entry by its id or the first four or more characters of it; in one thread, or in all.
pub fn find_entry(
    connection: &Connection,
    thread: Option<ThreadId>,
    id: &str,
) -> Result<FoundEntry, StoreError> {
    let id = id.trim().to_lowercase();
    let is_prefix = id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if !is_prefix || id.len() < ID_PREFIX_CHARS_MIN {
        return Ok(FoundEntry::Unknown);
    }
    // All ids that begin with it lie between it and it with a character behind that no id has.
    let end = format!("{id}~");
    let mut found = Vec::new();
    let threads = match thread {
        Some(thread) => vec![thread.to_string()],
        None => live_thread_ids(connection)?,
    };
    for thread in threads {
        let left = CANDIDATES_MAX - found.len();
        let params = (thread, &id, &end, sql_count(left as u64));
        each_entry(connection, BY_ID_RANGE, params, |entry| {
            found.push(entry);
            Ok::<(), StoreError>(())
        })?;
        if found.len() == CANDIDATES_MAX {
            break;
        }
    }
    Ok(match (found.pop(), found.is_empty()) {
        (None, _) => FoundEntry::Unknown,
        (Some(one), true) => FoundEntry::One(one),
        (Some(last), false) => {
            found.push(last);
            FoundEntry::Ambiguous(found)
        }
    })
}

/// Entries have no index of their own by id: a seek in each thread costs less than one on each write.
fn live_thread_ids(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT thread_id FROM threads WHERE status <> 'deleted'")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}
