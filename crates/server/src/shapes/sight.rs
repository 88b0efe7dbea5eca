//! What of a table who asks may see.

use serde_json::Value;
use syncline_model::record::{Asker, Record, Records, sight};
use syncline_model::schema::{Entity, Role, Schema};
use syncline_model::shape::{Filter, ShapeColumn};
use syncline_store::records::{StoredRecords, schema};
use syncline_store::{StoreError, TenantFile};

use super::definition::Definition;

/// What of an entity's records who asks may see: none of some columns, and only their own rows where
/// roles are by membership.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    /// The places of hidden columns.
    pub hidden: Vec<usize>,
    pub filter: Option<Filter>,
    /// What tells it from other sights of the same table.
    pub digest: String,
}

/// Whether who asked for this definition still sees what they saw then.
pub(super) fn is_unchanged(file: &TenantFile, definition: &Definition) -> Result<bool, StoreError> {
    let Some((asker, digest)) = &definition.seen_by else {
        return Ok(true);
    };
    let relation = &definition.relation;
    let now = sight_of(file, &relation.name, &relation.columns, asker)?;
    Ok(now.digest == *digest)
}

/// The sight that an asker has of an entity's table, with these columns, now.
pub(super) fn sight_of(
    file: &TenantFile,
    name: &str,
    columns: &[ShapeColumn],
    asker: &Asker,
) -> Result<Sight, StoreError> {
    let standing = schema(file.connection())?;
    let Some(schema) = standing.map(|standing| standing.schema) else {
        return Ok(Sight::default());
    };
    let Some(entity) = schema.entity(name) else {
        return Ok(Sight::default());
    };
    if entity.is_open_to(asker.role) {
        return Ok(Sight {
            digest: asker.role.to_string(),
            ..Sight::default()
        });
    }
    restricted(file, (&schema, entity), columns, asker)
}

fn restricted(
    file: &TenantFile,
    (schema, entity): (&Schema, &Entity),
    columns: &[ShapeColumn],
    asker: &Asker,
) -> Result<Sight, StoreError> {
    let mut rows = StoredRecords(file.connection());
    let digest = sight(&mut rows, Some(schema), asker)?;
    let mut roles = vec![asker.role];
    let mut filter = None;
    if let Some(via) = &entity.access.role_via {
        let user = Value::from(asker.user.as_str());
        let memberships = rows.holding(&via.entity, &[(&via.user_field, &user)])?;
        let role_of = |membership: &Record| {
            let word = membership.value(&via.role_field).as_str();
            word.and_then(Role::parse).unwrap_or(Role::Viewer)
        };
        // One set of columns for all rows: what the least of the roles may read.
        roles = memberships.iter().map(role_of).collect();
        let values = memberships
            .iter()
            .map(|row| plain(row.value(&via.entity_field)));
        let column = via.field.replace('"', "\"\"");
        let text = format!("\"{column}\"::text = ANY ($1)");
        let parameters = [array(values)];
        let parsed = Filter::parse(&text, &parameters, &entity.name, columns);
        let nothing = || Filter::parse("false", &[], &entity.name, columns);
        filter = parsed.or_else(|_| nothing()).ok();
    }
    let is_hidden = |column: &ShapeColumn| {
        roles.is_empty()
            || roles
                .iter()
                .any(|role| !entity.may_read(*role, &column.name))
    };
    let places =
        (0..columns.len()).filter(|n| columns[*n].key_place.is_none() && is_hidden(&columns[*n]));
    Ok(Sight {
        hidden: places.collect(),
        filter,
        digest,
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Texts as Postgres writes an array of them.
fn array(texts: impl Iterator<Item = String>) -> String {
    let quoted = texts.map(|text| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{text}\"")
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}
