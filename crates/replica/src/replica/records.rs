//! Writing records, and what became of a write.
//!
//! A write is checked here against the schema that this replica has, so that what can't pass is told
//! at once, and then offered: the server decides. Writes of optimistic entities show at once; those of
//! others wait. Either way [`Replica::record_outcome`] tells in one word what became of it.

mod anew;
mod lost;
mod standing;
mod writing;

use syncline_model::record::{
    Action, Asker, Decided, Mode, Offered, Record, Refusal, RefusalCode, Rulebook, Values,
    resource_of, role_of_sight, role_on,
};
use syncline_model::schema::{Role, Schema};
use syncline_model::{OpKey, Scope, ServerSeq, UserId};
use syncline_store::local::{NewOp, QuarantinedOp, WriteError};
use syncline_store::records::{StoredRecords, decision_at, schema};
use syncline_store::{Outbox, StoreError};

pub(super) use self::anew::seen_anew;
use self::writing::Writing;
use super::write::clock_seen;
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

impl From<ReplicaError> for RecordError {
    fn from(error: ReplicaError) -> Self {
        Self::View(error)
    }
}

impl From<StoreError> for RecordError {
    fn from(error: StoreError) -> Self {
        Self::Write(error.into())
    }
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
        let schema = self.schema()?;
        let rulebook = Rulebook::new(schema.ok_or(RecordError::NoSchema)?);
        let asker = self.asker()?;
        let now = self.place.host.now();
        let mut offered = None;
        let keys = self.decide(|desk, tenant, host| {
            let writing = Writing {
                rulebook: &rulebook,
                asker: &asker,
                host,
                desk,
                tenant,
            };
            let offered = offered.insert(writing.offer(changes)?);
            let op = new_op(offered).map_err(RecordError::Refused)?;
            let written = desk.write(&[op], || clock_seen(tenant), now);
            let written = written.map_err(RecordError::Write)?;
            Ok::<_, RecordError>(written.ops.into_iter().map(|op| op.op.key).collect())
        })?;
        let offered = offered.expect("what was written was offered");
        Ok(RecordsWritten {
            key: keys.into_iter().next().expect("one op was written"),
            ids: offered.writes.into_iter().map(|write| write.id).collect(),
            mode: offered.mode,
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
