//! Writing, and deciding about what was refused.

use syncline_model::OpKey;
use syncline_model::compaction::{Outdone, SaidSince};
use syncline_store::local::{NewOp, QuarantineId, QuarantinedOp, WriteError};
use syncline_store::{StoreError, TenantFile};

use super::Replica;
use crate::{Changes, ReplicaError};

/// Ops that are on the disk, and will reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Their keys, in the order of the ops.
    pub keys: Vec<OpKey>,
}

/// What became of an op of the quarantine that was to be offered again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// It is written anew, with this key.
    Anew(OpKey),
    /// What it says, or the item or list that it adds, is there already: it has left the quarantine.
    There,
    /// Others have written later what it would write over: it stays in quarantine.
    Outdone(Vec<Outdone>),
    /// No op has this id, or its payload was erased.
    Nothing,
}

/// What a retried op does to what others have written later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaterWords {
    Stay,
    /// It is written over them.
    Go,
}

/// Why a write that depends on the view was not done.
#[derive(Debug, thiserror::Error)]
pub enum WriteWithError<E: std::error::Error + 'static> {
    /// The caller's own decision.
    #[error(transparent)]
    Declined(E),
    #[error("could not read the view")]
    View(#[source] ReplicaError),
    #[error("could not write the ops")]
    Write(#[source] WriteError),
}

impl Replica {
    /// Writes ops in one transaction: all of them or none. They survive a crash from the moment this
    /// returns, and are in the view.
    ///
    /// A failure to show them in the view is not a failure of the write: it is logged, and the next
    /// use of the replica shows them.
    pub fn write(&mut self, ops: &[NewOp]) -> Result<Written, WriteError> {
        let now = self.place.host.now();
        let written =
            self.write_in_place(|local, tenant| local.write(ops, || clock_seen(tenant), now))?;
        self.show_or_log();
        let touched = ops
            .iter()
            .map(|op| (op.scope.clone(), op.resource.clone()))
            .collect();
        self.subscribers.tell(&Changes::Named(touched));
        Ok(Written {
            keys: written
                .ops
                .into_iter()
                .map(|pending| pending.op.key)
                .collect(),
        })
    }

    /// Writes the ops that `decide` makes of the view, which holds every write done before this
    /// call, by any process.
    ///
    /// Two processes may decide on the same view. Ops must therefore be made so that deciding twice
    /// does no harm, as those of threads are: ids follow from names, and fields belong to their last
    /// writer.
    pub fn write_with<E: std::error::Error + 'static>(
        &mut self,
        decide: impl FnOnce(&TenantFile) -> Result<Vec<NewOp>, E>,
    ) -> Result<Written, WriteWithError<E>> {
        let view = self.view().map_err(WriteWithError::View)?;
        let ops = decide(view).map_err(WriteWithError::Declined)?;
        self.write(&ops).map_err(WriteWithError::Write)
    }

    /// Everything in quarantine, oldest refusal first.
    pub fn quarantined(&self) -> Result<Vec<QuarantinedOp>, ReplicaError> {
        self.local.quarantined().map_err(ReplicaError::Local)
    }

    /// One op in quarantine; none: no op has this id.
    pub fn quarantined_op(&self, id: QuarantineId) -> Result<Option<QuarantinedOp>, ReplicaError> {
        Ok(self.quarantined()?.into_iter().find(|op| op.id == id))
    }

    /// Writes ops of the quarantine anew, each with a new clock, so that they are offered again; gives what
    /// became of each, in their order. What others have written since of records, they have seen; what others
    /// have written since of items, lists and threads stays, unless it is to go.
    pub fn retry_quarantined(
        &mut self,
        ids: &[QuarantineId],
        later: LaterWords,
    ) -> Result<Vec<Retried>, ReplicaError> {
        self.refuse_if_replaced()?;
        self.view()?;
        // All before the first is written: of two that build on each other the first is not later than the second.
        let since: Vec<_> = ids
            .iter()
            .map(|id| self.said_since(*id))
            .collect::<Result<_, _>>()?;
        let each = ids.iter().zip(since);
        each.map(|(id, said)| match said {
            SaidSince::There => {
                let dropped = self.local.drop_quarantined(*id);
                dropped.map_err(ReplicaError::Local)?;
                Ok(Retried::There)
            }
            SaidSince::Outdone(words) if later == LaterWords::Stay => Ok(Retried::Outdone(words)),
            SaidSince::Outdone(_) | SaidSince::NothingElse => self.write_quarantined_anew(*id),
        })
        .collect()
    }

    /// What the view shows that was said since an op of the quarantine was written.
    fn said_since(&self, id: QuarantineId) -> Result<SaidSince, ReplicaError> {
        let op = self.quarantined_op(id)?;
        let Some((key, payload)) = op.and_then(|op| Some((op.key, op.payload?))) else {
            return Ok(SaidSince::NothingElse);
        };
        let actor = self.local.identity().map_err(ReplicaError::Local)?.actor;
        let said = self.tenant.said_since(&key, &payload, &actor);
        said.map_err(ReplicaError::Tenant)
    }

    fn write_quarantined_anew(&mut self, id: QuarantineId) -> Result<Retried, ReplicaError> {
        let anew = self.seen_anew(id)?;
        let tenant = &self.tenant;
        let clock_seen = || clock_seen(tenant);
        let Some(key) = self.local.retry(id, anew.as_ref(), clock_seen)? else {
            return Ok(Retried::Nothing);
        };
        self.show_or_log();
        let touched = (key.scope.clone(), key.resource.clone());
        self.subscribers.tell(&Changes::Named([touched].into()));
        Ok(Retried::Anew(key))
    }

    /// Drops an op of the quarantine for good; gives what it was.
    pub fn drop_quarantined(
        &mut self,
        id: QuarantineId,
    ) -> Result<Option<QuarantinedOp>, ReplicaError> {
        self.refuse_if_replaced()?;
        self.local.drop_quarantined(id).map_err(ReplicaError::Local)
    }

    /// Shows in the view what is durable already: too late to fail.
    pub(super) fn show_or_log(&mut self) {
        if let Err(error) = self.refresh() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the view lags behind a write"
            );
        }
    }
}

/// The highest clock of the log.
pub(crate) fn clock_seen(tenant: &TenantFile) -> Result<u64, StoreError> {
    match tenant.head() {
        Ok(head) => Ok(head.clock_max),
        // A write must not fail for the sake of a file that can be had again. The replica takes a
        // new actor when it sets the file aside, so no clock is used twice.
        Err(StoreError::Damaged { .. }) => Ok(0),
        Err(error) => Err(error),
    }
}
