//! By which id a record is known that somebody calls by a UUID.
//!
//! A UUID's canonical form, in small letters, is the key of every record that is made by it. Logs of before
//! hold keys in capitals too; these stay what they are, and whoever calls such a record in small letters
//! means it. A key that mixes both, as no program writes it, is called as it is written.

use serde_json::Value as Json;

use super::access::Records;
use super::compared::{CompareKey, compare_key};
use super::payload::{Offered, Values};
use crate::schema::{Entity, Field, FieldKind, RoleVia, Schema};

/// The id of the record that is called by this one: of a UUID that no record has, its canonical form.
pub fn known_id<R: Records>(rows: &mut R, entity: &Entity, id: &str) -> Result<String, R::Error> {
    let Some(canonical) = canonical_id(entity, id) else {
        return Ok(id.to_owned());
    };
    let mut gone = None;
    for spelling in [id, &canonical, &canonical.to_ascii_uppercase()] {
        match rows.record(&entity.name, spelling)? {
            Some(record) if !record.deleted => return Ok(record.id),
            Some(record) if spelling == id => gone = Some(record.id),
            Some(_) | None => {}
        }
    }
    // Whoever calls a deleted record as it was called is told that it is gone.
    Ok(gone.unwrap_or(canonical))
}

/// Calls the records of a request by the ids that they are known by.
pub fn settle_ids<R: Records>(
    rows: &mut R,
    schema: &Schema,
    offered: &mut Offered,
) -> Result<(), R::Error> {
    for write in &mut offered.writes {
        if let Some(entity) = schema.entity(&write.entity) {
            write.id = known_id(rows, entity, &write.id)?;
        }
    }
    Ok(())
}

/// Names the records that values refer to by the ids that they are known by: a UUID in small letters stands.
pub(super) fn settle_references<R: Records>(
    rows: &mut R,
    schema: &Schema,
    entity: &Entity,
    values: &mut Values,
) -> Result<(), R::Error> {
    for (column, value) in values {
        let Json::String(id) = value else { continue };
        // Most texts are none by their looks, and then nobody is asked whose key they might be.
        if !is_in_capitals(id) {
            continue;
        }
        let field = entity.field(column);
        let Some(of) = field.and_then(|field| named_by(schema, entity, field)) else {
            continue;
        };
        if canonical_id(of, id).is_some_and(|canonical| canonical != *id) {
            *id = known_id(rows, of, id)?;
        }
    }
    Ok(())
}

/// Whether a text has the length of a UUID, and a capital letter.
fn is_in_capitals(text: &str) -> bool {
    const UUID_BYTES: usize = 36;
    text.len() == UUID_BYTES && text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// The entity whose key a field holds: that which it refers to, or that whose records the memberships give
/// roles on that the field is joined with.
fn named_by<'s>(schema: &'s Schema, entity: &Entity, field: &Field) -> Option<&'s Entity> {
    if let Some(of) = &field.references {
        return schema.entity(of);
    }
    let gives_by = |via: &RoleVia| via.entity == entity.name && via.entity_field == field.name;
    let own = entity.access.role_via.as_ref();
    let own = own.filter(|via| via.field == field.name);
    let mut all = schema.entities.iter();
    all.find(|other| {
        let via = other.access.role_via.as_ref();
        via.filter(|via| via.field == other.key).is_some_and(|via| {
            let is_own = |own: &RoleVia| {
                (&own.entity, &own.entity_field) == (&via.entity, &via.entity_field)
            };
            gives_by(via) || own.is_some_and(is_own)
        })
    })
}

/// The canonical form of a key, if its entity's are UUIDs and it is one.
fn canonical_id(entity: &Entity, id: &str) -> Option<String> {
    let kind = entity.key_field().map(|field| &field.kind);
    let is_uuid = kind == Some(&FieldKind::Uuid);
    match is_uuid.then(|| compare_key(&FieldKind::Uuid, &Json::from(id)))?? {
        // Forms without hyphens, or in braces, are no keys.
        CompareKey::Text(canonical) => canonical.eq_ignore_ascii_case(id).then_some(canonical),
        CompareKey::Whole(_) => None,
    }
}
