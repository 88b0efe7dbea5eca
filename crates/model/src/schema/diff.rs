//! What another schema changes, each change named, and whether it takes something away.

mod offered;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::offered::compare_offered;
use super::wider::is_wider;
use super::{Entity, Field, Role, Schema};

/// A kind of change. Its word is what `schema apply --allow` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    AddEntity,
    AddField,
    /// A field takes more values than before.
    WidenField,
    /// Words, defaults, modes, strategies and new operations: nothing that a record or a shape holds.
    Adjust,
    DropEntity,
    DropField,
    /// A field has values of another kind.
    ChangeKind,
    /// The field that names records is another one.
    ChangeKey,
    /// Requests that clients send are answered no more, or otherwise.
    DropOperation,
    /// Values that are there may be none that the field takes: it may be null no more, must be given,
    /// or has stricter rules.
    TightenField,
    /// Values that are there may be double.
    AddUnique,
    /// Other roles read or write other fields, or a field stays on clients.
    ChangeAccess,
}

impl ChangeKind {
    pub const ALL: [Self; 12] = [
        Self::AddEntity,
        Self::AddField,
        Self::WidenField,
        Self::Adjust,
        Self::DropEntity,
        Self::DropField,
        Self::ChangeKind,
        Self::ChangeKey,
        Self::DropOperation,
        Self::TightenField,
        Self::AddUnique,
        Self::ChangeAccess,
    ];

    /// Whether it needs leave: what is not breaking applies live.
    pub const fn is_breaking(self) -> bool {
        match self {
            Self::AddEntity | Self::AddField | Self::WidenField | Self::Adjust => false,
            Self::DropEntity
            | Self::DropField
            | Self::ChangeKind
            | Self::ChangeKey
            | Self::DropOperation
            | Self::TightenField
            | Self::AddUnique
            | Self::ChangeAccess => true,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddEntity => "add-entity",
            Self::AddField => "add-field",
            Self::WidenField => "widen-field",
            Self::Adjust => "adjust",
            Self::DropEntity => "drop-entity",
            Self::DropField => "drop-field",
            Self::ChangeKind => "change-kind",
            Self::ChangeKey => "change-key",
            Self::DropOperation => "drop-operation",
            Self::TightenField => "tighten-field",
            Self::AddUnique => "add-unique",
            Self::ChangeAccess => "change-access",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One change of a schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub kind: ChangeKind,
    pub entity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What is other than before, in a few words.
    pub what: String,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.entity)?;
        if let Some(field) = &self.field {
            write!(formatter, ".{field}")?;
        }
        write!(formatter, ": {}", self.what)
    }
}

/// The changes from one schema to another, entity by entity in the order of names.
pub fn diff(before: &Schema, after: &Schema) -> Vec<Change> {
    let mut changes = Vec::new();
    for entity in &before.entities {
        match after.entity(&entity.name) {
            Some(after) => compare(entity, after, &mut changes),
            None => changes.push(of_entity(entity, ChangeKind::DropEntity, "is gone")),
        }
    }
    let added = after.entities.iter();
    for entity in added.filter(|entity| before.entity(&entity.name).is_none()) {
        match before.known(&entity.name) {
            Some(gone) => returned(gone, entity, &mut changes),
            None => changes.push(of_entity(entity, ChangeKind::AddEntity, "is new")),
        }
    }
    changes.sort_by(|one, other| one.entity.cmp(&other.entity));
    changes
}

/// The records of an entity that was gone are there again: what would show them to others.
fn returned(gone: &Entity, after: &Entity, changes: &mut Vec<Change>) {
    let what = "is there again, with the records that it had";
    changes.push(of_entity(after, ChangeKind::AddEntity, what));
    let mut others = Vec::new();
    compare(gone, after, &mut others);
    others.retain(|change| change.kind == ChangeKind::ChangeAccess);
    changes.append(&mut others);
}

