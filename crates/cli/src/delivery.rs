//! What follows a write: the daemon is told, or, where none syncs, the command syncs by itself within
//! a short deadline. The write is on disk before; nothing here can fail it. And what comes before one that is
//! judged by what others have written.

use std::fmt;
use std::time::Duration;

use syncline_client::{Endpoint, Remote, SyncEnd, SyncFailure, SyncSettings};
use syncline_model::OpKey;
use syncline_replica::Replica;

use crate::context::Context;
use crate::daemon_call::{self, Met};
use crate::failure::Failure;
use crate::remote;
use crate::replica_access::WriteState;

/// How long a command stays for the sync of what it wrote: a server that answers does so sooner, and
/// a longer wait would hold up whoever writes while the network is gone.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long it stays where sync was in trouble already: enough for a server that is back.
const PATIENCE_IN_TROUBLE: Duration = Duration::from_millis(250);
/// An op that has waited for longer was not held up by the write of a moment ago.
const WAIT_MAX: Duration = Duration::from_secs(2);
/// The code by which sync says that there was no answer.
const UNREACHABLE: &str = "unreachable";

/// How long a command stays with what it wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// Not at all where a daemon syncs; else for the short deadline.
    Briefly,
    /// Until the server has it, for so long at most.
    Until(Duration),
}

/// What was done to deliver a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Delivery {
    NoEndpoint,
    TurnedOff,
    /// The daemon was woken.
    Woken,
    /// A daemon has the replica, and syncs it with another server than the one that is set here.
    Elsewhere(String),
    /// A daemon has the replica, and does not answer.
    DaemonSilent,
    /// It was synced.
    Synced,
    /// Not within the deadline.
    Late,
    Failed(SyncFailure),
    /// The settings are at fault, or the replica can't be used any more, and that was told.
    Impossible,
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEndpoint => f.write_str("no endpoint is set; `syncline login URL` sets one"),
            Self::TurnedOff => f.write_str("sync is turned off"),
            Self::Woken => f.write_str("the daemon syncs it"),
            Self::Elsewhere(endpoint) => {
                write!(f, "the daemon that runs syncs it with {endpoint}")
            }
            Self::DaemonSilent => {
                f.write_str("the daemon does not answer; `syncline logs` may say why")
            }
            Self::Synced => f.write_str("the next sync delivers it"),
            Self::Late => f.write_str("the server has not answered yet; the next sync delivers it"),
            Self::Failed(failure) if failure.code == UNREACHABLE => {
                f.write_str("the server can't be reached; the next sync delivers it")
            }
            Self::Failed(failure) => f.write_str(&failure.message),
            Self::Impossible => f.write_str("it is on the disk, and could not be synced"),
        }
    }
}

/// A write, after what could be done for it.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// None where it can't be used any more, and that was told.
    pub(crate) replica: Option<Replica>,
    pub(crate) state: WriteState,
    pub(crate) delivery: Delivery,
}

/// Delivers the ops with these keys, as far as a moment allows. They are on the disk: what goes wrong
/// from here on is told, and fails no command.
pub(crate) fn after_write(
    context: &Context,
    replica: Replica,
    keys: &[OpKey],
    stay: Stay,
) -> Delivered {
    let (replica, delivery) = deliver(context, replica, stay);
    let state = match &replica {
        Some(replica) => WriteState::of(replica, keys).unwrap_or_else(|failure| {
            tell(context, failure);
            WriteState::Pending
        }),
        None => WriteState::Pending,
    };
    Delivered {
        replica,
        state,
        delivery,
    }
}

/// Brings here what others have written, for what is then judged by it, as far as a moment allows. It has all come
/// where it was synced; settings that are at fault are told by who delivers what is written then.
pub(crate) fn bring(context: &Context, mut replica: Replica) -> Result<Delivery, Failure> {
    Ok(
        match destination(context, &mut replica, Stay::Until(PATIENCE)) {
            Ok(Destination::Server(remote, patience)) => {
                let (_, outcome) = syncline_client::sync_once(replica, *remote, patience)?;
                Delivery::of(outcome.end)
            }
            Ok(Destination::Done(delivery)) => delivery,
            Err(_) => Delivery::Impossible,
        },
    )
}

/// What an import has to know before it delivers what it wrote, to tell what became of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Imports {
    /// How many ops were in quarantine before it began.
    pub(crate) refused_before: u64,
}

impl Imports {
    /// Begins an import.
    pub(crate) fn begin(replica: &mut Replica) -> Result<Self, Failure> {
        let refused_before = replica.status()?.quarantined;
        Ok(Self { refused_before })
    }

