//! Entries that come numbered from outside, of which some may be here already.

use std::collections::HashMap;

use rusqlite::Connection;
use syncline_model::thread::{EntryId, ThreadId};

use super::entries::{EntryRange, entry, read_entries};
use super::plan::{NewEntry, NewThread, Plan, PlanError, plan_append, plan_new};
use super::row::{EntryPlace, Thread};
use crate::StoreError;

/// Where entries are to go.
#[derive(Debug, Clone, Copy)]
pub enum SyncTarget<'a> {
    Thread(&'a Thread),
    /// No thread is there yet.
    New(NewThread<'a>),
}

/// An entry from outside.
#[derive(Debug, Clone, Copy)]
pub struct SyncEntry<'a> {
    /// Its content and author; its id is a new one where none was told.
    pub entry: NewEntry<'a>,
    /// Its place in the thread, as its sender counts; none: the next.
    pub sequence_id: Option<u64>,
}

/// What became of an entry from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// It is part of the plan.
    New(EntryId),
    /// It, or one with its content at its place, is here.
    Known(EntryId),
}

/// The ops that bring a thread up to what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct SyncPlan {
    pub plan: Plan,
    /// One for each entry that was sent, in order.
    pub synced: Vec<Synced>,
    /// The place of the thread's last entry once the plan is written; none: it has no entry.
    pub last_sequence_id: Option<u64>,
}

/// Why entries from outside can't be taken.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// A number beyond the next one, or one that other content holds, or an id that does.
    #[error("entry {entry_id} says that it is number {received}, and number {expected} is next")]
    Conflict {
        entry_id: EntryId,
        expected: u64,
        received: u64,
    },
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::Plan(error.into())
    }
}

/// Plans what is new of `entries`. An entry that is here by id and content counts as known, as does
/// one whose number is taken by the same content; all or nothing is planned.
pub fn plan_sync(
    connection: &Connection,
    target: &SyncTarget<'_>,
    entries: &[SyncEntry<'_>],
) -> Result<SyncPlan, SyncError> {
    let (thread, next) = match target {
        SyncTarget::Thread(thread) => (Some(thread.thread_id), thread.entry_count),
        SyncTarget::New(_) => (None, 0),
    };
    let mut arrivals = Arrivals {
        connection,
        thread,
        first: next,
        new: Vec::new(),
        by_id: HashMap::new(),
    };
    let synced = entries
        .iter()
        .map(|entry| arrivals.take(entry))
        .collect::<Result<Vec<_>, _>>()?;
    let last_sequence_id = arrivals.next().checked_sub(1);
    let plan = match target {
        SyncTarget::Thread(thread) => plan_append(thread.thread_id, &arrivals.new)?,
        SyncTarget::New(new) => plan_new(connection, new, &arrivals.new)?,
    };
    Ok(SyncPlan {
        plan,
        synced,
        last_sequence_id,
    })
}

/// The entries of one request, as they are taken one after the other.
struct Arrivals<'a, 'c> {
    connection: &'c Connection,
    thread: Option<ThreadId>,
    /// The number of the first new one.
    first: u64,
    new: Vec<NewEntry<'a>>,
    by_id: HashMap<EntryId, &'a str>,
}

impl<'a> Arrivals<'a, '_> {
    fn next(&self) -> u64 {
        self.first + self.new.len() as u64
    }

    fn take(&mut self, sent: &SyncEntry<'a>) -> Result<Synced, SyncError> {
        let id = sent.entry.entry_id;
        let expected = self.next();
        let conflict = SyncError::Conflict {
            entry_id: id,
            expected,
            received: sent.sequence_id.unwrap_or(expected),
        };
        if let Some(content) = self.content_of(id)? {
            return if content == sent.entry.content {
                Ok(Synced::Known(id))
            } else {
                Err(conflict)
            };
        }
        match sent.sequence_id {
            Some(number) if number > expected => Err(conflict),
            Some(number) if number < expected => match self.at(number)? {
                Some((id, content)) if content == sent.entry.content => Ok(Synced::Known(id)),
                _ => Err(conflict),
            },
            _ => {
                self.by_id.insert(id, sent.entry.content);
                self.new.push(sent.entry);
                Ok(Synced::New(id))
            }
        }
    }

    /// The content of the entry with this id, here or before it in the request.
    fn content_of(&self, id: EntryId) -> Result<Option<String>, StoreError> {
        if let Some(content) = self.by_id.get(&id) {
            return Ok(Some((*content).to_owned()));
        }
        let Some(thread) = self.thread else {
            return Ok(None);
        };
        Ok(entry(self.connection, thread, id)?.map(|entry| entry.content))
    }

    /// The id and content of the entry that holds this number.
    fn at(&self, number: u64) -> Result<Option<(EntryId, String)>, StoreError> {
        if let Some(place) = number.checked_sub(self.first) {
            let new = self.new.get(place as usize);
            return Ok(new.map(|new| (new.entry_id, new.content.to_owned())));
        }
        let Some(thread) = self.thread else {
            return Ok(None);
        };
        let range = EntryRange::After {
            place: number.checked_sub(1).map(EntryPlace::Sequence),
            limit: 1,
        };
        let found = read_entries(self.connection, thread, range)?.entries.pop();
        Ok(found
            .filter(|entry| entry.place == EntryPlace::Sequence(number))
            .map(|entry| (entry.entry_id, entry.content)))
    }
}
