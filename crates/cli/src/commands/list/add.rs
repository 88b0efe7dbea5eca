use clap::Args;
use syncline_model::list::{Command, ItemRef, NewItem, Spot};
use syncline_model::registry::List;
use syncline_store::TenantFile;

use super::input;
use super::reference::{ListReference, find_item};
use super::shared::{ChangedItems, Printed, deliver_items};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::replica_access;
use crate::written::WaitFlag;

/// Add an item at the end of a list, and print its id
///
/// It is on disk when this returns, with or without a server.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    list: ListReference,
    /// What to do; `-` reads standard input, and makes an item of each line
    #[arg(allow_hyphen_values = true)]
    text: String,
    #[command(flatten)]
    place: PlaceFlags,
    /// More about it
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: Option<String>,
    #[command(flatten)]
    wait: WaitFlag,
}

/// Where in a list, if not at its end.
#[derive(Debug, Clone, Args)]
pub(super) struct PlaceFlags {
    /// Right before this item
    #[arg(long, value_name = "ITEM", conflicts_with = "after")]
    pub(super) before: Option<String>,
    /// Right after this item
    #[arg(long, value_name = "ITEM")]
    pub(super) after: Option<String>,
}

impl PlaceFlags {
    /// The place in `list`; at its end, where none is named.
    pub(super) fn spot(&self, view: &TenantFile, list: &List) -> Result<Spot<ItemRef>, Failure> {
        Ok(match (&self.before, &self.after) {
            (Some(before), _) => Spot::Before(find_item(view, list, before)?.item),
            (None, Some(after)) => Spot::After(find_item(view, list, after)?.item),
            (None, None) => Spot::End,
        })
    }
}

pub(crate) fn run(args: &AddArgs, context: &Context) -> Outcome {
    let texts = match args.text.as_str() {
        "-" => input::lines(context)?,
        text => vec![text.to_owned()],
    };
    if texts.is_empty() {
        return Err(
            Failure::usage("text_empty", "there is no line to add").state("nothing was changed")
        );
    }
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let list = args.list.find(view)?;
    let spot = args.place.spot(view, &list)?;
    let items: Vec<NewItem> = texts
        .into_iter()
        .map(|text| NewItem {
            item: replica.new_item_id(),
            text,
            done: false,
            note: args.note.clone().unwrap_or_default(),
        })
        .collect();
    let refs = items.iter().map(|new| ItemRef {
        list: list.list.clone(),
        item: new.item.clone(),
    });
    let refs = refs.collect();
    let changed = replica.change_lists(&Command::Add {
        list: list.list.clone(),
        items,
        spot,
    })?;
    let changed = ChangedItems {
        list,
        items: refs,
        done: "added",
        keys: changed.keys,
        printed: Printed::Ids,
    };
    deliver_items(context, replica, &changed, args.wait)
}
