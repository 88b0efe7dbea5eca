//! Deciding ops on records, and schemas.

use std::collections::HashMap;

use syncline_model::record::{
    Asker, Decision, Offered, RecordPayload, Records, Refusal as RecordRefusal, RefusalCode,
    Rulebook, Undone, decide, read_writes_exactly,
};
use syncline_model::schema::{Change, ChangeKind, RESOURCE, Role, Schema, WriteMode, diff};
use syncline_model::{ActorId, Epoch, Payload, ServerSeq};
use syncline_protocol::{ErrorCode, OfferedOp, OpError, Verdict};
use syncline_store::control::Rights;
use syncline_store::records::{StoredRecords, keep_indexes, schema};
use syncline_store::{Batch, StoreError};

use super::Refused;
use super::push::{Judge, Push};
use super::schema::schema_error;

mod again;

/// What a user may do in a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub role: Role,
    pub rights: Rights,
}

impl Standing {
    /// Of who may do everything.
    pub const OWNER: Self = Self {
        role: Role::Owner,
        rights: Rights::Admin,
    };
}

/// The schema that a log's records are judged by, made ready once.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// With the epoch and place of the schema's op; none: not known yet.
    known: Option<(Epoch, ServerSeq, Rulebook)>,
}

impl Rules {
    /// Forgets what a batch may have brought that was rolled back.
    pub(super) fn forget(&mut self) {
        self.known = None;
    }

    /// The schema that stands; none: the tenant has none. Asked after a flush. What it is looked up by
    /// has its indexes from then on.
    pub(super) fn of(&mut self, batch: &Batch<'_>) -> Result<Option<Rulebook>, StoreError> {
        let epoch = batch.head().epoch;
        let seq = syncline_store::records::schema_place(batch.connection())?;
        let Some(seq) = seq else {
            return Ok(None);
        };
        if let Some((known_epoch, known_seq, rulebook)) = &self.known
            && (*known_epoch, *known_seq) == (epoch, seq)
        {
            return Ok(Some(rulebook.clone()));
        }
        let Some(standing) = schema(batch.connection())? else {
            return Ok(None);
        };
        keep_indexes(batch.connection(), &standing.schema)?;
        let rulebook = Rulebook::new(standing.schema);
        self.known = Some((epoch, seq, rulebook.clone()));
        Ok(Some(rulebook))
    }
}

/// What the refused ops of a push would have done, by their actors.
pub(super) type UndoneOps = HashMap<ActorId, Undone>;

impl Judge<'_, '_> {
    /// Decides an op of scope `record` that a replica offers.
    pub(super) fn record(&mut self, push: &Push, op: &OfferedOp) -> Result<Verdict, Refused> {
        let again = push.received.heal;
        let Some(payload) = &op.payload else {
            return self.append(push, op);
        };
        if again.is_none()
            && let Some(verdict) = self.taken(op)?
        {
            return Ok(verdict);
        }
        match (RecordPayload::read(payload), again) {
            (Some(RecordPayload::Decided(decision)), Some(place)) => {
                self.offered_again(push, place, op, &decision)
            }
            (Some(RecordPayload::Offered(offered)), _) => self.offered(push, op, payload, offered),
            (Some(RecordPayload::Decided(_)), None) | (None, _) => {
                let message = "the payload is not what a writer of records offers";
                self.reject_for_ever(op, OpError::new(ErrorCode::InvalidOp, message))
            }
        }
    }

    fn offered(
        &mut self,
        push: &Push,
        op: &OfferedOp,
        payload: &Payload,
        mut offered: Offered,
    ) -> Result<Verdict, Refused> {
        let asker = Asker {
            user: push.user.clone(),
            role: push.standing.role,
        };
        let is_of_first = offered
            .resource()
            .is_ok_and(|first| first == op.key.resource);
        let decided = match self.read_numbers(payload, &mut offered)? {
            Err(refusal) => Err(refusal),
            Ok(()) if is_of_first => {
                self.decided(&asker, &op.key.actor, &offered, Origin::Replica)?
            }
            Ok(()) => {
                let message = "the op's resourceId is not its first record, entity/id";
                Err(RecordRefusal::new(RefusalCode::InvalidOp, message))
            }
        };
        match decided {
            Ok((_, payload)) => {
                let taken = OfferedOp {
                    payload: Some(payload),
                    ..op.clone()
                };
                self.append(push, &taken)
            }
            Err(refusal) => {
                let undone = self.undone.entry(op.key.actor.clone()).or_default();
                undone.add(&offered);
                self.reject_for_ever(op, op_error(&refusal))
            }
        }
    }

