//! What follows a write: the daemon is told, or, where none runs, the command syncs by itself within
//! a short deadline. The write is on disk before; nothing here can fail it.

use std::fmt;
use std::time::Duration;

use serde_json::json;
use syncline_client::{Remote, SyncEnd, SyncFailure, SyncSettings};
use syncline_daemon::CallError;
use syncline_replica::Replica;

use crate::context::Context;
use crate::failure::Failure;
use crate::remote;
use crate::replica_access::{self, Meeting};

/// How long a command stays for the sync of what it wrote: a server that answers does so sooner, and
/// a longer wait would hold up whoever writes while the network is gone.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the daemon may take to note that it was woken.
const WAKE_PATIENCE: Duration = Duration::from_millis(200);
/// How long it stays where sync was in trouble already: enough for a server that is back.
const PATIENCE_IN_TROUBLE: Duration = Duration::from_millis(250);
/// An op that has waited for longer was not held up by the write of a moment ago.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// The code by which sync says that there was no answer.
const UNREACHABLE: &str = "unreachable";

/// What was done to deliver a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    NoEndpoint,
    TurnedOff,
    /// The daemon was woken.
    Woken,
    /// This command synced.
    Synced,
    /// Not within the deadline.
    Late,
    Failed(SyncFailure),
    /// The settings are at fault, and that was told.
    Impossible,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEndpoint => f.write_str("no endpoint is set; `syncline login URL` sets one"),
            Self::TurnedOff => f.write_str("sync is turned off"),
            Self::Woken => f.write_str("the daemon syncs it"),
            Self::Synced => f.write_str("the next sync delivers it"),
            Self::Late => f.write_str("the server has not answered yet; the next sync delivers it"),
            Self::Failed(failure) if failure.code == UNREACHABLE => {
                f.write_str("the server can't be reached; the next sync delivers it")
            }
            Self::Failed(failure) => f.write_str(&failure.message),
            Self::Impossible => f.write_str("it could not be synced"),
        }
    }
}

/// Delivers what was written, as far as a moment allows; gives the replica back.
pub(crate) fn after_write(
    context: &Context,
    mut replica: Replica,
) -> Result<(Replica, Delivery), Failure> {
    let (remote, patience) = match destination(context, &mut replica) {
        Ok(Destination::Server(remote, patience)) => (remote, patience),
        Ok(Destination::Done(delivery)) => return Ok((replica, delivery)),
        // The write is done all the same.
        Err(failure) => {
            context.output.failure(&failure);
            return Ok((replica, Delivery::Impossible));
        }
    };
    let (replica, outcome) = syncline_client::sync_once(replica, *remote, patience)?;
    let delivery = match outcome.end {
        SyncEnd::Synced => Delivery::Synced,
        SyncEnd::Off => Delivery::TurnedOff,
        SyncEnd::OutOfTime => Delivery::Late,
        SyncEnd::Failed(failure) => Delivery::Failed(failure),
    };
    Ok((replica, delivery))
}

/// Where a write goes from here.
enum Destination {
    /// To the server, for so long.
    Server(Box<Remote>, Duration),
    /// Nowhere, or it is on its way by other means.
    Done(Delivery),
}

fn destination(context: &Context, replica: &mut Replica) -> Result<Destination, Failure> {
    let remote = match remote::settings(context)? {
        SyncSettings::On(remote) => remote,
        SyncSettings::Off => {
            let endpoint = context.settings()?.endpoint.value;
            let delivery = endpoint.map_or(Delivery::NoEndpoint, |_| Delivery::TurnedOff);
            return Ok(Destination::Done(delivery));
        }
    };
    if wake_daemon(&replica_access::meeting(context)?) {
        return Ok(Destination::Done(Delivery::Woken));
    }
    let status = replica.status()?;
    let stuck = status.oldest_pending.is_some_and(|age| age > WAIT_MAX);
    let patience = if stuck || status.notes.last_error.is_some() {
        PATIENCE_IN_TROUBLE
    } else {
        PATIENCE
    };
    Ok(Destination::Server(Box::new(remote), patience))
}

/// Tells the daemon that there is something to do; false: none runs.
fn wake_daemon(meeting: &Meeting) -> bool {
    match syncline_daemon::call(&meeting.socket, "sync.wake", json!({}), WAKE_PATIENCE) {
        Ok(_) => true,
        Err(CallError::NotRunning) => false,
        // It runs, and looks at its outbox by itself sooner or later.
        Err(
            CallError::TimedOut
            | CallError::BadAnswer(_)
            | CallError::Refused(_)
            | CallError::Frame(_),
        ) => true,
    }
}

impl From<syncline_client::StartError> for Failure {
    fn from(error: syncline_client::StartError) -> Self {
        Self::new("sync_failed", "could not start to sync")
            .because(error)
            .state("everything that was written is safe in the outbox")
            .fix("syncline sync")
    }
}
