//! Every op that a log was ever seen to hold, by its place and mark: what compaction drops is known
//! here still, and where in which history it stood.
//!
//! A mark says all that came before it, so from where a log stands one can go back through every
//! place, whatever it has dropped there, and find that each was filled, and by what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use syncline_model::{LoggedOp, Mark, OpKey, ResourceId, Scope, ServerSeq};
use syncline_protocol::OfferedOp;
use syncline_store::{PageLimit, StoreError, TenantFile};

use super::{Digest, digest};

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
        Ok(log)
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

    /// The op that some log has dropped; none: no log has.
    pub(crate) fn dropped(&self, digest: &Digest) -> Option<&LoggedOp> {
        self.dropped.get(digest)
    }

    /// All ops that some log has dropped.
    pub(crate) fn all_dropped(&self) -> BTreeSet<Digest> {
        self.dropped.keys().copied().collect()
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
