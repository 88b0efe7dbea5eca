//! The history of changes to lists: what takes them back.
//!
//! What a change writes and its step in the history are one transaction.

use rusqlite::OptionalExtension;
use serde::{Deserialize, Serialize};
use syncline_model::list::{Command, ItemRef};
use syncline_model::{ItemId, ListId, Timestamp};

use super::{Desk, LocalFile, StoreError};

/// The most steps that can be undone: what was done before so many others is not a slip any more.
pub const LIST_STEPS_MAX: usize = 500;
/// The most bytes of what takes steps back. The newest step is kept whatever it takes.
pub const LIST_STEPS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A change to lists that was done here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStep {
    pub done_at: Timestamp,
    pub change: ListChange,
    /// What takes it back, or does it again where it was undone; each command about another item.
    pub back: Vec<Command>,
}

/// What a change was, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListChange {
    /// The name of its command: `add`, `move` …
    pub kind: String,
    /// The list that it was about, or the one that its items were made in.
    pub list: ListId,
    /// Its item; of several, the first.
    pub item: Option<ItemId>,
    /// How many items it was about.
    pub items: u64,
    /// How many other lists it was about.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub other_lists: u64,
}

/// Steps of earlier versions do not say this.
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl ListChange {
    /// What `command` does.
    pub fn of(command: &Command) -> Self {
        let kind = command.name().to_owned();
        let on_list = |list: &ListId| Self {
            kind: kind.clone(),
            list: list.clone(),
            item: None,
            items: 0,
            other_lists: 0,
        };
        let on_item = |item: &ItemRef| Self {
            kind: kind.clone(),
            list: item.list.clone(),
            item: Some(item.item.clone()),
            items: 1,
            other_lists: 0,
        };
        match command {
            Command::NewList { list, .. }
            | Command::RenameList { list, .. }
            | Command::RemoveList { list }
            | Command::RestoreList { list, .. }
            | Command::ReorderList { list, .. } => on_list(list),
            Command::Add { list, items, .. } => Self {
                item: items.first().map(|new| new.item.clone()),
                items: items.len() as u64,
                ..on_list(list)
            },
            Command::Edit { item, .. }
            | Command::Note { item, .. }
            | Command::Check { item }
            | Command::Uncheck { item }
            | Command::Move { item, .. }
            | Command::Remove { item }
            | Command::Restore { item, .. } => on_item(item),
        }
    }
}

/// The two ends of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// What was done, and can be undone.
    Undo,
    /// What was undone, and can be done again.
    Redo,
}

impl Stack {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Undo => "undo",
            Self::Redo => "redo",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Undo => Self::Redo,
            Self::Redo => Self::Undo,
        }
    }
}

impl LocalFile {
    /// The steps of one end of the history, the next to go first.
    pub fn list_steps(&self, stack: Stack) -> Result<Vec<ListStep>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, done_at, change, back FROM list_steps WHERE stack = ? ORDER BY id DESC",
        )?;
        let mut rows = statement.query([stack.as_str()])?;
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(step(row)?.1);
        }
        Ok(steps)
    }
}

impl Desk<'_> {
    /// Notes a step that was done; what was undone before can't be done again.
    pub fn note_done(&self, step: &ListStep) -> Result<(), StoreError> {
        self.transaction
            .execute("DELETE FROM list_steps WHERE stack = 'redo'", [])?;
        self.put(Stack::Undo, step)
    }

    /// The next step of one end of the history, with its place there; none: there is none.
    pub fn next_step(&self, stack: Stack) -> Result<Option<(StepPlace, ListStep)>, StoreError> {
        let mut statement = self.transaction.prepare_cached(
            "SELECT id, done_at, change, back FROM list_steps WHERE stack = ? \
             ORDER BY id DESC LIMIT 1",
        )?;
        let found = statement
            .query_row([stack.as_str()], |row| Ok(step(row)))
            .optional()?
            .transpose()?;
        Ok(found.map(|(id, step)| (StepPlace { stack, id }, step)))
    }

    /// Takes a step from its end of the history, and puts it on the other with what reverses it now;
    /// nowhere, if nothing does.
    pub fn reverse(&self, place: &StepPlace, reversed: &ListStep) -> Result<(), StoreError> {
        self.transaction
            .execute("DELETE FROM list_steps WHERE id = ?", [place.id])?;
        if reversed.back.is_empty() {
            return Ok(());
        }
        self.put(place.stack.other(), reversed)
    }

    /// Puts a step on one end, and forgets the oldest where they are too many.
    fn put(&self, stack: Stack, step: &ListStep) -> Result<(), StoreError> {
        const PLAIN: &str = "a step is plain data";
        self.transaction
            .prepare_cached(
                "INSERT INTO list_steps (stack, done_at, change, back) VALUES (?, ?, ?, ?)",
            )?
            .execute((
                stack.as_str(),
                step.done_at.to_string(),
                serde_json::to_string(&step.change).expect(PLAIN),
                serde_json::to_string(&step.back).expect(PLAIN),
            ))?;
        self.transaction
            .prepare_cached(
                "DELETE FROM list_steps WHERE id IN (\
                   SELECT id FROM (\
                     SELECT id, row_number() OVER newer AS steps, \
                            sum(octet_length(back)) OVER newer AS bytes \
                     FROM list_steps WHERE stack = ? WINDOW newer AS (ORDER BY id DESC)) \
                   WHERE steps > 1 AND (steps > ? OR bytes > ?))",
            )?
            .execute((
                stack.as_str(),
                LIST_STEPS_MAX as i64,
                LIST_STEPS_BYTES_MAX as i64,
            ))?;
        Ok(())
    }
}

/// Where a step is in the history.
#[derive(Debug)]
pub struct StepPlace {
    stack: Stack,
    id: i64,
}

fn step(row: &rusqlite::Row<'_>) -> Result<(i64, ListStep), StoreError> {
    const DAMAGED: StoreError = StoreError::Damaged {
        what: "a step of the history is none",
        source: None,
    };
    let text = |column| row.get_ref(column).and_then(|cell| Ok(cell.as_str()?));
    let step = ListStep {
        done_at: text(1)?.parse().map_err(|_| DAMAGED)?,
        change: serde_json::from_str(text(2)?).map_err(|_| DAMAGED)?,
        back: serde_json::from_str(text(3)?).map_err(|_| DAMAGED)?,
    };
    Ok((row.get(0)?, step))
}
