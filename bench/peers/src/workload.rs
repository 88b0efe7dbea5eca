//! The list and the changes, as the caller has made them.

use serde::Deserialize;

/// An item, as all of the crates hold it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) done: bool,
}

/// A change; indexes are those of the list as the changes before have left it.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Change {
    Insert {
        at: usize,
        text: String,
    },
    Edit {
        at: usize,
        text: String,
    },
    Check {
        at: usize,
        done: bool,
    },
    /// Takes the item out, and puts it where `to` is then.
    Move {
        from: usize,
        to: usize,
    },
    Remove {
        at: usize,
    },
}

/// Changes of one kind, or of all.
#[derive(Debug, Deserialize)]
pub(crate) struct Kind {
    pub(crate) name: String,
    pub(crate) changes: Vec<Change>,
}

/// All that is measured.
#[derive(Debug, Deserialize)]
pub(crate) struct Workload {
    pub(crate) items: Vec<Item>,
    /// Each begins with `items`. The last is that of which size and load are taken.
    pub(crate) kinds: Vec<Kind>,
}

impl Change {
    /// Does the same to a plain vector: what every crate must come to.
    pub(crate) fn apply(&self, items: &mut Vec<Item>) {
        match self {
            Self::Insert { at, text } => items.insert(
                *at,
                Item {
                    text: text.clone(),
                    done: false,
                },
            ),
            Self::Edit { at, text } => items[*at].text.clone_from(text),
            Self::Check { at, done } => items[*at].done = *done,
            Self::Move { from, to } => {
                let item = items.remove(*from);
                items.insert(*to, item);
            }
            Self::Remove { at } => drop(items.remove(*at)),
        }
    }
}
