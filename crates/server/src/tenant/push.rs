//! Deciding a push: who may write what, and what becomes of each op.

use std::cell::Cell;
use std::collections::HashSet;

use syncline_model::{
    ActorId, Clock, Cursor, Epoch, Folded, OpKey, PayloadHash, ResourceId, Scope, ServerSeq,
    Timestamp, UserId,
};
use syncline_protocol::{
    ActorOwner, Claims, ErrorCode, KeyFacts, Offer, OfferedOp, OpError, ReceivedOp, ReceivedPush,
    Verdict, judge_envelope, judge_key,
};
use syncline_store::{AppendError, Appended, Batch, Contact, Refusal, StoreError};

use super::members::{ClientNote, Members};
use super::pull::check;
use super::records::{Standing, UndoneOps};
use super::{NewOp, Refused};

/// A request to append ops.
#[derive(Debug, Clone)]
pub struct Push {
    /// Who pushes: the credential says so.
    pub user: UserId,
    pub standing: Standing,
    pub received: ReceivedPush,
}

/// What became of a push: one verdict per op, in order, and the head after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    pub epoch: Epoch,
    pub head: Cursor,
    pub verdicts: Vec<Verdict>,
}

/// Ops whose fold panicked, by their place in the push.
pub(super) type Poisoned = HashSet<usize>;

/// Judges pushes inside one batch.
pub(super) struct Judge<'a, 'b> {
    pub(super) batch: &'a mut Batch<'b>,
    pub(super) members: &'a mut Members,
    pub(super) now: Timestamp,
    /// Whether the batch holds anything that is to be committed.
    pub(super) wrote: bool,
    /// Whether a fold has erased payloads of earlier ops.
    pub(super) erased: bool,
    /// Whether the log keeps refusals.
    pub(super) refusals: bool,
    /// Whether what some members see may be other rows than before: a membership has changed.
    pub(super) members_moved: bool,
    /// What ops of records that were refused in this push would have done.
    pub(super) undone: UndoneOps,
    /// The resources of which an op of this push is to be written anew, above a collected tombstone.
    pub(super) behind: HashSet<(Scope, ResourceId)>,
    /// The server's own actor.
    pub(super) own: &'a ActorId,
    /// Whether the batch says that it decides anew what was decided before.
    pub(super) told_anew: bool,
    /// The op that is being folded, for who catches a panic.
    pub(super) folding: &'a Cell<Option<usize>>,
}

impl Judge<'_, '_> {
    /// Checks the push as a whole, then gives each op its verdict.
    pub(super) fn push(&mut self, push: &Push, poisoned: &Poisoned) -> Result<Pushed, Refused> {
        self.check(push)?;
        self.undone.clear();
        self.behind.clear();
        let mut verdicts = Vec::with_capacity(push.received.ops.len());
        for (n, op) in push.received.ops.iter().enumerate() {
            self.folding.set(Some(n));
            verdicts.push(match op {
                ReceivedOp::Refused { error, .. } => Verdict::Rejected(error.clone()),
                ReceivedOp::Readable(op) if poisoned.contains(&n) => {
                    self.reject_for_ever(op, OpError::new(ErrorCode::FoldFailed, FOLD_FAILED))?
                }
                ReceivedOp::Readable(op) => self.op(push, op)?,
            });
        }
        self.folding.set(None);
        self.record_client(push)?;
        let head = self.batch.head();
        Ok(Pushed {
            epoch: head.epoch,
            head: head.cursor,
            verdicts,
        })
    }

    fn check(&mut self, push: &Push) -> Result<(), Refused> {
        let head = *self.batch.head();
        let received = &push.received;
        let claims = Claims {
            epoch: received.epoch,
            since: received.cursor.map_or(ServerSeq::ZERO, |at| at.server_seq),
            mark: received.cursor.map(|at| at.mark),
            floor: None,
            heal: received.heal,
        };
        check(self.batch.file(), &head, &claims)?;
        let owner = self
            .members
            .owner_of_client(self.batch, &received.client_id, &push.user)?;
        match owner {
            ActorOwner::Nobody | ActorOwner::Asker => Ok(()),
            ActorOwner::Another => Err(Refused::ForeignClient),
        }
    }

    fn op(&mut self, push: &Push, op: &OfferedOp) -> Result<Verdict, Refused> {
        if let Some(verdict) = self.kept_verdict(op)? {
            return Ok(verdict);
        }
        let actor = &op.key.actor;
        let owner = self.members.owner_of_actor(self.batch, actor, &push.user)?;
        let offer = match push.received.heal {
            None => Offer::Own,
            Some(_) => Offer::Again,
        };
        let highest = self.batch.head().clock_max;
        if let Err(error) = judge_envelope(op.key.clock, highest, owner, offer) {
            // An actor's owner may still offer the op, or another in a heal: that is not for ever.
            return if error.code == ErrorCode::ForeignActor {
                Ok(Verdict::Rejected(error))
            } else {
                self.reject_for_ever(op, error)
            };
        }
        if (owner, offer) == (ActorOwner::Nobody, Offer::Own) {
            self.members.claim_actor(self.batch, actor, &push.user)?;
            self.wrote = true;
        }
        match op.key.scope.as_str() {
            Scope::RECORD => self.record(push, op),
            Scope::SCHEMA => self.schema(push, op),
            _ => self.append(push, op),
        }
    }

    /// The verdict of a refusal that is kept, if one is.
    fn kept_verdict(&self, op: &OfferedOp) -> Result<Option<Verdict>, Refused> {
        if !self.refusals {
            return Ok(None);
        }
        let Some(kept) = self.batch.refusal(&op.key)? else {
            return Ok(None);
        };
        let hash = kept.payload_hash;
        let mut error = op_error_of(kept);
        if error.code == ErrorCode::ClockLead {
            error.above = Clock::new(self.batch.head().clock_max).ok();
        }
        let facts = KeyFacts::Refused { hash, error };
        Ok(judge_key(op, &facts))
    }

