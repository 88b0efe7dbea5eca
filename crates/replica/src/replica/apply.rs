//! What a server's answers do to a replica: pages that are applied, and pushes that are settled.

use syncline_model::{ClientId, Clock, OpKey};
use syncline_protocol::{ErrorCode, Offer, OpError};
use syncline_store::local::{OutboxBatch, Settled, Verdict};
use syncline_store::{Applied, ApplyError, PageLimit, PulledPage};

use super::Replica;
use super::write::clock_seen;
use crate::{Changes, ReplicaError};

/// Why a page was not applied; nothing of it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    /// It does not continue this replica's log.
    #[error("the page does not continue this replica's log")]
    Unfit(#[source] ApplyError),
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

impl PageError {
    pub(crate) fn of_tenant(error: ApplyError) -> Self {
        match error {
            ApplyError::Store(source) => Self::Replica(ReplicaError::Tenant(source)),
            ApplyError::Epoch { .. }
            | ApplyError::NotAtCursor { .. }
            | ApplyError::Gap { .. }
            | ApplyError::Diverged { .. } => Self::Unfit(error),
        }
    }
}

/// Where the clocks of a new actor begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NewClock {
    /// Above every clock that this replica has taken or seen.
    Onward,
    /// Above those of the log alone, as far as this replica has it and as the server has told: the old
    /// actor's lead too far.
    FromLog(Option<Clock>),
    /// As `Onward`, and above this one, which the log may hold no op of any more.
    Above(Clock),
}

impl NewClock {
    /// Where they begin when an answer has this refusal too.
    pub(crate) fn refused(self, error: &OpError) -> Self {
        let leads = error.code == ErrorCode::ClockLead;
        match (self, error.above) {
            (Self::FromLog(told), above) => Self::FromLog(told.max(above)),
            (Self::Above(told), above) if leads => Self::FromLog(above.max(Some(told))),
            (Self::Onward, above) if leads => Self::FromLog(above),
            (Self::Above(told), Some(above)) => Self::Above(told.max(above)),
            (Self::Onward, Some(above)) => Self::Above(above),
            (onward, None) => onward,
        }
    }
}

impl Replica {
    /// This replica's id on the wire.
    pub(crate) fn client_id(&self) -> Result<ClientId, ReplicaError> {
        Ok(self.local.identity().map_err(ReplicaError::Local)?.replica)
    }

    /// Whether an op of the outbox goes out as written here, or again for the log's sake.
    pub(crate) fn offer_of(&self, key: &OpKey) -> Result<Offer, ReplicaError> {
        let row = self.local.outbox_row(key).map_err(ReplicaError::Local)?;
        let again = row.is_some_and(|row| row.heal.is_some());
        Ok(if again { Offer::Again } else { Offer::Own })
    }

    /// Whether a log holds an op of this one's resource that was written after it, as far as this replica
    /// knows: here and acknowledged since, or by its actor. What its actor has in the log before this one was
    /// ever sent is of another life, which this replica was put back from.
    pub(crate) fn is_followed_in_log(
        &self,
        key: &OpKey,
        sent_before: u64,
    ) -> Result<bool, ReplicaError> {
        let acknowledged = self.local.is_followed_by_acknowledged(key);
        if acknowledged.map_err(ReplicaError::Local)? {
            return Ok(true);
        }
        Ok(!self.is_sent_first(key, sent_before)?
            && self.tenant.is_followed(key).map_err(ReplicaError::Tenant)?)
    }

    /// The order up to which the outbox was ever sent, as far as this file knows.
    pub(crate) fn sent_through(&self) -> Result<u64, ReplicaError> {
        self.local.offered_order().map_err(ReplicaError::Local)
    }

    /// Takes back that the outbox was sent beyond this order.
    pub(crate) fn take_back_offer(&mut self, order: u64) -> Result<(), ReplicaError> {
        self.local
            .take_back_offer(order)
            .map_err(ReplicaError::Local)
    }

    /// Whether an own op of the outbox was sent for the first time after `sent_before` was.
    pub(crate) fn is_sent_first(
        &self,
        key: &OpKey,
        sent_before: u64,
    ) -> Result<bool, ReplicaError> {
        let row = self.local.outbox_row(key).map_err(ReplicaError::Local)?;
        Ok(row.is_some_and(|row| row.heal.is_none() && row.order > sent_before))
    }

    /// The next ops to push, oldest first.
    pub(crate) fn next_batch(
        &mut self,
        limit: PageLimit,
    ) -> Result<Option<OutboxBatch>, ReplicaError> {
        self.local.next_batch(limit).map_err(ReplicaError::Local)
    }

    /// The sight that the log here was pulled with, if the server has named one.
    pub(crate) fn sight(&self) -> Result<Option<String>, ReplicaError> {
        self.local.sight().map_err(ReplicaError::Local)
    }

