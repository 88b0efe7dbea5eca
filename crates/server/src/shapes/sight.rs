//! What of a table who asks may see, and their role on its rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use syncline_model::ServerSeq;
use syncline_model::record::{Asker, Held, Record, Records, sight};
use syncline_model::schema::{Entity, Role, Schema};
use syncline_model::shape::{CellSource, Filter, Kind, ShapeColumn, print_datum, read_datum};
use syncline_store::records::{StoredRecords, schema, schema_place};
use syncline_store::shapes::Relation;
use syncline_store::{StoreError, TenantFile};

use super::definition::Definition;
use crate::log::Standing;

/// What of an entity's records who asks may see: none of some columns, and only their own rows where
/// roles are by membership.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    /// The places of hidden columns.
    pub hidden: Vec<usize>,
    pub filter: Option<Filter>,
    pub roles: RowRoles,
    /// What tells it from other sights of the same table.
    pub digest: String,
    /// The schema that it is by.
    pub schema: Option<Standing>,
}

/// Who asked for a shape of records, and what they saw then.
#[derive(Debug, Clone)]
pub(super) struct SeenBy {
    asker: Asker,
    digest: String,
    schema: Option<Standing>,
    /// Whether it was less than all, so that it may change without the schema.
    is_partial: bool,
}

impl SeenBy {
    pub(super) fn of(asker: &Asker, sight: &Sight) -> Self {
        Self {
            asker: asker.clone(),
            digest: sight.digest.clone(),
            schema: sight.schema.clone(),
            is_partial: sight.filter.is_some() || !sight.hidden.is_empty(),
        }
    }

    /// Whether the same user has asked by the same reading of the schema, and saw the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let has_same_schema = match (&self.schema, &other.schema) {
            (Some((one, _)), Some((other, _))) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        has_same_schema
            && (&self.asker, &self.digest, self.is_partial)
                == (&other.asker, &other.digest, other.is_partial)
    }
}

/// The role of who asks, on each row.
#[derive(Debug, Clone, Default)]
pub(super) enum RowRoles {
    /// The table's rows have no roles.
    #[default]
    None,
    Same(Role),
    /// By the text of a column, as its kind prints it.
    ByColumn {
        column: usize,
        kind: Kind,
        roles: BTreeMap<String, Role>,
    },
}

impl RowRoles {
    /// The role on a row; none: who asks has none there.
    pub(super) fn on(&self, cells: &impl CellSource) -> Option<Role> {
        match self {
            Self::None => None,
            Self::Same(role) => Some(*role),
            Self::ByColumn {
                column,
                kind,
                roles,
            } => {
                let cell = cells.cell(*column)?;
                // A key is told as it was written.
                let role = roles.get(cell);
                role.or_else(|| roles.get(&printed(*kind, cell))).copied()
            }
        }
    }
}

/// Whether who asked for this definition still sees what they saw then: where they named no columns, also that
/// the table has no others.
pub(super) fn is_unchanged(file: &TenantFile, definition: &Definition) -> Result<bool, StoreError> {
    let Some(seen) = &definition.seen_by else {
        return Ok(true);
    };
    let has_same_schema = schema_place(file.connection())? == place_of(seen.schema.as_ref());
    if !seen.is_partial && has_same_schema {
        return Ok(true);
    }
    let other = if has_same_schema {
        None
    } else {
        schema(file.connection())?.map(|standing| (Arc::new(standing.schema), standing.seq))
    };
    let standing = if has_same_schema {
        &seen.schema
    } else {
        &other
    };
    let standing = standing.as_ref();
    let by = standing.map(|(schema, _)| &**schema);
    let Some(relation) = file.shape_relation(&definition.relation.name, by)? else {
        return Ok(false);
    };
    let now = sight_of(file, standing, &relation, &seen.asker)?;
    let is_as_wide = has_same_schema
        || !definition.is_whole
        || definition.tells_all_of(&relation.columns, &now.hidden);
    Ok(now.digest == seen.digest && is_as_wide)
}

/// The place of a schema's op.
pub(super) fn place_of(schema: Option<&Standing>) -> Option<ServerSeq> {
    schema.map(|(_, place)| *place)
}

/// The sight that an asker has of a table now, under the schema that stands.
pub(super) fn sight_of(
    file: &TenantFile,
    standing: Option<&Standing>,
    relation: &Relation,
    asker: &Asker,
) -> Result<Sight, StoreError> {
    let schema = standing.map(|(schema, _)| &**schema);
    let entity = relation.entity();
    let Some((schema, entity)) = schema.and_then(|schema| Some((schema, schema.entity(entity?)?)))
    else {
        return Ok(Sight::default());
    };
    let sight = if entity.is_open_to(asker.role) {
        Sight {
            roles: RowRoles::Same(asker.role),
            digest: asker.role.to_string(),
            ..Sight::default()
        }
    } else {
        restricted(file, (schema, entity), &relation.columns, asker)?
    };
    Ok(Sight {
        schema: standing.cloned(),
        ..sight
    })
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
    let mut on_rows = RowRoles::Same(asker.role);
    let mut filter = None;
    if let Some(via) = &entity.access.role_via {
        let user = Value::from(asker.user.as_str());
        let memberships = rows.holding(&via.entity, &[Held::text(&via.user_field, &user)])?;
        let role_of = |membership: &Record| {
            let word = membership.value(&via.role_field).as_str();
            word.and_then(Role::parse).unwrap_or(Role::Viewer)
        };
        // One set of columns for all rows: what the least of the roles may read.
        roles = memberships.iter().map(role_of).collect();
        let column = columns.iter().position(|column| column.name == via.field);
        let kind = column.map(|column| columns[column].kind);
        let values = memberships.iter().map(|row| {
            let value = plain(row.value(&via.entity_field));
            kind.map_or_else(|| value.clone(), |kind| printed(kind, &value))
        });
        let values: Vec<String> = values.collect();
        if let Some((column, kind)) = column.zip(kind) {
            let mut best = BTreeMap::new();
            for (value, role) in values.iter().zip(&roles) {
                let held = best.entry(value.clone()).or_insert(*role);
                *held = (*held).max(*role);
            }
            on_rows = RowRoles::ByColumn {
                column,
                kind,
                roles: best,
            };
        }
        let column = via.field.replace('"', "\"\"");
        let text = format!("\"{column}\"::text = ANY ($1)");
        let parameters = [array(values.into_iter())];
        let parsed = Filter::parse(&text, &parameters, &entity.name, columns);
        let nothing = || Filter::parse("false", &[], &entity.name, columns);
        filter = parsed.or_else(|_| nothing()).ok();
    }
    // Who has no role sees no row, so no column of one: none need be hidden from them, and what they name
    // is there as soon as they have a role.
    let is_hidden = |column: &ShapeColumn| {
        roles
            .iter()
            .any(|role| !entity.may_read(*role, &column.name))
    };
    let places =
        (0..columns.len()).filter(|n| columns[*n].key_place.is_none() && is_hidden(&columns[*n]));
    Ok(Sight {
        hidden: places.collect(),
        filter,
        roles: on_rows,
        digest,
        schema: None,
    })
}

/// A value as the cells of its kind hold it, however it was written.
fn printed(kind: Kind, text: &str) -> String {
    let datum = read_datum(kind, text);
    let printed = datum.and_then(|datum| print_datum(kind, &datum));
    printed.unwrap_or_else(|| text.to_owned())
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
