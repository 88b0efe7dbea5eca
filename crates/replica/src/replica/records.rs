//! Writing records, and what became of a write.
//!
//! A write is checked here against the schema that this replica has, so that what can't pass is told
//! at once, and then offered: the server decides. Writes of optimistic entities show at once; those of
//! others wait. Either way [`Replica::record_outcome`] tells in one word what became of it.

use std::collections::HashMap;

use syncline_model::record::{
    Action, Asker, Decided, Mode, Offered, Record, RecordPayload, Records, Refusal, RefusalCode,
    Rulebook, Undone, Values, Write, decide, role_of_sight, role_on,
};
use syncline_model::schema::{Role, Schema, WriteMode};
use syncline_model::{OpKey, Scope, ServerSeq, UserId};
use syncline_store::local::{NewOp, QuarantinedOp, Verdict, WriteError};
use syncline_store::records::{StoredRecords, confirmed, decision_at, schema};

use super::{OpState, Replica};
use crate::ReplicaError;

/// How many ops of the outbox are looked at at a time.
const PAGE: usize = 1_000;
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
        let schema = schema.ok_or(RecordError::NoSchema)?;
        let mut mode = Mode::Optimistic;
        let mut writes = Vec::with_capacity(changes.len());
        for change in changes {
            let write = self.write_of(&schema, change).map_err(RecordError::View)?;
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
        let offered = Offered { writes, mode };
        self.check(schema, &offered)?;
        let op = new_op(&offered).map_err(RecordError::Refused)?;
        let written = self.write(&[op]).map_err(RecordError::Write)?;
        let key = written.keys.into_iter().next();
        Ok(RecordsWritten {
            key: key.expect("one op was written"),
            ids: offered.writes.into_iter().map(|write| write.id).collect(),
            mode,
        })
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

    /// The write that a change comes to: with its id, what was seen before, and without what never
    /// leaves this replica.
    fn write_of(&mut self, schema: &Schema, change: &RecordChange) -> Result<Write, ReplicaError> {
        let entity = schema.entity(&change.entity);
        let mut values = change.values.clone();
        values.retain(|column, _| {
            let field = entity.and_then(|entity| entity.field(column));
            field.is_none_or(|field| !field.sync_exclude)
        });
        let key = entity.and_then(|entity| values.get(&entity.key));
        let key = key.and_then(|value| {
            let number = value.as_i64().map(|number| number.to_string());
            value.as_str().map(str::to_owned).or(number)
        });
        let named = change.id.clone().or(key);
        let host = &self.place.host;
        let minted = || syncline_model::mint(host.now(), host.random()).to_string();
        let id = named.unwrap_or_else(minted);
        let mut base = Values::new();
        if change.action == Action::Update {
            let mut rows = StoredRecords(self.tenant.connection());
            let current = rows.record(&change.entity, &id);
            if let Some(record) = current.map_err(ReplicaError::Tenant)? {
                let seen = |column: &String| (column.clone(), record.value(column).clone());
                base = values.keys().map(seen).collect();
            }
        }
        Ok(Write {
            entity: change.entity.clone(),
            id,
            action: change.action,
            values,
            unset: Default::default(),
            base,
        })
    }

    /// Refuses what the server would refuse whatever others have written since.
    fn check(&mut self, schema: Schema, offered: &Offered) -> Result<(), RecordError> {
        let asker = self.asker().map_err(RecordError::View)?;
        let now = self.place.host.now();
        let mut rows = StoredRecords(self.tenant.connection());
        let decided = decide(&Rulebook::new(schema), &mut rows, &asker, offered, now);
        let decided = decided.map_err(|error| RecordError::View(ReplicaError::Tenant(error)))?;
        let Err(refusal) = decided else {
            return Ok(());
        };
        let is_certain = match refusal.code {
            RefusalCode::InvalidOp
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

    /// Adds to the verdicts on a push the refusal of all that builds on what it has refused.
    pub(super) fn with_dependants(
        &self,
        verdicts: &[(OpKey, Verdict)],
    ) -> Result<Vec<(OpKey, Verdict)>, ReplicaError> {
        let mut all = verdicts.to_vec();
        let is_refused = |(key, verdict): &(OpKey, Verdict)| {
            key.scope.as_str() == Scope::RECORD && matches!(verdict, Verdict::Refused { .. })
        };
        if !verdicts.iter().any(is_refused) {
            return Ok(all);
        }
        let mut undone = Undone::default();
        let mut standing = Standing::default();
        let mut after = 0;
        loop {
            let rows = self
                .local
                .outbox_after(after, PAGE)
                .map_err(ReplicaError::Local)?;
            let Some(last) = rows.last() else {
                return Ok(all);
            };
            after = last.order;
            for row in rows {
                let read = row.payload.as_ref().and_then(RecordPayload::read);
                let (Some(read), Scope::RECORD) = (read, row.key.scope.as_str()) else {
                    continue;
                };
                let verdict = verdicts.iter().find(|(key, _)| *key == row.key);
                match (&read, verdict) {
                    (RecordPayload::Offered(offered), Some((_, Verdict::Refused { .. }))) => {
                        undone.add(offered);
                    }
                    (RecordPayload::Offered(offered), None) => {
                        let look = |entity: &str, id: &str| self.standing(&standing, entity, id);
                        if undone.is_under(offered, look)? {
                            undone.add(offered);
                            all.push((row.key, depends()));
                        } else {
                            standing.add(&read);
                        }
                    }
                    (RecordPayload::Offered(_) | RecordPayload::Decided(_), _) => {
                        standing.add(&read);
                    }
                }
            }
        }
    }

    /// A record with what stays of the outbox on top.
    fn standing(
        &self,
        standing: &Standing,
        entity: &str,
        id: &str,
    ) -> Result<Option<Record>, ReplicaError> {
        let below =
            confirmed(self.tenant.connection(), entity, id).map_err(ReplicaError::Tenant)?;
        Ok(standing.over(entity, id, below))
    }
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
            .map_err(|error| invalid(error.to_string()))?,
    })
}