    /// Notes the sight of pages that were applied.
    pub(crate) fn note_sight(&mut self, sight: Option<&str>) -> Result<(), ReplicaError> {
        if self.sight()?.as_deref() == sight {
            return Ok(());
        }
        self.local.note_sight(sight).map_err(ReplicaError::Local)
    }

    /// Settles the answer to a push. The cursor stays where it is.
    pub(crate) fn settle(
        &mut self,
        verdicts: &[(OpKey, Verdict)],
        new_clock: NewClock,
    ) -> Result<Settled, ReplicaError> {
        let settled = self.on_current_file(|replica| {
            let floor = replica.clock_floor(new_clock)?;
            let (actor, now) = (replica.place.new_actor(), replica.place.host.now());
            let verdicts = replica.with_dependants(verdicts)?;
            Ok(replica.judged().settle(&verdicts, &actor, floor, now)?)
        })?;
        if verdicts
            .iter()
            .any(|(_, verdict)| *verdict == Verdict::Covered)
        {
            self.owe_traces();
        }
        self.settle_passed()?;
        self.refresh()?;
        Ok(settled)
    }

    /// Counts what the server's log had lost, and has taken from here.
    pub(crate) fn note_healed(&mut self, ops: u64) -> Result<(), ReplicaError> {
        if ops == 0 {
            return Ok(());
        }
        self.local.note_healed(ops).map_err(ReplicaError::Local)
    }

    /// Applies a page that begins at the cursor.
    ///
    /// An op of our own actor that was never written here was written by a copy of this replica, or
    /// by this one before it was put back from a copy: it takes a new actor first.
    pub(crate) fn apply(&mut self, page: &PulledPage) -> Result<Applied, PageError> {
        let identity = self.local.identity().map_err(ReplicaError::Local)?;
        let (mut ours, mut conflicting) = (Vec::new(), Vec::new());
        let mut stranger = None;
        let empty = self.local.newest_order().map_err(ReplicaError::Local)? == 0;
        for op in &page.ops {
            let own = op.key.actor == identity.actor;
            if empty && !own {
                continue;
            }
            let row = self
                .local
                .outbox_row(&op.key)
                .map_err(ReplicaError::Local)?;
            if own && !self.wrote(row.as_ref(), &op.key, op.payload_hash)? {
                stranger = stranger.or(Some(&op.key));
            }
            match row {
                Some(row) if row.payload_hash == op.payload_hash => ours.push(row),
                Some(row) => conflicting.push(row.key),
                None => {}
            }
        }
        if let Some(key) = stranger {
            self.take_actor(key)?;
        }
        let released = self.quarantined_among(&page.ops)?;
        let applied = if ours.is_empty() && released.is_empty() {
            self.tenant
                .apply(page, &self.local)
                .map_err(PageError::of_tenant)?
        } else {
            // What the outbox and the quarantine let go of must not be lost here.
            self.durably(|tenant, local| tenant.apply(page, local).map_err(PageError::of_tenant))?
        };
        let let_go = self
            .forget_pulled(&ours)
            .and_then(|()| self.release(&released))
            .and_then(|()| self.write_anew(&conflicting));
        match let_go {
            // The page went into a file that was found damaged, and comes again to the one in its place.
            Err(ReplicaError::Exchanged) => {}
            done => done?,
        }
        self.settle_passed()?;
        self.subscribers
            .tell(&Changes::Named(applied.touched.iter().cloned().collect()));
        self.refresh()?;
        Ok(applied)
    }

    /// Whether this replica, at the log's end, holds ops that nothing in its log has erased.
    pub(crate) fn lacks_deletes(&self) -> Result<bool, ReplicaError> {
        self.tenant.lacks_deletes().map_err(ReplicaError::Tenant)
    }

    /// The clock above which a new actor's begin.
    pub(super) fn clock_floor(&self, new_clock: NewClock) -> Result<u64, ReplicaError> {
        let seen = clock_seen(&self.tenant).map_err(ReplicaError::Tenant)?;
        let taken = self.local.identity().map_err(ReplicaError::Local)?.clock;
        Ok(match new_clock {
            NewClock::FromLog(told) => seen.max(told.map_or(0, Clock::get)),
            NewClock::Onward => seen.max(taken),
            NewClock::Above(clock) => seen.max(taken).max(clock.get()),
        })
    }

    /// Takes a new actor, because somebody else wrote `key` with the old one.
    pub(crate) fn take_actor(&mut self, key: &OpKey) -> Result<(), ReplicaError> {
        let fresh = self.place.new_actor();
        tracing::warn!(
            op.key = ?key, actor.new = %fresh,
            "an op of this replica's actor was not written here; it takes a new actor"
        );
        self.local
            .take_actor(&key.actor, &fresh)
            .map_err(ReplicaError::Local)
    }
}
