//! What it means to put a record in place of another.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::payload::Values;
use super::refusal::{Refusal, RefusalCode};
use super::values::error_of;
use super::{FieldError, Record};
use crate::schema::{Entity, Field, Role};

/// What an update is to do so that nothing is left of what was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    pub values: Values,
    /// The columns to be taken out.
    pub unset: BTreeSet<String>,
}

/// What puts the named values in place of the whole record: a field that is not named falls back to its
/// default, or to null, or is taken out.
///
/// What the role may not read or may not write stays as it is, and so do columns that the schema
/// doesn't know.
///
/// # Errors
/// A required field that is not named, and that has nothing to fall back to.
pub fn replacement(
    entity: &Entity,
    role: Role,
    record: &Record,
    named: &Values,
) -> Result<Replacement, Refusal> {
    let mut values = named.clone();
    let mut unset = BTreeSet::new();
    let mut errors: Vec<FieldError> = Vec::new();
    let is_replaced = |field: &&Field| {
        let name = &field.name;
        let is_free = *name != entity.key && !field.read_only && !named.contains_key(name);
        is_free && entity.may_read(role, name) && entity.may_write(role, name)
    };
    for field in entity.stored_fields().filter(is_replaced) {
        let is_held = !record.value(&field.name).is_null();
        match &field.default {
            Some(default) => _ = values.insert(field.name.clone(), default.clone()),
            None if field.nullable && is_held => {
                values.insert(field.name.clone(), Json::Null);
            }
            None if field.nullable => {}
            None if field.required => {
                let message = "must be given: it can't be emptied";
                errors.push(error_of(&field.name, "required", message));
            }
            None => _ = unset.insert(field.name.clone()),
        }
    }
    if errors.is_empty() {
        Ok(Replacement { values, unset })
    } else {
        Err(Refusal::of_fields(RefusalCode::ValidationFailed, errors))
    }
}
