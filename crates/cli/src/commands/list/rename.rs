use clap::Args;
use syncline_model::list::Command;

use super::reference::ListReference;
use super::shared::{ChangedList, Printed, deliver_list};
use crate::context::Context;
use crate::failure::Outcome;
use crate::replica_access;
use crate::written::WaitFlag;

/// Give a list another title; its id stays
#[derive(Debug, Args)]
pub(crate) struct RenameArgs {
    #[command(flatten)]
    list: ListReference,
    /// The new title
    title: String,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &RenameArgs, context: &Context) -> Outcome {
    let title = args.title.trim();
    let mut replica = replica_access::open(context)?;
    let list = args.list.find(replica.view()?)?;
    let changed = replica.change_lists(&Command::RenameList {
        list: list.list.clone(),
        title: title.to_owned(),
    })?;
    let changed = ChangedList {
        list: &list.list,
        title,
        what: &format!("{} is now {title}", list.title),
        keys: changed.keys,
        printed: Printed::Nothing,
    };
    deliver_list(context, replica, &changed, args.wait).map(drop)
}
