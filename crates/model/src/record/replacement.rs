//! What it means to put a record in place of another.

use serde_json::Value as Json;

use super::payload::Values;
use super::refusal::{Refusal, RefusalCode};
use super::values::error_of;
use super::{FieldError, Record};
use crate::schema::{Entity, Field, Role};

/// The values that put the named ones in place of the whole record: a field that is not named falls
/// back to its default, or to null.
///
/// What the role may not read or may not write stays as it is, and so do columns that the schema
/// doesn't know.
///
/// # Errors
/// A field that is not named, and that has nothing to fall back to: a required one, or one that the
/// record holds a value of.
pub fn replacement(
    entity: &Entity,
    role: Role,
    record: &Record,
    named: &Values,
) -> Result<Values, Refusal> {
    let mut values = named.clone();
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
            None if field.required || is_held => {
                let message = "must be given: it can't be emptied";
                errors.push(error_of(&field.name, "required", message));
            }
            None => {}
        }
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(Refusal::of_fields(RefusalCode::ValidationFailed, errors))
    }
}