    /// Delivers what was imported as [`after_write`] does, and tells the state of the op that is worst off.
    /// The outbox goes in order, so that an older op that waits holds it up too; and what was refused since
    /// may be part of it.
    pub(crate) fn deliver(
        self,
        context: &Context,
        replica: Replica,
    ) -> Result<(WriteState, Delivery), Failure> {
        let through = replica.written_through()?;
        let (replica, delivery) = deliver(context, replica, Stay::Briefly);
        let state = replica.map(|replica| self.state(replica, through));
        let state = match state {
            Some(Ok(state)) => state,
            Some(Err(failure)) => {
                tell(context, failure);
                WriteState::Pending
            }
            None => WriteState::Pending,
        };
        Ok((state, delivery))
    }

    fn state(self, mut replica: Replica, through: u64) -> Result<WriteState, Failure> {
        Ok(if replica.status()?.quarantined > self.refused_before {
            WriteState::Quarantined
        } else if replica.waits_through(through)? {
            WriteState::Pending
        } else {
            WriteState::Acknowledged
        })
    }
}

/// Where what was imported is, in a few words.
pub(crate) fn whereabouts(state: WriteState, delivery: &Delivery) -> String {
    match state {
        WriteState::Unchanged => "nothing new".to_owned(),
        WriteState::Acknowledged => "synced".to_owned(),
        WriteState::Pending => format!("queued: {delivery}"),
        WriteState::Quarantined => {
            "the server refused a part; see `syncline sync quarantine list`".to_owned()
        }
    }
}

/// Delivers what waits, as far as a moment allows.
fn deliver(context: &Context, mut replica: Replica, stay: Stay) -> (Option<Replica>, Delivery) {
    let (remote, patience) = match destination(context, &mut replica, stay) {
        Ok(Destination::Server(remote, patience)) => (remote, patience),
        Ok(Destination::Done(delivery)) => return (Some(replica), delivery),
        Err(failure) => {
            tell(context, failure);
            return (Some(replica), Delivery::Impossible);
        }
    };
    match syncline_client::sync_once(replica, *remote, patience) {
        Ok((replica, outcome)) => (Some(replica), Delivery::of(outcome.end)),
        Err(error) => {
            tell(context, error.into());
            (None, Delivery::Impossible)
        }
    }
}

/// Says what has gone wrong behind a write that is done.
pub(crate) fn tell(context: &Context, failure: Failure) {
    let failure = failure.state("what was written is on the disk, and waits to be synced");
    context.output.failure(&failure);
}

impl Delivery {
    fn of(end: SyncEnd) -> Self {
        match end {
            SyncEnd::Synced => Self::Synced,
            SyncEnd::Off => Self::TurnedOff,
            SyncEnd::OutOfTime => Self::Late,
            SyncEnd::Failed(failure) => Self::Failed(failure),
        }
    }
}

/// Where a write goes from here.
enum Destination {
    /// To the server, for so long.
    Server(Box<Remote>, Duration),
    /// Nowhere, or it is on its way by other means.
    Done(Delivery),
}

fn destination(
    context: &Context,
    replica: &mut Replica,
    stay: Stay,
) -> Result<Destination, Failure> {
    let remote = match remote::settings(context)? {
        SyncSettings::On(remote) => remote,
        SyncSettings::Off => {
            let endpoint = context.settings()?.endpoint.value;
            let delivery = endpoint.map_or(Delivery::NoEndpoint, |_| Delivery::TurnedOff);
            return Ok(Destination::Done(delivery));
        }
    };
    match daemon_call::wake(context, &remote.endpoint)? {
        Met::Nobody | Met::Idle => {}
        Met::Syncing => {
            let delivery = by_daemon(context, &remote.endpoint, stay)?;
            return Ok(Destination::Done(delivery));
        }
        Met::Elsewhere(endpoint) => return Ok(Destination::Done(Delivery::Elsewhere(endpoint))),
        Met::Silent => return Ok(Destination::Done(Delivery::DaemonSilent)),
    }
    let patience = match stay {
        Stay::Until(patience) => patience,
        Stay::Briefly => brief_patience(replica)?,
    };
    Ok(Destination::Server(Box::new(remote), patience))
}

/// The daemon has been woken; a command that stays lets it say how far it came.
fn by_daemon(context: &Context, endpoint: &Endpoint, stay: Stay) -> Result<Delivery, Failure> {
    let Stay::Until(patience) = stay else {
        return Ok(Delivery::Woken);
    };
    let answer = daemon_call::sync_now(context, endpoint, patience)?;
    Ok(answer.map_or(Delivery::Woken, |synced| Delivery::of(synced.end())))
}

fn brief_patience(replica: &mut Replica) -> Result<Duration, Failure> {
    let status = replica.status()?;
    let stuck = status.oldest_pending.is_some_and(|age| age > WAIT_MAX);
    Ok(if stuck || status.notes.last_error.is_some() {
        PATIENCE_IN_TROUBLE
    } else {
        PATIENCE
    })
}

impl From<syncline_client::StartError> for Failure {
    fn from(error: syncline_client::StartError) -> Self {
        Self::new("sync_failed", "could not start to sync")
            .because(error)
            .state("everything that was written is safe in the outbox")
            .fix("syncline sync")
    }
}