    pub(super) fn append(&mut self, push: &Push, op: &OfferedOp) -> Result<Verdict, Refused> {
        let floor = self.batch.head().floor;
        let (key, payload, hash) = (&op.key, op.payload.as_ref(), op.payload_hash);
        if self.is_behind_refused(push, op)? {
            return Ok(Verdict::Rejected(OpError::behind_refused(key.clock)));
        }
        // The place was checked with the push. What is offered again from there was above it, so that
        // the log lost it, or holds it: at or above the floor it drops nothing.
        let appended = if push.received.heal.is_some_and(|at| at.server_seq >= floor) {
            self.batch.append_lost(key, payload, hash)
        } else {
            self.batch.append(key, payload, hash)
        };
        let appended = appended.map_err(|AppendError::Store { source, .. }| source)?;
        Ok(match appended {
            Appended::At(seq, folded) => {
                self.wrote = true;
                self.erased |= folded == Folded::Deleted;
                Verdict::Accepted(seq)
            }
            Appended::Duplicate(seq) => Verdict::Duplicate(seq),
            // Who has it from a log offers much that was covered while they were away.
            Appended::MaybeCovered if push.received.heal.is_some() => Verdict::Duplicate(None),
            Appended::MaybeCovered => Verdict::Rejected(OpError::maybe_covered()),
            Appended::Conflict(seq) => Verdict::Rejected(OpError::new(
                ErrorCode::KeyConflict,
                format!(
                    "place {seq} holds an op with this key and another payload: \
                     take a new actor and write the op anew"
                ),
            )),
            Appended::Behind(clock) => {
                let resource = (key.scope.clone(), key.resource.clone());
                self.behind.insert(resource);
                Verdict::Rejected(OpError::clock_behind(clock))
            }
        })
    }

    /// Whether a new op stands in the push behind one of its resource that its writer is to stamp anew:
    /// that one would win over it, which was written later. What is offered again is stamped anew by
    /// nobody, so that nothing has to wait for it.
    fn is_behind_refused(&mut self, push: &Push, op: &OfferedOp) -> Result<bool, StoreError> {
        if self.behind.is_empty() || push.received.heal.is_some() {
            return Ok(false);
        }
        let resource = (op.key.scope.clone(), op.key.resource.clone());
        if !self.behind.contains(&resource) {
            return Ok(false);
        }
        let known = self
            .batch
            .known(&op.key, op.payload.as_ref(), op.payload_hash)?;
        Ok(known.is_none())
    }

    /// Appends ops of this server's own, each with the next clock.
    pub(super) fn own_ops(
        &mut self,
        actor: &ActorId,
        ops: &[NewOp],
    ) -> Result<Vec<ServerSeq>, Refused> {
        // All or none: the last clock is looked at before the first is taken.
        let last = self.batch.head().clock_max.saturating_add(ops.len() as u64);
        Clock::after(last.saturating_sub(1)).map_err(|_| Refused::ClocksExhausted)?;
        let mut places = Vec::with_capacity(ops.len());
        for op in ops {
            let clock = Clock::after(self.batch.head().clock_max);
            let key = OpKey {
                actor: actor.clone(),
                clock: clock.map_err(|_| Refused::ClocksExhausted)?,
                scope: op.scope.clone(),
                resource: op.resource.clone(),
            };
            let appended = self
                .batch
                .append(&key, Some(&op.payload), op.payload.hash())
                .map_err(|AppendError::Store { source, .. }| source)?;
            let Appended::At(seq, folded) = appended else {
                unreachable!("the clock is higher than every other in the log");
            };
            self.wrote = true;
            self.erased |= folded == Folded::Deleted;
            places.push(seq);
        }
        Ok(places)
    }

    /// Rejects the op, and keeps the refusal: offered again, whatever has changed, it gets the same
    /// answer.
    pub(super) fn reject_for_ever(
        &mut self,
        op: &OfferedOp,
        error: OpError,
    ) -> Result<Verdict, Refused> {
        self.keep_refusal(&op.key, op.payload_hash, &error)?;
        Ok(Verdict::Rejected(error))
    }

    /// Keeps why something was refused, for when it comes again.
    pub(super) fn keep_refusal(
        &mut self,
        key: &OpKey,
        payload_hash: PayloadHash,
        error: &OpError,
    ) -> Result<(), Refused> {
        let refusal = Refusal {
            payload_hash,
            code: error.code.as_str().to_owned(),
            message: error.message.clone(),
            details: error.details.clone(),
        };
        if self.members.refusals_left == 0 {
            self.members.refusals_left = self.batch.make_room_for_refusals()?;
        }
        self.members.refusals_left -= 1;
        self.batch.keep_refusal(key, &refusal)?;
        self.wrote = true;
        self.refusals = true;
        Ok(())
    }

    fn record_client(&mut self, push: &Push) -> Result<(), StoreError> {
        let note = ClientNote {
            client: push.received.client_id.clone(),
            user: push.user.clone(),
            cursor: push.received.cursor,
            at: self.now,
        };
        self.wrote |= self.members.record(self.batch, &note, Contact::Push)?;
        Ok(())
    }
}

/// A refusal that was kept, as it was told.
pub fn op_error_of(kept: Refusal) -> OpError {
    let code = ErrorCode::parse(&kept.code).unwrap_or(ErrorCode::InvalidOp);
    OpError {
        details: kept.details,
        ..OpError::new(code, kept.message)
    }
}

const FOLD_FAILED: &str =
    "this server's version can't fold the op: report it, then drop the op or write it anew";
