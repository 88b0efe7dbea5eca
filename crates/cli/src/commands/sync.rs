mod now;
mod pending;
mod quarantine;
mod reset;
mod status;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::failure::Outcome;

/// Sync now, and see what waits
///
/// Without a subcommand: sync now.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    #[command(subcommand)]
    command: Option<SyncCommand>,
}

#[derive(Debug, Subcommand)]
enum SyncCommand {
    Now(now::NowArgs),
    Status(status::StatusArgs),
    Pending(pending::PendingArgs),
    Reset(reset::ResetArgs),
    #[command(subcommand)]
    Quarantine(quarantine::QuarantineCommand),
}

impl SyncArgs {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self.command {
            None => now::run(&now::NowArgs::default(), context),
            Some(SyncCommand::Now(args)) => now::run(&args, context),
            Some(SyncCommand::Status(args)) => status::run(&args, context),
            Some(SyncCommand::Pending(args)) => pending::run(&args, context),
            Some(SyncCommand::Reset(args)) => reset::run(&args, context),
            Some(SyncCommand::Quarantine(command)) => command.run(context),
        }
    }
}
