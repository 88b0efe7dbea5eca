use clap::Args;
use syncline_model::list::Command;

use super::input;
use super::reference::ListReference;
use super::shared::change_items;
use crate::context::Context;
use crate::failure::Outcome;
use crate::written::WaitFlag;

/// Write the note of an item
#[derive(Debug, Args)]
pub(crate) struct NoteArgs {
    #[command(flatten)]
    list: ListReference,
    /// Id, or the last characters of one
    item: String,
    /// The note; empty takes it away; `-` reads standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &NoteArgs, context: &Context) -> Outcome {
    let text = input::text(&args.text, context)?;
    let item = std::slice::from_ref(&args.item);
    change_items(context, &args.list, item, args.wait, "noted", |item| {
        Command::Note {
            item: item.item.clone(),
            note: text.clone(),
        }
    })
}
