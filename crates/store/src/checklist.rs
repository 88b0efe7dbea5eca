//! Checklists as files: Markdown, plain text, and JSON snapshots; and what a list must change to hold
//! what a file says.
//!
//! Pure functions over texts. A reader never fails on a checklist: what it can't take as an item or
//! as a part of one is named with its place. What was written here is read back as it was.

mod escape;
mod fence;
mod import;
mod markdown;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use syncline_model::list::{ItemRef, ListItem, TextError};
use syncline_model::{ItemId, ListId};
use uuid::Uuid;

pub use import::{ImportPlan, plan_import};
pub use markdown::{Bullets, read_markdown, write_markdown};
pub use snapshot::{SCHEMA, Snapshot, SnapshotError, SnapshotList, read_snapshot, write_snapshot};

/// The namespace of ids that follow from a file.
const NAMESPACE: Uuid = Uuid::from_u128(0x3b0f_6c4e_5a0d_4f6c_9d0e_7a51_4c1b_92d7);

/// An item of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file's own id for it, where the format has ids and this is one.
    pub id: Option<ItemId>,
    /// What begins with spaces or tabs is indented so in the file: that is all there is of nesting.
    pub text: String,
    pub done: bool,
    pub note: String,
}

/// The items that `list` shows as those of a file, each with an id of its own there.
pub fn entries_of(list: &ListId, shown: Vec<ListItem>) -> Vec<Entry> {
    let made_here = shown.iter().filter(|item| item.item.list == *list);
    let mut ids: HashSet<ItemId> = made_here.map(|item| item.item.item.clone()).collect();
    let entries = shown.into_iter().map(|item| {
        let is_free = item.item.list == *list || ids.insert(item.item.item.clone());
        let id = if is_free {
            item.item.item
        } else {
            id_from_elsewhere(&item.item)
        };
        Entry {
            id: Some(id),
            text: item.text,
            done: item.done,
            note: item.note,
        }
    });
    entries.collect()
}

/// The id in a file of an item that was made in another list than it tells of, where one of that list
/// has its id.
fn id_from_elsewhere(item: &ItemRef) -> ItemId {
    // An id has no control character: what is before the zero byte can't be forged.
    let name = format!("{}\0{}", item.list, item.item);
    let id = Uuid::new_v5(&NAMESPACE, name.as_bytes());
    ItemId::new(id.to_string()).expect("a UUID is an id")
}

/// A list as a file tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checklist {
    /// None: the file does not say.
    pub title: Option<String>,
    /// In order, each with its place in the file.
    pub entries: Vec<(Place, Entry)>,
    /// The lines that are no part of a checklist, by their numbers from 1.
    pub foreign: Vec<ForeignLine>,
}

/// A line of a file that is neither an item nor a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignLine {
    pub line: u64,
    pub text: String,
}

/// Where in a file an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line, from 1.
    Line(u64),
    /// The item of this number, from 1, in the list of this number.
    Item { list: u64, item: u64 },
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Item { list, item } => write!(f, "list {list}, item {item}"),
        }
    }
}

/// An item of a file that can't be one of a list; the others can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place} is left out")]
pub struct EntryProblem {
    pub place: Place,
    #[source]
    pub cause: TextError,
}
