//! The outbox and the log, compared: what a crash, a power cut, or a copy put back has left between
//! them.

use std::collections::HashMap;

use syncline_model::{LoggedOp, OpKey, PayloadHash, Scope, ServerSeq};
use syncline_store::local::{OutboxRow, Verdict};

use super::Replica;
use super::apply::NewClock;
use crate::ReplicaError;

/// How many ops of the outbox one pass compares with the log.
const PAGE: usize = 1000;

/// How much of the outbox is compared with the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// A page of it: what a process that was killed between two transactions left behind.
    Recent,
    All,
}

/// What the log says of an op's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logged {
    No,
    /// The log holds the op.
    Yes,
    /// The log holds another op under its key: somebody else writes with the same actor, or this
    /// replica did in a life that it has no memory of.
    Another,
}

/// Ops of the outbox, by what is to become of them.
#[derive(Debug, Default)]
struct Sorted {
    pulled: Vec<OutboxRow>,
    lacking: Vec<OpKey>,
    conflicting: Vec<OpKey>,
}

impl Replica {
    /// Compares the outbox with the log: an op that the log holds leaves the outbox; one whose key
    /// is another op's is written anew; and one that the server said it has at a place that this
    /// replica has passed, and that isn't there, is pending again. What is in quarantine and in the log leaves
    /// the quarantine.
    pub(crate) fn reconcile(&mut self, depth: Depth) -> Result<(), ReplicaError> {
        self.on_current_file(|replica| replica.try_reconcile(depth))
    }

    /// As [`Replica::reconcile`], and fails where the tenant file that is open is no longer the current one.
    pub(super) fn try_reconcile(&mut self, depth: Depth) -> Result<(), ReplicaError> {
        let offered = self.local.offered_order().map_err(ReplicaError::Local)?;
        // Those written anew stand behind this, and need no second look.
        let newest = self.local.newest_order().map_err(ReplicaError::Local)?;
        let last = match depth {
            // An op that was never offered can be in no log; but a power cut may have taken back how
            // far the outbox was, and a former life's ops may have its key.
            Depth::Recent => offered.min(newest),
            Depth::All => newest,
        };
        let mut after = 0;
        while after < last {
            let rows = self
                .local
                .outbox_after(after, PAGE)
                .map_err(ReplicaError::Local)?;
            let Some(end) = rows.last().map(|row| row.order) else {
                break;
            };
            let mut sorted = Sorted::default();
            for row in rows.into_iter().filter(|row| row.order <= last) {
                match self.logged(&row.key, row.payload_hash)? {
                    Logged::No => {}
                    Logged::Yes => sorted.pulled.push(row),
                    Logged::Another => sorted.conflicting.push(row.key),
                }
            }
            self.settle_sorted(&sorted)?;
            after = end;
            if depth == Depth::Recent {
                break;
            }
        }
        self.release_logged()?;
        self.try_settle_passed()
    }

    fn release_logged(&mut self) -> Result<(), ReplicaError> {
        let mut logged = Vec::new();
        for (key, hash) in self.local.quarantined_keys().map_err(ReplicaError::Local)? {
            if self.logged(&key, hash)? == Logged::Yes {
                logged.push((key, hash));
            }
        }
        self.release(&logged)
    }

    /// The ops in quarantine that are among these of the log, under their own keys or, where they are of items
    /// or lists, as another who held them has written them anew since.
    pub(super) fn quarantined_among(
        &self,
        ops: &[LoggedOp],
    ) -> Result<Vec<(OpKey, PayloadHash)>, ReplicaError> {
        let mut waiting = self.local.quarantined_keys().map_err(ReplicaError::Local)?;
        if waiting.is_empty() {
            return Ok(waiting);
        }
        let mut logged: HashMap<_, Vec<_>> = HashMap::new();
        for op in ops {
            logged.entry(op.payload_hash).or_default().push(&op.key);
        }
        waiting.retain(|(held, hash)| {
            let mut alike = logged.get(hash).into_iter().flatten();
            alike.any(|key| *key == held || is_anew(key, held))
        });
        Ok(waiting)
    }

    /// Lets go of what was refused here, and has come to the log all the same: another replica, which had
    /// it from an earlier log, has offered it when the server would take it.
    pub(super) fn release(&mut self, ops: &[(OpKey, PayloadHash)]) -> Result<(), ReplicaError> {
        if !ops.is_empty() {
            tracing::info!(
                op.count = ops.len(),
                "the log holds ops that were in quarantine, which lets go of them"
            );
        }
        Ok(self.judged().release_quarantined(ops)?)
    }