    /// Gives an offered op the numbers that are written in its payload, digit by digit.
    fn read_numbers(
        &mut self,
        payload: &Payload,
        offered: &mut Offered,
    ) -> Result<Result<(), RecordRefusal>, Refused> {
        self.batch.flush()?;
        let rulebook = self.members.rules.of(self.batch)?;
        Ok(rulebook.map_or(Ok(()), |rulebook| {
            read_writes_exactly(rulebook.schema(), payload.as_str(), &mut offered.writes)
        }))
    }

    /// What the log is to hold of an offered op.
    pub(super) fn decided(
        &mut self,
        asker: &Asker,
        actor: &ActorId,
        offered: &Offered,
        origin: Origin,
    ) -> Result<Result<(Decision, Payload), RecordRefusal>, Refused> {
        self.batch.flush()?;
        let rulebook = self.members.rules.of(self.batch)?;
        let rulebook = rulebook.unwrap_or_else(|| Rulebook::new(Schema::default()));
        let mut rows = StoredRecords(self.batch.connection());
        if let Some(undone) = self.undone.get(actor)
            && undone.is_under(offered, |entity, id| rows.record(entity, id))?
        {
            let message = "it builds on an op that was refused";
            return Ok(Err(RecordRefusal::new(
                RefusalCode::DependsOnRefused,
                message,
            )));
        }
        let is_cache = |write: &syncline_model::record::Write| {
            let entity = rulebook.schema().entity(&write.entity);
            entity.is_some_and(|entity| matches!(entity.mode, WriteMode::Cache { .. }))
        };
        if origin == Origin::Replica && offered.writes.iter().any(is_cache) {
            let message = "clients only read this entity";
            return Ok(Err(RecordRefusal::new(RefusalCode::Forbidden, message)));
        }
        let decided = decide(&rulebook, &mut rows, asker, offered, self.now)?;
        if let Ok(decision) = &decided {
            self.members_moved |= has_memberships(rulebook.schema(), decision);
        }
        Ok(decided.and_then(|decision| match decision.payload() {
            Ok(payload) => Ok((decision, payload)),
            Err(error) => Err(RecordRefusal::of_payload(&error)),
        }))
    }

    /// Judges an op of scope `schema`.
    pub(super) fn schema(&mut self, push: &Push, op: &OfferedOp) -> Result<Verdict, Refused> {
        if !push.standing.rights.include(Rights::Admin) {
            return Ok(forbidden("only admins change the schema"));
        }
        let mut taken = op.clone();
        if push.received.heal.is_none() {
            if let Some(verdict) = self.taken(op)? {
                return Ok(verdict);
            }
            let offered = op
                .payload
                .as_ref()
                .and_then(|payload| payload.read::<Schema>().ok());
            let Some(offered) = offered.filter(|_| op.key.resource.as_str() == RESOURCE) else {
                let message = "the payload is no schema, or its resourceId is not `schema`";
                return self.reject_for_ever(op, OpError::new(ErrorCode::InvalidOp, message));
            };
            if let Some(error) = schema_error(&offered) {
                return self.reject_for_ever(op, error);
            }
            let breaking = self.breaking(&offered, &[])?.1;
            if !breaking.is_empty() {
                return self.reject_for_ever(op, breaking_error(&breaking));
            }
            let following = self.following(&offered)?;
            if following != offered {
                taken.payload = serde_json::to_string(&following).ok().map(Payload::stored);
            }
        }
        // What is offered again was judged before, and may still be none that this file can index.
        let meant = taken.payload.as_ref().and_then(|it| it.read().ok());
        if let Some(meant) = meant
            && let Some(error) = self.index_error(&meant)?
        {
            return self.reject_for_ever(op, error);
        }
        let verdict = self.append(push, &taken)?;
        self.schema_changed()?;
        Ok(verdict)
    }

