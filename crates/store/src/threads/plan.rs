//! The ops that an intent amounts to.
//!
//! A plan is made from the view as it is; another process may write between the plan and its ops.
//! Every plan is sound then too: ids follow from what they name, and folds settle the rest.

use std::borrow::Cow;

use rusqlite::Connection;
use syncline_model::thread::{
    ContentError, Create, Delete, Entry, EntryId, Link, NameError, NameKind, Status, Tag, ThreadId,
    ThreadOp, Update, check_content, key_from_name, thread_id,
};
use syncline_model::{Payload, PayloadError, ResourceId, Timestamp};

use super::resolve::with_shown_key;
use super::row::Thread;
use crate::StoreError;
use crate::snapshot::snapshot;

/// A payload and the resource that it is for; the scope is `thread`.
pub type PlannedOp = (ResourceId, Payload);

/// The ops that carry out an intent on one thread, in the order in which to write them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Plan {
    pub thread_id: ThreadId,
    /// Empty where nothing is to be changed.
    pub ops: Vec<PlannedOp>,
}

/// Why an intent can't be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error("project {project} has a thread {key} already")]
    Exists {
        project: String,
        key: String,
        thread_id: ThreadId,
    },
    #[error("a thread can't be linked to itself")]
    LinkToItself,
    #[error("could not write the op's payload")]
    Payload(#[source] PayloadError),
    #[error("could not read the threads")]
    Store(#[from] StoreError),
}

/// A thread to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewThread<'a> {
    pub project: &'a str,
    /// None: the one that the name gives.
    pub key: Option<&'a str>,
    pub name: &'a str,
    pub at: Timestamp,
}

/// An entry to be appended. Its id is the caller's: random, or told from outside.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    pub entry_id: EntryId,
    pub author: &'a str,
    pub content: &'a str,
    pub at: Timestamp,
}

/// Fields to be changed; none leaves one as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes<'a> {
    pub name: Option<&'a str>,
    pub project: Option<&'a str>,
    pub status: Option<Status>,
}

/// Whether a tag or link is to be there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Added,
    Removed,
}

