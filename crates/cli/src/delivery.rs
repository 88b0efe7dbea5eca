//! What follows a write: the daemon is told, or, where none runs, the command syncs by itself within
//! a short deadline. The write is on disk before; nothing here can fail it.

use std::fmt;
use std::time::Duration;

use serde_json::json;
use syncline_client::{Delivery as Hearing, Remote, SyncEnd, SyncSettings};
use syncline_daemon::CallError;
use syncline_replica::Replica;

use crate::context::Context;
use crate::failure::Failure;
use crate::replica_access::{self, Meeting};

/// How long a command stays for the sync of what it wrote: a server that answers does so sooner, and
/// a longer wait would hold up whoever writes while the network is gone.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the daemon may take to note that it was woken.
const WAKE_PATIENCE: Duration = Duration::from_millis(200);
/// How long after a failure commands leave the server alone: writes must not each wait for a server
/// that is gone.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(10);

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
    Failed(String),
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEndpoint => f.write_str("no endpoint is set; `syncline login URL` sets one"),
            Self::TurnedOff => f.write_str("sync is turned off"),
            Self::Woken => f.write_str("the daemon syncs it"),
            Self::Synced => f.write_str("the next sync delivers it"),
            Self::Late => f.write_str("the server has not answered yet; the next sync delivers it"),
            Self::Failed(why) => write!(f, "{why}; the next sync delivers it"),
        }
    }
}

/// Delivers what was written, as far as a moment allows; gives the replica back.
pub(crate) fn after_write(
    context: &Context,
    mut replica: Replica,
) -> Result<(Replica, Delivery), Failure> {
    let remote = match destination(context, &mut replica) {
        Ok(Destination::Server(remote)) => remote,
        Ok(Destination::Done(delivery)) => return Ok((replica, delivery)),
        // The settings are at fault, say, and the write is done all the same.
        Err(failure) => {
            context.output.failure(&failure);
            let why = "it could not be synced".to_owned();
            return Ok((replica, Delivery::Failed(why)));
        }
    };
    match syncline_client::sync_once(replica, remote, PATIENCE) {
        Ok((replica, outcome)) => Ok((
            replica,
            match outcome.end {
                SyncEnd::Synced => Delivery::Synced,
                SyncEnd::Off => Delivery::TurnedOff,
                SyncEnd::OutOfTime => Delivery::Late,
                SyncEnd::Failed(failure) => Delivery::Failed(failure.message),
            },
        )),
        Err(error) => Ok((
            replica_access::open(context)?,
            Delivery::Failed(error.to_string()),
        )),
    }
}

/// Where a write goes from here.
enum Destination {
    Server(Remote),
    /// Nowhere, or it is on its way by other means.
    Done(Delivery),
}

fn destination(context: &Context, replica: &mut Replica) -> Result<Destination, Failure> {
    let remote = match settings(context)? {
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
    Ok(match resting(context, replica)? {
        Some(why) => Destination::Done(Delivery::Failed(why)),
        None => Destination::Server(remote),
    })
}

/// Where and how the profile in use syncs.
pub(crate) fn settings(context: &Context) -> Result<SyncSettings, Failure> {
    let settings = context.settings()?;
    let Some(endpoint) = settings.sync_endpoint().cloned() else {
        return Ok(SyncSettings::Off);
    };
    Ok(SyncSettings::On(Remote {
        token: context.token(&settings, &endpoint)?,
        endpoint,
        delivery: Hearing::Live {
            interval: settings.sync_interval.value.duration(),
        },
    }))
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

/// Why the server is left alone for now; none: it is not.
fn resting(context: &Context, replica: &mut Replica) -> Result<Option<String>, Failure> {
    let Some(error) = replica.status()?.notes.last_error else {
        return Ok(None);
    };
    let age = context.now().as_millis() - error.at.as_millis();
    let rest = REST_AFTER_FAILURE.as_millis() as i64;
    Ok((0..rest).contains(&age).then_some(error.message))
}

impl From<syncline_client::StartError> for Failure {
    fn from(error: syncline_client::StartError) -> Self {
        Self::new("sync_failed", "could not start to sync")
            .because(error)
            .state("everything that was written is safe in the outbox")
            .fix("syncline sync")
    }
}
