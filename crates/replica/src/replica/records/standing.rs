//! Records with what waits in the outbox on top: what later writes build on.

use std::collections::{BTreeSet, HashMap};

use syncline_model::record::{
    Action, Decided, DecidedAction, Record, RecordPayload, Records, RefusalCode, Undone, Values,
    resource_of,
};
use syncline_model::{OpKey, Scope};
use syncline_store::local::Verdict;
use syncline_store::records::{StoredRecords, confirmed};
use syncline_store::{PendingOp, ResourceKey, StoreError, TenantFile};

use super::super::Replica;
use crate::ReplicaError;

/// How many ops of the outbox are looked at at a time.
const PAGE: usize = 1_000;

/// A record as whoever writes here means it to be: with their own writes that wait for the server,
/// also those that the view doesn't show before it has taken them. With the columns that it has by
/// default alone, where it waits itself: whoever decides says what they hold, so that it has no value of them.
pub(super) fn meant(
    tenant: &TenantFile,
    waiting: impl FnOnce(&[ResourceKey]) -> Result<Vec<PendingOp>, StoreError>,
    entity: &str,
    id: &str,
) -> Result<Option<(Record, BTreeSet<String>)>, ReplicaError> {
    let mut standing = Standing::default();
    let mut presumed = BTreeSet::new();
    if let Ok(resource) = resource_of(entity, id) {
        let waiting = waiting(&[(Scope::record(), resource)]).map_err(ReplicaError::Local)?;
        let payloads = waiting.iter().map(|waiting| &waiting.op.payload);
        for read in payloads.filter_map(RecordPayload::read) {
            standing.add(&read);
            presume(&read, entity, id, &mut presumed);
        }
    }
    let found = if standing.holds(entity, id) {
        standing_in(tenant, &standing, entity, id)?
    } else {
        let mut rows = StoredRecords(tenant.connection());
        rows.record(entity, id).map_err(ReplicaError::Tenant)?
    };
    let found = found.filter(|record| !record.deleted);
    Ok(found.map(|record| (record, presumed)))
}

impl Replica {
    /// Adds to the verdicts on a push the refusal of all that builds on what it has refused.
    pub(in super::super) fn with_dependants(
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
                        let look = |entity: &str, id: &str| {
                            standing_in(&self.tenant, &standing, entity, id)
                        };
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
}

/// A record with what stays of the outbox on top.
fn standing_in(
    tenant: &TenantFile,
    standing: &Standing,
    entity: &str,
    id: &str,
) -> Result<Option<Record>, ReplicaError> {
    let below = confirmed(tenant.connection(), entity, id).map_err(ReplicaError::Tenant)?;
    Ok(standing.over(entity, id, below))
}

/// Notes the columns that a record has by default once this op is taken, and lets go of those that it says.
fn presume(payload: &RecordPayload, entity: &str, id: &str, presumed: &mut BTreeSet<String>) {
    let RecordPayload::Offered(offered) = payload else {
        return;
    };
    let writes = offered.writes.iter();
    for write in writes.filter(|write| write.entity == entity && write.id == id) {
        match write.action {
            Action::Create => *presumed = write.defaults.keys().cloned().collect(),
            Action::Update => {
                presumed.retain(|column| {
                    !write.values.contains_key(column) && !write.unset.contains(column)
                });
            }
            Action::Delete => presumed.clear(),
        }
    }
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
                        let is_deleted = row.action == Action::Delete;
                        (&row.entity, &row.id, is_deleted, (&row.values, &row.unset))
                    })
                    .collect()
            }
            RecordPayload::Decided(decision) => {
                let is_deleted = |row: &Decided| row.action == DecidedAction::Delete;
                let decided = decision.decided.iter();
                decided
                    .map(|row| {
                        let changed = (&row.values, &row.unset);
                        (&row.entity, &row.id, is_deleted(row), changed)
                    })
                    .collect()
            }
        };
        for (entity, id, is_deleted, (values, unset)) in rows {
            let changed = self.changed.entry((entity.clone(), id.clone()));
            let changed = changed.or_insert_with(|| Some(Values::new()));
            if is_deleted {
                *changed = None;
            } else {
                let changed = changed.get_or_insert_default();
                changed.extend(values.clone());
                // Who looks sees null where there is no value.
                changed.extend(
                    unset
                        .iter()
                        .map(|column| (column.clone(), Default::default())),
                );
            }
        }
    }

    fn holds(&self, entity: &str, id: &str) -> bool {
        let key = (entity.to_owned(), id.to_owned());
        self.changed.contains_key(&key)
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
