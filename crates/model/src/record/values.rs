//! The values of one write, held against its entity and its row.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::compared::is_one_value;
use super::payload::{Lost, Values, Write};
use super::refusal::FieldError;
use super::rules::same;
use super::shown::shown_as;
use super::{Record, resource_of};
use crate::IdError;
use crate::limits::ID_BYTES_MAX;
use crate::schema::{Entity, Field, FieldKind, RESERVED, Role};

/// Whether the server alone sets this field, to the time of the write.
pub fn is_stamped(field: &Field) -> bool {
    const NAMES: [&str; 4] = ["created_at", "createdAt", "updated_at", "updatedAt"];
    field.read_only && field.kind == FieldKind::Timestamp && NAMES.contains(&&*field.name)
}

/// The values that a server stores, but for the times that it sets itself.
pub(super) fn stored(entity: &Entity, values: &Values) -> Values {
    let kept = values
        .iter()
        .filter(|(column, _)| is_stored(entity, column));
    kept.map(|(column, value)| (column.clone(), value.clone()))
        .collect()
}

fn is_stored(entity: &Entity, column: &str) -> bool {
    let is_answered = match entity.field(column) {
        Some(field) => is_stamped(field),
        None => RESERVED.contains(&column),
    };
    !is_answered && entity.keeps(column)
}

/// Whether a column's name, or a text anywhere in its value, holds the one character that no text of
/// Postgres can: a single such value would end every table that a shape is read into.
pub(super) fn has_nul(name: &str, value: &Json) -> bool {
    let is_inside = match value {
        Json::String(text) => text.contains('\0'),
        Json::Array(all) => all.iter().any(|value| has_nul("", value)),
        Json::Object(all) => all.iter().any(|(name, value)| has_nul(name, value)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    };
    is_inside || name.contains('\0')
}

/// The key's value, as its column holds it.
pub(super) fn key_of(entity: &Entity, write: &Write) -> Result<Json, FieldError> {
    let wrong = |message: &str| error_of(&entity.key, "key", message);
    if let Err(error) = resource_of(&write.entity, &write.id) {
        // The resource's name holds the entity's and a slash before the id.
        let room = ID_BYTES_MAX.saturating_sub(write.entity.len() + 1);
        let count = write.id.len();
        return Err(match error {
            IdError::Empty { .. } => wrong("must not be empty"),
            IdError::TooLong { .. } => {
                wrong(&format!("must have at most {room} bytes, and has {count}"))
            }
            IdError::Control { .. } => wrong("must have no control characters"),
            IdError::Scope | IdError::Name { .. } | IdError::Epoch => wrong(&error.to_string()),
        });
    }
    let kind = entity.key_field().map(|field| &field.kind);
    let value = match kind {
        Some(FieldKind::Int32 | FieldKind::Int64) => {
            let number = write.id.parse::<i64>().ok();
            let plain = number.filter(|number| number.to_string() == write.id);
            Json::from(plain.ok_or_else(|| wrong("must be a whole number"))?)
        }
        Some(_) | None => Json::from(write.id.as_str()),
    };
    match write.values.get(&entity.key) {
        // As the id is written, also where the key is a number.
        Some(Json::String(named)) if *named == write.id => Ok(value),
        Some(named) if !is_one(entity, &entity.key, named, &value) => {
            Err(wrong("is not the record's"))
        }
        Some(_) | None => Ok(value),
    }
}

/// Whether the role writes anything of a record.
pub(super) fn may_change(entity: &Entity, role: Role) -> bool {
    let mut fields = entity.stored_fields();
    entity.may_make(role) || fields.any(|field| entity.may_write(role, &field.name))
}

/// What an update changes of a record: nothing that it holds already, as far as its writer may know. Another
/// spelling of what it holds is a change only where its writer may change the value too.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) values: Values,
    pub(super) unset: BTreeSet<String>,
}

