//! Deciding what was decided before, and is offered again for the log's sake.

use serde_json::json;
use syncline_model::record::{Asker, Decision, Rulebook, decided_anew, is_restricted, resource_of};
use syncline_model::schema::{Role, Schema};
use syncline_model::{Cursor, EpochMode, Payload, ResourceId, Scope};
use syncline_protocol::{ErrorCode, OfferedOp, OpError, Verdict};
use syncline_store::StoreError;

use super::{Origin, Refused, forbidden, has_memberships, op_error};
use crate::tenant::NewOp;
use crate::tenant::push::{Judge, Push};

impl Judge<'_, '_> {
    /// Judges a decision that a replica offers again, from above `place`.
    ///
    /// A log that was put back to that place or to one above it has lost what stood there, and takes it
    /// as it was decided, in its author's name, if that is the owner of its actor. Any other knows of nothing that it lacks, and who offers
    /// may have made it up: it is decided as if they wrote it now, and the log says that they did.
    pub(super) fn offered_again(
        &mut self,
        push: &Push,
        place: Cursor,
        op: &OfferedOp,
        decision: &Decision,
    ) -> Result<Verdict, Refused> {
        let restricted = op.payload.as_ref().is_some_and(is_restricted);
        if restricted || !self.may_restore(push, decision)? {
            let message = "only a role that may write all of it offers it again: have an owner of the tenant sync, or \
                           become one (`syncline member add USER owner`) and retry it";
            return Ok(forbidden(message));
        }
        let first = decision.decided.first();
        let first = first.and_then(|row| resource_of(&row.entity, &row.id).ok());
        if first.is_none_or(|first| first != op.key.resource) {
            let message = "the op's resourceId is not its first record, entity/id";
            return Ok(Verdict::Rejected(OpError::new(
                ErrorCode::InvalidOp,
                message,
            )));
        }
        let owner = self.batch.actor_owner(&op.key.actor)?;
        let is_anothers = owner.is_some_and(|owner| owner.as_str() != decision.by);
        match is_anothers || !self.was_put_back_to(place)? {
            true => self.anew(push, place, op, decision),
            false => self.append(push, op),
        }
    }

    /// Decides it as what who offers it writes.
    fn anew(
        &mut self,
        push: &Push,
        place: Cursor,
        op: &OfferedOp,
        decision: &Decision,
    ) -> Result<Verdict, Refused> {
        let is_above_floor = place.server_seq >= self.batch.head().floor;
        if let Some(verdict) = self.taken(op)?
            && !(is_above_floor && verdict == Verdict::Duplicate(None))
        {
            return Ok(verdict);
        }
        self.batch.flush()?;
        let rulebook = self.members.rules.of(self.batch)?;
        let rulebook = rulebook.unwrap_or_else(|| Rulebook::new(Schema::default()));
        let Some(offered) = decided_anew(rulebook.schema(), decision) else {
            return Ok(forbidden("a part of it is hidden"));
        };
        let asker = Asker {
            user: push.user.clone(),
            role: push.standing.role,
        };
        match self.decided(&asker, &op.key.actor, &offered, Origin::Request)? {
            Ok((_, payload)) => {
                self.tell_anew(push)?;
                let payload = Some(payload);
                self.append(
                    push,
                    &OfferedOp {
                        payload,
                        ..op.clone()
                    },
                )
            }
            Err(refusal) => {
                let undone = self.undone.entry(op.key.actor.clone()).or_default();
                undone.add(&offered);
                // Not kept: a log that is put back later may have lost it.
                Ok(Verdict::Rejected(op_error(&refusal)))
            }
        }
    }

    /// Puts an op of the server's own before what is decided anew, once in a batch.
    ///
    /// What was decided anew has the key and the hash that it had before. In a log whose file was put back
    /// without a word its places, and so its marks, would be those of before as well, and a replica that stands
    /// on them would not learn that it shows something else.
    fn tell_anew(&mut self, push: &Push) -> Result<(), Refused> {
        if std::mem::replace(&mut self.told_anew, true) {
            return Ok(());
        }
        let payload = json!({"by": push.user, "at": self.now}).to_string();
        let note = NewOp {
            scope: Scope::new("log").expect("a word is a scope"),
            resource: ResourceId::new("decided-anew").expect("a word is an id"),
            payload: Payload::parse(&payload).expect("an object of two texts is a payload"),
        };
        self.own_ops(self.own, &[note])?;
        Ok(())
    }

    /// Whether a restore has taken from this log what stood above the place.
    fn was_put_back_to(&self, place: Cursor) -> Result<bool, StoreError> {
        let lineage = self.batch.file().lineage()?;
        let mut steps = lineage.iter().filter_map(|step| step.parent);
        Ok(steps
            .any(|step| step.mode == EpochMode::Heal && step.cursor.server_seq >= place.server_seq))
    }

    /// Whether who offers again what was decided may write all of it.
    fn may_restore(&mut self, push: &Push, decision: &Decision) -> Result<bool, Refused> {
        self.batch.flush()?;
        let rulebook = self.members.rules.of(self.batch)?;
        let schema = rulebook.as_ref().map(Rulebook::schema);
        self.members_moved |= schema.is_some_and(|schema| has_memberships(schema, decision));
        let role = push.standing.role;
        Ok(decision.decided.iter().all(|row| {
            let entity = schema.and_then(|schema| schema.entity(&row.entity));
            // Of an entity that is not known any more nobody can say what was restricted.
            entity.map_or(role == Role::Owner, |entity| entity.is_whole_to(role))
        }))
    }
}
