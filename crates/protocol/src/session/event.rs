//! What a session is told.

use std::time::Duration;

use syncline_model::{Cursor, ServerSeq};

use crate::{EpochChange, RetryClass};

/// Whether, and how, to sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settings {
    /// No endpoint is set, or sync is turned off: no network call is made.
    Off,
    On(Delivery),
}

/// How to hear of others' writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Push and pull once, then rest until woken: a command without a daemon.
    Once,
    /// Push and pull at this interval.
    Poll { interval: Duration },
    /// Hold a stream open; poll at this interval where that fails.
    Live { interval: Duration },
}

/// Something that has happened. Bytes and pages stay with the driver: an event says what kind of
/// answer came, and the action that follows it works on "the answer that came last".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The settings, at the start and whenever they change (another endpoint is such a change).
    Configured(Settings),
    /// There is a new token.
    LoginChanged,
    /// The process ends, or another one has the sync lease.
    Stopped,
    /// The outbox has gained ops.
    LocalWrite,
    /// Somebody asks for a sync now.
    Wake,
    /// The time asked for by the last [`Action::SetTimer`](super::Action::SetTimer) has passed.
    TimerFired,

    /// The outbox holds nothing pending: [`Action::Push`](super::Action::Push) made no call.
    NothingToPush,
    /// The push was answered 200, with one result per op.
    PushAnswered,
    /// The results are in the local file.
    Settled(Settled),
    /// The pull, or a page of a rebuild, was answered 200.
    PullAnswered(PullReply),
    /// A page is in a tenant file, or can't be.
    Applied(Applied),
    /// The call that was out has failed.
    CallFailed(Failure),

    /// The stream was answered 200.
    StreamOpened,
    /// A page came by the stream.
    StreamPage,
    /// The stream says that there is a page that it can't carry.
    StreamHint,
    /// The stream was refused, fell silent, or ended.
    StreamEnded(Failure),

    /// The newest place whose mark this replica keeps, at or below the one asked for.
    MarkFound(Cursor),
    /// The probed place is common to both logs.
    ProbeAnswered,
    /// The prepared file was answered, and looked at.
    FileAnswered(FileReply),
    /// The new tenant file is the current one.
    Switched,

    /// A local action failed; nothing of it was done.
    LocalFailed(LocalFailure),
}

impl Event {
    /// Whether the call that was out is over with this event.
    pub(super) const fn ends_call(&self) -> bool {
        match self {
            Self::NothingToPush
            | Self::PushAnswered
            | Self::PullAnswered(_)
            | Self::CallFailed(_)
            | Self::ProbeAnswered
            | Self::FileAnswered(_) => true,
            Self::Configured(_)
            | Self::LoginChanged
            | Self::Stopped
            | Self::LocalWrite
            | Self::Wake
            | Self::TimerFired
            | Self::Settled(_)
            | Self::Applied(_)
            | Self::StreamOpened
            | Self::StreamPage
            | Self::StreamHint
            | Self::StreamEnded(_)
            | Self::MarkFound(_)
            | Self::Switched
            | Self::LocalFailed(_) => false,
        }
    }

    /// Whether the stream is over with this event.
    pub(super) const fn ends_stream(&self) -> bool {
        matches!(self, Self::StreamEnded(_))
    }
}

/// What settling a push answer came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Each op is acknowledged or quarantined.
    Done,
    /// An op was refused with `key_conflict`, `clock_lead` or `clock_behind`: there is a new actor, and what is
    /// pending was written anew.
    Renewed,
}

/// What kind of page was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullReply {
    /// The next page of the log that this replica has.
    Page,
    /// This replica has applied nothing yet: its tenant file is to be made from the server's log.
    StartFresh,
}

/// What applying a page came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Nothing more was in the log when the page was made.
    CaughtUp,
    /// The log goes on (`hasMore`).
    More,
    /// The page doesn't continue this replica's log: a gap, or a mark that is not that of its ops.
    Diverged,
}

/// What became of the prepared file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileReply {
    /// It is whole, of our format and of the epoch looked for, and is now the new tenant file.
    Adopted,
    /// There is none, or it is not to be used: the log is fetched page by page.
    Unfit,
}

/// Why a local action failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalFailure {
    /// Full, or an input/output error: may pass.
    Disk,
    /// A tenant file is damaged: the new one while a rebuild fetches it, else the current one. The
    /// local file, with the outbox, is not.
    Damaged,
    /// The new tenant file is of a log that has nothing of the current one: another server's, for all
    /// that is known.
    Foreign,
}

/// Why a call or a stream failed, by what the client does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 409 `epoch_changed`.
    EpochChanged(EpochChange),
    /// 409 `log_diverged`; the server's head, where it says so.
    LogDiverged { head: Option<ServerSeq> },
    /// 410 `rebuild_required`.
    RebuildRequired,
    /// 413: the body is more than the server takes.
    TooLarge,
    /// Any other 4xx: trying at once again would get the same answer.
    Refused,
    /// May pass by itself; `after` is what the server asks for.
    Retry {
        class: RetryClass,
        after: Option<Duration>,
    },
}
