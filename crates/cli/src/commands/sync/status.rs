use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use syncline_replica::Things;

use crate::context::Context;
use crate::failure::Outcome;
use crate::output::printable;
use crate::replica_access;
use crate::sync_state::SyncState;
use crate::things::{ThingsShown, things};

/// Show whether sync is on, and what waits
///
/// With --json: as `status`, and pending_things: {sessions, messages, threads, entries, lists, items,
/// others}.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {}

#[derive(Serialize)]
struct Status {
    #[serde(flatten)]
    state: SyncState,
    pending_things: ThingsShown,
}

pub(crate) fn run(StatusArgs {}: &StatusArgs, context: &Context) -> Outcome {
    let waiting = replica_access::open(context)?.pending_things()?.count();
    let status = Status {
        state: SyncState::gather(context)?,
        pending_things: waiting.into(),
    };
    context
        .output
        .data(&status, |out| print(&status.state, waiting, out))
}

fn print(state: &SyncState, waiting: Things, out: &mut dyn Write) -> io::Result<()> {
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
    let waiting = things(waiting);
    writeln!(out, "Pending: {}", waiting.as_deref().unwrap_or("nothing"))?;
    writeln!(out, "Quarantined: {}", state.quarantined)?;
    writeln!(out, "Status: {}", state.sentence())
}
