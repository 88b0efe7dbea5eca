//! Schemas that who runs the server puts in place.

use syncline_model::record::Asker;
use syncline_model::schema::{ChangeKind, Entity, Role, Schema};
use syncline_model::{ServerSeq, Timestamp, UserId};
use syncline_protocol::{ErrorCode, OpError};
use syncline_store::StoreError;
use syncline_store::records::{IndexError, Violating, keep_indexes, misnamed, schema};

use super::push::Judge;
use super::{Outcome, RecordChange, RecordWrite, Recorded, Refused, TenantLog, Write};

impl TenantLog {
    /// Has a schema stand, on behalf of who runs the server; `Applied`, `Breaking` or `Refused` is what
    /// comes of it.
    pub fn put_schema(
        &mut self,
        schema: &Schema,
        allow: &[ChangeKind],
        now: Timestamp,
    ) -> Result<Recorded, Refused> {
        let write = RecordWrite {
            asker: Asker {
                user: UserId::new("server").expect("it is short and printable"),
                role: Role::Owner,
            },
            change: RecordChange::Schema {
                schema: schema.clone(),
                allow: allow.to_vec(),
            },
            repeat: None,
            after: Vec::new(),
            salt: None,
        };
        let mut committed = self.commit(&mut [Write::Record(Box::new(write))], now);
        match committed.outcomes.pop() {
            Some(Ok(Outcome::Recorded(recorded))) => Ok(recorded),
            Some(Ok(Outcome::Pushed(_) | Outcome::Decided(_))) | None => {
                unreachable!("a write of a schema is answered as one")
            }
            Some(Err(refused)) => Err(refused),
        }
    }
}

/// Why nothing could be judged by a schema.
pub(super) fn schema_error(offered: &Schema) -> Option<OpError> {
    let fault = offered.check().err()?;
    let message = format!("records can't be judged by the schema: {fault}");
    Some(OpError::new(ErrorCode::ValidationFailed, message))
}

impl Judge<'_, '_> {
    /// The schema that would stand where this one is put: what is dropped by it is kept in mind.
    pub(super) fn following(&mut self, offered: &Schema) -> Result<Schema, Refused> {
        self.batch.flush()?;
        let standing = schema(self.batch.connection())?;
        let before = standing.map(|standing| standing.schema);
        Ok(offered.clone().following(&before.unwrap_or_default()))
    }

    /// Makes the indexes of a schema that is to stand. Where it can't have them, those of the one that
    /// stands are there again, and the error says so.
    pub(super) fn index_error(&mut self, offered: &Schema) -> Result<Option<OpError>, Refused> {
        self.batch.flush()?;
        let connection = self.batch.connection();
        match keep_indexes(connection, offered) {
            Ok(()) => Ok(None),
            Err(IndexError::Store(error)) => Err(error.into()),
            Err(IndexError::Unfit(cause)) => {
                let standing = schema(connection)?.map(|standing| standing.schema);
                keep_indexes(connection, &standing.unwrap_or_default())
                    .map_err(StoreError::from)?;
                let message = format!("the records can't be looked up as the schema asks: {cause}");
                Ok(Some(OpError::new(ErrorCode::ValidationFailed, message)))
            }
        }
    }

    /// Why an entity can't have its key, or that one its kind: records that are there would be found by no name,
    /// and those that read them would not agree on it.
    pub(super) fn key_error(&mut self, offered: &Schema) -> Result<Option<OpError>, Refused> {
        self.batch.flush()?;
        let connection = self.batch.connection();
        let standing = schema(connection)?.map(|standing| standing.schema);
        let standing = standing.unwrap_or_default();
        let key_of = |entity: &Entity| {
            entity
                .key_field()
                .map(|key| (key.name.clone(), key.kind.clone()))
        };
        for entity in &offered.entities {
            let before = standing.known(&entity.name);
            if before.is_none_or(|before| key_of(before) == key_of(entity)) {
                continue;
            }
            let Violating { count, ids } = misnamed(connection, entity)?;
            if count > 0 {
                let (name, key, ids) = (&entity.name, &entity.key, ids.join(", "));
                let message = format!(
                    "{count} of the records of `{name}` can't be called by `{key}` as the schema asks, and keep the \
                     names that they have: {ids}; delete them before, or make them anew as an entity of another name"
                );
                return Ok(Some(OpError::new(ErrorCode::ValidationFailed, message)));
            }
        }
        Ok(None)
    }

    /// Where this very schema stands; none: another one does, or none at all.
    pub(super) fn place_of(&mut self, offered: &Schema) -> Result<Option<ServerSeq>, Refused> {
        self.batch.flush()?;
        let standing = schema(self.batch.connection())?;
        let same = standing.filter(|standing| standing.schema == *offered);
        Ok(same.map(|standing| standing.seq))
    }
}
