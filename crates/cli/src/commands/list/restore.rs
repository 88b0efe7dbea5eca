use clap::Args;
use syncline_model::list::{Command, ListItem};
use syncline_model::registry::List;
use syncline_store::TenantFile;
use syncline_store::lists::removed_items;

use super::reference::{find_list, find_removed_list, is_meant, named};
use super::shared::{ChangedItems, ChangedList, Printed, brief, deliver_items, deliver_list};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::replica_access;
use crate::written::WaitFlag;

/// Bring back a deleted list, whole, or a removed item of a list
///
/// `list show --all` shows deleted lists, and `list show LIST --all` the removed items of one, as far as
/// they are not forgotten yet.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Id or title
    list: String,
    /// The removed item: its id, or the last characters of it
    item: Option<String>,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &RestoreArgs, context: &Context) -> Outcome {
    match &args.item {
        Some(item) => restore_item(args, item, context),
        None => restore_list(args, context),
    }
}

fn restore_list(args: &RestoreArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    // One that is there needs nothing.
    let list = find_removed_list(view, &args.list)?;
    let changed = replica.change_lists(&Command::RestoreList {
        list: list.list.clone(),
        former: None,
    })?;
    let changed = ChangedList {
        list: &list.list,
        title: &list.title,
        what: &format!("restored {}", list.title),
        keys: changed.keys,
        printed: Printed::Nothing,
    };
    deliver_list(context, replica, &changed, args.wait).map(drop)
}

fn restore_item(args: &RestoreArgs, item: &str, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let list = find_list(view, &args.list)?;
    let item = find_removed(view, &list, item)?;
    let changed = replica.change_lists(&Command::Restore {
        item: item.item.clone(),
        former: None,
    })?;
    let changed = ChangedItems {
        list,
        items: vec![item.item],
        done: "restored",
        keys: changed.keys,
        printed: Printed::Nothing,
    };
    deliver_items(context, replica, &changed, args.wait)
}

/// The removed item of `list` that `text` names: by its id, what it ends with, or its text.
fn find_removed(view: &TenantFile, list: &List, text: &str) -> Result<ListItem, Failure> {
    let mut found = removed_items(view.connection(), &list.list)?;
    let whole = |id: &str| id == text;
    if found
        .iter()
        .any(|shown| whole(shown.item.item.item.as_str()))
    {
        found.retain(|shown| whole(shown.item.item.item.as_str()));
    } else {
        found.retain(|shown| is_meant(shown, text));
    }
    match found.as_slice() {
        [one] => Ok(one.item.clone()),
        [] => Err(Failure::new(
            "item_unknown",
            format!("no removed item {text:?} in {:?}", list.title),
        )
        .state("nothing was changed")
        .fix(format!("syncline list show {} --all", named(view, list)?))),
        several => {
            let message = format!("{text:?} could be {} removed items", several.len());
            let failure = Failure::new("item_ambiguous", message).state("nothing was changed");
            Err(several.iter().fold(failure, |failure, shown| {
                let item = &shown.item;
                failure.candidate(format!("{} ({})", item.item.item, brief(&item.text)))
            }))
        }
    }
}
