use clap::Args;
use syncline_store::threads::Changes;

use super::reference::ThreadReference;
use super::update::update;
use crate::context::Context;
use crate::failure::Outcome;

/// Move a thread to another project
///
/// Where that project has its key already, it is shown there as key-2.
#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    thread: ThreadReference,
    /// The project to move it to
    #[arg(value_name = "TO")]
    to: String,
}

pub(crate) fn run(args: &MoveArgs, context: &Context) -> Outcome {
    let changes = Changes {
        project: Some(&args.to),
        ..Changes::default()
    };
    update(context, &args.thread, &changes)
}
