//! Tags and links.

use rusqlite::Connection;
use syncline_model::thread::{EntryId, ThreadId};

use super::row::{Thread, count_cell, entry_id_cell, thread, thread_id_cell};
use crate::StoreError;

/// A tag on a thread or on one of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// None: it is on the thread.
    pub entry_id: Option<EntryId>,
    pub tag: String,
}

/// The tags of a thread and its entries.
pub fn tags(connection: &Connection, thread: ThreadId) -> Result<Vec<Tag>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT entry_id, tag FROM thread_tags WHERE thread_id = ? AND present = 1 \
         ORDER BY entry_id, tag",
    )?;
    let mut rows = statement.query([thread.to_string()])?;
    let mut tags = Vec::new();
    while let Some(row) = rows.next()? {
        tags.push(Tag {
            entry_id: entry_id_cell(row, 0)?,
            tag: row.get(1)?,
        });
    }
    Ok(tags)
}

/// The tags on the thread itself.
pub(super) fn thread_tags(
    connection: &Connection,
    thread: ThreadId,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT tag FROM thread_tags WHERE thread_id = ? AND entry_id = '' AND present = 1 \
         ORDER BY tag",
    )?;
    let tags = statement.query_map([thread.to_string()], |row| row.get(0))?;
    Ok(tags.collect::<Result<_, _>>()?)
}

/// A tag, and how many live threads have it on them or on an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCount {
    pub tag: String,
    pub threads: u64,
}

/// The tags in use, in one project or in all.
pub fn tag_counts(
    connection: &Connection,
    project: Option<&str>,
) -> Result<Vec<TagCount>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT g.tag, count(DISTINCT g.thread_id) FROM thread_tags AS g \
         JOIN threads AS t ON t.thread_id = g.thread_id \
         WHERE g.present = 1 AND t.status <> 'deleted' AND (?1 IS NULL OR t.project = ?1) \
         GROUP BY g.tag ORDER BY g.tag",
    )?;
    let mut rows = statement.query([project])?;
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        counts.push(TagCount {
            tag: row.get(0)?,
            threads: count_cell(row, 1)?,
        });
    }
    Ok(counts)
}

/// A link, seen from one of its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The entry that it was made from; none: it was made from the thread.
    pub entry_id: Option<EntryId>,
    /// The thread at the other end.
    pub other: ThreadId,
    /// That thread, where it is here and live.
    pub thread: Option<Thread>,
    pub note: Option<String>,
}

/// The links of a thread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// From it or its entries to others.
    pub outgoing: Vec<Link>,
    /// From others or their entries to it.
    pub incoming: Vec<Link>,
}

/// The links of a thread, in both directions.
pub fn links(connection: &Connection, thread: ThreadId) -> Result<Links, StoreError> {
    Ok(Links {
        outgoing: select(
            connection,
            "SELECT entry_id, target, note FROM thread_links \
             WHERE thread_id = ? AND present = 1 ORDER BY entry_id, target",
            thread,
        )?,
        incoming: select(
            connection,
            "SELECT entry_id, thread_id, note FROM thread_links \
             WHERE target = ? AND present = 1 ORDER BY thread_id, entry_id",
            thread,
        )?,
    })
}

fn select(connection: &Connection, sql: &str, of: ThreadId) -> Result<Vec<Link>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([of.to_string()])?;
    let mut links = Vec::new();
    while let Some(row) = rows.next()? {
        let other = thread_id_cell(row, 1)?;
        links.push(Link {
            entry_id: entry_id_cell(row, 0)?,
            other,
            thread: thread(connection, other)?,
            note: row.get(2)?,
        });
    }
    Ok(links)
}
