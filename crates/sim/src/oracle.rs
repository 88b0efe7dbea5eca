//! What must hold: a list of everything that was written, and what may have become of it.
//!
//! The oracle knows ops by the digest of their payload alone, which no two of a world share. Keys,
//! places and rows are the business of the code that is tested.

mod apart;
mod archive;
mod holdings;
mod order;
mod tally;
mod times;
mod verdict;

use std::collections::BTreeMap;
use std::fmt;

use syncline_model::{PayloadHash, ResourceId, Scope, ServerSeq};

use crate::workload::{Effect, Flavor, Wish};

pub(crate) use apart::{Kin, Meeting};
pub(crate) use archive::{Archive, WholeLog};
pub(crate) use holdings::{Holdings, OutboxKind};
pub use tally::Tally;
pub(crate) use verdict::{EndState, FileEnd, MachineEnd, Reference, difference};

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digest of an op's payload as first sent.
pub(crate) type Digest = [u8; 16];

pub(crate) fn digest(hash: &PayloadHash) -> Digest {
    *hash.as_bytes()
}

/// What its writer was told of an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing, or a failure: it may be written or not.
    Nothing,
    /// That it is written.
    Done,
}

/// Why an op need not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excuse {
    /// The disks that held it were put back, damaged or lost.
    LostWithDisk,
    /// The log was cut on purpose.
    Discarded,
    /// Its user dropped it from quarantine.
    Dropped,
}

/// Who wrote an op: a replica's machine at one state of its disk, or a caller without a replica. Ops
/// of one writer have an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writer {
    pub(crate) machine: Option<usize>,
    /// How often the machine's disk had been put back or copied.
    pub(crate) era: u32,
}

/// An op that somebody has written, or tried to.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) digest: Digest,
    pub(crate) scope: Scope,
    pub(crate) resource: ResourceId,
    pub(crate) effect: Effect,
    pub(crate) flavor: Flavor,
    pub(crate) writer: Writer,
    pub(crate) told: Told,
    pub(crate) excuse: Option<Excuse>,
    /// An answer has said that it is in the log.
    pub(crate) acknowledged: bool,
    /// An answer has said that it counts as dropped, by its clock alone, and that others of its request
    /// were in the log, so that this request had come before; or that a collected tombstone may have covered it.
    pub(crate) maybe_covered: bool,
    /// It was discarded, and nobody holds it as unsent: it must not come back.
    pub(crate) banned: bool,
    /// Several disks have held it as unsent, and each may have written it anew; or it came too late, was
    /// written anew, and may come once more.
    pub(crate) may_double: bool,
    /// How many ops with this payload were written.
    pub(crate) copies: u32,
    /// Rises with each op that is written.
    pub(crate) order: u64,
}

/// Everything written in a world.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    written: Vec<Written>,
    by_digest: BTreeMap<Digest, usize>,
    orders: u64,
    /// What the server's answers have said to be in its log, at which place.
    acknowledged: BTreeMap<ServerSeq, Digest>,
}

impl Oracle {
    /// Notes an op that is about to be written.
    pub(crate) fn begin(&mut self, wish: &Wish, writer: Writer) -> usize {
        self.orders += 1;
        let digest = digest(&wish.op.payload.hash());
        let index = self.written.len();
        self.written.push(Written {
            digest,
            scope: wish.op.scope.clone(),
            resource: wish.op.resource.clone(),
            effect: wish.effect.clone(),
            flavor: wish.flavor,
            writer,
            told: Told::Nothing,
            excuse: None,
            acknowledged: false,
            maybe_covered: false,
            banned: false,
            may_double: false,
            copies: 1,
            order: self.orders,
        });
        let before = self.by_digest.insert(digest, index);
        assert!(before.is_none(), "two ops of a world have the same payload");
        index
    }

    /// As [`Oracle::begin`], of an op whose payload may be that of earlier ones, such as the second
    /// tick of an item. What holds of the newest is then asked of all of them.
    pub(crate) fn begin_again(&mut self, wish: &Wish, writer: Writer) -> usize {
        let digest = digest(&wish.op.payload.hash());
        let Some(index) = self.by_digest.get(&digest).copied() else {
            return self.begin(wish, writer);
        };
        self.orders += 1;
        let order = self.orders;
        let written = &mut self.written[index];
        written.copies += 1;
        written.excuse = None;
        written.banned = false;
        written.writer = writer;
        written.order = order;
        index
    }

    /// A call that has failed may have written an op with this payload once more.
    pub(crate) fn may_be_again(&mut self, digest: &Digest) {
        if let Some(written) = self.find_mut(digest) {
            written.copies += 1;
        }
    }

    /// Whether an op with this payload was written.
    pub(crate) fn knows(&self, hash: &PayloadHash) -> bool {
        self.by_digest.contains_key(&digest(hash))
    }

    /// The order of the op that was begun last.
    pub(crate) fn newest_order(&self) -> u64 {
        self.orders
    }

