//! Compaction of one tenant's log: up to where, in which steps, and who holds the floor.

use std::time::Duration;

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{ServerSeq, Timestamp};
use syncline_store::{
    ClientRecord, Collecting, Compacted, Compaction, Forgetting, PendingOp, Stepped, StoreError,
    TenantFile,
};

/// How often it is tried to empty the write-ahead log, which a reader or another's checkpoint may be in
/// the way of; a try takes a few milliseconds then, so that this is some ten seconds.
const EMPTY_TRIES_MAX: u32 = 2_000;
/// Ops that must have gone, and be half of those judged, for the file to be looked at for gaps.
const GAPS_FROM_DROPPED: u64 = 1_000;

/// What compaction keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Ops that came within this time stay, whatever covers them.
    pub retention: Duration,
    /// A client that has neither pushed nor moved its cursor for this time has expired: it no longer
    /// holds the floor, and rebuilds when it returns.
    pub idle: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            retention: Duration::from_secs(7 * DAY),
            idle: Duration::from_secs(30 * DAY),
        }
    }
}

/// How a client stands to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It holds the floor where it stands.
    Live,
    /// It does not hold the floor: it was idle for too long, or was expired by hand.
    Expired,
}

impl Keep {
    /// Whether this client holds the floor.
    pub fn liveness(&self, client: &ClientRecord, now: Timestamp) -> Liveness {
        let idle = now.as_millis().saturating_sub(client.moved_at.as_millis());
        if client.cursor.is_some() && idle <= millis(self.idle) {
            Liveness::Live
        } else {
            Liveness::Expired
        }
    }

    /// The place below which covered ops may go: the older of the lowest cursor of a live client, and
    /// the retention window.
    pub fn floor(&self, file: &TenantFile, now: Timestamp) -> Result<ServerSeq, StoreError> {
        let head = file.head()?.cursor.server_seq;
        let floor = if self.retention.is_zero() {
            head
        } else {
            match before(now, self.retention) {
                Some(time) => file.place_at(time)?.min(head),
                None => ServerSeq::ZERO,
            }
        };
        let clients = file.clients()?.into_iter();
        let live = clients.filter(|client| self.liveness(client, now) == Liveness::Live);
        let places = live.filter_map(|client| client.cursor);
        let laziest = if is_planted(Defect::FloorPastTheLaziest) {
            places.map(|cursor| cursor.server_seq).max()
        } else {
            places.map(|cursor| cursor.server_seq).min()
        };
        Ok(laziest.map_or(floor, |place| floor.min(place)))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time so long before `now`; none before there were times.
pub(crate) fn before(now: Timestamp, span: Duration) -> Option<Timestamp> {
    Timestamp::from_millis(now.as_millis().saturating_sub(millis(span))).ok()
}

/// A compaction under way, from its floor to a file that is as small as its content.
#[derive(Debug)]
pub struct Compacting {
    forgetting: Forgetting,
    run: Compaction,
    phase: Phase,
    rewrite: Rewrite,
    bytes_before: u64,
    bytes_after: u64,
    log_left: LogLeft,
}

/// How a write-ahead log was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLeft {
    Empty,
    /// It holds what was dropped until the next checkpoint: readers were in the way for too long.
    Full,
}

/// Whether a file with many gaps is written anew, which takes a time in which nobody else writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewrite {
    /// Files of this many bytes at most.
    UpTo(u64),
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Words of erased texts go from the full-text indexes: first, while the erased ops tell of them.
    Forget,
    /// Ops, then tombstones, are dropped.
    Drop,
    /// Where many gaps are left, or little else, the file is written anew.
    Rewrite,
    /// Free pages go back to the system.
    Shrink,
    /// The write-ahead log is emptied; so often it was tried.
    Empty(u32),
    Done,
}

/// What a compaction has come to, or has come to so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactReport {
    pub floor: ServerSeq,
    /// The place up to which ops were judged.
    pub reached: ServerSeq,
    pub totals: Compacted,
    /// Bytes of the file and its write-ahead log.
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub log_left: LogLeft,
}

impl Compacting {
    /// Begins a compaction of `file` up to the floor that `keep` allows now.
    pub fn begin(
        file: &TenantFile,
        keep: &Keep,
        rewrite: Rewrite,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let floor = keep.floor(file, now)?;
        // What no retention will ask for again; the note at the floor itself is still of use.
        file.forget_times_below(floor)?;
        Ok(Self {
            run: Compaction::begin(file, floor, Collecting::Tombstones)?,
            forgetting: Forgetting::begin(),
            phase: Phase::Forget,
            rewrite,
            bytes_before: file.bytes_on_disk(),
            bytes_after: 0,
            log_left: LogLeft::Full,
        })
    }

    /// Does one more step, over `count` ops or pages; between steps others may write.
    pub fn step(&mut self, file: &mut TenantFile, count: usize) -> Result<Stepped, StoreError> {
        const NO_OUTBOX: &[PendingOp] = &[];
        self.phase = match self.phase {
            Phase::Forget => match file.forget_step(&mut self.forgetting, count)? {
                Stepped::More => Phase::Forget,
                Stepped::Done => Phase::Drop,
            },
            Phase::Drop => match file.compact_step(&mut self.run, count, NO_OUTBOX)? {
                Stepped::More => Phase::Drop,
                Stepped::Done => Phase::Rewrite,
            },
            Phase::Rewrite => {
                if self.may_have_gaps(file)? {
                    let fill = file.fill()?;
                    if fill.is_loose() || fill.is_mostly_free() {
                        file.rewrite()?;
                    }
                }
                Phase::Shrink
            }
            Phase::Shrink => match file.shrink_step(count.try_into().unwrap_or(u32::MAX))? {
                0 => Phase::Empty(0),
                _ => Phase::Shrink,
            },
            Phase::Empty(tries) => {
                if file.empty_log()? {
                    self.log_left = LogLeft::Empty;
                    Phase::Done
                } else if tries < EMPTY_TRIES_MAX {
                    Phase::Empty(tries + 1)
                } else {
                    Phase::Done
                }
            }
            Phase::Done => Phase::Done,
        };
        self.bytes_after = file.bytes_on_disk();
        Ok(match self.phase {
            Phase::Done => Stepped::Done,
            Phase::Forget | Phase::Drop | Phase::Shrink | Phase::Rewrite | Phase::Empty(_) => {
                Stepped::More
            }
        })
    }

    fn may_have_gaps(&self, file: &TenantFile) -> Result<bool, StoreError> {
        let totals = self.run.totals();
        let is_small = match self.rewrite {
            Rewrite::Always => true,
            Rewrite::UpTo(bytes) => file.used_bytes()? <= bytes,
        };
        Ok(is_small && totals.dropped >= GAPS_FROM_DROPPED && totals.dropped * 2 >= totals.judged)
    }

    /// What was done so far.
    pub fn report(&self) -> CompactReport {
        CompactReport {
            floor: self.run.floor(),
            reached: self.run.reached(),
            totals: self.run.totals(),
            bytes_before: self.bytes_before,
            bytes_after: self.bytes_after,
            log_left: self.log_left,
        }
    }
}
