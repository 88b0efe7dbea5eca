//! Every op that a log was ever seen to hold, by its place and mark: what compaction drops is known
//! here still, and where in which history it stood.
//!
//! A mark says all that came before it, so from where a log stands one can go back through every
//! place, whatever it has dropped there, and find that each was filled, and by what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use syncline_model::compaction::replaces;
use syncline_model::{LoggedOp, Mark, OpKey, ResourceId, Scope, ServerSeq};
use syncline_protocol::OfferedOp;
use syncline_store::{PageLimit, StoreError, TenantFile};

use super::{Digest, digest};
use crate::workload::OPAQUE_SCOPE;

const WHOLE: PageLimit = PageLimit {
    ops: usize::MAX >> 1,
    bytes: usize::MAX >> 1,
};

/// What was seen in logs.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    ops: BTreeMap<ServerSeq, HashMap<Mark, LoggedOp>>,
    /// The ops that some log has dropped.
    dropped: BTreeMap<Digest, LoggedOp>,
    /// What stood last in a log to replace an op of the opaque scope that it has dropped.
    replacing: BTreeMap<Digest, BTreeSet<Digest>>,
    /// Resources of which a log has let go of a tombstone with the ops that made it: what is left of
    /// them elsewhere may be without what removed them.
    collected: BTreeSet<(Scope, ResourceId)>,
}

/// A log with what it has dropped.
#[derive(Debug, Default, Clone)]
pub(crate) struct WholeLog {
    pub(crate) ops: BTreeMap<ServerSeq, LoggedOp>,
    /// The places whose ops it holds itself.
    pub(crate) held: BTreeSet<ServerSeq>,
    /// The place that no known op of its history stands at.
    pub(crate) gap: Option<ServerSeq>,
}

impl Archive {
    /// Reads a log, and adds what it has dropped.
    pub(crate) fn whole(&mut self, file: &TenantFile) -> Result<WholeLog, StoreError> {
        let mut log = WholeLog::default();
        let mut known = BTreeMap::new();
        for op in file.ops_after(ServerSeq::ZERO, WHOLE)? {
            log.held.insert(op.seq);
            if let Some(mark) = file.mark_at(op.seq)? {
                known.insert(op.seq, mark);
                self.add(mark, &op);
            }
            log.ops.insert(op.seq, op);
        }
        let head = file.head()?.cursor;
        let (mut seq, mut mark) = (head.server_seq, Some(head.mark));
        while seq > ServerSeq::ZERO {
            let own = known.get(&seq).copied();
            let is_other = mark.is_some() && own.is_some() && own != mark;
            let found = self.op_at(&log, seq, mark.or(own));
            let Some(op) = found.filter(|_| !is_other) else {
                log.gap = Some(seq);
                break;
            };
            if !log.held.contains(&seq) {
                self.dropped.insert(digest(&op.payload_hash), op.clone());
            }
            let before = ServerSeq(seq.get() - 1);
            let mut marks = self.ops.get(&before).into_iter().flat_map(HashMap::keys);
            let leads_here = |one: &&Mark| Some(one.next(&op.key, &op.payload_hash)) == mark;
            // A replica does not know the marks of the first page of a log.
            mark = marks.find(leads_here).or(known.get(&before)).copied();
            log.ops.insert(seq, op);
            seq = before;
        }
        self.note_replacing(&log);
        Ok(log)
    }

    /// Notes of each op of the opaque scope that the log has dropped what it holds to replace it.
    fn note_replacing(&mut self, log: &WholeLog) {
        let mut last = BTreeMap::new();
        let ops = log.ops.iter().rev();
        for (seq, op) in ops.filter(|(_, op)| op.key.scope.as_str() == OPAQUE_SCOPE) {
            let own = digest(&op.payload_hash);
            let is_held = log.held.contains(seq);
            if is_held && op.payload.as_ref().is_some_and(replaces) {
                last.entry(&op.key.resource).or_insert(own);
            } else if let Some(by) = last.get(&op.key.resource).filter(|_| !is_held) {
                self.replacing.entry(own).or_default().insert(*by);
            }
        }
    }

