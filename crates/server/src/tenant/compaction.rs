//! Compaction of one tenant's log: up to where, in which steps, and who holds the floor.

use std::time::Duration;

use syncline_model::planted::{Defect, is_planted};
use syncline_model::{ServerSeq, Timestamp};
use syncline_store::{
    ClientRecord, Collecting, Compacted, Compaction, EmptyTries, Forgetting, LogLeft, OneIn,
    PendingOp, Stepped, StoreError, TenantFile,
};

/// How often it is tried to empty the write-ahead log, which a reader or another's checkpoint may be in
/// the way of: some ten seconds.
const EMPTY_TRIES: EmptyTries = EmptyTries(2_000);
/// Ops that must have gone, and be half of those judged, for the file to be looked at for gaps.
const GAPS_FROM_DROPPED: u64 = 1_000;

/// The most bytes of a file of which what is covered goes at once, if it is nearly all: nobody writes for
/// as long as it takes to read them, and then to write what is left of them anew.
const AT_ONCE_BYTES_MAX: u64 = 512 << 20;
/// Ops or pages of a step where the disk is full: what such a step writes fits into a write-ahead log of
/// the usual size, which is used again from its beginning.
const CRAMPED_COUNT: usize = 32;
/// How much is nearly all.
const STAYS: OneIn = OneIn(4);

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

/// An automatic compaction is due once the floor may rise by so many ops, and by this share of the
/// ops that the log holds: until then there is little to gain, and all of them to judge.
const DUE_FROM_OPS: u64 = 256;
const DUE_FROM_SHARE: u64 = 10;

/// What is due to a log by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Ops may go.
    Compaction,
    /// What was taken out of the log may still be read in the file.
    Forgetting,
    /// Nothing, whatever time goes by, until something is written.
    Nothing,
    /// Nothing before this time.
    NothingBefore(Timestamp),
}

/// How a client stands to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It holds the floor where it stands, if it has said where.
    Live,
    /// It does not hold the floor: it was idle for too long, was expired by hand, or is below the floor.
    Expired,
}

/// What keeps the floor of a log from rising further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// The place where the retention window begins.
    pub window: ServerSeq,
    /// The live clients that stand below it, with their places, the lowest first.
    pub holders: Vec<(ServerSeq, ClientRecord)>,
}

impl Bounds {
    /// The place below which covered ops may go.
    pub fn floor(&self) -> ServerSeq {
        self.holders
            .first()
            .map_or(self.window, |(place, _)| *place)
    }
}

impl Keep {
    /// Whether this client holds the floor of a log where it is at `floor`: it has pushed, or moved its cursor,
    /// lately enough. Below the floor it rebuilds, however lately it moved; what it needs for that is above it.
    pub fn liveness(&self, client: &ClientRecord, floor: ServerSeq, now: Timestamp) -> Liveness {
        // From place 0 all is served.
        let is_below = |at: ServerSeq| ServerSeq::ZERO < at && at < floor;
        if client.cursor.is_some_and(|at| is_below(at.server_seq)) {
            return Liveness::Expired;
        }
        let idle = |moved_at: Timestamp| now.as_millis().saturating_sub(moved_at.as_millis());
        match client.moved_at {
            Some(moved_at) if idle(moved_at) <= millis(self.idle) => Liveness::Live,
            Some(_) | None => Liveness::Expired,
        }
    }

    /// What bounds the floor of the log in `file` now.
    pub fn bounds(&self, file: &TenantFile, now: Timestamp) -> Result<Bounds, StoreError> {
        let head = file.head()?;
        let end = head.cursor.server_seq;
        let window = match before(now, self.retention) {
            _ if self.retention.is_zero() => end,
            Some(time) => file.place_at(time)?.min(end),
            None => ServerSeq::ZERO,
        };
        let clients = file.clients()?.into_iter();
        let live = clients.filter(|it| self.liveness(it, head.floor, now) == Liveness::Live);
        let placed = live.filter_map(|client| Some((client.cursor?.server_seq, client)));
        let mut holders: Vec<_> = placed.collect();
        holders.sort_by_key(|(place, _)| *place);
        if is_planted(Defect::FloorPastTheLaziest) {
            holders.drain(..holders.len().saturating_sub(1));
        }
        holders.retain(|(place, _)| *place < window);
        Ok(Bounds { window, holders })
    }

