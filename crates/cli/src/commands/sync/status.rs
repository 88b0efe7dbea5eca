use std::io::{self, Write};

use clap::Args;

use crate::context::Context;
use crate::failure::Outcome;
use crate::output::printable;
use crate::sync_state::SyncState;

/// Show whether sync is on, and what waits
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {}

pub(crate) fn run(StatusArgs {}: &StatusArgs, context: &Context) -> Outcome {
    let state = SyncState::gather(context)?;
    context.output.data(&state, |out| print(&state, out))
}

fn print(state: &SyncState, out: &mut dyn Write) -> io::Result<()> {
    let endpoint = state.endpoint.as_deref().unwrap_or("none");
    let switch = match (&state.endpoint, state.sync_enabled) {
        (Some(_), true) => "Enabled",
        (_, _) => "Disabled",
    };
    let last = state.last_sync_at.map(|at| at.to_string());
    writeln!(out, "Profile: {}", state.profile)?;
    writeln!(out, "Endpoint: {}", printable(endpoint))?;
    writeln!(
        out,
        "Sync: {switch} (last sync: {})",
        last.as_deref().unwrap_or("never")
    )?;
    writeln!(out, "Pending: {}", state.pending)?;
    for scope in &state.scopes {
        writeln!(out, "  {}: {}", scope.scope, scope.pending)?;
    }
    writeln!(out, "Quarantined: {}", state.quarantined)?;
    writeln!(out, "Status: {}", state.sentence())
}
