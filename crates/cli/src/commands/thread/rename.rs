use clap::Args;
use syncline_store::threads::Changes;

use super::reference::ThreadReference;
use super::update::update;
use crate::context::Context;
use crate::failure::Outcome;

/// Give a thread another name; its key and id stay
#[derive(Debug, Args)]
pub(crate) struct RenameArgs {
    #[command(flatten)]
    thread: ThreadReference,
    /// The new name
    name: String,
}

pub(crate) fn run(args: &RenameArgs, context: &Context) -> Outcome {
    let changes = Changes {
        name: Some(args.name.trim()),
        ..Changes::default()
    };
    update(context, &args.thread, &changes)
}
