//! What is here of the threads that an import writes to.

use rusqlite::Connection;
use syncline_model::thread::{EntryId, ThreadId, thread_id};

use super::{EntryIdentity, EntryItem, ThreadName};
use crate::StoreError;
use crate::threads::resolve::with_shown_key;
use crate::threads::row::{count_cell, entry_id_cell};
use crate::threads::{
    Entry, EntryPlace, EntryRange, Thread, entry, next_generation, read_entries,
    thread as live_thread,
};

/// What the import knows of a thread that it writes to.
#[derive(Debug)]
pub(super) struct Target {
    pub thread_id: ThreadId,
    pub standing: Standing,
    /// The name that the source told last.
    pub name: Option<String>,
    /// How many of its entries the source has shown.
    pub places: u64,
}

/// What was in a thread before the import came to it.
#[derive(Debug)]
pub(super) enum Standing {
    /// It was not there.
    New,
    There {
        /// How many entries were in the log.
        logged: u64,
        /// The entries in the outbox, in order.
        pending: Vec<EntryId>,
    },
}

/// Whether an entry of the source is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryStanding {
    New,
    Known,
    /// Other content has its id.
    Differs,
}

impl Target {
    /// The live thread that entries for `name` go to, if there is one: the one that is shown so;
    /// else the one made so, wherever it was moved to.
    pub(super) fn find(
        connection: &Connection,
        name: &ThreadName,
    ) -> Result<Option<Self>, StoreError> {
        let Some(thread) = live_thread_of(connection, name)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            thread_id: thread.thread_id,
            standing: Standing::read(connection, thread.thread_id)?,
            name: None,
            places: 0,
        }))
    }

    /// Whether `item`, whose id is `id` and which is the source's entry number `place` of this
    /// thread, is here.
    pub(super) fn standing_of(
        &self,
        connection: &Connection,
        item: &EntryItem,
        id: EntryId,
        place: u64,
    ) -> Result<EntryStanding, StoreError> {
        let Standing::There { logged, pending } = &self.standing else {
            return Ok(EntryStanding::New);
        };
        let by_id = entry(connection, self.thread_id, id)?;
        if let Some(there) = &by_id
            && there.content == item.content
        {
            return Ok(EntryStanding::Known);
        }
        // A file that was exported here holds entries that were never imported, at their places.
        let at_place = match item.identity {
            EntryIdentity::Told(_) => None,
            EntryIdentity::Place if place < *logged => self.logged_at(connection, place)?,
            EntryIdentity::Place => match pending.get((place - logged) as usize) {
                Some(id) => entry(connection, self.thread_id, *id)?,
                None => None,
            },
        };
        let same = |there: Entry| {
            there.content == item.content
                && there.author == item.author
                && there.timestamp == item.at
        };
        Ok(match (at_place.is_some_and(same), by_id) {
            (true, _) => EntryStanding::Known,
            (false, Some(_)) => EntryStanding::Differs,
            (false, None) => EntryStanding::New,
        })
    }

    fn logged_at(&self, connection: &Connection, place: u64) -> Result<Option<Entry>, StoreError> {
        let range = EntryRange::After {
            place: place.checked_sub(1).map(EntryPlace::Sequence),
            limit: 1,
        };
        Ok(read_entries(connection, self.thread_id, range)?
            .entries
            .pop())
    }
}

fn live_thread_of(
    connection: &Connection,
    name: &ThreadName,
) -> Result<Option<Thread>, StoreError> {
    if let Some(shown) = with_shown_key(connection, &name.key, Some(&name.project))?.pop() {
        return Ok(Some(shown));
    }
    let next = next_generation(connection, &name.project, &name.key)?;
    match next.checked_sub(1) {
        Some(last) => live_thread(connection, thread_id(&name.project, &name.key, last)),
        None => Ok(None),
    }
}

impl Standing {
    fn read(connection: &Connection, thread: ThreadId) -> Result<Self, StoreError> {
        let logged = connection
            .prepare_cached(
                "SELECT coalesce(max(sequence_id) + 1, 0) FROM entries WHERE thread_id = ?",
            )?
            .query_row([thread.to_string()], |row| Ok(count_cell(row, 0)))??;
        let mut statement = connection.prepare_cached(
            "SELECT entry_id FROM entries WHERE thread_id = ? AND sequence_id IS NULL \
             ORDER BY pending_order",
        )?;
        let mut rows = statement.query([thread.to_string()])?;
        let mut pending = Vec::new();
        while let Some(row) = rows.next()? {
            pending.extend(entry_id_cell(row, 0)?);
        }
        Ok(Self::There { logged, pending })
    }
}
