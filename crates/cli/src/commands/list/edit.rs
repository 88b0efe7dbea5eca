use clap::Args;
use syncline_model::list::Command;

use super::input;
use super::reference::ListReference;
use super::shared::change_items;
use crate::context::Context;
use crate::failure::Outcome;
use crate::written::WaitFlag;

/// Give an item another text
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    list: ListReference,
    /// Id, or the last characters of one
    item: String,
    /// The new text; `-` reads standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &EditArgs, context: &Context) -> Outcome {
    let text = input::text(&args.text, context)?;
    let item = std::slice::from_ref(&args.item);
    change_items(context, &args.list, item, args.wait, "edited", |item| {
        Command::Edit {
            item: item.item.clone(),
            text: text.clone(),
        }
    })
}
