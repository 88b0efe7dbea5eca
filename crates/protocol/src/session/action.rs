//! What a session asks for.

use std::time::Duration;

use syncline_model::{Cursor, Epoch, EpochMode, ServerSeq};

use crate::Kinship;

/// Something for the driver to do, in the order given.
///
/// At most one call is out at a time, and at most one stream is open. The event that each action
/// leads to is named; an action without one either succeeds or leads to
/// [`Event::LocalFailed`](super::Event::LocalFailed), and then the rest of its batch is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Load the next batch of pending ops, oldest first, and send it: `PushAnswered`, `CallFailed`;
    /// `NothingToPush` where there is none. Ops offered again go in batches of their own, with
    /// `heal`.
    Push,
    /// Halve the bound of a batch; where the batch was one op, quarantine that op as `too_large`.
    ShrinkBatch,
    /// Write the results of the push into the local file: `Settled`. The cursor stays where it is.
    Settle,
    /// Ask for the page after the cursor: `PullAnswered`, `CallFailed`.
    Pull,
    /// Apply the page that came last, cursor and ops in one transaction: `Applied`. An op of the
    /// outbox that it holds leaves the outbox.
    Apply,

    /// Open the stream at the cursor: `StreamOpened`, `StreamPage`, `StreamHint`, `StreamEnded`.
    OpenStream,
    /// Close it; nothing more of it is reported.
    CloseStream,
    /// Forget the call that is out, if one is; its answer is not reported.
    CancelCall,
    /// Report `TimerFired` after this time, instead of any time asked for before.
    SetTimer(Duration),

    /// Look for the newest kept mark at or below this place: `MarkFound`.
    FindMark { at_or_below: ServerSeq },
    /// Ask for one op after this place: `ProbeAnswered`, `CallFailed`.
    Probe(Probe),
    /// Take the new epoch for the tenant file as it is: its log is a part of the new history.
    /// What is acknowledged is pending again.
    AdoptEpoch { epoch: Epoch, mode: EpochMode },

    /// Begin a new tenant file beside the current one, instead of any begun before.
    BeginRebuild(Plan),
    /// Fetch the prepared file: `FileAnswered`, `CallFailed`.
    FetchFile,
    /// Fetch the page after the new file's cursor: `PullAnswered`, `CallFailed`. Where the fetch
    /// began at place 0, name the floor of its first page.
    FetchPage,
    /// Apply the page that came last to the new file: `Applied`.
    ApplyFetched,
    /// Make the new file the current one, in one transaction with what the plan offers again:
    /// `Switched`. What is acknowledged is pending again.
    Switch(Plan),
    /// Remove the new file, if it was begun.
    AbandonRebuild,

    /// Everything is pushed and pulled.
    Finished,
}

impl Action {
    /// The action's name, for logs and the table in `docs/protocol.md`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Push => "Push",
            Self::ShrinkBatch => "ShrinkBatch",
            Self::Settle => "Settle",
            Self::Pull => "Pull",
            Self::Apply => "Apply",
            Self::OpenStream => "OpenStream",
            Self::CloseStream => "CloseStream",
            Self::CancelCall => "CancelCall",
            Self::SetTimer(_) => "SetTimer",
            Self::FindMark { .. } => "FindMark",
            Self::Probe(_) => "Probe",
            Self::AdoptEpoch { .. } => "AdoptEpoch",
            Self::BeginRebuild(_) => "BeginRebuild",
            Self::FetchFile => "FetchFile",
            Self::FetchPage => "FetchPage",
            Self::ApplyFetched => "ApplyFetched",
            Self::Switch(_) => "Switch",
            Self::AbandonRebuild => "AbandonRebuild",
            Self::Finished => "Finished",
        }
    }
}

/// A question whether a place is common to both logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub place: Cursor,
    /// The epoch to name; none: that of the current tenant file.
    pub epoch: Option<Epoch>,
}

/// What a rebuild is for: which ops of the old file the new log may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The epoch to fetch; none: that of the current tenant file, if it has one from the server.
    pub epoch: Option<Epoch>,
    /// The last common place. It is the `heal` place of every op that is offered again, also of
    /// those that wait in the outbox from an earlier rebuild. At place 0 any mark stands.
    pub common: Common,
    /// Ops of the old file above the common place and at or below this one, whoever wrote them, are
    /// offered again in their old order, but for those that the new file holds.
    pub offer_up_to: ServerSeq,
    /// `Follow`: ops that wait in the outbox from an earlier rebuild are let go of.
    pub mode: EpochMode,
    /// Where it is not known, the switch is made only to a file that has something of the old one, or
    /// if one of the two holds nothing, or if a person has said so.
    pub kinship: Kinship,
}

/// The last common place of the old file and the server's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Common {
    /// This one, which the server has verified, if it is the new file's as well: the log may have been
    /// put back since.
    At(Cursor),
    /// The highest place that both the old file and the new one hold an op at, with the same mark:
    /// found at the switch. Where there is none, place 0.
    Compared,
}

impl Plan {
    /// A rebuild that offers nothing again: whatever the old file holds, the server has.
    pub const NOTHING_LACKS: Self = Self {
        epoch: None,
        common: Common::At(Cursor::ORIGIN),
        offer_up_to: ServerSeq::ZERO,
        mode: EpochMode::Heal,
        kinship: Kinship::Same,
    };

    /// A rebuild of a file whose place is below the floor, where the server can't tell whether it is
    /// common.
    pub const COMPARING: Self = Self {
        epoch: None,
        common: Common::Compared,
        offer_up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
        kinship: Kinship::Same,
    };
}
