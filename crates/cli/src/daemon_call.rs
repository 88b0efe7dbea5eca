//! What commands ask of the daemon of the profile in use.
//!
//! A daemon goes by the flags and variables that it was started with, a command by its own: whether
//! both mean the same server is looked at before anything is said in the daemon's name.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use syncline_client::{Endpoint, SyncEnd, SyncFailure};
use syncline_daemon::CallError;

use crate::context::Context;
use crate::failure::Failure;
use crate::replica_access;

/// How long the daemon may take to note that it was woken.
const WAKE_PATIENCE: Duration = Duration::from_millis(200);
/// The daemon's answer is on its way for so long at most, once it has it.
const ANSWER_GRACE: Duration = Duration::from_secs(2);

/// Who was met where the daemon of the profile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Met {
    Nobody,
    /// A daemon with this server; it is awake now.
    Syncing,
    /// A daemon that has no server, or whose sync is turned off.
    Idle,
    /// A daemon with that other server.
    Elsewhere(String),
    /// A daemon that does not answer.
    Silent,
}

/// Tells the daemon that there is something to do for `endpoint`.
pub(crate) fn wake(context: &Context, endpoint: &Endpoint) -> Result<Met, Failure> {
    let socket = replica_access::meeting(context)?.socket;
    Ok(
        match syncline_daemon::call(&socket, "sync.wake", json!({}), WAKE_PATIENCE) {
            Ok(answer) => met(&answer["endpoint"], &endpoint.to_string()),
            Err(CallError::NotRunning) => Met::Nobody,
            Err(
                CallError::TimedOut
                | CallError::BadAnswer(_)
                | CallError::Refused(_)
                | CallError::Frame(_),
            ) => Met::Silent,
        },
    )
}

/// Has the daemon go by a configuration that was just changed: from when this returns, if one runs and
/// answers. It looks at the file by itself, a moment later.
pub(crate) fn tell_changed(context: &Context) {
    let Ok(meeting) = replica_access::meeting(context) else {
        return;
    };
    if let Err(error) =
        syncline_daemon::call(&meeting.socket, "sync.wake", json!({}), WAKE_PATIENCE)
    {
        tracing::debug!(%error, "the daemon was not told of the changed configuration");
    }
}

fn met(theirs: &Value, ours: &str) -> Met {
    match theirs.as_str() {
        Some(theirs) if theirs == ours => Met::Syncing,
        Some(theirs) => Met::Elsewhere(theirs.to_owned()),
        None => Met::Idle,
    }
}

/// How a sync went: the answer of `sync now`, and the form in which the daemon says it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Synced {
    pub(crate) state: End,
    pub(crate) error: Option<Cause>,
    pub(crate) pending: u64,
    pub(crate) acknowledged: u64,
    pub(crate) quarantined: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    Synced,
    Off,
    OutOfTime,
    Failed,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Synced {
    /// Whether the server's log has nothing of what is here, and was left alone.
    pub(crate) fn is_apart(&self) -> bool {
        self.error
            .as_ref()
            .is_some_and(|cause| cause.code == "log_foreign")
    }

    /// The end, as the client would tell it.
    pub(crate) fn end(self) -> SyncEnd {
        match self.state {
            End::Synced => SyncEnd::Synced,
            End::Off => SyncEnd::Off,
            End::OutOfTime => SyncEnd::OutOfTime,
            End::Failed => {
                let failure = self
                    .error
                    .map(|Cause { code, message }| SyncFailure { code, message });
                SyncEnd::Failed(failure.unwrap_or_default())
            }
        }
    }
}

/// Lets the daemon sync with `endpoint`; none: it does not, and the command is to sync by itself.
pub(crate) fn sync_now(
    context: &Context,
    endpoint: &Endpoint,
    patience: Duration,
) -> Result<Option<Synced>, Failure> {
    match wake(context, endpoint)? {
        Met::Nobody | Met::Idle => return Ok(None),
        Met::Elsewhere(theirs) => return Err(elsewhere(endpoint, &theirs)),
        // It may be busy; it is given the time that the command has.
        Met::Syncing | Met::Silent => {}
    }
    let socket = replica_access::meeting(context)?.socket;
    let params = json!({ "timeout_ms": patience.as_millis() as u64 });
    let failed = |error: CallError| {
        Failure::new("daemon_failed", "the daemon did not sync")
            .because(error)
            .state("everything that was written is safe in the outbox")
            .fix("syncline logs")
    };
    match syncline_daemon::call(&socket, "sync.now", params, patience + ANSWER_GRACE) {
        Ok(answer) => serde_json::from_value(answer)
            .map(|synced: Synced| Some(synced).filter(|synced| synced.state != End::Off))
            .map_err(|error| failed(CallError::BadAnswer(Some(error)))),
        Err(CallError::NotRunning) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

fn elsewhere(ours: &Endpoint, theirs: &str) -> Failure {
    let message = format!("a daemon syncs this profile with {theirs}, and not with {ours}");
    Failure::new("daemon_elsewhere", message)
        .state("everything that was written is safe in the outbox")
        .fix("stop the daemon, or leave out the flag or variable that names another endpoint")
}
