//! Rows as answers show them, and writes that are aimed at one of them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use syncline_model::record::{
    Asker, Decision, Lost, Mode, Offered, Record, RecordPayload, Records, Refusal, RefusalCode,
    Replacement, Rulebook, Seen, Values, Write, is_one_value, replacement, seen,
};
use syncline_model::schema::{Entity, FieldKind, Schema};
use syncline_model::{Payload, PayloadHash, ServerSeq};
use syncline_protocol::{ErrorCode, OpError};
use syncline_store::StoreError;
use syncline_store::records::StoredRecords;
use syncline_store::shapes::{RecordTouch, record_told};

use super::Refused;
use super::push::Judge;
use super::records::op_error;

/// A record as who asks sees it, with their role beside its columns as `_role`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRow(Values);

impl ShownRow {
    /// What tells it from what it was and will be, to whoever sees it so.
    pub fn version(&self) -> PayloadHash {
        let text = serde_json::to_string(&self.0);
        PayloadHash::of(&text.expect("JSON values can always be written"))
    }

    pub fn values(&self) -> &Values {
        &self.0
    }

    pub fn into_values(self) -> Values {
        self.0
    }
}

impl From<Seen> for ShownRow {
    fn from(seen: Seen) -> Self {
        Self(seen.into_row())
    }
}

/// A row that was written, as its writer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRow {
    /// None: it was deleted, or is no longer theirs to see.
    pub row: Option<ShownRow>,
    /// The values that lost, but for those that they may not read.
    pub lost: BTreeMap<String, Lost>,
    /// The place by which readers of shapes have what the write came to, as [`record_told`] says.
    pub told: Option<ServerSeq>,
}

/// The row that a write has touched, as it stands, and what of `lost` who asks may read.
pub fn written_row(
    rows: &mut StoredRecords<'_>,
    schema: &Schema,
    asker: &Asker,
    touch: &RecordTouch<'_>,
    mut lost: BTreeMap<String, Lost>,
) -> Result<WrittenRow, StoreError> {
    let Some(entity) = schema.entity(touch.entity) else {
        return Ok(WrittenRow {
            row: None,
            lost: BTreeMap::new(),
            told: None,
        });
    };
    let row = match rows.record(&entity.name, touch.id)? {
        Some(record) => seen(rows, entity, record, asker)?,
        None => None,
    };
    // Of a row that is gone nobody has a role but where the tenant gives it.
    let of_tenant = || entity.access.role_via.is_none().then_some(asker.role);
    let role = row.as_ref().map(|row| row.role).or_else(of_tenant);
    lost.retain(|column, _| role.is_some_and(|role| entity.may_read(role, column)));
    // What has become of it since is told of a row that is gone from sight no more.
    let told = record_told(rows.0, touch)?;
    let told = told.filter(|told| row.is_some() || Some(*told) <= touch.seq);
    let row = row.map(ShownRow::from);
    Ok(WrittenRow { row, lost, told })
}

/// The decision that the log holds; none: it can't be read by this version.
pub fn decision_of(payload: &Payload) -> Option<Decision> {
    match RecordPayload::read(payload)? {
        RecordPayload::Decided(decision) => Some(decision),
        RecordPayload::Offered(_) => None,
    }
}

/// One record's write, with what must be so when its turn comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AimedWrite {
    pub write: Write,
    pub aim: Aim,
}

/// What must be so of a record that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aim {
    /// The values that its path holds: a record with others is not there.
    pub within: Vec<(String, serde_json::Value)>,
    /// The versions that its writer knows; none: any will do.
    pub versions: Option<Vec<PayloadHash>>,
    pub extent: Extent,
}

/// What the values of a write stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What is not named stays.
    Named,
    /// The whole record: what is not named falls back to its default, to null, or is taken out.
    Whole,
}

impl AimedWrite {
    /// What tells the request from another one under its name; `asked` is what it offers. A change of
    /// what is named alone, at a path without parents, is told by what it offers.
    pub(super) fn hash(&self, asked: &Payload) -> PayloadHash {
        match (self.aim.extent, self.aim.within.as_slice()) {
            (Extent::Named, []) => asked.hash(),
            (Extent::Named, within) => {
                PayloadHash::of(&json!([asked.as_str(), within]).to_string())
            }
            (Extent::Whole, within) => {
                PayloadHash::of(&json!([asked.as_str(), within, "whole"]).to_string())
            }
        }
    }

