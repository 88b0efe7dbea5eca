//! Defects on purpose, for the simulator to find: it proves nothing that can't. Beside them, what a
//! world needs of a binary that is not this one: an older fold, and a fold that panics.
//!
//! Without the feature `planted` every question is answered "no" at compile time. With it, nothing
//! changes on a thread that has asked for nothing.

/// A defect that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Defect {
    /// The server answers a push before its commit is on the disk.
    AcknowledgeEarly,
    /// The server's commits don't wait for the disk.
    SkipSync,
    /// A push answer moves the replica's cursor to the log's head.
    CursorMovedByPush,
    /// The cursor moves in a transaction of its own, before the page is applied.
    CursorBeforePage,
    /// A 401 empties the outbox.
    DropOnUnauthorized,
    /// Keys of ops may repeat in the log.
    NoDedupe,
    /// The server doesn't compare a cursor's mark with its log's.
    NoMarkCheck,
    /// A page leaves out an op, and the replica doesn't look for gaps.
    GapInPage,
    /// An op leaves the outbox when it is acknowledged, not when it is pulled.
    ForgetOnAcknowledge,
    /// A refused op is dropped instead of put in quarantine.
    ForgetOnRefusal,
    /// A page is folded on top of what is pending.
    NoRewind,
    /// A replica keeps its actor when its file was copied.
    KeepActorOfCopy,
    /// A rebuild offers nothing again.
    NoOfferAgain,
    /// A rebuild that is to follow offers everything again.
    OfferDiscarded,
    /// A clock that was taken is taken again after a restart.
    ReuseClock,
    /// An op whose fold panics is left at the head of the outbox.
    RetryPanickedFold,
    /// Of two writes with equal clocks the one that comes last wins.
    TieByArrival,
    /// One version serves for text, tick and note of an item together.
    FieldsShareVersion,
    /// A position is taken, whoever wrote the one before.
    PositionUnversioned,
    /// A home is taken, whoever wrote the one before.
    HomeUnversioned,
    /// An insert, restore or remove counts, whoever wrote the one before.
    ExistenceUnversioned,
    /// A title is taken, whoever wrote the one before.
    TitleUnversioned,
    /// What comes before its item's insert is dropped.
    DropOnAbsent,
    /// What changes a removed item is dropped.
    DropOnRemoved,
    /// A change brings a removed item back.
    UpdateRevives,
    /// An insert or restore of an item that is known writes no more than that it is there.
    RestoreExistenceAlone,
    /// A restore gives back each part as its own, whoever wrote it.
    RestoreOverwrites,
    /// What a file makes is there, whoever removed it.
    FileBringsBack,
    /// Compaction forgets that an op may have won an item's home.
    CoverageForgetsHome,
    /// Compaction forgets which op has given a part back.
    CoverageForgetsGivenBack,
    /// What a restore gives back where a tombstone was collected is taken, however old it is.
    GiveBackCollected,
    /// Of two writes of a session with equal clocks the one that comes last wins.
    SessionTieByArrival,
    /// What was told or decided weighs no more than when it was written.
    PrecedenceIgnored,
    /// A patch counts whole or not at all.
    SessionFieldsShareVersion,
    /// A field that a patch empties stays as it is.
    NullIsAbsent,
    /// A part is taken, whoever wrote the one before.
    PartByArrival,
    /// Of the snapshots of a response the one that comes last counts.
    UsageByArrival,
    /// What a row counted for before is not taken off.
    CountsGrow,
    /// What is a copy of another session's is counted.
    CopiesCount,
    /// Compaction forgets that an op may have won a part.
    CoverageForgetsParts,
    /// The floor rises past the laziest of the replicas that hold it.
    FloorPastTheLaziest,
    /// A place below the floor is served as any other.
    NoFloorCheck,
    /// A tombstone is collected though ops of it stand above the floor.
    CollectAboveFloor,
    /// Ops that cover others are dropped, and the covered ones kept.
    DropTheCovering,
    /// What is collected leaves no clock behind that later ops must be above.
    ForgetCollectedClock,
    /// What is dropped leaves no memory of its key behind.
    ForgetPruned,
    /// The outbox is emptied by an answer that asks for a rebuild.
    DropOnRebuild,
    /// A replica compacts its log up to its cursor, whatever the server's floor.
    CompactAboveFloor,
    /// A replica lets go of tombstones with the ops that made them.
    CollectInReplica,
    /// The mark of the op at the floor is dropped with others.
    DropAtFloor,
    /// A log is kept away from though it holds ops of the replica's own.
    KeepApartFromOwn,
}