    /// Settles acknowledged ops whose place the cursor has passed without pulling them.
    pub(super) fn settle_passed(&mut self) -> Result<(), ReplicaError> {
        self.on_current_file(Self::try_settle_passed)
    }

    fn try_settle_passed(&mut self) -> Result<(), ReplicaError> {
        let head = self.tenant.head().map_err(ReplicaError::Tenant)?;
        loop {
            let rows = self
                .local
                .acknowledged_through(head.cursor.server_seq, PAGE)
                .map_err(ReplicaError::Local)?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut sorted = Sorted::default();
            for row in rows {
                match self.logged(&row.key, row.payload_hash)? {
                    Logged::Yes => sorted.pulled.push(row),
                    // Below the floor it may have been dropped: that is the server's to say.
                    Logged::No => {
                        tracing::warn!(
                            op.key = ?row.key,
                            "the log lacks an acknowledged op at a place passed; it is offered again"
                        );
                        sorted.lacking.push(row.key);
                    }
                    Logged::Another => sorted.conflicting.push(row.key),
                }
            }
            self.settle_sorted(&sorted)?;
        }
    }

    /// Counts acknowledged ops as pending again whose place is above the log's head: the log was put
    /// back since. `head` must have been heard after the last acknowledgement.
    pub(crate) fn settle_beyond(&mut self, head: ServerSeq) -> Result<(), ReplicaError> {
        loop {
            let rows = self
                .local
                .acknowledged_beyond(head, PAGE)
                .map_err(ReplicaError::Local)?;
            if rows.is_empty() {
                return Ok(());
            }
            tracing::warn!(
                op.count = rows.len(),
                "the log ends before acknowledged ops; they are offered again"
            );
            let lacking: Vec<_> = rows.into_iter().map(|row| row.key).collect();
            self.on_current_file(|replica| Ok(replica.judged().offer_again(&lacking)?))?;
        }
    }

    /// Writes anew those ops of the outbox whose keys are others' in the log.
    pub(super) fn write_anew(&mut self, keys: &[OpKey]) -> Result<(), ReplicaError> {
        if keys.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            op.count = keys.len(),
            "ops whose keys are others' are written anew"
        );
        // An acknowledgement was of a log that is no longer the server's.
        self.judged().offer_again(keys)?;
        let verdicts: Vec<_> = keys
            .iter()
            .map(|key| (key.clone(), Verdict::KeyTaken))
            .collect();
        let floor = self.clock_floor(NewClock::Onward)?;
        let (actor, now) = (self.place.new_actor(), self.place.host.now());
        self.judged().settle(&verdicts, &actor, floor, now)?;
        Ok(())
    }

    /// What the log says of an op's key.
    pub(super) fn logged(&self, key: &OpKey, hash: PayloadHash) -> Result<Logged, ReplicaError> {
        let found = self.tenant.find(key).map_err(ReplicaError::Tenant)?;
        Ok(match found {
            None => Logged::No,
            Some((_, logged)) if logged == hash => Logged::Yes,
            Some(_) => Logged::Another,
        })
    }

    /// What became of an op of our actor that the log has: whether it was written here.
    pub(super) fn wrote(
        &self,
        row: Option<&OutboxRow>,
        key: &OpKey,
        hash: PayloadHash,
    ) -> Result<bool, ReplicaError> {
        if let Some(row) = row {
            return Ok(row.payload_hash == hash);
        }
        let held = self
            .local
            .quarantined_with_key(key)
            .map_err(ReplicaError::Local)?;
        if held.is_some_and(|op| op.payload_hash == hash) {
            return Ok(true);
        }
        if self.logged(key, hash)? == Logged::Yes {
            return Ok(true);
        }
        // It was in the log before compaction dropped it.
        self.tenant.is_pruned(key).map_err(ReplicaError::Tenant)
    }

    fn settle_sorted(&mut self, sorted: &Sorted) -> Result<(), ReplicaError> {
        // The transaction that put them in the log has waited for the disk.
        self.forget_pulled(&sorted.pulled)?;
        self.judged().offer_again(&sorted.lacking)?;
        self.write_anew(&sorted.conflicting)
    }
}

/// Whether an op with the first key, which says what one with the second does, was written after it and does the
/// same to the same item or list.
fn is_anew(key: &OpKey, held: &OpKey) -> bool {
    [Scope::REGISTRY, Scope::LIST].contains(&key.scope.as_str())
        && (&key.scope, &key.resource) == (&held.scope, &held.resource)
        && (key.clock, &key.actor) > (held.clock, &held.actor)
}