    /// What a schema changes, and what of it takes something away without leave.
    pub(super) fn breaking(
        &mut self,
        offered: &Schema,
        allow: &[ChangeKind],
    ) -> Result<(Vec<Change>, Vec<Change>), Refused> {
        self.batch.flush()?;
        let standing = self.members.rules.of(self.batch)?;
        let none = Schema::default();
        let before = standing.as_ref().map_or(&none, Rulebook::schema);
        let changes = diff(before, offered);
        let is_meant =
            |change: &&Change| !change.kind.is_breaking() || allow.contains(&change.kind);
        let breaking = changes.iter().filter(|change| !is_meant(change)).cloned();
        let breaking = breaking.collect();
        Ok((changes, breaking))
    }

    pub(super) fn schema_changed(&mut self) -> Result<(), Refused> {
        self.batch.flush()?;
        self.members.rules.forget();
        self.members.rules.of(self.batch)?;
        Ok(())
    }

    /// The verdict on an own op that the log knows, which is then not decided again.
    fn taken(&self, op: &OfferedOp) -> Result<Option<Verdict>, Refused> {
        let file = self.batch.file();
        Ok(match file.find(&op.key)? {
            Some((seq, hash)) if hash == op.payload_hash => Some(Verdict::Duplicate(Some(seq))),
            Some((seq, _)) => Some(key_conflict(seq)),
            None if file.is_pruned(&op.key)? => Some(Verdict::Duplicate(None)),
            None => None,
        })
    }
}

/// Who writes: what clients only read, the server's own requests may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Replica,
    Request,
}

/// Whether a decision writes what gives somebody their role on other records.
fn has_memberships(schema: &Schema, decision: &Decision) -> bool {
    let vias = schema.entities.iter();
    let mut vias = vias.filter_map(|entity| entity.access.role_via.as_ref());
    vias.any(|via| decision.decided.iter().any(|row| row.entity == via.entity))
}

fn key_conflict(seq: ServerSeq) -> Verdict {
    let message = format!(
        "place {seq} holds an op with this key and another payload: \
         take a new actor and write the op anew"
    );
    Verdict::Rejected(OpError::new(ErrorCode::KeyConflict, message))
}

/// A refusal that is not kept: with other rights the op may pass.
fn forbidden(message: &str) -> Verdict {
    Verdict::Rejected(OpError::new(ErrorCode::Forbidden, message))
}

/// The code of a refusal on the wire.
fn code_of(code: RefusalCode) -> ErrorCode {
    match code {
        RefusalCode::InvalidOp => ErrorCode::InvalidOp,
        RefusalCode::TooLarge => ErrorCode::TooLarge,
        RefusalCode::UnknownEntity => ErrorCode::UnknownEntity,
        RefusalCode::NotFound => ErrorCode::NotFound,
        RefusalCode::Gone => ErrorCode::Gone,
        RefusalCode::AlreadyExists => ErrorCode::AlreadyExists,
        RefusalCode::Forbidden => ErrorCode::Forbidden,
        RefusalCode::ForbiddenField => ErrorCode::ForbiddenField,
        RefusalCode::ValidationFailed => ErrorCode::ValidationFailed,
        RefusalCode::UniqueViolation => ErrorCode::UniqueViolation,
        RefusalCode::Conflict => ErrorCode::Conflict,
        RefusalCode::DependsOnRefused => ErrorCode::DependsOnRefused,
    }
}

/// A refusal as it is told.
pub(crate) fn op_error(refusal: &RecordRefusal) -> OpError {
    OpError {
        details: Some(refusal.details().to_string().into()),
        ..OpError::new(code_of(refusal.code), refusal.message.clone())
    }
}

fn breaking_error(breaking: &[Change]) -> OpError {
    let texts: Vec<_> = breaking.iter().map(Change::to_string).collect();
    OpError {
        details: serde_json::to_string(breaking).ok().map(Into::into),
        ..OpError::new(ErrorCode::BreakingSchema, texts.join("; "))
    }
}
