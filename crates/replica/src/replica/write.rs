//! Writing, and deciding about what was refused.

use syncline_model::OpKey;
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
    /// The item or list that it adds is there already, as others have left it: it has left the quarantine.
    There,
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

    /// Writes an op of the quarantine anew, with a new clock, so that it is offered again; none: no
    /// op has this id, or its payload was erased. What others have written since of records, it has seen;
    /// what they have made of an item or a list that it adds stays.
    pub fn retry_quarantined(&mut self, id: QuarantineId) -> Result<Option<Retried>, ReplicaError> {
        self.refuse_if_replaced()?;
        if self.is_made(id)? {
            self.local
                .drop_quarantined(id)
                .map_err(ReplicaError::Local)?;
            return Ok(Some(Retried::There));
        }
        let anew = self.seen_anew(id)?;
        let tenant = &self.tenant;
        let clock_seen = || clock_seen(tenant);
        let key = self.local.retry(id, anew.as_ref(), clock_seen)?;
        if let Some(key) = &key {
            self.show_or_log();
            let touched = (key.scope.clone(), key.resource.clone());
            self.subscribers.tell(&Changes::Named([touched].into()));
        }
        Ok(key.map(Retried::Anew))
    }

    /// Whether an op of the quarantine adds what others who held it have added again since.
    fn is_made(&mut self, id: QuarantineId) -> Result<bool, ReplicaError> {
        self.view()?;
        let Some(op) = self.quarantined_op(id)? else {
            return Ok(false);
        };
        let made = op
            .payload
            .map(|payload| self.tenant.is_made(&op.key, &payload));
        made.unwrap_or(Ok(false)).map_err(ReplicaError::Tenant)
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