    /// The op at a place: the log's own, if it is of this history, or the one that stood there.
    fn op_at(&mut self, log: &WholeLog, seq: ServerSeq, mark: Option<Mark>) -> Option<LoggedOp> {
        let Some(op) = log.ops.get(&seq) else {
            return self.ops.get(&seq)?.get(&mark?).cloned();
        };
        if let Some(mark) = mark {
            self.add(mark, op);
            let known = self.ops.get(&seq)?.get(&mark)?;
            return (known.key == op.key && known.payload_hash == op.payload_hash)
                .then(|| known.clone());
        }
        Some(op.clone())
    }

    fn add(&mut self, mark: Mark, op: &LoggedOp) {
        let place = self.ops.entry(op.seq).or_default();
        let known = place.entry(mark).or_insert_with(|| op.clone());
        // A log that has erased it tells less.
        if known.payload.is_none() {
            known.payload.clone_from(&op.payload);
        }
    }

    /// A log has let go of this resource's tombstone.
    pub(crate) fn note_collected(&mut self, scope: &Scope, resource: &ResourceId) {
        self.collected.insert((scope.clone(), resource.clone()));
    }

    /// The log says that it has held this op, and dropped it: it must change nothing.
    pub(crate) fn count_as_dropped(&mut self, op: &OfferedOp) {
        let known = self.dropped.entry(digest(&op.payload_hash));
        known.or_insert_with(|| LoggedOp {
            seq: ServerSeq::ZERO,
            key: op.key.clone(),
            payload: op.payload.clone(),
            payload_hash: op.payload_hash,
        });
    }

    /// Counts as dropped what is missing from a log, was seen in another, and would count as dropped if it
    /// were offered under any key that it had: a replica that comes to this log does not offer it again.
    /// Where a tombstone was collected the view would tell nothing of it.
    pub(crate) fn count_passed_over(
        &mut self,
        log: &TenantFile,
        missing: &BTreeSet<Digest>,
    ) -> Result<(), StoreError> {
        let mut passed_over = BTreeMap::new();
        for op in self.ops.values().flat_map(HashMap::values) {
            let digest = digest(&op.payload_hash);
            if !missing.contains(&digest) {
                continue;
            }
            let counts = !self.is_collected(&op.key) && log.counts_as_dropped(op)?;
            let (_, all_count) = passed_over.entry(digest).or_insert((op.clone(), true));
            *all_count &= counts;
        }
        for (op, _) in passed_over.into_values().filter(|(_, counts)| *counts) {
            self.count_as_dropped(&OfferedOp {
                key: op.key,
                payload: op.payload,
                payload_hash: op.payload_hash,
            });
        }
        Ok(())
    }

    /// The op that some log has dropped; none: no log has.
    pub(crate) fn dropped(&self, digest: &Digest) -> Option<&LoggedOp> {
        self.dropped.get(digest)
    }

    /// Whether some log has dropped this op as covered. No row tells of one of the opaque scope: what
    /// replaced it, or replaced that in turn, must be there.
    pub(crate) fn is_covered(&self, digest: &Digest, is_there: impl Fn(&Digest) -> bool) -> bool {
        let Some(op) = self.dropped.get(digest) else {
            return false;
        };
        // Of what no log was seen to hold, the log went by the clock.
        if op.key.scope.as_str() != OPAQUE_SCOPE || op.seq == ServerSeq::ZERO {
            return true;
        }
        let (mut seen, mut next) = (BTreeSet::new(), vec![digest]);
        while let Some(one) = next.pop() {
            let by = self.replacing.get(one).into_iter().flatten();
            for by in by.filter(|by| seen.insert(**by)) {
                if is_there(by) {
                    return true;
                }
                next.push(by);
            }
        }
        false
    }

    /// All ops that some log has dropped as covered, as [`Archive::is_covered`] has it.
    pub(crate) fn all_covered(&self, is_there: impl Fn(&Digest) -> bool) -> BTreeSet<Digest> {
        let dropped = self.dropped.keys().copied();
        dropped
            .filter(|digest| self.is_covered(digest, &is_there))
            .collect()
    }

    /// The resources of all ops ever seen that `is_meant` for.
    pub(crate) fn resources_of(
        &self,
        is_meant: impl Fn(&Digest) -> bool,
    ) -> BTreeSet<(Scope, ResourceId)> {
        let ops = self.ops.values().flat_map(HashMap::values);
        ops.filter(|op| is_meant(&digest(&op.payload_hash)))
            .map(|op| (op.key.scope.clone(), op.key.resource.clone()))
            .collect()
    }

