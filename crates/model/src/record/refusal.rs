//! Why an offered op is not taken.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Lost;
use super::values::error_of;
use crate::PayloadError;
use crate::schema::{Entity, Role};

/// The stable code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The op is none of this scope.
    InvalidOp,
    /// What the op would hold is longer than an op may be, or nests deeper.
    TooLarge,
    /// The schema has no such entity.
    UnknownEntity,
    /// There is no such record, or who asks does not see it.
    NotFound,
    /// The record was deleted.
    Gone,
    /// A record with this id is there already.
    AlreadyExists,
    /// The role may not do this.
    Forbidden,
    /// The role may not write one of the fields.
    ForbiddenField,
    /// A value is none that its field has.
    ValidationFailed,
    /// Another record has the values that are to be one record's alone.
    UniqueViolation,
    /// Others have changed what the writer had seen.
    Conflict,
    /// It builds on an op that was refused.
    DependsOnRefused,
}

impl RefusalCode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOp => "invalid_op",
            Self::TooLarge => "too_large",
            Self::UnknownEntity => "unknown_entity",
            Self::NotFound => "not_found",
            Self::Gone => "gone",
            Self::AlreadyExists => "already_exists",
            Self::Forbidden => "forbidden",
            Self::ForbiddenField => "forbidden_field",
            Self::ValidationFailed => "validation_failed",
            Self::UniqueViolation => "unique_violation",
            Self::Conflict => "conflict",
            Self::DependsOnRefused => "depends_on_refused",
        }
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    pub field: String,
    /// The rule that it breaks, in one word: `required`, `type`, `max_length`.
    #[serde(rename = "code")]
    pub rule: &'static str,
    pub message: String,
}

/// Why an op is refused, as a whole. It tells who asks nothing that they may not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    #[serde(skip)]
    pub code: RefusalCode,
    #[serde(skip)]
    pub message: Box<str>,
    /// Which of the op's writes, from 0.
    pub write: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub entity: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    #[serde(rename = "fields", skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The columns in conflict.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub conflicts: BTreeMap<String, Lost>,
}

impl Refusal {
    pub fn new(code: RefusalCode, message: impl Into<Box<str>>) -> Self {
        Self {
            code,
            message: message.into(),
            write: 0,
            entity: String::new(),
            id: String::new(),
            errors: Vec::new(),
            conflicts: BTreeMap::new(),
        }
    }

    /// Why a write can't be the payload of an op.
    pub fn of_payload(error: &PayloadError) -> Self {
        let code = match error {
            PayloadError::TooLarge { .. } | PayloadError::TooDeep => RefusalCode::TooLarge,
            PayloadError::Syntax(_) => RefusalCode::InvalidOp,
        };
        Self::new(code, error.to_string())
    }

    pub(super) fn of_fields(code: RefusalCode, errors: Vec<FieldError>) -> Self {
        let texts: Vec<_> = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.message))
            .collect();
        Self {
            errors,
            ..Self::new(code, texts.join("; "))
        }
    }

    /// What a program needs of it: `{write, entity, id, fields?, conflicts?}`.
    pub fn details(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

pub(super) fn fields_wrong(errors: Vec<FieldError>) -> Refusal {
    Refusal::of_fields(RefusalCode::ValidationFailed, errors)
}

pub(super) fn forbidden(field: &str, message: &str) -> Refusal {
    let errors = vec![error_of(field, "forbidden", message)];
    Refusal::of_fields(RefusalCode::ForbiddenField, errors)
}

pub(super) fn forbidden_fields<'n>(named: impl Iterator<Item = &'n String>) -> Option<Refusal> {
    let error = |name: &String| error_of(name, "forbidden", "may not be written by this role");
    let errors: Vec<_> = named.map(error).collect();
    (!errors.is_empty()).then(|| Refusal::of_fields(RefusalCode::ForbiddenField, errors))
}

/// The refusal of values that another record has, of one field or of several together.
pub(super) fn not_unique(fields: &[String]) -> Refusal {
    let message = match fields {
        [_] => "another record has this value".to_owned(),
        several => format!(
            "another record has the same {} together",
            several.join(" and ")
        ),
    };
    let error = |field: &String| error_of(field, "unique", &message);
    let errors = fields.iter().map(error).collect();
    Refusal::of_fields(RefusalCode::UniqueViolation, errors)
}

pub(super) fn role_refused(role: Role, attempt: &str) -> Refusal {
    let message = format!("the role {} may not {attempt} this record", role.as_str());
    Refusal::new(RefusalCode::Forbidden, message)
}

/// The refusal of who has no role at all on a record of this entity.
pub(super) fn membership_missing(entity: &Entity) -> Refusal {
    let message = match &entity.access.role_via {
        Some(via) => format!(
            "no record of `{}` gives you a role at this `{}`",
            via.entity, via.field
        ),
        None => "you have no role on this record".to_owned(),
    };
    Refusal::new(RefusalCode::Forbidden, message)
}

/// The refusal of a write in conflict.
pub(super) fn conflicted(conflicts: BTreeMap<String, Lost>) -> Refusal {
    let columns: Vec<_> = conflicts.keys().map(String::as_str).collect();
    let message = format!("others have changed {} since", columns.join(", "));
    Refusal {
        conflicts,
        ..Refusal::new(RefusalCode::Conflict, message)
    }
}
