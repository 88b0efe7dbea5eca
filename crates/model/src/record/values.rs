//! The values of one write, held against its entity and its row.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::payload::{Lost, Values, Write};
use super::refusal::FieldError;
use super::rules::same;
use super::{Record, resource_of};
use crate::schema::{Entity, Field, FieldKind, RESERVED, Role};

/// Whether the server alone sets this field, to the time of the write.
pub(super) fn is_stamped(field: &Field) -> bool {
    const NAMES: [&str; 4] = ["created_at", "createdAt", "updated_at", "updatedAt"];
    field.read_only && field.kind == FieldKind::Timestamp && NAMES.contains(&&*field.name)
}

/// The values that a server stores, but for the times that it sets itself.
pub(super) fn stored(entity: &Entity, values: &Values) -> Values {
    let kept = values.iter().filter(|(column, _)| {
        let is_unknown = || !RESERVED.contains(&column.as_str());
        let field = entity.field(column);
        field.map_or_else(is_unknown, |field| {
            !field.sync_exclude && !is_stamped(field)
        })
    });
    kept.map(|(column, value)| (column.clone(), value.clone()))
        .collect()
}

/// The key's value, as its column holds it.
pub(super) fn key_of(entity: &Entity, write: &Write) -> Result<Json, FieldError> {
    let wrong = |message: &str| error_of(&entity.key, "key", message);
    if resource_of(&write.entity, &write.id).is_err() {
        return Err(wrong(
            "must have 1 to 255 bytes with the entity's name, without control characters",
        ));
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
        Some(named) if !same(named, &value) => Err(wrong("is not the record's")),
        Some(_) | None => Ok(value),
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
            let theirs = record.value(column);
            let Some(base) = write.base.get(column).filter(|base| !same(base, theirs)) else {
                continue;
            };
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

pub(super) fn error_of(field: &str, rule: &'static str, message: &str) -> FieldError {
    FieldError {
        field: field.to_owned(),
        rule,
        message: message.to_owned(),
    }
}