impl Changes {
    /// Of the values of a write that a server stores.
    pub(super) fn of(
        (entity, role): (&Entity, Role),
        write: &Write,
        mut values: Values,
        record: &Record,
    ) -> Self {
        let is_unread = |column: &String| !entity.may_read(role, column);
        values.retain(|column, mine| {
            let held = record.columns.get(column);
            let is_held = |held| {
                same(held, mine)
                    || !is_free(entity, role, column) && is_one(entity, column, held, mine)
            };
            is_unread(column) || !held.is_some_and(is_held)
        });
        let unset = write.unset.iter().filter(|column| {
            let is_held = record.columns.contains_key(*column);
            is_stored(entity, column)
                && !write.values.contains_key(*column)
                && (is_held || is_unread(column))
        });
        Self {
            values,
            unset: unset.cloned().collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.unset.is_empty()
    }

    /// The columns with the values that they are to have, null for those that are taken out.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&String, &Json)> {
        let unset = self.unset.iter().map(|column| (column, &Json::Null));
        self.values.iter().chain(unset)
    }

    /// What is wrong with changing these columns at all.
    pub(super) fn errors(&self, entity: &Entity) -> Vec<FieldError> {
        let is_key = self.columns().any(|(column, _)| *column == entity.key);
        let of_key = is_key.then(|| error_of(&entity.key, "key", "a record's key does not change"));
        let unset = self.unset.iter().filter_map(|column| entity.field(column));
        let unset = unset.filter(|field| field.name != entity.key);
        let of_unset = unset.filter_map(|field| match field {
            Field {
                read_only: true, ..
            } => Some(error_of(&field.name, "read_only", "is read-only")),
            Field { required: true, .. } => {
                Some(error_of(&field.name, "required", "must be given"))
            }
            Field { .. } => None,
        });
        of_key.into_iter().chain(of_unset).collect()
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&String) -> bool) {
        self.values.retain(|column, _| keep(column));
        self.unset.retain(|column| keep(column));
    }

    pub(super) fn apply(&self, columns: &mut Values) {
        columns.retain(|column, _| !self.unset.contains(column));
        columns.extend(self.values.clone());
    }
}

/// The columns that both the writer and others have changed.
#[derive(Debug, Default)]
pub(super) struct Conflicts {
    /// Those that the writer may read: the entity's strategy says what becomes of them.
    pub(super) seen: BTreeMap<String, Lost>,
    /// The others. What becomes of the write must not hang on them, or it would tell whether what the
    /// writer claims to have read is right: its values stand, and what they overwrite is kept.
    pub(super) unseen: BTreeMap<String, Lost>,
}

impl Conflicts {
    /// Holds the columns that a write wants changed against what it has seen of them.
    pub(super) fn of<'v>(
        write: &Write,
        record: &Record,
        (entity, role): (&Entity, Role),
        wanted: impl Iterator<Item = (&'v String, &'v Json)>,
    ) -> Self {
        let mut found = Self::default();
        for (column, mine) in wanted {
            // As the writer has seen it, where it is of another kind than the column is by now.
            let held = record.value(column);
            let shown = shown_as(entity, column, held);
            let theirs = shown.as_ref().unwrap_or(held);
            let base = write.base.get(column);
            let is_seen = |base: &Json| {
                is_one(entity, column, base, theirs) || is_one(entity, column, base, held)
            };
            let Some(base) = base.filter(|base| !is_seen(base)) else {
                continue;
            };
            // Another spelling of their value is no other value, and stands.
            if !same(mine, theirs) && is_one(entity, column, mine, theirs) {
                continue;
            }
            let values = Lost {
                base: base.clone(),
                mine: mine.clone(),
                theirs: theirs.clone(),
            };
            let kept = if entity.may_read(role, column) {
                &mut found.seen
            } else {
                &mut found.unseen
            };
            kept.insert(column.clone(), values);
        }
        found
    }

    pub(super) fn into_lost(mut self) -> BTreeMap<String, Lost> {
        self.seen.append(&mut self.unseen);
        self.seen
    }
}

/// Whether two values of a column are one, as far as a shape tells them apart.
fn is_one(entity: &Entity, column: &str, one: &Json, other: &Json) -> bool {
    let as_field = |field: &Field| is_one_value(&field.kind, one, other);
    same(one, other) || entity.field(column).is_some_and(as_field)
}

/// Whether the role may give the column another value.
fn is_free(entity: &Entity, role: Role, column: &str) -> bool {
    let is_fixed = |field: &Field| field.read_only || field.name == entity.key;
    entity.may_write(role, column) && !entity.field(column).is_some_and(is_fixed)
}

pub(super) fn error_of(field: &str, rule: &'static str, message: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        rule,
        message: message.to_owned(),
    }
}
