use clap::Args;
use syncline_model::thread::Status;
use syncline_store::threads::Changes;

use super::reference::ThreadReference;
use super::update::update;
use crate::context::Context;
use crate::failure::Outcome;

/// Put a thread away; it stays readable and searchable
#[derive(Debug, Args)]
pub(crate) struct ArchiveArgs {
    #[command(flatten)]
    thread: ThreadReference,
}

pub(crate) fn run(args: &ArchiveArgs, context: &Context) -> Outcome {
    let changes = Changes {
        status: Some(Status::Archived),
        ..Changes::default()
    };
    update(context, &args.thread, &changes)
}
