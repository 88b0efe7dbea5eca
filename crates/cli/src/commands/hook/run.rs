//! What an agent calls. It must not keep the agent waiting, and must never fail: an agent takes a failed
//! hook for a verdict. So it opens no database, reads what it is given for a moment only, and ends well
//! whatever has happened.

mod input;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use syncline_capture::agent::Agent;
use syncline_capture::hook::{EventName, Fields, HookEvent, Kept, Spool, SpoolError, WAITING_MAX};
use syncline_capture::import::with_causes;

use crate::config::ProfileName;
use crate::context::Context;
use crate::failure::Outcome;
use crate::logging;
use crate::replica_access::{self, Meeting};

/// How long an agent is waited for in all that has yet to write. What it says only hastens the import: an
/// agent that hangs must not make its hook hang.
const BODY_PATIENCE: Duration = Duration::from_millis(30);
/// How long the daemon is waited for.
const DAEMON_PATIENCE: Duration = Duration::from_millis(20);
/// The longest body that is read, in bytes: tools' outputs are part of some.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Tell that something has happened in a session; agents call this
///
/// Reads the agent's JSON from standard input, keeps of it which session it is about and where its
/// transcript lies, and passes that to the daemon, or leaves it for the next import. Always exits with 0.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// The agent that calls
    agent: String,
    /// What it calls the event
    event: String,
    /// The JSON, from an agent that gives it as an argument
    payload: Option<String>,
}

/// Why an event is not kept. Nobody is told but by a line on standard error and in the log.
#[derive(Debug, thiserror::Error)]
enum HookError {
    #[error("{0:?} is no agent")]
    Agent(String),
    #[error("{0:?} is no event")]
    Event(String),
    #[error("there is no place to keep the event")]
    Place,
    #[error("there is no such profile")]
    Profile,
    #[error("the configuration can't be read, and would say which profile it is for")]
    Configuration,
    #[error("could not keep the event")]
    Spool(#[source] SpoolError),
}

pub(super) fn run(args: &RunArgs, context: &Context) -> Outcome {
    if args.agent == Agent::Cursor.as_str() {
        // It reads an object, and nothing as an error.
        let _ = std::io::stdout().write_all(b"{}\n");
    }
    if let Err(error) = keep(args, context) {
        tell(context, &error);
    }
    Ok(())
}

fn keep(args: &RunArgs, context: &Context) -> Result<(), HookError> {
    let unknown = |_| HookError::Agent(args.agent.clone());
    let agent: Agent = args.agent.parse().map_err(unknown)?;
    let unknown = |_| HookError::Event(args.event.clone());
    let event: EventName = args.event.parse().map_err(unknown)?;
    let at = context.now();
    let (replica, socket) = place(context)?;
    let spool = Spool::beside(&replica);
    let body = body(args, context);
    let fields = match Fields::read(&body) {
        Ok(fields) => fields,
        Err(_) if body.iter().all(u8::is_ascii_whitespace) => Fields::default(),
        Err(error) => {
            tracing_to_files(context);
            tracing::warn!(%agent, %event, %error, "a hook was given what it could not read");
            // That it was called is worth something all the same: the agent's files are looked at.
            spool
                .note_unread(agent, &event, &error)
                .map_err(HookError::Spool)?;
            Fields::default()
        }
    };
    let event = HookEvent {
        agent,
        event,
        fields,
        at,
    };
    match socket.is_some_and(|socket| is_accepted(socket, &event)) {
        true => Ok(()),
        false => put(&spool, &event, context),
    }
}

/// Leaves an event for whoever takes it next; that there is no room for it is told once.
fn put(spool: &Spool, event: &HookEvent, context: &Context) -> Result<(), HookError> {
    match spool.put(event).map_err(HookError::Spool)? {
        Kept::Waiting | Kept::StillNoRoom => {}
        Kept::NoRoom => {
            tracing_to_files(context);
            tracing::warn!(
                waiting = WAITING_MAX,
                "events of hooks are left out until those that wait are taken: the transcripts hold \
                 what they tell of; `syncline import auto` reads it"
            );
        }
    }
    Ok(())
}

/// The directory of the replica, and where its daemon is met. What one profile is told goes to no other.
fn place(context: &Context) -> Result<(PathBuf, Option<PathBuf>), HookError> {
    let paths = context.paths().map_err(|_| HookError::Place)?;
    let profiles = paths.data_dir.join("profiles");
    let profile = profile(context, &profiles)?;
    let meeting = replica_access::meeting(context).ok();
    let socket = meeting.map(|Meeting { socket, .. }| socket);
    Ok((profiles.join(profile.as_str()), socket))
}

/// The profile that an event is for. While the configuration can't be read, it is the one that is named, or
/// the default one where there is no other.
fn profile(context: &Context, profiles: &Path) -> Result<ProfileName, HookError> {
    let named = context.named_profile().map_err(|_| HookError::Profile)?;
    if context.config().is_ok() {
        let profile = context.profile().map_err(|_| HookError::Profile)?;
        return Ok(profile.value);
    }
    if let Some(named) = named {
        return Ok(named.value);
    }
    let default = ProfileName::default();
    let is_alone = match std::fs::read_dir(profiles) {
        Ok(mut profiles) => {
            profiles.all(|profile| profile.is_ok_and(|it| it.file_name() == default.as_str()))
        }
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    match is_alone {
        true => Ok(default),
        false => Err(HookError::Configuration),
    }
}

/// What the agent gives; whatever of it comes in time.
fn body(args: &RunArgs, context: &Context) -> Vec<u8> {
    if let Some(payload) = &args.payload {
        return payload.clone().into_bytes();
    }
    if context.environment.terminals.stdin {
        return Vec::new();
    }
    input::read(BODY_PATIENCE, BODY_BYTES_MAX)
}

/// Passes an event to the daemon, if one runs and takes it in time.
fn is_accepted(socket: PathBuf, event: &HookEvent) -> bool {
    if cfg!(unix) && !socket.exists() {
        return false;
    }
    let Ok(params) = serde_json::to_value(event) else {
        return false;
    };
    let call = move || {
        let called = syncline_daemon::call(&socket, "hook.event", params, DAEMON_PATIENCE);
        called.is_ok_and(|answer| answer["accepted"] == true)
    };
    in_time(call).unwrap_or(false)
}

/// What a call of the daemon answers, if it does in time. On Unix it knows its own time: a thread would
/// have to wait for its turn on a machine that is at work.
#[cfg(unix)]
fn in_time(call: impl FnOnce() -> bool) -> Option<bool> {
    Some(call())
}

#[cfg(not(unix))]
fn in_time(call: impl FnOnce() -> bool + Send + 'static) -> Option<bool> {
    let (sender, answer) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // Nobody waits any more: the event is spooled by now, and taken twice without harm.
        let _ = sender.send(call());
    });
    answer.recv_timeout(DAEMON_PATIENCE).ok()
}

fn tell(context: &Context, error: &HookError) {
    let text = with_causes(error);
    context.output.note(format_args!("syncline hook: {text}"));
    tracing_to_files(context);
    tracing::warn!(error = %text, "an event of a hook is lost");
}

fn tracing_to_files(context: &Context) {
    if let Ok(paths) = context.paths() {
        logging::to_files(&paths.log_dir, logging::LogLevel::default());
    }
}
