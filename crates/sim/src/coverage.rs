//! What has befallen worlds: a fault that never strikes proves nothing.

use std::fmt;
use std::ops::AddAssign;

macro_rules! happenings {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// Something that can befall a world.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Happening {
            $($(#[doc = $doc])* $name,)*
        }

        impl Happening {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

happenings! {
    /// A request did not reach the server.
    RequestLost,
    /// A request reached the server twice.
    RequestDoubled,
    /// A request overtook an earlier one of the same process.
    RequestOvertaken,
    /// A request arrived after its sender had given it up.
    RequestLate,
    /// An answer was lost.
    ReplyLost,
    /// An answer to a push that refused an op was lost.
    RefusalLost,
    /// The connection broke in the middle of an answer.
    ReplyCut,
    /// A stream broke in the middle of an event.
    StreamCut,
    /// A stream fell silent without an end.
    StreamSilent,
    /// A page came by a stream.
    StreamPage,
    /// A machine and the server could not reach each other for a while.
    Partition,
    /// A replica's machine lost power between two calls.
    ReplicaPowerLoss,
    /// A replica's machine lost power in the middle of a write or a sync.
    ReplicaPowerLossAtChange,
    /// A replica's process was killed between two calls.
    ReplicaKill,
    /// A replica's process was killed in the middle of a write or a sync.
    ReplicaKillAtChange,
    ServerPowerLoss,
    ServerPowerLossAtChange,
    ServerKill,
    ServerKillAtChange,
    /// Sync was turned off for a while, or configured otherwise.
    Reconfigured,
    /// A wall clock jumped by years.
    ClockJump,
    /// A process without the sync lease wrote.
    SecondProcessWrote,
    /// A process took the sync lease over from another.
    LeaseTakenOver,
    /// A process wrote while another one rebuilt.
    WriteDuringRebuild,
    /// The server was put back to an older state of its disk.
    ServerRolledBack,
    /// The server's log had grown past a replica's cursor again, with other ops.
    RegrownPastCursor,
    /// The server was lost, and began with an empty log.
    ServerLost,
    /// A replica kept away from a log that others had begun anew, until a person let it join them.
    KeptApart,
    RestoredToHeal,
    RestoredToFollow,
    Reset,
    /// An op was cut off the log on purpose, and nobody held it as unsent.
    Discarded,
    /// An op entered the log that a replica offered for the log's sake.
    OfferedAgain,
    ReplicaCopied,
    ReplicaRolledBack,
    /// An op was refused because its payload is over the server's limit.
    OversizedOp,
    /// An op of a resource that an earlier one was refused of came after it.
    EditOnTopOfRefused,
    /// A fold panicked on the server.
    FoldPanicOnServer,
    /// A fold panicked on a replica.
    FoldPanicOnReplica,
    /// A refused op left quarantine, written anew.
    QuarantineRetried,
    /// A clock led the log's by too much.
    ClockLead,
    /// A key was another op's.
    KeyConflict,
    TokenExpired,
    Login,
    RateLimited,
    Maintenance,
    /// The server said that its disk is full.
    StorageFull,
    ReplicaDiskFull,
    ReplicaReadFailure,
    ReplicaWriteFailure,
    ReplicaSyncFailure,
    ServerReadFailure,
    ServerWriteFailure,
    ServerSyncFailure,
    /// A machine, of a replica or the server, lost power after a sync of it had failed.
    PowerLossAfterFailedSync,
    /// A replica's tenant file was damaged.
    TenantFileDamaged,
    /// A process ran an older binary.
    OlderBinary,
    /// A process of an older binary was started again as the current one.
    Upgraded,
    /// An older binary found files of the current one, and left them alone.
    NewerFilesRefused,
    /// An op that older folds can't read was written.
    NewerOp,
    /// An op of a scope that nobody folds was written.
    OpaqueOp,
    /// A payload that no fold can read was written.
    UnreadableOp,
    /// A replica fetched the whole log anew.
    Rebuild,
    /// A replica fetched the prepared file.
    PreparedFileFetched,
    /// Two requests were committed together.
    GroupCommit,
    /// The server moved its write-ahead log into its file beside the commits.
    Checkpoint,
    ThreadDeleted,
    ThreadMadeAgain,
    ListMade,
    ListRenamed,
    ListRemoved,
    ListRestored,
    ListReordered,
    ItemAdded,
    ItemEdited,
    ItemNoted,
    ItemChecked,
    ItemUnchecked,
    ItemMoved,
    /// An item was moved to another list than it was made in.
    ItemMovedAcross,
    ItemRemoved,
    ItemRestored,
    /// A change of lists was undone.
    ListUndo,
    /// What was removed last was brought back.
    RemovalUndone,
    ListRedo,
    /// The server began to compact its log.
    ServerCompaction,
    /// The server's log dropped an op.
    OpDropped,
    /// The server's log let go of a tombstone.
    TombstoneCollected,
    /// A replica dropped ops from its own log.
    ReplicaCompaction,
    /// A machine was shut for long.
    ReplicaSlept,
    /// A replica that was away was left behind by the floor.
    ReplicaExpired,
    /// An op was answered as one that the log has dropped.
    CoveredDuplicate,
    /// A request was answered with 410, and its replica began again.
    RebuildRequired,
}

/// How often each thing has happened.
#[derive(Clone)]
pub struct Coverage {
    counts: [u64; Happening::ALL.len()],
}

impl Coverage {
    pub(crate) fn count(&mut self, happening: Happening) {
        self.counts[happening as usize] += 1;
    }

    pub fn of(&self, happening: Happening) -> u64 {
        self.counts[happening as usize]
    }
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            counts: [0; Happening::ALL.len()],
        }
    }
}

impl AddAssign<&Self> for Coverage {
    fn add_assign(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }
}

impl fmt::Debug for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = Happening::ALL.iter().zip(self.counts);
        f.debug_map().entries(counts).finish()
    }
}