    /// Whether the op's resource has had a tombstone that a log let go of.
    pub(crate) fn is_collected(&self, key: &OpKey) -> bool {
        let key = (key.scope.clone(), key.resource.clone());
        self.collected.contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use syncline_model::{ActorId, Clock, Epoch, Op, Payload};
    use syncline_simdisk::{Disk, Process};
    use syncline_store::{Collecting, Compaction, FileOptions, PendingOp, Stepped};
    use uuid::Uuid;

    use super::*;

    fn op(clock: u64, payload: &str) -> Op {
        Op {
            key: OpKey {
                actor: ActorId::new("a").unwrap(),
                clock: Clock::new(clock).unwrap(),
                scope: Scope::new(OPAQUE_SCOPE).unwrap(),
                resource: ResourceId::new("one").unwrap(),
            },
            payload: Payload::parse(payload).unwrap(),
        }
    }

    fn log(process: &Process, path: &str) -> TenantFile {
        let options = FileOptions {
            vfs: Some(process.vfs_name().to_owned()),
            ..FileOptions::default()
        };
        let (epoch, origin) = (Epoch::new(Uuid::from_u128(1)), Mark::origin([7; 16]));
        TenantFile::create(Path::new(path), &options, epoch, origin).unwrap()
    }

    /// Appends an op, and drops below it what is covered.
    fn append_and_compact(file: &mut TenantFile, archive: &mut Archive, op: &Op) {
        let mut batch = file.begin().unwrap();
        batch
            .append(&op.key, Some(&op.payload), op.payload.hash())
            .unwrap();
        let floor = batch.commit().unwrap().cursor.server_seq;
        archive.whole(file).unwrap();
        let mut run = Compaction::begin(file, floor, Collecting::Tombstones).unwrap();
        let nothing: &[PendingOp] = &[];
        while file.compact_step(&mut run, 10, nothing).unwrap() == Stepped::More {}
        archive.whole(file).unwrap();
    }

    /// World 1924: no row tells whether an op of a scope that nobody folds was covered.
    #[test]
    fn an_opaque_op_counts_as_covered_where_what_replaced_it_is_there() {
        let disk = Disk::new(1);
        let process = disk.process("s/");
        let mut file = log(&process, "s/tenant.db");
        let ops = [
            op(1, "{\"n\":1}"),
            op(2, "{\"n\":2,\"replaces\":true}"),
            op(3, "{\"n\":3,\"replaces\":true}"),
        ];
        let digests = ops.each_ref().map(|op| digest(&op.payload.hash()));
        let mut archive = Archive::default();
        for op in &ops {
            append_and_compact(&mut file, &mut archive, op);
        }
        assert!(archive.is_covered(&digests[0], |by| *by == digests[1]));
        assert!(archive.is_covered(&digests[0], |by| *by == digests[2]));
        assert!(!archive.is_covered(&digests[0], |_| false));
        assert!(!archive.is_covered(&digests[2], |_| true), "it is there");
    }

    /// World 9987: a log was put back and lost an op of the opaque scope. A younger one of its actor was
    /// replaced since, so that the replica that held it passed it over.
    #[test]
    fn what_the_next_log_would_count_as_dropped_is_passed_over() {
        let disk = Disk::new(1);
        let process = disk.process("s/");
        let (mut lost, mut next) = (log(&process, "s/lost.db"), log(&process, "s/next.db"));
        let mut archive = Archive::default();
        let older = op(1, "{\"n\":1}");
        let younger = op(4, "{\"n\":4}");
        for op in [&older, &younger] {
            append_and_compact(&mut lost, &mut archive, op);
        }
        let replaced = op(2, "{\"n\":2}");
        let replacing = op(3, "{\"n\":3,\"replaces\":true}");
        for op in [&replaced, &replacing] {
            append_and_compact(&mut next, &mut archive, op);
        }
        let missing = [&older, &younger].map(|op| digest(&op.payload.hash()));
        archive
            .count_passed_over(&next, &BTreeSet::from(missing))
            .unwrap();
        let passed_over = missing.map(|digest| archive.is_covered(&digest, |_| false));
        assert_eq!(passed_over, [true, false]);
    }
}
