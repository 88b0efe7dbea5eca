//! The tables of a vault.

use std::collections::VecDeque;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use syncline_model::Timestamp;
use syncline_model::thread::Status;

use super::super::{
    EntryIdentity, EntryItem, ImportProblem, Item, LinkItem, ProblemCause, SourcePlace, TagItem,
    ThreadItem,
};
use super::{VaultError, entry_id, read_time, thread_name};

/// Who wrote a node that doesn't say.
const AUTHOR: &str = "user";

/// A cell as text, whatever type its writer gave it; none where it is null or no text.
fn text(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(value.to_string()),
        ValueRef::Text(bytes) => String::from_utf8(bytes.to_vec()).ok(),
    })
}

fn select<T>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<Option<T>>,
) -> Result<Vec<T>, VaultError> {
    let run = || {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.extend(read(row)?);
        }
        Ok(all)
    };
    let mut run = run;
    run().map_err(|source| VaultError::Table { table, source })
}

/// The threads, in the order in which they were made.
pub(super) fn threads(connection: &Connection) -> Result<Vec<Item>, VaultError> {
    select(
        connection,
        "threads",
        "SELECT id, project_id, status, created_at FROM threads ORDER BY rowid",
        |row| {
            let Some(key) = text(row, 0)? else {
                return Ok(None);
            };
            let status = text(row, 2)?.and_then(|status| status.parse().ok());
            let at = text(row, 3)?.and_then(|time| read_time(&time));
            Ok(Some(Item::Thread(ThreadItem {
                thread: thread_name(text(row, 1)?.as_deref(), &key),
                // Of those that a vault knows besides ours, none says that the thread is closed.
                status: status.unwrap_or(Status::Active),
                at: at.unwrap_or(Timestamp::UNIX_EPOCH),
                source: SourcePlace::Row {
                    table: "threads",
                    id: key,
                },
            })))
        },
    )
}

/// The rows of the nodes: thread by thread, by number, and by age where a number stands twice.
pub(super) fn node_order(connection: &Connection) -> Result<VecDeque<i64>, VaultError> {
    let rows = select(
        connection,
        "nodes",
        "SELECT n.rowid FROM nodes AS n LEFT JOIN threads AS t ON t.id = n.thread_id \
         ORDER BY t.rowid, n.thread_id, n.sequence_id, n.rowid",
        |row| row.get(0).map(Some),
    )?;
    Ok(rows.into())
}

/// Some nodes, by row.
pub(super) fn nodes(connection: &Connection, rows: &[i64]) -> Result<Vec<Item>, VaultError> {
    let run = || {
        let mut statement = connection.prepare_cached(
            "SELECT n.id, n.thread_id, t.project_id, n.author, n.content, n.timestamp \
             FROM nodes AS n LEFT JOIN threads AS t ON t.id = n.thread_id WHERE n.rowid = ?",
        )?;
        let mut items = Vec::with_capacity(rows.len());
        for rowid in rows {
            let mut found = statement.query([rowid])?;
            if let Some(row) = found.next()? {
                items.push(node(row, *rowid)?);
            }
        }
        Ok(items)
    };
    run().map_err(|source| VaultError::Table {
        table: "nodes",
        source,
    })
}

fn node(row: &Row<'_>, rowid: i64) -> rusqlite::Result<Item> {
    let id = text(row, 0)?.unwrap_or_else(|| format!("row {rowid}"));
    let thread = thread_name(text(row, 2)?.as_deref(), &text(row, 1)?.unwrap_or_default());
    let at = text(row, 5)?.and_then(|time| read_time(&time));
    let place = SourcePlace::Row {
        table: "nodes",
        id: id.clone(),
    };
    let Some(at) = at else {
        return Ok(Item::Problem(ImportProblem {
            place,
            cause: ProblemCause::Time,
        }));
    };
    Ok(Item::Entry(EntryItem {
        identity: EntryIdentity::Told(entry_id(&thread, &id)),
        thread,
        name: None,
        author: text(row, 3)?.unwrap_or_else(|| AUTHOR.to_owned()),
        content: text(row, 4)?.unwrap_or_default(),
        at,
        source: place,
    }))
}

/// The tags on nodes.
pub(super) fn tags(connection: &Connection) -> Result<Vec<Item>, VaultError> {
    select(
        connection,
        "node_tags",
        "SELECT n.id, n.thread_id, t.project_id, g.name FROM node_tags AS x \
         JOIN tags AS g ON g.id = x.tag_id JOIN nodes AS n ON n.id = x.node_id \
         LEFT JOIN threads AS t ON t.id = n.thread_id ORDER BY n.rowid, g.name",
        |row| {
            let (Some(node), Some(key), Some(tag)) = (text(row, 0)?, text(row, 1)?, text(row, 3)?)
            else {
                return Ok(None);
            };
            let thread = thread_name(text(row, 2)?.as_deref(), &key);
            Ok(Some(Item::Tag(TagItem {
                entry_id: entry_id(&thread, &node),
                thread,
                tag,
                source: SourcePlace::Row {
                    table: "node_tags",
                    id: node,
                },
            })))
        },
    )
}

/// The references from nodes to threads.
pub(super) fn references(connection: &Connection) -> Result<Vec<Item>, VaultError> {
    select(
        connection,
        "references",
        "SELECT n.id, n.thread_id, t.project_id, r.target_thread_id, o.project_id, r.note \
         FROM \"references\" AS r JOIN nodes AS n ON n.id = r.source_node_id \
         LEFT JOIN threads AS t ON t.id = n.thread_id \
         LEFT JOIN threads AS o ON o.id = r.target_thread_id ORDER BY r.rowid",
        |row| {
            let (Some(node), Some(key), Some(target)) =
                (text(row, 0)?, text(row, 1)?, text(row, 3)?)
            else {
                return Ok(None);
            };
            let thread = thread_name(text(row, 2)?.as_deref(), &key);
            let note = text(row, 5)?.filter(|note| !note.trim().is_empty());
            Ok(Some(Item::Link(LinkItem {
                entry_id: entry_id(&thread, &node),
                thread,
                target: thread_name(text(row, 4)?.as_deref(), &target),
                note,
                source: SourcePlace::Row {
                    table: "references",
                    id: node,
                },
            })))
        },
    )
}
