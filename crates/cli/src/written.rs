//! What a command that has written says of it, and how long it stays with it.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use syncline_capture::import::with_causes;
use syncline_model::OpKey;
use syncline_replica::Replica;

use crate::context::Context;
use crate::delivery::{Delivery, Stay};
use crate::failure::Outcome;
use crate::replica_access::WriteState;

/// The longest that `--wait` takes.
const SECONDS_MAX: u64 = 600;

/// The flag by which a write stays until the server has it.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct WaitFlag {
    /// Stay until the server has it, for so many seconds at most; exit code 0 all the same
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    wait: Option<u64>,
}

impl WaitFlag {
    pub(crate) fn stay(self) -> Stay {
        self.wait.map_or(Stay::Briefly, |seconds| {
            Stay::Until(Duration::from_secs(seconds))
        })
    }
}

/// Prints what became of a write. What can't be printed is written all the same.
pub(crate) fn show<V: Serialize>(
    context: &Context,
    value: &V,
    text: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> Outcome {
    let shown = context.output.data(value, text);
    shown.map_err(|failure| failure.state("the write is done, and on the disk"))
}

/// Takes what was deleted off this machine where it has never left it. A failure is no failure of the
/// delete: the next sync erases the rest.
pub(crate) fn erase_unsent(replica: &mut Replica, deletes: &[OpKey], context: &Context) {
    if let Err(error) = replica.erase_unsent(deletes) {
        let causes = with_causes(&error);
        context.output.warn(format_args!(
            "what was deleted can still be read in this replica's files until the next sync: {causes}"
        ));
    }
}

/// Says, in one line, where a write is.
pub(crate) fn tell(context: &Context, what: &str, state: WriteState, delivery: &Delivery) {
    let output = &context.output;
    match state {
        WriteState::Unchanged => output.note(format_args!("unchanged: {what}")),
        WriteState::Acknowledged => output.note(format_args!("synced: {what}")),
        WriteState::Pending => output.note(format_args!("queued: {what} ({delivery})")),
        WriteState::Quarantined => output.warn(format_args!(
            "the server refused {what}; it is kept, see `syncline sync quarantine list`"
        )),
    }
}
