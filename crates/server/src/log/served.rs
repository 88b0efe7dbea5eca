//! The schema that a server is started with: put in place in every log there is before it answers
//! anybody, and in every log that begins while it runs.

use std::error::Error;

use syncline_model::schema::{Change, ChangeKind, FieldKind, Schema, diff};
use syncline_model::{TenantId, Timestamp};
use syncline_store::control::{DataDirectoryError, KnownTenant};
use syncline_store::records::{CountedChange, counted_changes};
use syncline_store::{TenantFile, records};

use super::Tenants;
use crate::tenant::{Recorded, Refused, TenantLog};

/// What a schema would take away of a tenant's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantBreak {
    pub tenant: TenantId,
    /// The breaking changes alone, with the records that stand against them.
    pub changes: Vec<CountedChange>,
}

/// Why the schema does not stand in every log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServedSchemaError {
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    #[error("it takes something away")]
    Breaking(Vec<TenantBreak>),
    #[error("could not put the schema in place for tenant {tenant}")]
    Refused {
        tenant: TenantId,
        #[source]
        source: Refused,
    },
}

impl Tenants {
    /// Has the served schema stand in the logs that are there. Where it takes something away of any of
    /// them, nothing is changed in any.
    ///
    /// A tenant whose admin has put another schema in place of the one that was served last keeps its own
    /// where the served one would take something away: who administers one tenant does not keep the server
    /// from starting for all. A log that can't be read is left alone as well. Both are told of.
    ///
    /// Where the server that was started here last has held lists and objects against nothing, what the
    /// document says of them takes nothing away.
    pub(crate) fn put_schema_everywhere(
        &self,
        known: &[KnownTenant],
    ) -> Result<(), ServedSchemaError> {
        let Some(schema) = self.served.as_deref() else {
            return Ok(());
        };
        let served_last = self.directory.served_schema()?;
        let was_read_within = served_last.as_ref().is_none_or(|last| last.reads_within);
        let mut others = Vec::new();
        let mut kept = Vec::new();
        let mut broken = Vec::new();
        for tenant in self.directory.tenants(known)? {
            let Some((before, changes)) = self.changes(&tenant, schema) else {
                continue;
            };
            let breaking = breaking_of(changes);
            let is_own = || {
                let last = served_last.as_ref();
                last.is_some_and(|last| !diff(&last.schema, &before).is_empty())
            };
            if breaking.is_empty() {
                others.push((tenant, &[][..]));
                continue;
            }
            let as_before = || read_as_before(schema, &before);
            if !was_read_within && breaking_of(diff(&before, &as_before())).is_empty() {
                others.push((tenant, &[ChangeKind::TightenField][..]));
                continue;
            }
            if is_own() {
                kept.push((tenant, breaking));
            } else {
                let counted = self.counted(&tenant, &before, schema);
                let changes = counted.map_err(|source| ServedSchemaError::Refused {
                    tenant: tenant.clone(),
                    source,
                })?;
                broken.push(TenantBreak { tenant, changes });
            }
        }
        if !broken.is_empty() {
            return Err(ServedSchemaError::Breaking(broken));
        }
        for (tenant, changes) in &kept {
            tell_kept(tenant, changes);
        }
        for (tenant, allow) in others {
            let put = self.put_in_closed(&tenant, schema, allow);
            put.map_err(|source| ServedSchemaError::Refused { tenant, source })?;
        }
        Ok(self.directory.note_served_schema(schema)?)
    }

    /// The schema that stands in a tenant's log, and what this one changes of it; none: it stands there,
    /// or the log can't be read.
    fn changes(&self, tenant: &TenantId, schema: &Schema) -> Option<(Schema, Vec<Change>)> {
        let path = self.directory.tenant_file(tenant);
        let read = || {
            let file = TenantFile::open(&path, &self.options)?;
            Ok::<_, Refused>(records::schema(file.connection())?)
        };
        match read() {
            Ok(Some(standing)) if schema.clone().following(&standing.schema) == standing.schema => {
                None
            }
            Ok(standing) => {
                let before = standing.map(|standing| standing.schema).unwrap_or_default();
                let changes = diff(&before, schema);
                Some((before, changes))
            }
            Err(error) => {
                let error = &error as &dyn Error;
                tracing::error!(tenant.id = %tenant, error, "a log can't be read, and keeps its schema");
                None
            }
        }
    }