    /// What is due to the log in `file` now. What its clients have said meanwhile counts once it is
    /// written down.
    pub fn due(&self, file: &TenantFile, now: Timestamp) -> Result<Due, StoreError> {
        let head = file.head()?;
        let known = head.floor.max(file.judged()?);
        let above = |place: ServerSeq| place.get().saturating_sub(known.get());
        let mut needed = DUE_FROM_OPS;
        let gained = above(self.bounds(file, now)?.floor());
        if above(head.cursor.server_seq) >= needed {
            needed = needed.max(file.count_ops()?.div_ceil(DUE_FROM_SHARE));
            if gained >= needed {
                return Ok(Due::Compaction);
            }
        }
        if !file.owed()?.is_nothing() {
            return Ok(Due::Forgetting);
        }
        if above(head.cursor.server_seq) < needed {
            return Ok(Due::Nothing);
        }
        let place = ServerSeq(known.get() + needed);
        // A log that has moved since the last note is looked at again, to note it.
        let reached = file.reached_at(place)?.unwrap_or(now);
        let lagging = file.clients()?.into_iter().filter(|client| {
            let behind = client.cursor.is_some_and(|at| at.server_seq < place);
            behind && self.liveness(client, head.floor, now) == Liveness::Live
        });
        let moved = lagging.filter_map(|client| client.moved_at);
        let expiries = moved.map(|moved_at| after(moved_at, self.idle));
        let passed = after(reached, self.retention);
        Ok(Due::NothingBefore(expiries.fold(passed, Timestamp::max)))
    }
}

/// The time so long after another; the last there is where that is too far.
fn after(time: Timestamp, span: Duration) -> Timestamp {
    let later = time.as_millis().saturating_add(millis(span));
    Timestamp::from_millis(later).unwrap_or(time)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// The time so long before `now`; none before there were times.
pub(crate) fn before(now: Timestamp, span: Duration) -> Option<Timestamp> {
    Timestamp::from_millis(now.as_millis().saturating_sub(millis(span))).ok()
}

/// Does a small write, and once more where the disk was full: what the write-ahead log takes can be used
/// again once it was moved into the file.
pub(crate) fn with_room<T>(
    file: &TenantFile,
    write: impl Fn(&TenantFile) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    match write(file) {
        Err(StoreError::Full(_)) => {
            file.checkpoint()?;
            write(file)
        }
        written => written,
    }
}

/// A compaction under way, from its floor to a file that is as small as its content, and in which
/// nothing can be read that was taken out of it.
#[derive(Debug)]
pub struct Compacting {
    run: Compaction,
    phase: Phase,
    rewrite: Rewrite,
    room: Room,
    floor: ServerSeq,
    bytes_before: u64,
    bytes_after: u64,
    log_left: LogLeft,
}

/// What there is on the disk for a compaction to write to before it gives anything back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Enough,
    /// A step found none: those after it use the write-ahead log that there is again and again.
    Cramped,
}

/// Whether a file with many gaps is written anew, which takes a time in which nobody else writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewrite {
    /// Files of this many bytes at most.
    UpTo(u64),
    Always,
}

impl Rewrite {
    /// Whether a file of which so many bytes are used may be written anew.
    fn allows(self, used: u64) -> bool {
        match self {
            Self::Always => true,
            Self::UpTo(bytes) => used <= bytes,
        }
    }
}

#[derive(Debug)]
enum Phase {
    /// Ops, then tombstones, are dropped.
    Drop,
    /// Where many gaps are left, or little else, the file is written anew.
    Rewrite,
    /// What was taken out of the file is made unreadable, and the file smaller.
    Forget(Forgetting),
    Done,
}

