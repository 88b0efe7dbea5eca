use clap::Args;
use syncline_model::list::{Command, Spot};
use syncline_store::lists::{ResolvedList, resolve_list};

use super::shared::{ChangedList, Printed, deliver_list};
use crate::context::Context;
use crate::failure::Outcome;
use crate::replica_access;
use crate::written::WaitFlag;

/// Make a list, and print its id
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// What to call it
    title: String,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &NewArgs, context: &Context) -> Outcome {
    let title = args.title.trim();
    let mut replica = replica_access::open(context)?;
    let namesake = resolve_list(replica.view()?.connection(), title)?;
    let list = replica.new_list_id();
    let changed = replica.change_lists(&Command::NewList {
        list: list.clone(),
        title: title.to_owned(),
        spot: Spot::End,
    })?;
    let changed = ChangedList {
        list: &list,
        title,
        what: title,
        keys: changed.keys,
        printed: Printed::Ids,
    };
    deliver_list(context, replica, &changed, args.wait)?;
    if namesake != ResolvedList::Unknown {
        context.output.warn(format_args!(
            "another list has this title: name this one by its id, {list}"
        ));
    }
    Ok(())
}