/// Plans a thread and its first entries. It is an error if the project shows a thread of that key.
pub fn plan_new(
    connection: &Connection,
    new: &NewThread<'_>,
    entries: &[NewEntry<'_>],
) -> Result<Plan, PlanError> {
    let key = match new.key {
        Some(key) => Cow::Borrowed(key),
        None => Cow::Owned(key_from_name(new.name)),
    };
    NameKind::Project.check(new.project)?;
    NameKind::Name.check(new.name)?;
    NameKind::Key.check(&key)?;
    // One that others make between two reads would be shown to none of them, and made a second time.
    let _snapshot = snapshot(connection)?;
    if let Some(there) = with_shown_key(connection, &key, Some(new.project))?.pop() {
        return Err(PlanError::Exists {
            project: there.project,
            key: there.key,
            thread_id: there.thread_id,
        });
    }
    let mut plan = plan_create(connection, new.project, &key, new.name, new.at)?;
    plan.ops.extend(plan_append(plan.thread_id, entries)?.ops);
    Ok(plan)
}

/// Plans the creation alone, of names that are checked and free.
pub(super) fn plan_create(
    connection: &Connection,
    project: &str,
    key: &str,
    name: &str,
    at: Timestamp,
) -> Result<Plan, PlanError> {
    let generation = next_generation(connection, project, key)?;
    let op = ThreadOp::Create(Create {
        project: project.into(),
        key: key.into(),
        generation,
        name: name.into(),
        at,
    });
    plan_one(thread_id(project, key, generation), &op)
}

/// The generation that a thread made now takes: the first whose thread was never made.
///
/// Those before it were deleted, or are live in another project by now.
pub fn next_generation(
    connection: &Connection,
    project: &str,
    key: &str,
) -> Result<u64, StoreError> {
    let mut made = connection.prepare_cached(
        "SELECT 1 FROM threads WHERE thread_id = ? AND (key IS NOT NULL OR status = 'deleted')",
    )?;
    let mut generation = 0;
    while made.exists([thread_id(project, key, generation).to_string()])? {
        generation += 1;
    }
    Ok(generation)
}

/// Plans entries at the end of a thread.
pub fn plan_append(thread: ThreadId, entries: &[NewEntry<'_>]) -> Result<Plan, PlanError> {
    let mut ops = Vec::with_capacity(entries.len());
    for entry in entries {
        ops.push(plan_entry(thread, entry, None)?);
    }
    Ok(Plan {
        thread_id: thread,
        ops,
    })
}

/// Plans one entry, with the name that the thread had when it was made, where that is told.
pub(super) fn plan_entry(
    thread: ThreadId,
    entry: &NewEntry<'_>,
    name: Option<&str>,
) -> Result<PlannedOp, PlanError> {
    NameKind::Author.check(entry.author)?;
    check_content(entry.content)?;
    let op = ThreadOp::Entry(Entry {
        entry_id: entry.entry_id,
        author: entry.author.into(),
        content: entry.content.into(),
        name: name.map(Cow::Borrowed),
        at: entry.at,
    });
    planned(thread, &op)
}

/// Plans a rename, a move to another project, a change of status, or several of them at once. What
/// is so already is left out.
pub fn plan_update(
    thread: &Thread,
    changes: &Changes<'_>,
    at: Timestamp,
) -> Result<Plan, PlanError> {
    let name = changes.name.filter(|name| *name != thread.name);
    let project = changes.project.filter(|project| *project != thread.project);
    let status = changes.status.filter(|status| *status != thread.status);
    if let Some(name) = name {
        NameKind::Name.check(name)?;
    }
    if let Some(project) = project {
        NameKind::Project.check(project)?;
    }
    if name.is_none() && project.is_none() && status.is_none() {
        return Ok(Plan {
            thread_id: thread.thread_id,
            ops: Vec::new(),
        });
    }
    let op = ThreadOp::Update(Update {
        name: name.map(Cow::Borrowed),
        project: project.map(Cow::Borrowed),
        status,
        at,
    });
    plan_one(thread.thread_id, &op)
}

/// Plans the end of a thread and of all that is in it.
pub fn plan_delete(thread: &Thread, at: Timestamp) -> Result<Plan, PlanError> {
    let op = match &thread.origin {
        Some(origin) => Delete {
            project: origin.project.as_str().into(),
            key: origin.key.as_str().into(),
            generation: origin.generation,
            at,
        },
        // Its creation is not known here: what it is shown as will do for the tombstone.
        None => Delete {
            project: thread.project.as_str().into(),
            key: thread.key.as_str().into(),
            generation: 0,
            at,
        },
    };
    plan_one(thread.thread_id, &ThreadOp::Delete(op))
}

/// Plans a tag on a thread, or on one of its entries.
pub fn plan_tag(
    thread: ThreadId,
    entry: Option<EntryId>,
    tag: &str,
    presence: Presence,
) -> Result<Plan, PlanError> {
    let tag = tag.trim();
    NameKind::Tag.check(tag)?;
    let op = ThreadOp::Tag(Tag {
        entry_id: entry,
        tag: tag.into(),
        present: presence == Presence::Added,
    });
    plan_one(thread, &op)
}

/// Plans a link to another thread, from a thread or from one of its entries.
pub fn plan_link(
    thread: ThreadId,
    entry: Option<EntryId>,
    target: ThreadId,
    note: Option<&str>,
    presence: Presence,
) -> Result<Plan, PlanError> {
    if thread == target {
        return Err(PlanError::LinkToItself);
    }
    if let Some(note) = note {
        NameKind::Note.check(note)?;
    }
    let op = ThreadOp::Link(Link {
        entry_id: entry,
        target,
        note: note.map(Cow::Borrowed),
        present: presence == Presence::Added,
    });
    plan_one(thread, &op)
}

fn plan_one(thread_id: ThreadId, op: &ThreadOp<'_>) -> Result<Plan, PlanError> {
    Ok(Plan {
        thread_id,
        ops: vec![planned(thread_id, op)?],
    })
}

pub(super) fn planned(thread: ThreadId, op: &ThreadOp<'_>) -> Result<PlannedOp, PlanError> {
    Ok((thread.into(), op.payload().map_err(PlanError::Payload)?))
}
