//! Who asks, and which role they have on a record.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::refusal::{Refusal, forbidden_fields};
use super::{Held, Record, Values};
use crate::UserId;
use crate::schema::{Entity, FieldKind, Role, Schema};

/// The records as they stand, for who decides or looks.
pub trait Records {
    type Error;

    /// A record, also a deleted one.
    fn record(&mut self, entity: &str, id: &str) -> Result<Option<Record>, Self::Error>;

    /// The records of an entity that are there and whose columns hold these values, however they are
    /// written.
    fn holding(&mut self, entity: &str, held: &[Held<'_>]) -> Result<Vec<Record>, Self::Error>;
}

/// Who asks: the credential says so, and the tenant's list of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    pub user: UserId,
    /// The role in the tenant.
    pub role: Role,
}

/// The role of who asks on a record with these columns; none: they don't see it.
pub fn role_on<R: Records>(
    rows: &mut R,
    entity: &Entity,
    columns: &Values,
    asker: &Asker,
) -> Result<Option<Role>, R::Error> {
    let Some(via) = &entity.access.role_via else {
        return Ok(Some(asker.role));
    };
    let Some(value) = columns.get(&via.field).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let user = Json::from(asker.user.as_str());
    let keeper = Held {
        column: &via.entity_field,
        kind: entity
            .field(&via.field)
            .map_or(&FieldKind::Text, |field| &field.kind),
        value,
    };
    let memberships = rows.holding(&via.entity, &[keeper, Held::text(&via.user_field, &user)])?;
    // A word that is no role of ours gives the least.
    let roles = memberships.iter().map(|membership| {
        let word = membership.value(&via.role_field).as_str();
        word.and_then(Role::parse).unwrap_or(Role::Viewer)
    });
    Ok(roles.max())
}

/// Why a role may not delete a record, if that gives others their role by a field which this role may not write:
/// they would lose it all the same.
pub(super) fn membership_kept(
    schema: &Schema,
    entity: &Entity,
    record: &Record,
    role: Role,
) -> Option<Refusal> {
    let vias = schema.entities.iter();
    let vias = vias.filter_map(|other| other.access.role_via.as_ref());
    let vias = vias.filter(|via| via.entity == entity.name);
    let fields = vias.flat_map(|via| [&via.entity_field, &via.user_field, &via.role_field]);
    let is_kept = |name: &&String| !record.value(name).is_null() && !entity.may_write(role, name);
    let kept: BTreeSet<&String> = fields.filter(is_kept).collect();
    forbidden_fields(kept.into_iter())
}

/// What tells one sight of the log from another: the role, and where it sees less than everything,
/// a digest of what it depends on. Who has pulled with one stamp can't go on with another.
pub fn sight<R: Records>(
    rows: &mut R,
    schema: Option<&Schema>,
    asker: &Asker,
) -> Result<String, R::Error> {
    let role = asker.role.as_str();
    let Some(schema) = schema.filter(|schema| !schema.is_open_to(asker.role)) else {
        return Ok(role.to_owned());
    };
    let mut facts = Vec::new();
    for entity in schema.entities.iter().chain(&schema.gone) {
        facts.push(serde_json::to_string(&(&entity.name, &entity.access)).unwrap_or_default());
        if !entity.dropped.is_empty() {
            facts.push(serde_json::to_string(&entity.dropped).unwrap_or_default());
        }
        let Some(via) = &entity.access.role_via else {
            continue;
        };
        let user = Json::from(asker.user.as_str());
        let memberships = rows.holding(&via.entity, &[Held::text(&via.user_field, &user)])?;
        let mut given: Vec<String> = memberships
            .iter()
            .map(|row| {
                format!(
                    "{}={}",
                    row.value(&via.entity_field),
                    row.value(&via.role_field)
                )
            })
            .collect();
        given.sort();
        facts.extend(given);
    }
    let digest = crate::PayloadHash::of(&facts.join("\n")).to_string();
    Ok(format!("{role}.{digest}"))
}

/// The role that a stamp of [`sight`] begins with.
pub fn role_of_sight(sight: &str) -> Option<Role> {
    Role::parse(sight.split('.').next().unwrap_or_default())
}

/// Whether who asks sees every column of every record.
pub fn sees_everything(schema: Option<&Schema>, asker: &Asker) -> bool {
    schema.is_none_or(|schema| schema.is_open_to(asker.role))
}
