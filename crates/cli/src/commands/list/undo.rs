use clap::Args;
use serde::Serialize;
use syncline_model::list::{ItemRef, ListView, PlanError};
use syncline_model::{ItemId, ListId};
use syncline_replica::{ListChange, ListsReversed, Replica};
use syncline_store::StoreError;
use syncline_store::lists::{self, StoredLists};

use super::shared::brief;
use crate::context::Context;
use crate::delivery::{self, Delivered};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};
use crate::wording::{counted, quoted};
use crate::written::{WaitFlag, show, tell};

/// Take back the last change to lists that was made on this machine
///
/// Again and again, also after a restart. What others have changed since in other parts of an item
/// stays.
#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &UndoArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let Some(reversed) = replica.undo_lists()? else {
        return Err(
            Failure::new("nothing_to_undo", "nothing to undo").state("the lists are as they were")
        );
    };
    deliver(context, replica, reversed, ("undone", "undo"), args.wait)
}

#[derive(Serialize)]
struct Reversed {
    /// What was done: `add`, `move` …
    kind: String,
    list_id: ListId,
    title: Option<String>,
    /// Of several items, the first.
    item_id: Option<ItemId>,
    items: u64,
    state: WriteState,
    /// What of it can't be taken back any more.
    declined: Vec<Declined>,
}

#[derive(Serialize)]
struct Declined {
    code: &'static str,
    message: String,
}

/// Delivers what was undone or done again, and tells of it: `done` is what a person calls that, `again` the
/// command.
pub(super) fn deliver(
    context: &Context,
    mut replica: Replica,
    reversed: ListsReversed,
    (done, again): (&str, &str),
    wait: WaitFlag,
) -> Outcome {
    let ListsReversed {
        change,
        keys,
        mut declined,
    } = reversed;
    if keys.is_empty()
        && let Some(error) = declined.pop()
    {
        return Err(impossible(&change, error, done, again));
    }
    // It is written: what can't be read of it is told, and fails nothing.
    let About { list, title, items } = about(&mut replica, &change).unwrap_or_else(|failure| {
        delivery::tell(context, failure);
        About {
            list: change.list.clone(),
            title: None,
            items: String::new(),
        }
    });
    let place = match (change.other_lists, title.as_deref()) {
        (0, Some(title)) => title.to_owned(),
        (0, None) => list.to_string(),
        (others, _) => counted(others + 1, "list"),
    };
    let what = format!(
        "{done}: {} in {place}{items}",
        change.kind.replace('_', " ")
    );
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, wait.stay());
    let reversed = Reversed {
        title,
        kind: change.kind,
        list_id: list,
        item_id: change.item,
        items: change.items,
        state,
        declined: declined
            .iter()
            .map(|error| Declined {
                code: error.code(),
                message: error.to_string(),
            })
            .collect(),
    };
    show(context, &reversed, |_| Ok(()))?;
    tell(context, &what, state, &delivery);
    for error in &declined {
        context
            .output
            .warn(format_args!("a part of it could not be {done}: {error}"));
    }
    Ok(())
}

/// Nothing of the change can be undone, or done again.
fn impossible(
    change: &ListChange,
    error: PlanError<StoreError>,
    done: &str,
    again: &str,
) -> Failure {
    let show = match &error {
        // It can't be shown.
        PlanError::ListUnknown { .. } => "syncline list show".to_owned(),
        _ => format!("syncline list show {}", quoted(change.list.as_str())),
    };
    let message = format!("this can't be {done} any more: {}", change.kind);
    Failure::new("step_impossible", message)
        .because(error)
        .state("the lists are as they were; this step has left the history")
        .fix(format!("{show}, to see how it is by now"))
        .fix(format!("syncline list {again}, for the step before it"))
}

/// What a change was about, as a person sees it now.
struct About {
    list: ListId,
    /// None: the list is not known any more.
    title: Option<String>,
    items: String,
}

/// An item is in the list that shows it, wherever it was made.
fn about(replica: &mut Replica, change: &ListChange) -> Result<About, Failure> {
    let connection = replica.view()?.connection();
    let item = match &change.item {
        Some(item) => StoredLists::new(connection).item(&ItemRef {
            list: change.list.clone(),
            item: item.clone(),
        })?,
        None => None,
    };
    let list = item.as_ref().map_or(&change.list, |item| &item.home);
    let items = match (change.items, &item) {
        (1, Some(item)) => format!(": {}", brief(&item.text)),
        (0, _) => String::new(),
        (items, _) => format!(": {}", counted(items, "item")),
    };
    Ok(About {
        list: list.clone(),
        title: lists::list(connection, list)?.map(|list| list.title),
        items,
    })
}