/// What a compaction has come to, or has come to so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactReport {
    /// The log's floor: it rises with the first op that is dropped.
    pub floor: ServerSeq,
    /// The place that the floor may rise to, below which ops are judged.
    pub aim: ServerSeq,
    /// The place up to which ops were looked at.
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
        let floor = keep.bounds(file, now)?.floor();
        // What no retention will ask for again; the note at the floor itself is still of use.
        with_room(file, |file| file.forget_times_below(floor))?;
        let run = Compaction::begin(file, floor, Collecting::Tombstones)?;
        let used = file.used_bytes()?;
        let is_quick =
            rewrite.allows(used) && used <= AT_ONCE_BYTES_MAX && file.gives_pages_back()?;
        Ok(Self {
            run: if is_quick { run.at_once(STAYS) } else { run },
            phase: Phase::Drop,
            rewrite,
            room: Room::Enough,
            floor: file.head()?.floor,
            bytes_before: file.bytes_on_disk(),
            bytes_after: 0,
            log_left: LogLeft::Full,
        })
    }

    /// Begins what makes unreadable in `file` what was taken out of its log already, and nothing else.
    pub fn begin_forgetting(file: &TenantFile) -> Result<Self, StoreError> {
        let floor = file.head()?.floor;
        Ok(Self {
            run: Compaction::begin(file, floor, Collecting::Tombstones)?.after(floor),
            phase: Phase::Forget(Forgetting::begin(file, EMPTY_TRIES)?),
            rewrite: Rewrite::UpTo(0),
            room: Room::Enough,
            floor,
            bytes_before: file.bytes_on_disk(),
            bytes_after: 0,
            log_left: LogLeft::Full,
        })
    }

    /// Does one more step, over `count` ops or pages; between steps others may write. A disk that is full
    /// is no reason to give up: this is what makes room on it.
    pub fn step(&mut self, file: &mut TenantFile, count: usize) -> Result<Stepped, StoreError> {
        match self.room {
            Room::Enough => match self.advance(file, count) {
                Err(StoreError::Full(_)) => self.go_on_cramped(file)?,
                advanced => advanced?,
            },
            Room::Cramped => {
                self.advance(file, count.min(CRAMPED_COUNT))?;
                file.checkpoint()?;
            }
        }
        self.floor = file.head()?.floor;
        self.bytes_after = file.bytes_on_disk();
        Ok(match self.phase {
            Phase::Done => Stepped::Done,
            Phase::Drop | Phase::Rewrite | Phase::Forget(_) => Stepped::More,
        })
    }

    fn go_on_cramped(&mut self, file: &TenantFile) -> Result<(), StoreError> {
        self.room = Room::Cramped;
        self.run.in_small_steps();
        if let Phase::Forget(_) = self.phase {
            self.phase = Phase::Forget(self.forgetting(file)?);
        }
        file.checkpoint()?;
        Ok(())
    }

    fn forgetting(&self, file: &TenantFile) -> Result<Forgetting, StoreError> {
        let forgetting = Forgetting::begin(file, EMPTY_TRIES)?;
        Ok(match self.room {
            Room::Enough => forgetting,
            Room::Cramped => forgetting.without_rewrite(),
        })
    }

    fn advance(&mut self, file: &mut TenantFile, count: usize) -> Result<(), StoreError> {
        const NO_OUTBOX: &[PendingOp] = &[];
        match &mut self.phase {
            Phase::Drop => {
                if file.compact_step(&mut self.run, count, NO_OUTBOX)? == Stepped::Done {
                    file.note_judged(&self.run)?;
                    self.phase = Phase::Rewrite;
                }
            }
            Phase::Rewrite => {
                // Else it is about to be written anew in any case.
                let may_rewrite = self.room == Room::Enough && file.owed()?.rewrites == 0;
                if may_rewrite && self.may_have_gaps(file)? {
                    let fill = file.fill()?;
                    if fill.is_loose() || fill.is_mostly_free() {
                        file.rewrite()?;
                    }
                }
                self.phase = Phase::Forget(self.forgetting(file)?);
            }
            Phase::Forget(forgetting) => {
                if file.forget_step(forgetting, count)? == Stepped::Done {
                    file.settle_owed(forgetting.done())?;
                    self.log_left = forgetting.log_left();
                    self.phase = Phase::Done;
                }
            }
            Phase::Done => {}
        }
        Ok(())
    }

    fn may_have_gaps(&self, file: &TenantFile) -> Result<bool, StoreError> {
        let totals = self.run.totals();
        let is_small = self.rewrite.allows(file.used_bytes()?);
        Ok(is_small && totals.dropped >= GAPS_FROM_DROPPED && totals.dropped * 2 >= totals.judged)
    }

    /// What was done so far.
    pub fn report(&self) -> CompactReport {
        CompactReport {
            floor: self.floor,
            aim: self.run.floor(),
            reached: self.run.looked_at(),
            totals: self.run.totals(),
            bytes_before: self.bytes_before,
            bytes_after: self.bytes_after,
            log_left: self.log_left,
        }
    }
}