    /// What a schema takes away of a tenant's, with the records that stand against it.
    fn counted(
        &self,
        tenant: &TenantId,
        before: &Schema,
        schema: &Schema,
    ) -> Result<Vec<CountedChange>, Refused> {
        let file = TenantFile::open(&self.directory.tenant_file(tenant), &self.options)?;
        let mut changes = counted_changes(file.connection(), before, schema)?;
        changes.retain(|counted| counted.change.kind.is_breaking());
        Ok(changes)
    }

    fn put_in_closed(
        &self,
        tenant: &TenantId,
        schema: &Schema,
        allow: &[ChangeKind],
    ) -> Result<(), Refused> {
        let path = self.directory.tenant_file(tenant);
        let mut log = TenantLog::open(&path, &self.options, self.birth())?;
        let connection = log.file()?.connection();
        let before = records::schema(connection)?.map(|standing| standing.schema);
        let changes = counted_changes(connection, &before.unwrap_or_default(), schema)?;
        match put(&mut log, schema, allow, (self.now)())? {
            None => {
                tracing::info!(tenant.id = %tenant, "schema applied");
                tell_held(tenant, &changes);
            }
            Some(error) => {
                tracing::error!(tenant.id = %tenant, error, "a log can't take the schema, and keeps its own");
            }
        }
        Ok(())
    }
}

fn breaking_of(changes: Vec<Change>) -> Vec<Change> {
    let breaking = changes.into_iter();
    breaking.filter(|it| it.kind.is_breaking()).collect()
}

/// The schema as a server reads it that finds in no document what lists and objects must hold: where `before`
/// holds a field's values against nothing, so does this.
fn read_as_before(schema: &Schema, before: &Schema) -> Schema {
    let mut schema = schema.clone();
    for entity in &mut schema.entities {
        let Some(before) = before.entity(&entity.name) else {
            continue;
        };
        for field in &mut entity.fields {
            let before = before.field(&field.name);
            if before.is_some_and(|it| it.kind == FieldKind::Json && it.rules.json.is_none()) {
                field.rules.json = None;
            }
        }
    }
    schema
}

/// Has the schema stand in a log that has none: a new one, or one that was reset. What an admin has
/// applied while the server runs stands until it is started again.
pub(super) fn put_where_none_stands(
    log: &mut TenantLog,
    schema: &Schema,
    now: Timestamp,
) -> Result<(), Refused> {
    let place = records::schema_place(log.file()?.connection())?;
    match place {
        Some(_) => Ok(()),
        None => {
            if let Some(error) = put(log, schema, &[], now)? {
                tracing::error!(error, "a new log can't take the schema");
            }
            Ok(())
        }
    }
}

/// Says which tenant goes on with a schema of its own.
fn tell_kept(tenant: &TenantId, changes: &[Change]) {
    let changes: Vec<_> = changes.iter().map(Change::to_string).collect();
    tracing::warn!(
        tenant.id = %tenant,
        changes = changes.join("; "),
        "a tenant keeps the schema that its admin has put in place: the served one takes something away \
         of it; `syncline schema apply --tenant` puts that in its place",
    );
}

/// Says which records hold what the schema that was put in place does not take.
fn tell_held(tenant: &TenantId, changes: &[CountedChange]) {
    for counted in changes {
        if counted.violating.as_ref().is_some_and(|it| it.count > 0) {
            tracing::warn!(
                tenant.id = %tenant,
                change = %counted,
                "records hold what the schema does not take: they stay as they are, and a value of \
                 another kind shows as null",
            );
        }
    }
}

/// Has the schema stand; else why the log can't take it.
fn put(
    log: &mut TenantLog,
    schema: &Schema,
    allow: &[ChangeKind],
    now: Timestamp,
) -> Result<Option<String>, Refused> {
    match log.put_schema(schema, allow, now)? {
        Recorded::Applied { .. } => Ok(None),
        Recorded::Refused(error) => Ok(Some(error.message)),
        Recorded::Breaking(_)
        | Recorded::Written { .. }
        | Recorded::Repeated { .. }
        | Recorded::KeyReused => {
            unreachable!("nothing is taken away, and a schema is no write of records")
        }
    }
}
