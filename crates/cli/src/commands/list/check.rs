use clap::Args;
use syncline_model::list::Command;

use super::reference::ListReference;
use super::shared::change_items;
use crate::context::Context;
use crate::failure::Outcome;
use crate::written::WaitFlag;

/// Tick items off
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    list: ListReference,
    /// Ids, or the last characters of them
    #[arg(value_name = "ITEM", required = true)]
    items: Vec<String>,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &CheckArgs, context: &Context) -> Outcome {
    change_items(
        context,
        &args.list,
        &args.items,
        args.wait,
        "checked",
        |item| Command::Check {
            item: item.item.clone(),
        },
    )
}