    /// The writer was told that the op is written.
    pub(crate) fn done(&mut self, index: usize) {
        self.written[index].told = Told::Done;
    }

    pub(crate) fn find(&self, digest: &Digest) -> Option<&Written> {
        self.by_digest
            .get(digest)
            .map(|index| &self.written[*index])
    }

    /// Whether an op need not be there.
    pub(crate) fn is_excused(&self, digest: &Digest) -> bool {
        let written = self.find(digest);
        written.is_some_and(|written| written.excuse.is_some())
    }

    fn find_mut(&mut self, digest: &Digest) -> Option<&mut Written> {
        self.by_digest
            .get(digest)
            .map(|index| &mut self.written[*index])
    }

    /// The op left quarantine, and is the newest of its writer.
    pub(crate) fn retried(&mut self, digest: &Digest) {
        self.orders += 1;
        let order = self.orders;
        if let Some(written) = self.find_mut(digest) {
            written.order = order;
        }
    }

    pub(crate) fn dropped(&mut self, digest: &Digest) {
        self.excuse([*digest], Excuse::Dropped);
    }

    pub(crate) fn excuse(&mut self, digests: impl IntoIterator<Item = Digest>, excuse: Excuse) {
        for digest in digests {
            if let Some(written) = self.find_mut(&digest) {
                written.excuse = Some(excuse);
            }
        }
    }

    /// Ops that were cut off the log on purpose, and that no outbox holds: they stay away.
    pub(crate) fn ban(&mut self, digests: impl IntoIterator<Item = Digest>) {
        for digest in digests {
            if let Some(written) = self.find_mut(&digest) {
                written.banned = true;
            }
        }
    }

    /// Somebody has put an older disk back: what was banned may be on it.
    pub(crate) fn lift_bans(&mut self) {
        for written in &mut self.written {
            written.banned = false;
        }
    }

    /// An older disk holds these as unsent.
    pub(crate) fn lift_bans_of(&mut self, digests: &[Digest]) {
        for digest in digests {
            if let Some(written) = self.find_mut(digest) {
                written.banned = false;
            }
        }
    }

    /// Several disks hold these as unsent.
    pub(crate) fn let_double(&mut self, digests: impl IntoIterator<Item = Digest>) {
        for digest in digests {
            if let Some(written) = self.find_mut(&digest) {
                written.may_double = true;
            }
        }
    }

    /// This one came too late for what its resource has collected. It is written anew, and behind it what
    /// waits that its machine has written to the resource later, also where that is in no answer yet.
    pub(crate) fn let_double_behind(&mut self, digest: &Digest) {
        let Some(&first) = self.by_digest.get(digest) else {
            return;
        };
        let (late, later) = self.written[first..]
            .split_first_mut()
            .expect("it is there");
        late.may_double = true;
        let behind = later.iter_mut().filter(|written| {
            written.writer.machine == late.writer.machine
                && (&written.scope, &written.resource) == (&late.scope, &late.resource)
                && !written.acknowledged
        });
        behind.for_each(|written| written.may_double = true);
    }

    /// The server can't tell whether its log has dropped this op.
    pub(crate) fn maybe_covered(&mut self, digest: &Digest) {
        if let Some(written) = self.find_mut(digest) {
            written.maybe_covered = true;
        }
    }

    /// An answer that left the server says that the op is at this place.
    pub(crate) fn acknowledged(&mut self, seq: ServerSeq, digest: Digest) -> Result<(), Violation> {
        if let Some(written) = self.find_mut(&digest) {
            written.acknowledged = true;
        }
        match self.acknowledged.insert(seq, digest) {
            Some(before) if before != digest => Err(Violation(format!(
                "the server has acknowledged two ops at place {seq}"
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// The operator has put this log in the place of the one that the server had.
    pub(crate) fn replace_log(&mut self, log: &BTreeMap<ServerSeq, Digest>) {
        self.acknowledged
            .retain(|place, digest| log.get(place) == Some(digest));
    }

    /// Compares what was acknowledged with the log as it is.
    pub(crate) fn check_acknowledged(
        &self,
        log: &BTreeMap<ServerSeq, Digest>,
    ) -> Result<(), Violation> {
        for (seq, digest) in &self.acknowledged {
            if log.get(seq) != Some(digest) {
                return Err(Violation(format!(
                    "the server acknowledged an op at place {seq}, and its log does not hold it there"
                )));
            }
        }
        Ok(())
    }

    /// The ops that a machine has reported as written, and that `held` lacks.
    pub(crate) fn lacking(&self, writer: Writer, held: &Holdings) -> Vec<Digest> {
        let own = self.written.iter().filter(|written| {
            written.writer == writer && written.told == Told::Done && written.excuse.is_none()
        });
        own.map(|written| written.digest)
            .filter(|digest| !held.holds(digest))
            .collect()
    }
}
