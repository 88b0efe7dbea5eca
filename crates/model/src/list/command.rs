//! What people do with lists, as values: what a plan is made from, and what a history keeps.

use serde::{Deserialize, Serialize};

use super::{ItemRef, Position};
use crate::{ItemId, ListId};

/// Where something is to stand, among things of which `K` is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spot<K> {
    Start,
    End,
    Before(K),
    After(K),
    /// At this very position: where it stood before.
    At(Position),
}

/// An item that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewItem {
    pub item: ItemId,
    pub text: String,
    pub done: bool,
    pub note: String,
}

/// An item as it was, for when nothing of it is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerItem {
    pub text: String,
    pub done: bool,
    pub note: String,
    pub position: Position,
    pub home: ListId,
}

/// A list as it was, for when nothing of it is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerList {
    pub title: String,
    pub position: Position,
}

/// A change to lists. Ids of new things are the caller's; none may have been used before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Command {
    NewList {
        list: ListId,
        title: String,
        spot: Spot<ListId>,
    },
    RenameList {
        list: ListId,
        title: String,
    },
    RemoveList {
        list: ListId,
    },
    /// Shows a removed list again, whole; `former` serves where its row is gone.
    RestoreList {
        list: ListId,
        former: Option<FormerList>,
    },
    ReorderList {
        list: ListId,
        spot: Spot<ListId>,
    },
    /// Makes items, in this order, one after the other.
    Add {
        list: ListId,
        items: Vec<NewItem>,
        spot: Spot<ItemRef>,
    },
    Edit {
        item: ItemRef,
        text: String,
    },
    Note {
        item: ItemRef,
        note: String,
    },
    Check {
        item: ItemRef,
    },
    Uncheck {
        item: ItemRef,
    },
    /// Gives the item another place, in the list where it is or in another.
    Move {
        item: ItemRef,
        to: ListId,
        spot: Spot<ItemRef>,
    },
    Remove {
        item: ItemRef,
    },
    /// Makes a removed item again, as its row or else `former` tells it.
    Restore {
        item: ItemRef,
        former: Option<FormerItem>,
    },
}

impl Command {
    /// What it does, in a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NewList { .. } => "new_list",
            Self::RenameList { .. } => "rename_list",
            Self::RemoveList { .. } => "remove_list",
            Self::RestoreList { .. } => "restore_list",
            Self::ReorderList { .. } => "reorder_list",
            Self::Add { .. } => "add",
            Self::Edit { .. } => "edit",
            Self::Note { .. } => "note",
            Self::Check { .. } => "check",
            Self::Uncheck { .. } => "uncheck",
            Self::Move { .. } => "move",
            Self::Remove { .. } => "remove",
            Self::Restore { .. } => "restore",
        }
    }
}

/// Where a command comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person, whose texts are checked whole.
    Person,
    /// A history: it writes again what was there, though it be blank.
    History,
    /// A file, whose texts are taken as a history's. The ids of what is made follow from it: others make
    /// the same, and have changed it since. So what it makes gives way to whatever anybody has written.
    File,
}
