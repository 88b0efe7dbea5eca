//! JSON snapshots of lists, in the format `net.aggregat4.tasklist.snapshot@v1`.
//!
//! The order of items is that of the array; positions and clocks are not part of it. What is required
//! must be there and of its type; fields that are not known are passed over.

use serde::{Deserialize, Serialize};
use syncline_model::{ItemId, ListId};
use uuid::Uuid;

use super::{Checklist, Entry, NAMESPACE, Place};

/// The schema that is read and written.
pub const SCHEMA: &str = "net.aggregat4.tasklist.snapshot@v1";
/// What the names of all of its versions begin with.
const SCHEMA_FAMILY: &str = "net.aggregat4.tasklist.snapshot@v";

/// Why a file is no snapshot that can be read. Nothing of it is used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("it is no JSON snapshot of lists")]
    Shape(#[source] serde_json::Error),
    #[error("it has schema {schema:?}, and only {SCHEMA:?} can be read: a file of a newer version")]
    Newer { schema: String },
    #[error("it has schema {schema:?}, which is not {SCHEMA:?}")]
    Foreign { schema: String },
}

/// The lists of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub lists: Vec<SnapshotList>,
}

/// One list of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotList {
    /// The file's own id for it, or one that follows from that where it can't be one.
    pub list: ListId,
    pub title: String,
    pub checklist: Checklist,
}

#[derive(Deserialize)]
struct SchemaOf {
    schema: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSnapshot {
    schema: String,
    #[serde(skip_deserializing)]
    app_version: Option<String>,
    data: WireData,
}

#[derive(Serialize, Deserialize)]
struct WireData {
    lists: Vec<WireList>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireList {
    list_id: String,
    title: String,
    items: Vec<WireItem>,
}

#[derive(Serialize, Deserialize)]
struct WireItem {
    id: String,
    text: String,
    done: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
}

/// Reads a snapshot.
pub fn read_snapshot(text: &str) -> Result<Snapshot, SnapshotError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let SchemaOf { schema } = serde_json::from_str(text).map_err(SnapshotError::Shape)?;
    if schema != SCHEMA {
        let version = schema.strip_prefix(SCHEMA_FAMILY);
        let newer = version.and_then(|version| version.parse().ok());
        return Err(match newer {
            Some(2_u64..) => SnapshotError::Newer { schema },
            Some(_) | None => SnapshotError::Foreign { schema },
        });
    }
    let read: WireSnapshot = serde_json::from_str(text).map_err(SnapshotError::Shape)?;
    let lists = (1..).zip(read.data.lists);
    Ok(Snapshot {
        lists: lists.map(|(number, list)| list.read(number)).collect(),
    })
}

impl WireList {
    fn read(self, list: u64) -> SnapshotList {
        let entries = (1..).zip(self.items).map(|(item, wire)| {
            let entry = Entry {
                id: ItemId::new(wire.id).ok(),
                text: wire.text,
                done: wire.done,
                note: wire.note,
            };
            (Place::Item { list, item }, entry)
        });
        SnapshotList {
            list: list_id(self.list_id),
            checklist: Checklist {
                title: Some(self.title.clone()),
                entries: entries.collect(),
                foreign: Vec::new(),
            },
            title: self.title,
        }
    }
}

fn list_id(text: String) -> ListId {
    let id = Uuid::new_v5(&NAMESPACE, text.as_bytes());
    ListId::new(text).unwrap_or_else(|_| ListId::new(id.to_string()).expect("a UUID is an id"))
}

/// Writes a snapshot, as indented JSON. An entry without an id gets its number as one.
///
/// The format's `exportedAt` is left out, which no reader needs: an op has no time, so it could only be
/// that of the export, and replicas with equal lists would write other bytes.
pub fn write_snapshot(snapshot: Snapshot, app_version: &str) -> Result<String, serde_json::Error> {
    let lists = snapshot.lists.into_iter().map(|list| {
        let items = (1_u64..).zip(list.checklist.entries);
        let items = items.map(|(number, (_, entry))| WireItem {
            id: entry
                .id
                .map_or_else(|| number.to_string(), |id| id.to_string()),
            text: entry.text,
            done: entry.done,
            note: entry.note,
        });
        WireList {
            list_id: list.list.to_string(),
            title: list.title,
            items: items.collect(),
        }
    });
    let wire = WireSnapshot {
        schema: SCHEMA.to_owned(),
        app_version: Some(app_version.to_owned()),
        data: WireData {
            lists: lists.collect(),
        },
    };
    serde_json::to_string_pretty(&wire).map(|text| text + "\n")
}
