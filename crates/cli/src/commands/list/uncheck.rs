use clap::Args;
use syncline_model::list::Command;

use super::reference::ListReference;
use super::shared::change_items;
use crate::context::Context;
use crate::failure::Outcome;
use crate::written::WaitFlag;

/// Take the ticks off items
#[derive(Debug, Args)]
pub(crate) struct UncheckArgs {
    #[command(flatten)]
    list: ListReference,
    /// Ids, or the last characters of them
    #[arg(value_name = "ITEM", required = true)]
    items: Vec<String>,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &UncheckArgs, context: &Context) -> Outcome {
    change_items(
        context,
        &args.list,
        &args.items,
        args.wait,
        "unchecked",
        |item| Command::Uncheck {
            item: item.item.clone(),
        },
    )
}
