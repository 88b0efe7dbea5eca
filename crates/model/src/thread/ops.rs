//! The payloads of scope `thread`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{EntryId, ThreadId};
use crate::{Payload, PayloadError, Timestamp};

/// What a thread is for its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Active,
    Archived,
    Blocked,
}

/// A word that is no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("status must be active, archived or blocked")]
pub struct StatusError;

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Blocked => "blocked",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Status {
    type Err = StatusError;
    fn from_str(text: &str) -> Result<Self, StatusError> {
        match text {
            "active" => Ok(Self::Active),
            "archived" => Ok(Self::Archived),
            "blocked" => Ok(Self::Blocked),
            _ => Err(StatusError),
        }
    }
}

/// Makes the thread `thread_id(project, key, generation)`, or names it if it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create<'a> {
    pub project: Cow<'a, str>,
    pub key: Cow<'a, str>,
    pub generation: u64,
    pub name: Cow<'a, str>,
    pub at: Timestamp,
}

/// Appends an entry, unless one with its id is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    pub entry_id: EntryId,
    pub author: Cow<'a, str>,
    pub content: Cow<'a, str>,
    /// The name that the thread had when the entry was made; imports tell it.
    pub name: Option<Cow<'a, str>>,
    pub at: Timestamp,
}

/// Sets the fields that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update<'a> {
    pub name: Option<Cow<'a, str>>,
    pub project: Option<Cow<'a, str>>,
    pub status: Option<Status>,
    pub at: Timestamp,
}

/// Deletes the thread and all of its entries for good. Names what it deletes, so that the tombstone
/// is whole after everything else is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delete<'a> {
    pub project: Cow<'a, str>,
    pub key: Cow<'a, str>,
    pub generation: u64,
    pub at: Timestamp,
}

/// Sets or takes off a tag, on the thread or on one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    pub entry_id: Option<EntryId>,
    pub tag: Cow<'a, str>,
    pub present: bool,
}

/// Makes or takes off a link to another thread, from the thread or from one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'a> {
    pub entry_id: Option<EntryId>,
    pub target: ThreadId,
    pub note: Option<Cow<'a, str>>,
    pub present: bool,
}

/// A payload of scope `thread`; the op's resource is the thread's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ThreadOp<'a> {
    Create(Create<'a>),
    Entry(Entry<'a>),
    Update(Update<'a>),
    Delete(Delete<'a>),
    Tag(Tag<'a>),
    Link(Link<'a>),
}

/// The wire form: flat, so that it is read in one pass without buffering.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_id: Option<EntryId>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    author: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    project: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<u64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    tag: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<ThreadId>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    note: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    present: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
}

impl<'a> ThreadOp<'a> {
    /// Reads a payload; none if this version can't.
    pub fn read(payload: &'a Payload) -> Option<Self> {
        let wire: Wire<'a> = payload.read().ok()?;
        Some(match &*wire.kind {
            "create" => Self::Create(Create {
                project: wire.project?,
                key: wire.key?,
                generation: wire.generation.filter(|g| *g <= i64::MAX as u64)?,
                name: wire.name?,
                at: wire.at?,
            }),
            "entry" => Self::Entry(Entry {
                entry_id: wire.entry_id?,
                author: wire.author?,
                content: wire.content?,
                name: wire.name,
                at: wire.at?,
            }),
            "update" => Self::Update(Update {
                name: wire.name,
                project: wire.project,
                status: wire.status,
                at: wire.at?,
            }),
            "delete" => Self::Delete(Delete {
                project: wire.project?,
                key: wire.key?,
                generation: wire.generation.filter(|g| *g <= i64::MAX as u64)?,
                at: wire.at?,
            }),
            "tag" => Self::Tag(Tag {
                entry_id: wire.entry_id,
                tag: wire.tag?,
                present: wire.present?,
            }),
            "link" => Self::Link(Link {
                entry_id: wire.entry_id,
                target: wire.target?,
                note: wire.note,
                present: wire.present?,
            }),
            _ => return None,
        })
    }

    /// Writes the payload; fails where it is larger than a payload may be.
    pub fn payload(&self) -> Result<Payload, PayloadError> {
        Payload::from_value(&self.wire())
    }

    fn wire(&self) -> Wire<'_> {
        fn some(text: &str) -> Option<Cow<'_, str>> {
            Some(Cow::Borrowed(text))
        }
        match self {
            Self::Create(op) => Wire {
                kind: "create".into(),
                project: some(&op.project),
                key: some(&op.key),
                generation: Some(op.generation),
                name: some(&op.name),
                at: Some(op.at),
                ..Wire::default()
            },
            Self::Entry(op) => Wire {
                kind: "entry".into(),
                entry_id: Some(op.entry_id),
                author: some(&op.author),
                content: some(&op.content),
                name: op.name.as_deref().map(Cow::Borrowed),
                at: Some(op.at),
                ..Wire::default()
            },
            Self::Update(op) => Wire {
                kind: "update".into(),
                name: op.name.as_deref().map(Cow::Borrowed),
                project: op.project.as_deref().map(Cow::Borrowed),
                status: op.status,
                at: Some(op.at),
                ..Wire::default()
            },
            Self::Delete(op) => Wire {
                kind: "delete".into(),
                project: some(&op.project),
                key: some(&op.key),
                generation: Some(op.generation),
                at: Some(op.at),
                ..Wire::default()
            },
            Self::Tag(op) => Wire {
                kind: "tag".into(),
                entry_id: op.entry_id,
                tag: some(&op.tag),
                present: Some(op.present),
                ..Wire::default()
            },
            Self::Link(op) => Wire {
                kind: "link".into(),
                entry_id: op.entry_id,
                target: Some(op.target),
                note: op.note.as_deref().map(Cow::Borrowed),
                present: Some(op.present),
                ..Wire::default()
            },
        }
    }
}
