//! Defects on purpose, for the simulator to find: it proves nothing that can't.
//!
//! Without the feature `planted` every question is answered "no" at compile time.

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
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 16] = [
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
