//! Writing, and deciding about what was refused.

use syncline_model::OpKey;
use syncline_model::compaction::{Outdone, SaidSince};
use syncline_store::local::{Desk, NewOp, QuarantineId, QuarantinedOp, WriteError};
use syncline_store::{StoreError, TenantFile};

use super::Replica;
use super::records::seen_anew;
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
    /// Its thread or session was deleted, and what it says would be erased: it stays in quarantine.
    Gone,
    /// It is not in quarantine: another process has offered it again or dropped it, the log has come to hold it, or no
    /// op ever had this id.
    Left,
    /// Its payload was erased: it stays in quarantine.
    Nothing,
}

impl Retried {
    fn key(&self) -> Option<&OpKey> {
        match self {
            Self::Anew(key) => Some(key),
            Self::There | Self::Outdone(_) | Self::Gone | Self::Left | Self::Nothing => None,
        }
    }
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
    /// call, by any process, and stays as it is while it decides.
    ///
    /// Two processes may decide on the same view. Ops must therefore be made so that deciding twice
    /// does no harm, as those of threads are: ids follow from names, and fields belong to their last
    /// writer.
    pub fn write_with<E: std::error::Error + 'static>(
        &mut self,
        decide: impl FnOnce(&TenantFile) -> Result<Vec<NewOp>, E>,
    ) -> Result<Written, WriteWithError<E>> {
        let view = self.view().map_err(WriteWithError::View)?;
        let decided = view.snapshot(|view| Ok::<_, StoreError>(decide(view)));
        let decided = decided.map_err(|error| WriteWithError::View(ReplicaError::Tenant(error)))?;
        let ops = decided.map_err(WriteWithError::Declined)?;
        self.write(&ops).map_err(WriteWithError::Write)
    }

    /// Everything in quarantine, oldest refusal first.
    pub fn quarantined(&self) -> Result<Vec<QuarantinedOp>, ReplicaError> {
        self.local.quarantined().map_err(ReplicaError::Local)
    }

    /// One op in quarantine; none: no op has this id.
    pub fn quarantined_op(&self, id: QuarantineId) -> Result<Option<QuarantinedOp>, ReplicaError> {
        self.local.quarantined_op(id).map_err(ReplicaError::Local)
    }

    /// Writes ops of the quarantine anew, each with a new clock, so that they are offered again; gives what
    /// became of each, in their order. What others have written since of records, they have seen; what others
    /// have written since of items, lists, threads and sessions stays, unless it is to go. They are judged and
    /// written in one transaction: all or none.
    pub fn retry_quarantined(
        &mut self,
        ids: &[QuarantineId],
        later: LaterWords,
    ) -> Result<Vec<Retried>, ReplicaError> {
        self.refuse_if_replaced()?;
        let named = ids.iter().map(|id| self.quarantined_op(*id));
        let named: Vec<_> = named.collect::<Result<_, _>>()?;
        let mut retried = Vec::new();
        let decided = self.decide(|desk, tenant, _| {
            retried = retry(desk, tenant, ids, &named, later)?;
            Ok::<_, NotRetried>(retried.iter().filter_map(Retried::key).cloned().collect())
        });
        decided.map_err(|NotRetried(error)| error)?;
        Ok(retried)
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

/// Why nothing was offered again.
struct NotRetried(ReplicaError);

impl From<ReplicaError> for NotRetried {
    fn from(error: ReplicaError) -> Self {
        Self(error)
    }
}

impl From<StoreError> for NotRetried {
    fn from(error: StoreError) -> Self {
        Self(ReplicaError::Local(error))
    }
}

impl From<WriteError> for NotRetried {
    fn from(error: WriteError) -> Self {
        Self(error.into())
    }
}

fn retry(
    desk: &Desk<'_>,
    tenant: &TenantFile,
    ids: &[QuarantineId],
    named: &[Option<QuarantinedOp>],
    later: LaterWords,
) -> Result<Vec<Retried>, NotRetried> {
    let mut judged = Vec::with_capacity(ids.len());
    // All before the first is written: of two that build on each other the first is not later than the second.
    for (id, named) in ids.iter().zip(named) {
        let held = desk.quarantined(*id)?;
        let key = |op: &Option<QuarantinedOp>| op.as_ref().map(|op| op.key.clone());
        if held.is_some() && key(&held) != key(named) {
            // A restore has put another replica in the place of the one that was asked.
            return Err(WriteError::Replaced { source: None }.into());
        }
        let said = held.as_ref().map(|op| said_since(desk, tenant, op));
        judged.push(held.zip(said.transpose()?));
    }
    let write = |judged: Option<(QuarantinedOp, SaidSince)>| {
        let Some((op, said)) = judged else {
            return Ok(Retried::Left);
        };
        Ok(match said {
            SaidSince::There => {
                desk.drop_quarantined(op.id)?;
                Retried::There
            }
            SaidSince::Gone => Retried::Gone,
            SaidSince::Outdone(words) if later == LaterWords::Stay => Retried::Outdone(words),
            SaidSince::Outdone(_) | SaidSince::NothingElse => {
                let Some(refused) = op.payload else {
                    return Ok(Retried::Nothing);
                };
                let anew = seen_anew(desk, tenant, &refused)?;
                let key = desk.retry(op.id, anew.as_ref(), || clock_seen(tenant))?;
                // Named twice, it was written by its first name.
                key.map_or(Retried::Left, Retried::Anew)
            }
        })
    };
    judged.into_iter().map(write).collect()
}

/// What the view shows that was said since an op of the quarantine was written.
fn said_since(
    desk: &Desk<'_>,
    tenant: &TenantFile,
    op: &QuarantinedOp,
) -> Result<SaidSince, ReplicaError> {
    let Some(payload) = &op.payload else {
        return Ok(SaidSince::NothingElse);
    };
    let (actor, _) = desk.writer().map_err(ReplicaError::Local)?;
    let resource = (op.key.scope.clone(), op.key.resource.clone());
    let waiting = desk.of_resources(&[resource]);
    let waiting = waiting.map_err(ReplicaError::Local)?;
    let said = tenant.said_since(&op.key, payload, &actor, &waiting);
    said.map_err(ReplicaError::Tenant)
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
