//! Writing records, and what became of a write.
//!
//! A write is checked here against the schema that this replica has, so that what can't pass is told
//! at once, and then offered: the server decides. Writes of optimistic entities show at once; those of
//! others wait. Either way [`Replica::record_outcome`] tells in one word what became of it.

mod anew;
mod lost;
mod standing;

use std::collections::BTreeSet;

use syncline_model::record::{
    Action, Asker, Decided, Mode, Offered, Record, Refusal, RefusalCode, Rulebook, Values, Write,
    decide, known_id, prefill, resource_of, role_of_sight, role_on,
};
use syncline_model::schema::{Entity, FieldKind, Role, Schema, WriteMode};
use syncline_model::{OpKey, Salt, Scope, ServerSeq, UserId};
use syncline_store::Outbox;
use syncline_store::local::{NewOp, QuarantinedOp, WriteError};
use syncline_store::records::{StoredRecords, decision_at, schema};

use super::{OpState, Replica};
use crate::ReplicaError;

/// Who writes where nobody has logged in yet.
const NOBODY: &str = "anonymous";

/// One record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordChange {
    pub entity: String,
    /// None, of a new record: it gets one, unless its key is among the values.
    pub id: Option<String>,
    pub action: Action,
    /// The columns that change; null empties.
    pub values: Values,
}

/// A write of records that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordsWritten {
    /// The op, for [`Replica::record_outcome`].
    pub key: OpKey,
    /// The records' ids, in the order of the changes.
    pub ids: Vec<String>,
    /// Whether it shows at once, or when the server has taken it.
    pub mode: Mode,
}

/// What became of a write of records.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordOutcome {
    /// The server has not decided, or its decision has not come back.
    Waiting,
    /// It is in the log, with what became of each record, and which values lost.
    Done { seq: ServerSeq, rows: Vec<Decided> },
    /// The server will never take it: it is in quarantine, with the reason.
    Refused(Box<QuarantinedOp>),
    /// It was never here, was written anew, or its place is compacted.
    Unknown,
}