fn of_entity(entity: &Entity, kind: ChangeKind, what: &str) -> Change {
    Change {
        kind,
        entity: entity.name.clone(),
        field: None,
        what: what.to_owned(),
    }
}

fn compare(before: &Entity, after: &Entity, changes: &mut Vec<Change>) {
    for field in &before.fields {
        match after.field(&field.name) {
            Some(after_field) => compare_fields(after, field, after_field, changes),
            None => changes.push(of_field(after, field, ChangeKind::DropField, "is gone")),
        }
    }
    let added = after.fields.iter();
    for field in added.filter(|field| before.field(&field.name).is_none()) {
        changes.push(if must_be_given(field) {
            of_field(
                after,
                field,
                ChangeKind::TightenField,
                "is new and must be given",
            )
        } else {
            of_field(after, field, ChangeKind::AddField, "is new")
        });
        let had = |role: &Role| before.has_read(*role, &field.name);
        let has = |role: &Role| after.may_read(*role, &field.name);
        let is_shown_to_others = Role::ALL.iter().any(|role| has(role) && !had(role));
        if before.dropped.contains_key(&field.name) && is_shown_to_others {
            let what = "was dropped, and others would read its values";
            changes.push(of_field(after, field, ChangeKind::ChangeAccess, what));
        }
    }
    let mut note = |is_other: bool, kind, what| {
        if is_other {
            changes.push(of_entity(after, kind, what));
        }
    };
    note(
        before.key != after.key,
        ChangeKind::ChangeKey,
        "has another key",
    );
    note(
        before.access != after.access,
        ChangeKind::ChangeAccess,
        "has other rights",
    );
    let is_new = |unique: &&Vec<String>| !before.unique.contains(unique);
    note(
        after.unique.iter().any(|unique| is_new(&unique)),
        ChangeKind::AddUnique,
        "has values that are one record's alone",
    );
    note(
        before.not_kept != after.not_kept,
        ChangeKind::Adjust,
        "keeps other columns than before",
    );
    compare_offered(before, after, changes);
}

fn of_field(entity: &Entity, field: &Field, kind: ChangeKind, what: &str) -> Change {
    Change {
        field: Some(field.name.clone()),
        ..of_entity(entity, kind, what)
    }
}

/// Whether a new record is refused that does not name the field.
const fn must_be_given(field: &Field) -> bool {
    field.required && field.default.is_none() && !field.read_only
}

fn compare_fields(entity: &Entity, before: &Field, after: &Field, changes: &mut Vec<Change>) {
    let mut note = |is_other: bool, kind, what| {
        if is_other {
            changes.push(of_field(entity, after, kind, what));
        }
    };
    note(
        before.kind != after.kind,
        ChangeKind::ChangeKind,
        "has another kind",
    );
    let access = (before.sync_exclude, before.owner_only) != (after.sync_exclude, after.owner_only);
    note(access, ChangeKind::ChangeAccess, "has other rights");
    note(
        before.nullable && !after.nullable,
        ChangeKind::TightenField,
        "may be null no more",
    );
    note(
        !must_be_given(before) && must_be_given(after),
        ChangeKind::TightenField,
        "must be given",
    );
    note(
        !before.read_only && after.read_only,
        ChangeKind::TightenField,
        "is read-only",
    );
    let widened = !before.nullable && after.nullable
        || before.required && !after.required
        || before.read_only && !after.read_only;
    note(widened, ChangeKind::WidenField, "takes more");
    if before.rules != after.rules {
        let (kind, what) = if is_wider(&before.rules, &after.rules) {
            (ChangeKind::WidenField, "has looser rules")
        } else {
            (ChangeKind::TightenField, "has other rules")
        };
        note(true, kind, what);
    }
    let adjusted = before.default != after.default
        || before.references != after.references
        || before.description != after.description;
    note(
        adjusted,
        ChangeKind::Adjust,
        "has other words, or another default",
    );
}