    /// The same of the record of this id.
    pub(super) fn at(&self, id: &str) -> Self {
        let mut aimed = self.clone();
        id.clone_into(&mut aimed.write.id);
        aimed
    }

    /// What was asked for, as it tells a repeat of the request from another one.
    pub(super) fn offered(&self) -> Offered {
        Offered {
            writes: vec![self.write.clone()],
            mode: Mode::Confirmed,
            salt: None,
        }
    }
}

impl Judge<'_, '_> {
    /// What an aimed write comes to on the record as it stands.
    pub(super) fn aim(
        &mut self,
        asker: &Asker,
        aimed: &AimedWrite,
    ) -> Result<Result<Offered, OpError>, Refused> {
        let AimedWrite { write, aim } = aimed;
        self.batch.flush()?;
        let rulebook = self.members.rules.of(self.batch)?;
        let mut rows = StoredRecords(self.batch.connection());
        let entity = rulebook.as_ref().map(Rulebook::schema);
        let entity = entity.and_then(|schema| schema.entity(&write.entity));
        let record = rows.record(&write.entity, &write.id)?;
        let (Some(entity), Some(record)) = (entity, record) else {
            // Who decides says what is wrong with it.
            return Ok(Ok(aimed.offered()));
        };
        let Some(row) = seen(&mut rows, entity, record.clone(), asker)? else {
            return Ok(Ok(aimed.offered()));
        };
        let refused = |refusal: Refusal| {
            op_error(&Refusal {
                entity: write.entity.clone(),
                id: write.id.clone(),
                ..refusal
            })
        };
        if !is_within(entity, &record, &aim.within) {
            let message = "there is no such record under this path";
            let refusal = Refusal::new(RefusalCode::NotFound, message);
            return Ok(Err(refused(refusal)));
        }
        let role = row.role;
        if let Some(versions) = &aim.versions
            && let Some(error) = stale(row.into(), versions)
        {
            return Ok(Err(error));
        }
        let mut offered = aimed.offered();
        if aim.extent == Extent::Whole {
            match replacement(entity, role, &record, &write.values) {
                Ok(Replacement { values, unset }) => {
                    offered.writes[0].values = values;
                    offered.writes[0].unset = unset;
                }
                Err(refusal) => return Ok(Err(refused(refusal))),
            }
        }
        Ok(Ok(offered))
    }

    /// The rows of what was offered, as they stand now.
    pub(super) fn rows_written(
        &mut self,
        asker: &Asker,
        offered: &Offered,
        decision: Option<&Decision>,
        seq: Option<ServerSeq>,
    ) -> Result<Vec<WrittenRow>, Refused> {
        self.batch.flush()?;
        let rulebook = self.members.rules.of(self.batch)?;
        let none = Schema::default();
        let schema = rulebook.as_ref().map_or(&none, Rulebook::schema);
        let mut rows = StoredRecords(self.batch.connection());
        let lost = |n: usize| decision.and_then(|decision| decision.decided.get(n));
        let written = offered.writes.iter().enumerate().map(|(n, write)| {
            let lost = lost(n).map(|decided| decided.lost.clone());
            let touch = RecordTouch {
                entity: &write.entity,
                id: &write.id,
                columns: write.values.keys().map(String::as_str).collect(),
                seq,
            };
            written_row(&mut rows, schema, asker, &touch, lost.unwrap_or_default())
        });
        Ok(written.collect::<Result<_, _>>()?)
    }
}

/// Whether a record is the one that a path means, which holds some of its values.
pub fn is_within(entity: &Entity, record: &Record, values: &[(String, Json)]) -> bool {
    let is_held = |(column, value): &(String, Json)| {
        let kind = entity
            .field(column)
            .map_or(&FieldKind::Json, |field| &field.kind);
        is_one_value(kind, record.value(column), value)
    };
    values.iter().all(is_held)
}

/// The refusal of a write that was made on another version; it shows the one that stands.
fn stale(row: ShownRow, versions: &[PayloadHash]) -> Option<OpError> {
    let version = row.version();
    if versions.contains(&version) {
        return None;
    }
    let message = "the record has changed since: read it again, and send what is still wanted with \
                   the ETag of that answer";
    let details = json!({"etag": format!("\"{version}\""), "current": row.into_values()});
    Some(OpError {
        details: Some(details.to_string().into()),
        ..OpError::new(ErrorCode::PreconditionFailed, message)
    })
}
