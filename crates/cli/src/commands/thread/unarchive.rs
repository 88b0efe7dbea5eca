use clap::Args;
use syncline_model::thread::Status;
use syncline_store::threads::Changes;

use super::reference::ThreadReference;
use super::update::update;
use crate::context::Context;
use crate::failure::Outcome;

/// Make an archived or blocked thread active again
#[derive(Debug, Args)]
pub(crate) struct UnarchiveArgs {
    #[command(flatten)]
    thread: ThreadReference,
}

pub(crate) fn run(args: &UnarchiveArgs, context: &Context) -> Outcome {
    let changes = Changes {
        status: Some(Status::Active),
        ..Changes::default()
    };
    update(context, &args.thread, &changes)
}