fn depends() -> Verdict {
    Verdict::Refused {
        code: RefusalCode::DependsOnRefused.as_str().to_owned(),
        message: "it builds on an op that was refused".to_owned(),
        details: None,
    }
}

/// What the ops of the outbox that stay do to records, in their order.
#[derive(Debug, Default)]
struct Standing {
    /// By entity and id; none: deleted.
    changed: HashMap<(String, String), Option<Values>>,
}

impl Standing {
    fn add(&mut self, payload: &RecordPayload) {
        let rows: Vec<_> = match payload {
            RecordPayload::Offered(offered) => {
                let writes = offered.writes.iter();
                writes
                    .map(|row| {
                        (
                            &row.entity,
                            &row.id,
                            row.action == Action::Delete,
                            &row.values,
                        )
                    })
                    .collect()
            }
            RecordPayload::Decided(decision) => {
                let is_deleted =
                    |row: &Decided| row.action == syncline_model::record::DecidedAction::Delete;
                let decided = decision.decided.iter();
                decided
                    .map(|row| (&row.entity, &row.id, is_deleted(row), &row.values))
                    .collect()
            }
        };
        for (entity, id, is_deleted, values) in rows {
            let changed = self.changed.entry((entity.clone(), id.clone()));
            let changed = changed.or_insert_with(|| Some(Values::new()));
            if is_deleted {
                *changed = None;
            } else {
                changed.get_or_insert_default().extend(values.clone());
            }
        }
    }

    fn over(&self, entity: &str, id: &str, below: Option<Record>) -> Option<Record> {
        match self.changed.get(&(entity.to_owned(), id.to_owned())) {
            None => below,
            Some(None) => None,
            Some(Some(values)) => {
                let mut columns = below.map(|record| record.columns).unwrap_or_default();
                columns.extend(values.clone());
                Some(Record {
                    entity: entity.to_owned(),
                    id: id.to_owned(),
                    deleted: false,
                    seq: None,
                    columns,
                })
            }
        }
    }
}
