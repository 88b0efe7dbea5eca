use clap::{ArgGroup, Args};
use syncline_model::list::{Command, Spot};

use super::add::PlaceFlags;
use super::failure::beside_itself;
use super::reference::{ListReference, find_item, find_list, named};
use super::shared::{ChangedItems, Printed, brief, deliver_items};
use crate::context::Context;
use crate::failure::Outcome;
use crate::replica_access;
use crate::written::WaitFlag;

/// Move an item within its list, or to another one
///
/// With --to alone it goes to the end of that list; with --before or --after, to that place there.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("where").args(["before", "after", "to"]).required(true).multiple(true))]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    list: ListReference,
    /// Id, or the last characters of one
    item: String,
    #[command(flatten)]
    place: PlaceFlags,
    /// To this list
    #[arg(long, value_name = "LIST")]
    to: Option<String>,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &MoveArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let list = args.list.find(view)?;
    let item = find_item(view, &list, &args.item)?;
    let target = match &args.to {
        Some(to) => find_list(view, to)?,
        None => list,
    };
    let spot = args.place.spot(view, &target)?;
    if let Spot::Before(beside) | Spot::After(beside) = &spot
        && *beside == item.item
    {
        let show = format!("syncline list show {}", named(view, &target)?);
        return Err(beside_itself(&brief(&item.text), &show));
    }
    let changed = replica.change_lists(&Command::Move {
        item: item.item.clone(),
        to: target.list.clone(),
        spot,
    })?;
    let changed = ChangedItems {
        list: target,
        items: vec![item.item],
        done: "moved",
        keys: changed.keys,
        printed: Printed::Nothing,
    };
    deliver_items(context, replica, &changed, args.wait)
}
