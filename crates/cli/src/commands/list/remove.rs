use clap::Args;
use syncline_model::list::Command;

use super::reference::ListReference;
use super::shared::change_items;
use crate::context::Context;
use crate::failure::Outcome;
use crate::written::WaitFlag;

/// Remove items; `list undo` brings them back
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    list: ListReference,
    /// Ids, or the last characters of them
    #[arg(value_name = "ITEM", required = true)]
    items: Vec<String>,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &RemoveArgs, context: &Context) -> Outcome {
    change_items(
        context,
        &args.list,
        &args.items,
        args.wait,
        "removed",
        |item| Command::Remove {
            item: item.item.clone(),
        },
    )
}
