//! Export: the entries of threads as lines of JSON, in the shape that import reads.

use std::io::Write;

use rusqlite::Connection;
use serde::Serialize;
use syncline_model::Timestamp;
use syncline_model::thread::ThreadId;

use super::entries::for_each_entry;
use super::row::{Entry, Thread, read_thread, thread, thread_columns};
use crate::StoreError;
use crate::snapshot::snapshot;

/// Which threads to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportScope<'a> {
    All,
    Project(&'a str),
    Thread(ThreadId),
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    pub threads: u64,
    pub entries: u64,
    /// Threads without an entry, which the shape has no line for.
    pub threads_empty: u64,
}

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("could not write the entries")]
    Write(#[source] std::io::Error),
    #[error("could not read the threads")]
    Store(#[from] StoreError),
}

#[derive(Serialize)]
struct Line<'a> {
    project: &'a str,
    thread: &'a str,
    name: &'a str,
    author: &'a str,
    timestamp: Timestamp,
    content: &'a str,
}

/// Writes a line for each entry: threads by age, entries in reading order.
///
/// A line has the name that its thread had at the time, where that is known; a thread's last line has
/// the name that it has now, so that an import names the thread alike.
pub fn export(
    connection: &Connection,
    scope: ExportScope<'_>,
    writer: &mut impl Write,
) -> Result<Exported, ExportError> {
    let _snapshot = snapshot(connection)?;
    let mut exported = Exported::default();
    for thread in threads(connection, scope)? {
        let entries = export_thread(connection, &thread, writer)?;
        exported.threads += 1;
        exported.entries += entries;
        exported.threads_empty += u64::from(entries == 0);
    }
    writer.flush().map_err(ExportError::Write)?;
    Ok(exported)
}

fn threads(connection: &Connection, scope: ExportScope<'_>) -> Result<Vec<Thread>, StoreError> {
    const SQL: &str = concat!(
        "SELECT ",
        thread_columns!(),
        " FROM threads AS t WHERE t.status <> 'deleted' AND (?1 IS NULL OR t.project = ?1) \
         ORDER BY t.created_at, t.thread_id"
    );
    let project = match scope {
        ExportScope::All => None,
        ExportScope::Project(project) => Some(project),
        ExportScope::Thread(id) => return Ok(thread(connection, id)?.into_iter().collect()),
    };
    let mut statement = connection.prepare_cached(SQL)?;
    let mut rows = statement.query([project])?;
    let mut threads = Vec::new();
    while let Some(row) = rows.next()? {
        threads.push(read_thread(connection, row)?);
    }
    Ok(threads)
}

fn export_thread(
    connection: &Connection,
    thread: &Thread,
    writer: &mut impl Write,
) -> Result<u64, ExportError> {
    let mut count = 0;
    let mut held: Option<Entry> = None;
    for_each_entry(connection, thread.thread_id, |entry| {
        count += 1;
        match held.replace(entry) {
            Some(entry) => {
                let name = entry.thread_name.as_deref().unwrap_or(&thread.name);
                write_line(thread, name, &entry, writer)
            }
            None => Ok(()),
        }
    })?;
    if let Some(last) = held {
        write_line(thread, &thread.name, &last, writer)?;
    }
    Ok(count)
}

fn write_line(
    thread: &Thread,
    name: &str,
    entry: &Entry,
    writer: &mut impl Write,
) -> Result<(), ExportError> {
    let line = Line {
        project: &thread.project,
        thread: &thread.key,
        name,
        author: &entry.author,
        timestamp: entry.timestamp,
        content: &entry.content,
    };
    serde_json::to_writer(&mut *writer, &line)
        .map_err(std::io::Error::from)
        .and_then(|()| writer.write_all(b"\n"))
        .map_err(ExportError::Write)
}
