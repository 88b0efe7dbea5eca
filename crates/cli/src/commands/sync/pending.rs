use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Outcome;
use crate::sync_state::{ShownScope, SyncState};
use crate::wording::duration;

/// Show how many changes wait, by scope
#[derive(Debug, Args)]
pub(crate) struct PendingArgs {}

#[derive(Serialize)]
struct Pending {
    pending: u64,
    acknowledged: u64,
    oldest_pending_seconds: Option<u64>,
    scopes: Vec<ShownScope>,
}

pub(crate) fn run(PendingArgs {}: &PendingArgs, context: &Context) -> Outcome {
    let state = SyncState::gather(context)?;
    let waits = Pending {
        pending: state.pending,
        acknowledged: state.acknowledged,
        oldest_pending_seconds: state.oldest_pending_seconds,
        scopes: state.scopes,
    };
    context.output.data(&waits, |out| {
        for scope in &waits.scopes {
            writeln!(
                out,
                "{}: {} pending, {} acknowledged",
                scope.scope, scope.pending, scope.acknowledged
            )?;
        }
        match waits.oldest_pending_seconds {
            Some(seconds) => writeln!(out, "the oldest waits for {}", duration(seconds)),
            None => writeln!(out, "nothing is pending"),
        }
    })
}
