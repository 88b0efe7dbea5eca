//! What leaves the server of a record op, by who reads it.

use serde_json::Value as Json;

use super::Record;
use super::access::{Asker, Records, role_on};
use super::payload::{Decided, DecidedAction, Decision, RecordPayload, Values};
use super::shown::shown_as;
use crate::Payload;
use crate::schema::{Entity, Role, Schema};

/// The part of a payload that who asks may see; none: all of it, byte for byte.
///
/// Roles by membership are those of now: a record that has left the sight of who asks is deleted to
/// them by the op that moved it, and one that comes into it comes whole.
pub fn visible<R: Records>(
    schema: &Schema,
    asker: &Asker,
    rows: &mut R,
    payload: &Payload,
) -> Result<Option<Payload>, R::Error> {
    let Some(RecordPayload::Decided(decision)) = RecordPayload::read(payload) else {
        // It was never decided, or is of a newer version: nobody can say what is in it.
        return Ok(Some(nothing()));
    };
    let mut seen = Vec::with_capacity(decision.decided.len());
    for row in &decision.decided {
        let restricted = match schema.known(&row.entity) {
            Some(entity) => visible_row(entity, asker, rows, row)?,
            // What restricted it is not known any more.
            None if asker.role == Role::Owner => row.clone(),
            None => hidden(row, DecidedAction::Hidden),
        };
        seen.push(restricted);
    }
    // The salt would let them try what they don't see, also of what was offered and came to nothing.
    let is_open = |row: &Decided| {
        let entity = schema.known(&row.entity);
        entity.map_or(asker.role == Role::Owner, |entity| {
            entity.is_open_to(asker.role)
        })
    };
    let may_have_salt = decision.salt.is_none() || decision.decided.iter().all(is_open);
    if seen == decision.decided && decision.other.is_empty() && may_have_salt {
        return Ok(None);
    }
    let restricted = Decision {
        decided: seen,
        restricted: true,
        salt: None,
        other: Values::new(),
        ..decision
    };
    Ok(Some(restricted.payload().unwrap_or_else(|_| nothing())))
}

/// Leaves those of a record's columns that the role may read.
pub fn visible_columns(entity: &Entity, role: Role, columns: &mut Values) {
    columns.retain(|column, _| is_shown(entity, role, column));
}

fn is_shown(entity: &Entity, role: Role, column: &str) -> bool {
    entity.keeps(column) && entity.may_read(role, column)
}

/// A record as who asks sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Their role on it.
    pub role: Role,
    /// What that role may read.
    pub columns: Values,
}

impl Seen {
    /// The columns, with the role beside them as `_role`.
    pub fn into_row(mut self) -> Values {
        let role = Json::from(self.role.as_str());
        self.columns.insert("_role".to_owned(), role);
        self.columns
    }
}

/// A record as who asks sees it; none: it was deleted, or it is not theirs to see.
pub fn seen<R: Records>(
    rows: &mut R,
    entity: &Entity,
    record: Record,
    asker: &Asker,
) -> Result<Option<Seen>, R::Error> {
    if record.deleted {
        return Ok(None);
    }
    let role = role_on(rows, entity, &record.columns, asker)?;
    Ok(role.map(|role| {
        let mut columns = record.columns;
        visible_columns(entity, role, &mut columns);
        for (column, value) in &mut columns {
            if let Some(shown) = shown_as(entity, column, value) {
                *value = shown;
            }
        }
        Seen { role, columns }
    }))
}

fn visible_row<R: Records>(
    entity: &Entity,
    asker: &Asker,
    rows: &mut R,
    row: &Decided,
) -> Result<Decided, R::Error> {
    let Some(via) = &entity.access.role_via else {
        return Ok(readable(entity, asker.role, row.clone()));
    };
    let current = rows.record(&row.entity, &row.id)?;
    let current = current.filter(|record| !record.deleted);
    let role = match &current {
        Some(record) => role_on(rows, entity, &record.columns, asker)?,
        None => None,
    };
    Ok(match (role, current) {
        (Some(role), Some(record)) if row.values.contains_key(&via.field) => {
            let whole = Decided {
                action: DecidedAction::Create,
                values: record.columns,
                unset: Default::default(),
                ..row.clone()
            };
            readable(entity, role, whole)
        }
        (Some(role), _) => readable(entity, role, row.clone()),
        (None, _) => hidden(row, DecidedAction::Delete),
    })
}

/// What the role may read of what was done to a row.
pub fn readable(entity: &Entity, role: Role, mut row: Decided) -> Decided {
    visible_columns(entity, role, &mut row.values);
    row.unset.retain(|column| is_shown(entity, role, column));
    row.lost.retain(|column, _| is_shown(entity, role, column));
    row.other.clear();
    row
}

fn hidden(row: &Decided, action: DecidedAction) -> Decided {
    Decided {
        entity: row.entity.clone(),
        id: row.id.clone(),
        action,
        values: Values::new(),
        unset: Default::default(),
        lost: Default::default(),
        other: Values::new(),
    }
}

/// A payload that says nothing, and that nobody offers again.
fn nothing() -> Payload {
    Payload::stored(r#"{"decided":[],"restricted":true}"#)
}

/// Whether a part of the payload was left out for who holds it.
pub fn is_restricted(payload: &Payload) -> bool {
    #[derive(serde::Deserialize)]
    struct Marked {
        #[serde(default)]
        restricted: Json,
    }
    payload.as_str().contains("\"restricted\":true")
        && payload
            .read::<Marked>()
            .is_ok_and(|marked| marked.restricted == Json::Bool(true))
}
