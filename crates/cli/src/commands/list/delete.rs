use clap::Args;
use syncline_model::list::Command;

use super::reference::ListReference;
use super::shared::{ChangedList, Printed, deliver_list};
use crate::context::Context;
use crate::failure::Outcome;
use crate::replica_access;
use crate::written::WaitFlag;

/// Delete a list; `list undo` and `list restore` bring it back whole
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    list: ListReference,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &DeleteArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let list = args.list.find(replica.view()?)?;
    let changed = replica.change_lists(&Command::RemoveList {
        list: list.list.clone(),
    })?;
    let changed = ChangedList {
        list: &list.list,
        title: &list.title,
        what: &format!("deleted {}", list.title),
        keys: changed.keys,
        printed: Printed::Nothing,
    };
    deliver_list(context, replica, &changed, args.wait)?;
    context.output.note("`syncline list undo` brings it back");
    Ok(())
}
