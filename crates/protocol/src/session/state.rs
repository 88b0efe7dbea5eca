//! What a session is doing.

use super::action::Plan;
use super::search::Search;

/// The states of a session. Those named `Live…` have a stream open, or opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// For good.
    Stopped,
    /// No endpoint, or sync is off.
    Disabled,
    /// Waits for a new login; tries again slowly, as rights also change at the server.
    LoggedOut,
    /// The server's log has nothing of this replica's, and is another's for all that is known: nothing
    /// is sent or taken. The timer is set, to look whether that is still so.
    Apart,
    /// All is pushed and pulled, and nobody asked for more.
    Idle,
    /// All is pushed and pulled; the timer is set.
    Polling,
    /// The last try failed; the timer is set.
    BackingOff(Resume),

    /// A batch of the outbox is out, or being loaded.
    Pushing,
    /// The answer to a push is being written down.
    Settling,
    /// A page is being fetched.
    Pulling,
    /// A page is being applied.
    Applying,

    /// The stream delivers; the outbox is empty.
    Live,
    /// As `Pushing`.
    LivePushing,
    /// As `Settling`.
    LiveSettling,
    /// The last push failed; the timer is set.
    LiveHolding,

    /// A kept mark is being looked up, to find the last common place.
    Searching(Search),
    /// The server is asked whether a place is common.
    Probing(Search),
    /// The prepared file is being fetched.
    FetchingFile(Fetch),
    /// A page of the log is being fetched for the new file.
    FetchingPages(Plan),
    /// A page is being applied to the new file.
    Filling(Plan),
    /// The new file is being made the current one.
    Switching(Plan),
}

/// What to go on with after a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Push, then pull.
    Cycle,
    /// The search for the last common place.
    Search(Search),
    /// A rebuild, from its beginning.
    Rebuild(Plan),
    /// The prepared file.
    File(Fetch),
    /// The next page of a rebuild.
    Pages(Plan),
    /// The switch to the new file.
    Switch(Plan),
}

/// A prepared file being fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetch {
    pub plan: Plan,
    /// Tries that failed; after [`FILE_TRIES_MAX`](super::FILE_TRIES_MAX) the log is fetched page
    /// by page, which goes on where it was cut.
    pub failed: u32,
}

impl State {
    /// The state's name, for logs, `status` and the table in `docs/protocol.md`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Stopped => "Stopped",
            Self::Disabled => "Disabled",
            Self::LoggedOut => "LoggedOut",
            Self::Apart => "Apart",
            Self::Idle => "Idle",
            Self::Polling => "Polling",
            Self::BackingOff(_) => "BackingOff",
            Self::Pushing => "Pushing",
            Self::Settling => "Settling",
            Self::Pulling => "Pulling",
            Self::Applying => "Applying",
            Self::Live => "Live",
            Self::LivePushing => "LivePushing",
            Self::LiveSettling => "LiveSettling",
            Self::LiveHolding => "LiveHolding",
            Self::Searching(_) => "Searching",
            Self::Probing(_) => "Probing",
            Self::FetchingFile(_) => "FetchingFile",
            Self::FetchingPages(_) => "FetchingPages",
            Self::Filling(_) => "Filling",
            Self::Switching(_) => "Switching",
        }
    }

    /// Whether a call is out. (In `Pushing` the batch may still be being loaded.)
    pub const fn has_call(&self) -> bool {
        match self {
            Self::Pushing
            | Self::Pulling
            | Self::LivePushing
            | Self::Probing(_)
            | Self::FetchingFile(_)
            | Self::FetchingPages(_) => true,
            Self::Stopped
            | Self::Disabled
            | Self::LoggedOut
            | Self::Apart
            | Self::Idle
            | Self::Polling
            | Self::BackingOff(_)
            | Self::Settling
            | Self::Applying
            | Self::Live
            | Self::LiveSettling
            | Self::LiveHolding
            | Self::Searching(_)
            | Self::Filling(_)
            | Self::Switching(_) => false,
        }
    }

    /// Whether a stream is open, or opening.
    pub const fn has_stream(&self) -> bool {
        matches!(
            self,
            Self::Live | Self::LivePushing | Self::LiveSettling | Self::LiveHolding
        )
    }

    /// Whether a new tenant file is being made beside the current one.
    pub const fn has_rebuild(&self) -> bool {
        match self {
            Self::FetchingFile(_)
            | Self::FetchingPages(_)
            | Self::Filling(_)
            | Self::Switching(_)
            | Self::BackingOff(Resume::File(_) | Resume::Pages(_) | Resume::Switch(_)) => true,
            Self::Stopped
            | Self::Disabled
            | Self::LoggedOut
            | Self::Apart
            | Self::Idle
            | Self::Polling
            | Self::BackingOff(Resume::Cycle | Resume::Search(_) | Resume::Rebuild(_))
            | Self::Pushing
            | Self::Settling
            | Self::Pulling
            | Self::Applying
            | Self::Live
            | Self::LivePushing
            | Self::LiveSettling
            | Self::LiveHolding
            | Self::Searching(_)
            | Self::Probing(_) => false,
        }
    }
}
