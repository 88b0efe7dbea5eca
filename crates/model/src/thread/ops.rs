//! The payloads of scope `thread`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::ID_BYTES_MAX;
use crate::{Payload, PayloadError, ResourceId, Timestamp};

/// The namespace under which thread and imported entry ids are made.
const NAMESPACE: Uuid = Uuid::from_u128(0x7d1c_51a6_5d0b_5c8e_9c3f_2a64_1be0_7f15);

/// The id of generation `generation` of the thread with `key` in `project`.
pub fn thread_id(project: &str, key: &str, generation: u64) -> Uuid {
    Uuid::new_v5(
        &NAMESPACE,
        format!("thread\0{project}\0{key}\0{generation}").as_bytes(),
    )
}

/// The id of an imported entry: equal on every replica that imports the same file, and different for
/// equal entries at different places.
pub fn import_entry_id(project: &str, key: &str, place: u64) -> Uuid {
    Uuid::new_v5(
        &NAMESPACE,
        format!("entry\0{project}\0{key}\0{place}").as_bytes(),
    )
}

/// The key that a name gives: lower case, with `-` for all but letters, digits, `.`, `_` and `-`.
pub fn key_from_name(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    lower
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '-'
            }
        })
        .collect()
}

/// Why a project, key, name, tag or author is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} has {bytes} bytes, more than the {ID_BYTES_MAX} allowed")]
    TooLong { what: &'static str, bytes: usize },
    #[error("{what} has a control character")]
    Control { what: &'static str },
    #[error("project may not hold '/'")]
    SlashInProject,
}

/// Checks a project, key, name, tag or author before it goes into an op.
pub fn check_name(what: &'static str, text: &str) -> Result<(), NameError> {
    if text.trim().is_empty() {
        return Err(NameError::Empty { what });
    }
    if text.len() > ID_BYTES_MAX {
        return Err(NameError::TooLong {
            what,
            bytes: text.len(),
        });
    }
    if text.chars().any(char::is_control) {
        return Err(NameError::Control { what });
    }
    if what == "project" && text.contains('/') {
        return Err(NameError::SlashInProject);
    }
    Ok(())
}

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
    pub entry_id: Uuid,
    pub author: Cow<'a, str>,
    pub content: Cow<'a, str>,
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
    pub entry_id: Option<Uuid>,
    pub tag: Cow<'a, str>,
    pub present: bool,
}

/// Makes or takes off a link to another thread, from the thread or from one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'a> {
    pub entry_id: Option<Uuid>,
    pub target: Uuid,
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
    entry_id: Option<Uuid>,
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
    target: Option<Uuid>,
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
                project: some(&*op.project),
                key: some(&*op.key),
                generation: Some(op.generation),
                name: some(&*op.name),
                at: Some(op.at),
                ..Wire::default()
            },
            Self::Entry(op) => Wire {
                kind: "entry".into(),
                entry_id: Some(op.entry_id),
                author: some(&*op.author),
                content: some(&*op.content),
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
                project: some(&*op.project),
                key: some(&*op.key),
                generation: Some(op.generation),
                at: Some(op.at),
                ..Wire::default()
            },
            Self::Tag(op) => Wire {
                kind: "tag".into(),
                entry_id: op.entry_id,
                tag: some(&*op.tag),
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

/// The resource of a thread's ops.
impl From<Uuid> for ResourceId {
    fn from(id: Uuid) -> Self {
        Self::new(id.hyphenated().to_string()).expect("a UUID's text is short and printable")
    }
}
