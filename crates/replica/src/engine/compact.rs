//! What is done while nothing else is: the replica's file is compacted, and what was erased is made
//! unreadable, a step at a time.

use syncline_protocol::session::{Event, State};
use syncline_store::Stepped;

use super::{Engine, Failed};
use crate::ReplicaError;
use crate::replica::Compacting;

/// Ops by which the floor must have risen for the file to be gone over: fewer free too little to be
/// worth reading it.
pub(super) const COMPACT_FROM: u64 = 1_000;

/// How compaction stands.
#[derive(Debug)]
pub(super) struct Leisure {
    /// Ops by which the floor must have risen.
    pub(super) from: u64,
    under_way: Option<Compacting>,
    /// Ops dropped by the runs that have ended.
    dropped: u64,
    /// A step has failed: nothing is tried again before something was synced.
    is_put_off: bool,
}

impl Leisure {
    pub(super) fn new() -> Self {
        Self {
            from: COMPACT_FROM,
            under_way: None,
            dropped: 0,
            is_put_off: false,
        }
    }

    /// Something was synced.
    pub(super) fn hope(&mut self) {
        self.is_put_off = false;
    }
}

impl Engine {
    /// Whether nothing is under way and the file could be made smaller: then it is time for
    /// [`EngineEvent::Rest`](super::EngineEvent::Rest), as long as nothing else happens.
    pub fn could_compact(&mut self) -> bool {
        if !self.is_at_rest() || self.leisure.is_put_off {
            return false;
        }
        if self.leisure.under_way.is_some() {
            return true;
        }
        match self.replica.due_compaction(self.leisure.from) {
            Ok(due) => {
                self.leisure.under_way = due;
                self.leisure.under_way.is_some()
            }
            Err(error) => {
                self.put_off(&error);
                false
            }
        }
    }

    /// Whether texts were erased that may still be read in the replica's files: who ends after a sync
    /// gives it more time for that.
    pub fn owes_erasure(&mut self) -> bool {
        self.could_compact() && self.replica.owes_erasure().unwrap_or(false)
    }

    /// Compacts the replica's file where the floor has risen by this many ops, instead of by
    /// a thousand.
    pub fn compact_from(&mut self, ops: u64) {
        self.leisure.from = ops;
    }

    /// How many ops compaction has dropped from the replica's log since this engine was started.
    pub fn dropped(&self) -> u64 {
        let under_way = self.leisure.under_way.as_ref().map(Compacting::dropped);
        self.leisure.dropped + under_way.unwrap_or_default()
    }

    /// Does one step of compaction, over `count` ops.
    pub(super) fn rest(&mut self, count: usize) {
        if !self.could_compact() {
            return;
        }
        let Some(mut compacting) = self.leisure.under_way.take() else {
            return;
        };
        match self.replica.compact_step(&mut compacting, count) {
            Ok(Stepped::More) => self.leisure.under_way = Some(compacting),
            Ok(Stepped::Done) => {
                self.leisure.dropped += compacting.dropped();
                // Others were in the way of emptying a write-ahead log.
                self.leisure.is_put_off = self.replica.is_owing().unwrap_or(true);
            }
            // Nothing depends on compaction: where it fails, sync goes on, but not in a damaged file.
            Err(error) => {
                self.leisure.dropped += compacting.dropped();
                self.put_off(&error);
                if error.is_tenant_damage() {
                    let failure = self.local_failure(Failed::Replica(error));
                    self.drive(Event::LocalFailed(failure));
                }
            }
        }
    }

    fn is_at_rest(&self) -> bool {
        match self.state() {
            State::Idle | State::Polling | State::Live => true,
            State::Stopped
            | State::Disabled
            | State::LoggedOut
            | State::Apart
            | State::BackingOff(_)
            | State::LiveHolding
            | State::Pushing
            | State::Settling
            | State::Pulling
            | State::Applying
            | State::LivePushing
            | State::LiveSettling
            | State::Searching(_)
            | State::Probing(_)
            | State::FetchingFile(_)
            | State::FetchingPages(_)
            | State::Filling(_)
            | State::Switching(_) => false,
        }
    }

    fn put_off(&mut self, error: &ReplicaError) {
        self.leisure.is_put_off = true;
        let error = error as &dyn std::error::Error;
        tracing::info!(error, "the tenant file is not compacted for now");
    }
}
