use clap::{ArgGroup, Args};
use syncline_model::list::{Command, Spot};

use super::failure::beside_itself;
use super::reference::{ListReference, find_list};
use super::shared::{ChangedList, Printed, deliver_list};
use crate::context::Context;
use crate::failure::Outcome;
use crate::replica_access;
use crate::written::WaitFlag;

/// Move a list among the lists
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("where").args(["before", "after"]).required(true))]
pub(crate) struct ReorderArgs {
    #[command(flatten)]
    list: ListReference,
    /// Right before this list
    #[arg(long, value_name = "LIST")]
    before: Option<String>,
    /// Right after this list
    #[arg(long, value_name = "LIST")]
    after: Option<String>,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &ReorderArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let list = args.list.find(view)?;
    let find = |text: &String| find_list(view, text).map(|list| list.list);
    let spot = match (&args.before, &args.after) {
        (Some(before), _) => Spot::Before(find(before)?),
        (None, Some(after)) => Spot::After(find(after)?),
        (None, None) => Spot::End,
    };
    if let Spot::Before(beside) | Spot::After(beside) = &spot
        && *beside == list.list
    {
        return Err(beside_itself(&list.title, "syncline list show"));
    }
    let changed = replica.change_lists(&Command::ReorderList {
        list: list.list.clone(),
        spot,
    })?;
    let changed = ChangedList {
        list: &list.list,
        title: &list.title,
        what: &format!("moved {}", list.title),
        keys: changed.keys,
        printed: Printed::Nothing,
    };
    deliver_list(context, replica, &changed, args.wait).map(drop)
}
