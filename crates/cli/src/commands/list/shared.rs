//! What the commands that change lists have in common: they write, sync, and tell what became of it.

use serde::Serialize;
use syncline_model::list::{Command, ItemRef, ListItem};
use syncline_model::registry::List;
use syncline_model::{ListId, OpKey};
use syncline_replica::{ListChange, Replica};
use syncline_store::TenantFile;
use syncline_store::lists::{self, ShownItem};
use syncline_store::threads::EntryState;

use super::reference::{ListReference, find_item};
use crate::context::Context;
use crate::delivery::{self, Delivered};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};
use crate::wording::counted;
use crate::written::{WaitFlag, show, tell};

/// The longest text that is told within a line, in characters.
const BRIEF_CHARS_MAX: usize = 60;

/// An item, as `--json` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ItemShown {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) done: bool,
    pub(super) note: String,
    pub(super) state: &'static str,
}

impl ItemShown {
    pub(super) fn is_pending(&self) -> bool {
        self.state == EntryState::Pending.as_str()
    }
}

impl From<ShownItem> for ItemShown {
    fn from(shown: ShownItem) -> Self {
        Self {
            id: shown.called,
            text: shown.item.text,
            done: shown.item.done,
            note: shown.item.note,
            state: shown.state.as_str(),
        }
    }
}

/// The answer of the commands that change a list itself.
#[derive(Serialize)]
struct ListWritten<'a> {
    list_id: &'a ListId,
    title: &'a str,
    state: WriteState,
}

/// The answer of the commands that change items.
#[derive(Serialize)]
struct ItemsWritten<'a> {
    list_id: &'a ListId,
    title: &'a str,
    items: &'a [ItemShown],
    state: WriteState,
}

/// A change to a list itself, which is written.
pub(super) struct ChangedList<'a> {
    pub(super) list: &'a ListId,
    pub(super) title: &'a str,
    /// What is told of it.
    pub(super) what: &'a str,
    pub(super) keys: Vec<OpKey>,
    pub(super) printed: Printed,
}

/// Delivers a change to a list, and tells where it is.
pub(super) fn deliver_list(
    context: &Context,
    replica: Replica,
    changed: &ChangedList<'_>,
    wait: WaitFlag,
) -> Result<WriteState, Failure> {
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &changed.keys, wait.stay());
    let written = ListWritten {
        list_id: changed.list,
        title: changed.title,
        state,
    };
    show(context, &written, |out| match changed.printed {
        Printed::Nothing => Ok(()),
        Printed::Ids => writeln!(out, "{}", changed.list),
    })?;
    tell(context, changed.what, state, &delivery);
    Ok(state)
}

/// A change to items of a list, which is written.
pub(super) struct ChangedItems {
    /// The list that shows them.
    pub(super) list: List,
    pub(super) items: Vec<ItemRef>,
    /// What was done to them: `added`, `moved` …
    pub(super) done: &'static str,
    pub(super) keys: Vec<OpKey>,
    pub(super) printed: Printed,
}

/// What is printed of what was changed: the ids, where they are new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Printed {
    Nothing,
    Ids,
}

/// Delivers a change to items, and tells where it is.
pub(super) fn deliver_items(
    context: &Context,
    mut replica: Replica,
    changed: &ChangedItems,
    wait: WaitFlag,
) -> Outcome {
    let before = now(context, &mut replica, &changed.items);
    let Delivered {
        replica,
        state,
        delivery,
    } = delivery::after_write(context, replica, &changed.keys, wait.stay());
    let items = match (before, replica) {
        // Others may have changed them while they were delivered.
        (Some(before), Some(mut replica)) => {
            now(context, &mut replica, &changed.items).unwrap_or(before)
        }
        (before, _) => before.unwrap_or_default(),
    };
    let what = match items.as_slice() {
        [item] => format!("{}: {} {}", changed.list.title, changed.done, line(item)),
        _ => format!(
            "{}: {} {}",
            changed.list.title,
            changed.done,
            counted(changed.items.len() as u64, "item")
        ),
    };
    let written = ItemsWritten {
        list_id: &changed.list.list,
        title: &changed.list.title,
        items: &items,
        state,
    };
    show(context, &written, |out| {
        let printed = changed.items.iter();
        for item in printed.filter(|_| changed.printed == Printed::Ids) {
            writeln!(out, "{}", item.item)?;
        }
        Ok(())
    })?;
    tell(context, &what, state, &delivery);
    Ok(())
}

/// The items as they are now; none where they can't be read, which is told: what was done to them is
/// on the disk all the same.
fn now(context: &Context, replica: &mut Replica, items: &[ItemRef]) -> Option<Vec<ItemShown>> {
    let view = replica.view().map_err(Failure::from);
    view.and_then(|view| read(view, items))
        .map_err(|failure| delivery::tell(context, failure))
        .ok()
}

fn read(view: &TenantFile, items: &[ItemRef]) -> Result<Vec<ItemShown>, Failure> {
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let shown = lists::item(view.connection(), item)?;
        found.extend(shown.map(ItemShown::from));
    }
    Ok(found)
}

/// Changes the items of one list that `texts` name, all or none, each by the command that `command`
/// makes for it; `done` says what that does.
pub(super) fn change_items(
    context: &Context,
    list: &ListReference,
    texts: &[String],
    wait: WaitFlag,
    done: &'static str,
    command: impl Fn(&ListItem) -> Command,
) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let list = list.find(view)?;
    let mut items: Vec<ListItem> = Vec::new();
    for text in texts {
        let item = find_item(view, &list, text)?;
        if items.iter().all(|known| known.item != item.item) {
            items.push(item);
        }
    }
    let commands: Vec<Command> = items.iter().map(command).collect();
    let change = ListChange {
        items: items.len() as u64,
        ..ListChange::of(&commands[0])
    };
    let changed = replica.change_lists_together(&change, &commands)?;
    let changed = ChangedItems {
        list,
        items: items.into_iter().map(|item| item.item).collect(),
        done,
        keys: changed.keys,
        printed: Printed::Nothing,
    };
    deliver_items(context, replica, &changed, wait)
}

/// The item on one line.
fn line(item: &ItemShown) -> String {
    let tick = if item.done { "[x]" } else { "[ ]" };
    format!("{tick} {}", brief(&item.text))
}

/// As much of a text as goes into a line.
pub(in super::super) fn brief(text: &str) -> String {
    let mut lines = text.trim().lines();
    let first = lines.next().unwrap_or_default();
    let cut: String = first.chars().take(BRIEF_CHARS_MAX).collect();
    if cut.len() < first.len() || lines.next().is_some() {
        format!("{cut}…")
    } else {
        cut
    }
}
