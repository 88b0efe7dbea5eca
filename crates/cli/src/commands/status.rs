use std::io::{self, Write};

use clap::Args;

use crate::context::Context;
use crate::failure::Outcome;
use crate::output::{Colour, Style, printable};
use crate::sync_state::{Standing, SyncState};
use crate::wording::{counted, duration};

/// Show how this profile stands with its server
///
/// Asks nobody: it tells what is known here, with the server down as well.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {}

pub(crate) fn run(StatusArgs {}: &StatusArgs, context: &Context) -> Outcome {
    let state = SyncState::gather(context)?;
    let colour = context.output.colour();
    context
        .output
        .data(&state, |out| print(&state, out, colour))
}

fn print(state: &SyncState, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
    let style = style_of(state.standing());
    writeln!(out, "{}", colour.paint(style, state.sentence()))?;
    let mut row = |name: &str, value: String| {
        let value = printable(&value);
        writeln!(out, "  {name:<12} {value}")
    };
    row("profile", state.profile.to_string())?;
    row(
        "endpoint",
        state.endpoint.clone().unwrap_or_else(|| "none".to_owned()),
    )?;
    if let (Some(tenant), Some(user)) = (&state.tenant, &state.user) {
        row("tenant", format!("{tenant}, as {user}"))?;
    }
    row("daemon", daemon(state))?;
    if let Some(capture) = &state.capture {
        row("capture", capture.line())?;
    }
    let plugins = state
        .daemon
        .as_ref()
        .and_then(|daemon| daemon.plugin_socket.as_ref());
    if let Some(error) = plugins.and_then(|plugins| plugins.error.as_deref()) {
        row("plugins", format!("not answered by this daemon: {error}"))?;
    }
    if let Some(epoch) = state.epoch {
        let head = state.server_seq.unwrap_or(state.cursor.server_seq);
        row(
            "log",
            format!("{} of {head}, epoch {epoch}", state.cursor.server_seq),
        )?;
    }
    let oldest = state
        .oldest_pending_seconds
        .map(|seconds| format!(", the oldest for {}", duration(seconds)));
    row(
        "pending",
        format!("{}{}", state.pending, oldest.unwrap_or_default()),
    )?;
    if state.acknowledged > 0 {
        row(
            "acknowledged",
            format!("{}, not pulled back yet", state.acknowledged),
        )?;
    }
    row("quarantined", state.quarantined.to_string())?;
    let last = state.last_sync_at.map(|at| at.to_string());
    row("last sync", last.unwrap_or_else(|| "never".to_owned()))?;
    for (name, value) in losses(state) {
        row(name, value)?;
    }
    if let Some(backup) = &state.last_verified_backup {
        row("last backup", format!("{}, verified", backup.verified_at))?;
    }
    if let Some(error) = &state.last_error {
        row(
            "last error",
            format!("{} [{}] at {}", error.message, error.code, error.at),
        )?;
    }
    Ok(())
}

/// What was written here, and does not stand any more.
fn losses(state: &SyncState) -> impl Iterator<Item = (&'static str, String)> {
    let lost = (state.lost_edits > 0).then(|| {
        let count = state.lost_edits;
        let told = format!("{count}: syncline sync tells which");
        ("lost edits", told)
    });
    let cut = state.log_cut.as_ref().map(|cut| {
        let gone = counted(cut.ops_gone, "change");
        let told = format!("{}, by a reset or restore: {gone} went", cut.at);
        ("log cut", told)
    });
    lost.into_iter().chain(cut)
}

fn style_of(standing: Standing) -> Style {
    match standing {
        Standing::InSync => Style::Good,
        Standing::Refused | Standing::Failing => Style::Bad,
        Standing::Waiting | Standing::Behind | Standing::NeverSynced | Standing::Off => {
            Style::Warning
        }
        Standing::NoEndpoint => Style::Strong,
    }
}

fn daemon(state: &SyncState) -> String {
    let Some(daemon) = &state.daemon else {
        return "none runs".to_owned();
    };
    // Its sync is off, and it is not: it captures, and answers.
    if daemon.phase == "off" {
        return "runs, without sync".to_owned();
    }
    match &daemon.endpoint {
        Some(theirs) if state.endpoint.as_ref() != Some(theirs) => {
            format!("{}, with {theirs}", daemon.phase)
        }
        Some(_) | None => daemon.phase.clone(),
    }
}