/// Why records were not written; nothing was.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("there is no schema yet: sync first")]
    NoSchema,
    /// Clients only read it.
    #[error("`{entity}` is only read here")]
    ReadOnly { entity: String },
    /// The server would refuse it.
    #[error(transparent)]
    Refused(Box<Refusal>),
    #[error("could not read the view")]
    View(#[source] ReplicaError),
    #[error("could not write the op")]
    Write(#[source] WriteError),
}

impl Replica {
    /// The schema that this replica has; none: it has none yet.
    pub fn schema(&mut self) -> Result<Option<Schema>, ReplicaError> {
        let found = schema(self.view()?.connection()).map_err(ReplicaError::Tenant)?;
        Ok(found.map(|standing| standing.schema))
    }

    /// Who writes here, and their role as the server last told it; an owner until it has.
    pub fn asker(&self) -> Result<Asker, ReplicaError> {
        let sight = self.local.sight().map_err(ReplicaError::Local)?;
        let identity = self.local.identity().map_err(ReplicaError::Local)?;
        let nobody = || UserId::new(NOBODY).expect("the name is well formed");
        Ok(Asker {
            user: identity.member.map_or_else(nobody, |(_, user)| user),
            role: sight
                .as_deref()
                .and_then(role_of_sight)
                .unwrap_or(Role::Owner),
        })
    }

    /// The role of who writes here on a record: what `_role` shows. None: it is not theirs to see.
    pub fn role_on(&mut self, record: &Record) -> Result<Option<Role>, ReplicaError> {
        let asker = self.asker()?;
        let Some(schema) = self.schema()? else {
            return Ok(Some(asker.role));
        };
        let Some(entity) = schema.entity(&record.entity) else {
            return Ok(Some(asker.role));
        };
        let mut rows = StoredRecords(self.tenant.connection());
        role_on(&mut rows, entity, &record.columns, &asker).map_err(ReplicaError::Tenant)
    }

    /// Writes records: all of these changes or none, as one op. It is on the disk when this returns.
    pub fn write_records(
        &mut self,
        changes: &[RecordChange],
    ) -> Result<RecordsWritten, RecordError> {
        let schema = self.schema().map_err(RecordError::View)?;
        let rulebook = Rulebook::new(schema.ok_or(RecordError::NoSchema)?);
        let schema = rulebook.schema();
        let mut mode = Mode::Optimistic;
        let mut writes = Vec::with_capacity(changes.len());
        for change in changes {
            let write = self.write_of(&rulebook, change);
            let write = write.map_err(RecordError::View)?;
            match schema.entity(&change.entity).map(|entity| entity.mode) {
                Some(WriteMode::Cache { .. }) => {
                    let entity = change.entity.clone();
                    return Err(RecordError::ReadOnly { entity });
                }
                Some(WriteMode::Optimistic) => {}
                Some(WriteMode::Confirmed) | None => mode = Mode::Confirmed,
            }
            writes.push(write);
        }
        let salt = Some(Salt::new(self.place.host.random()));
        let offered = Offered { writes, mode, salt };
        self.check(&rulebook, &offered)?;
        let op = new_op(&offered).map_err(RecordError::Refused)?;
        let written = self.write(&[op]).map_err(RecordError::Write)?;
        let key = written.keys.into_iter().next();
        Ok(RecordsWritten {
            key: key.expect("one op was written"),
            ids: offered.writes.into_iter().map(|write| write.id).collect(),
            mode,
        })
    }

    /// Whether a write of this record waits in the outbox.
    pub fn has_waiting(&self, entity: &str, id: &str) -> Result<bool, ReplicaError> {
        let Ok(resource) = resource_of(entity, id) else {
            return Ok(false);
        };
        let waiting = self.local.of_resources(&[(Scope::record(), resource)]);
        Ok(!waiting.map_err(ReplicaError::Local)?.is_empty())
    }

    /// What became of the write with this key.
    pub fn record_outcome(&mut self, key: &OpKey) -> Result<RecordOutcome, ReplicaError> {
        match self.state_of(key)? {
            OpState::Pending | OpState::Acknowledged(_) => Ok(RecordOutcome::Waiting),
            OpState::Unknown => Ok(RecordOutcome::Unknown),
            OpState::Quarantined => {
                let held = self.local.quarantined_with_key(key);
                let held = held.map_err(ReplicaError::Local)?;
                Ok(held.map_or(RecordOutcome::Unknown, |op| {
                    RecordOutcome::Refused(Box::new(op))
                }))
            }
            OpState::Pulled(seq) => {
                let connection = self.view()?.connection();
                let decision = decision_at(connection, seq).map_err(ReplicaError::Tenant)?;
                Ok(RecordOutcome::Done {
                    seq,
                    rows: decision
                        .map(|decision| decision.decided)
                        .unwrap_or_default(),
                })
            }
        }
    }

    /// The write that a change comes to: with its id, what was seen before or will be seen at once, and
    /// without what never leaves this replica.
    fn write_of(
        &mut self,
        rulebook: &Rulebook,
        change: &RecordChange,
    ) -> Result<Write, ReplicaError> {
        let schema = rulebook.schema();
        let entity = schema.entity(&change.entity);
        let mut values = change.values.clone();
        values.retain(|column, _| entity.is_none_or(|entity| entity.keeps(column)));
        let key = entity.and_then(|entity| values.get(&entity.key));
        let key = key.and_then(|value| {
            let number = value.as_i64().map(|number| number.to_string());
            value.as_str().map(str::to_owned).or(number)
        });
        let named = change.id.clone().or(key);
        let host = &self.place.host;
        let minted = || syncline_model::mint(host.now(), host.random()).to_string();
        let mut id = named.unwrap_or_else(minted);
        if let Some(entity) = entity {
            let mut rows = StoredRecords(self.tenant.connection());
            id = known_id(&mut rows, entity, &id).map_err(ReplicaError::Tenant)?;
        }
        let shown = match change.action {
            Action::Create => None,
            Action::Update | Action::Delete => self.meant(&change.entity, &id)?,
        };
        let (shown, presumed) = shown.unzip();
        let presumed = presumed.unwrap_or_default();
        let base = match (shown, change.action) {
            (Some(record), Action::Update) => {
                let seen = |column: &String| (column.clone(), record.value(column).clone());
                // What a record waits with that nobody has said is another where the server decides so.
                let said = values.keys().filter(|column| !presumed.contains(*column));
                said.map(seen).collect()
            }
            // Whoever has changed any of it since is not to lose that unseen.
            (Some(mut record), Action::Delete) => {
                record.columns.retain(|column, _| {
                    let field = entity.and_then(|entity| entity.field(column));
                    entity.is_none_or(|entity| entity.keeps(column))
                        && field.is_none_or(|field| !field.read_only)
                });
                record.columns
            }
            (Some(_), Action::Create) | (None, _) => Values::new(),
        };
        let unset = match (entity, change.action) {
            (Some(entity), Action::Update) => taken_out(entity, &mut values),
            _ => BTreeSet::new(),
        };
        let mut write = Write {
            entity: change.entity.clone(),
            id,
            action: change.action,
            values,
            defaults: Values::new(),
            unset,
            base,
        };
        if let Some(entity) = entity {
            prefill(entity, &mut write);
        }
        Ok(write)
    }

    /// Refuses what the server would refuse whatever others have written since.
    fn check(&mut self, rulebook: &Rulebook, offered: &Offered) -> Result<(), RecordError> {
        let asker = self.asker().map_err(RecordError::View)?;
        let now = self.place.host.now();
        let mut rows = StoredRecords(self.tenant.connection());
        let decided = decide(rulebook, &mut rows, &asker, offered, now);
        let decided = decided.map_err(|error| RecordError::View(ReplicaError::Tenant(error)))?;
        let Err(refusal) = decided else {
            return Ok(());
        };
        let is_certain = match refusal.code {
            RefusalCode::InvalidOp
            | RefusalCode::TooLarge
            | RefusalCode::UnknownEntity
            | RefusalCode::Forbidden
            | RefusalCode::ForbiddenField
            | RefusalCode::ValidationFailed => true,
            // What waits for the server is not in the view.
            RefusalCode::NotFound | RefusalCode::Gone | RefusalCode::AlreadyExists => {
                offered.mode == Mode::Optimistic
            }
            RefusalCode::UniqueViolation
            | RefusalCode::Conflict
            | RefusalCode::DependsOnRefused => false,
        };
        if is_certain {
            Err(RecordError::Refused(Box::new(refusal)))
        } else {
            Ok(())
        }
    }
}

/// Takes the columns out of these values that are emptied and have no null: a record need not have them.
fn taken_out(entity: &Entity, values: &mut Values) -> BTreeSet<String> {
    let is_optional = |column: &str| {
        let field = entity.field(column);
        field.is_some_and(|field| {
            !field.nullable && !field.required && field.kind != FieldKind::Json
        })
    };
    let emptied = values
        .iter()
        .filter(|(column, value)| value.is_null() && is_optional(column));
    let emptied: BTreeSet<String> = emptied.map(|(column, _)| column.clone()).collect();
    values.retain(|column, _| !emptied.contains(column));
    emptied
}

fn new_op(offered: &Offered) -> Result<NewOp, Box<Refusal>> {
    let invalid = |message: String| Box::new(Refusal::new(RefusalCode::InvalidOp, message));
    Ok(NewOp {
        scope: Scope::record(),
        resource: offered
            .resource()
            .map_err(|error| invalid(error.to_string()))?,
        payload: offered
            .payload()
            .map_err(|error| Box::new(Refusal::of_payload(&error)))?,
    })
}
