//! Lists of threads, a page at a time.

use std::fmt;

use rusqlite::Connection;
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, Status, ThreadId};
use uuid::Uuid;

use super::related::thread_tags;
use super::row::{
    EntryPlace, Thread, entry_id_cell, place_cells, read_thread, sql_count, thread_columns,
    time_cell,
};
use crate::StoreError;

/// How much of a thread's last entry a list shows, in characters.
const EXCERPT_CHARS_MAX: u32 = 280;

/// Which threads to list; what is none matches all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListFilter<'a> {
    pub project: Option<&'a str>,
    pub status: Option<Status>,
    /// A tag on the thread or on one of its entries.
    pub tag: Option<&'a str>,
}

/// Where a page of a list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListStart {
    /// After so many threads. Threads that change between two pages move, and may be missed.
    Offset(u64),
    /// Where the page before ended. No thread that stays unchanged is missed or repeated.
    After(ListCursor),
}

/// A place in a list of threads; its text is opaque and safe in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListCursor {
    updated_at: Timestamp,
    thread_id: ThreadId,
}

/// A text that is no cursor of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cursor is not one that a list of threads gave")]
pub struct CursorError;

impl fmt::Display for ListCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.updated_at.as_millis();
        write!(f, "{millis}.{}", self.thread_id.uuid().simple())
    }
}

impl std::str::FromStr for ListCursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (millis, id) = text.split_once('.').ok_or(CursorError)?;
        let millis = millis.parse().map_err(|_| CursorError)?;
        Ok(Self {
            updated_at: Timestamp::from_millis(millis).map_err(|_| CursorError)?,
            thread_id: Uuid::try_parse(id).map_err(|_| CursorError)?.into(),
        })
    }
}

/// Threads, the one that changed last first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    pub threads: Vec<ListedThread>,
    /// How many threads match the filter, on all pages.
    pub total: u64,
    /// Where the next page begins; none on the last.
    pub next: Option<ListCursor>,
}

/// A thread in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedThread {
    pub thread: Thread,
    /// The tags on the thread itself.
    pub tags: Vec<String>,
    pub last_entry: Option<LastEntry>,
}

/// The last entry of a thread, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastEntry {
    pub entry_id: EntryId,
    pub place: EntryPlace,
    pub author: String,
    pub timestamp: Timestamp,
    /// The beginning of its content.
    pub excerpt: String,
}

macro_rules! matching {
    () => {
        " FROM threads AS t WHERE t.status <> 'deleted' \
         AND (?1 IS NULL OR t.project = ?1) AND (?2 IS NULL OR t.status = ?2) \
         AND (?3 IS NULL OR EXISTS (SELECT 1 FROM thread_tags AS g \
              WHERE g.thread_id = t.thread_id AND g.tag = ?3 AND g.present = 1))"
    };
}

pub(super) const PAGE: &str = concat!(
    "SELECT ",
    thread_columns!(),
    matching!(),
    " AND t.updated_at <= ?4 AND (t.updated_at < ?4 OR t.thread_id < ?5) \
     ORDER BY t.updated_at DESC, t.thread_id DESC LIMIT ?6 OFFSET ?7"
);
pub(super) const COUNT: &str = concat!("SELECT count(*)", matching!());
pub(super) const LAST_PENDING: &str = "SELECT entry_id, sequence_id, pending_order, author, timestamp, substr(content, 1, ?2) \
     FROM entries WHERE thread_id = ?1 AND sequence_id IS NULL ORDER BY pending_order DESC LIMIT 1";
pub(super) const LAST_LOGGED: &str = "SELECT entry_id, sequence_id, pending_order, author, timestamp, substr(content, 1, ?2) \
     FROM entries WHERE thread_id = ?1 ORDER BY sequence_id DESC LIMIT 1";

/// Sorts after every time and every id.
const LAST_TEXT: &str = "~";

/// Lists threads, the one that changed last first.
pub fn list_threads(
    connection: &Connection,
    filter: &ListFilter<'_>,
    start: ListStart,
    limit: u64,
) -> Result<ListPage, StoreError> {
    let status = filter.status.map(Status::as_str);
    let total = connection
        .prepare_cached(COUNT)?
        .query_row((filter.project, status, filter.tag), |row| {
            row.get::<_, i64>(0)
        })?;
    let (updated_at, thread_id, offset) = match start {
        ListStart::Offset(offset) => (LAST_TEXT.to_owned(), LAST_TEXT.to_owned(), offset),
        ListStart::After(cursor) => (
            cursor.updated_at.to_string(),
            cursor.thread_id.to_string(),
            0,
        ),
    };
    let mut statement = connection.prepare_cached(PAGE)?;
    let mut rows = statement.query((
        filter.project,
        status,
        filter.tag,
        updated_at,
        thread_id,
        sql_count(limit.saturating_add(1)),
        sql_count(offset),
    ))?;
    let mut threads = Vec::new();
    let mut next = None;
    while let Some(row) = rows.next()? {
        if threads.len() as u64 == limit {
            next = threads.last().map(cursor_after);
            break;
        }
        threads.push(listed(connection, read_thread(connection, row)?)?);
    }
    Ok(ListPage {
        threads,
        total: total as u64,
        next,
    })
}

fn cursor_after(last: &ListedThread) -> ListCursor {
    ListCursor {
        updated_at: last.thread.updated_at,
        thread_id: last.thread.thread_id,
    }
}

fn listed(connection: &Connection, thread: Thread) -> Result<ListedThread, StoreError> {
    Ok(ListedThread {
        tags: thread_tags(connection, thread.thread_id)?,
        last_entry: last_entry(connection, thread.thread_id)?,
        thread,
    })
}

fn last_entry(connection: &Connection, thread: ThreadId) -> Result<Option<LastEntry>, StoreError> {
    for sql in [LAST_PENDING, LAST_LOGGED] {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query((thread.to_string(), EXCERPT_CHARS_MAX))?;
        let Some(row) = rows.next()? else { continue };
        return Ok(Some(LastEntry {
            entry_id: entry_id_cell(row, 0)?.ok_or(StoreError::damaged("an entry has no id"))?,
            place: place_cells(row, 1)?,
            author: row.get(3)?,
            timestamp: time_cell(row, 4)?,
            excerpt: row.get(5)?,
        }));
    }
    Ok(None)
}