impl Defect {
    /// Those of the merge rules of lists, which the fuzzer of their folds finds.
    pub const OF_LISTS: [Self; 15] = [
        Self::TieByArrival,
        Self::FieldsShareVersion,
        Self::PositionUnversioned,
        Self::HomeUnversioned,
        Self::ExistenceUnversioned,
        Self::TitleUnversioned,
        Self::DropOnAbsent,
        Self::DropOnRemoved,
        Self::UpdateRevives,
        Self::RestoreExistenceAlone,
        Self::RestoreOverwrites,
        Self::FileBringsBack,
        Self::CoverageForgetsHome,
        Self::CoverageForgetsGivenBack,
        Self::GiveBackCollected,
    ];

    /// Those of the merge rules of sessions, which the fuzzer of their fold finds.
    pub const OF_SESSIONS: [Self; 9] = [
        Self::SessionTieByArrival,
        Self::PrecedenceIgnored,
        Self::SessionFieldsShareVersion,
        Self::NullIsAbsent,
        Self::PartByArrival,
        Self::UsageByArrival,
        Self::CountsGrow,
        Self::CopiesCount,
        Self::CoverageForgetsParts,
    ];

    /// Those that the simulator's worlds find.
    pub const ALL: [Self; 27] = [
        Self::AcknowledgeEarly,
        Self::SkipSync,
        Self::CursorMovedByPush,
        Self::CursorBeforePage,
        Self::DropOnUnauthorized,
        Self::NoDedupe,
        Self::NoMarkCheck,
        Self::GapInPage,
        Self::ForgetOnAcknowledge,
        Self::ForgetOnRefusal,
        Self::NoRewind,
        Self::KeepActorOfCopy,
        Self::NoOfferAgain,
        Self::OfferDiscarded,
        Self::ReuseClock,
        Self::RetryPanickedFold,
        Self::FloorPastTheLaziest,
        Self::NoFloorCheck,
        Self::CollectAboveFloor,
        Self::DropTheCovering,
        Self::ForgetCollectedClock,
        Self::ForgetPruned,
        Self::DropOnRebuild,
        Self::CompactAboveFloor,
        Self::CollectInReplica,
        Self::DropAtFloor,
        Self::KeepApartFromOwn,
    ];
}

#[cfg(feature = "planted")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Defect>> = const { std::cell::Cell::new(None) };
}

/// Plants `defect` on this thread, instead of any planted before.
#[cfg(feature = "planted")]
pub fn plant(defect: Option<Defect>) {
    PLANTED.set(defect);
}

/// Whether `defect` is planted on this thread.
#[cfg(feature = "planted")]
pub fn is_planted(defect: Defect) -> bool {
    PLANTED.get() == Some(defect)
}

/// Whether `defect` is planted: never, in a build without the feature.
#[cfg(not(feature = "planted"))]
pub const fn is_planted(_: Defect) -> bool {
    false
}

/// Which binary a thread plays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Binary {
    /// How many fold versions it is behind this one.
    pub age: i64,
    /// Whether its fold panics at a payload with [`PANIC_MARKER`].
    pub panics: bool,
}

/// The part of a payload at which the fold of some binaries panics.
pub const PANIC_MARKER: &str = "\"plantedPanic\"";
/// The part of a payload that older binaries can't read.
pub const NEWER_MARKER: &str = "\"plantedNewer\"";
/// What a planted panic says.
pub const PANIC_MESSAGE: &str = "a planted panic in a fold";

#[cfg(feature = "planted")]
thread_local! {
    static BINARY: std::cell::Cell<Binary> = const {
        std::cell::Cell::new(Binary { age: 0, panics: false })
    };
    static PANICS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Lets this thread play `binary`; gives the one that it played before.
#[cfg(feature = "planted")]
pub fn play(binary: Binary) -> Binary {
    BINARY.replace(binary)
}

/// How many planted panics this thread has had.
#[cfg(feature = "planted")]
pub fn panics() -> u64 {
    PANICS.get()
}

/// How many fold versions the binary that this thread plays is behind: 0, without the feature.
#[cfg(feature = "planted")]
pub fn fold_age() -> i64 {
    BINARY.get().age
}

/// How many fold versions the binary that this thread plays is behind: 0, without the feature.
#[cfg(not(feature = "planted"))]
pub const fn fold_age() -> i64 {
    0
}

/// Whether the fold of the binary played can read this payload.
///
/// # Panics
/// Where the world has planted that.
#[cfg(feature = "planted")]
pub(crate) fn can_fold(payload: &crate::Payload) -> bool {
    let Binary { age, panics } = BINARY.get();
    if panics && payload.as_str().contains(PANIC_MARKER) {
        PANICS.set(PANICS.get() + 1);
        panic!("{PANIC_MESSAGE}");
    }
    !(age > 0 && payload.as_str().contains(NEWER_MARKER))
}

/// Whether the fold of the binary played can read this payload: it can, without the feature.
#[cfg(not(feature = "planted"))]
pub(crate) const fn can_fold(_: &crate::Payload) -> bool {
    true
}
