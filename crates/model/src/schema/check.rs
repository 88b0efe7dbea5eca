//! Whether a schema is one that records can be judged by: what a document has been read into is, what a
//! client pushes need not be.

use std::collections::HashSet;

use super::{Entity, Field, FieldKind, Operation, RoleVia, Schema};
use crate::shape::{Filter, entity_columns};

/// The most entities of a schema: each is a table with its indexes, on every replica.
pub const ENTITIES_MAX: usize = 1_000;

/// The most fields of an entity, well under the columns that a table can have.
pub const FIELDS_MAX: usize = 500;

/// The longest name of an entity or a field, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 128;

/// What answers and clients show beside a record's columns, or take in their place; who sends a row back
/// as it was shown sends it too. No field is called so.
pub const RESERVED: [&str; 7] = [
    "_role",
    "_lost",
    "_base",
    "_pending",
    "_has_local_changes",
    "_pending_write_id",
    "txid",
];

/// What keeps a schema from being used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entity `{entity}`: {what}")]
pub struct SchemaFault {
    pub entity: String,
    pub what: String,
}

impl Schema {
    /// Whether records can be judged by it; the error is the first thing that is wrong.
    ///
    /// What only a person could have meant otherwise, such as a pattern that nothing matches, is not asked.
    pub fn check(&self) -> Result<(), SchemaFault> {
        if let Some(over) = self.entities.get(ENTITIES_MAX) {
            let what = format!("it is one more than the {ENTITIES_MAX} of a schema");
            return Err(fault(over, what));
        }
        let mut names = HashSet::new();
        for entity in &self.entities {
            let faults = [
                entity_name_fault(&entity.name),
                (!names.insert(entity.name.to_lowercase()))
                    .then(|| "another one has its name".to_owned()),
                fields_fault(entity),
                key_fault(entity),
                unique_fault(entity),
                groups_fault(entity),
                self.references_fault(entity),
                self.role_via_fault(entity),
                subset_fault(entity),
                entity.operations.iter().find_map(path_fault),
            ];
            if let Some(what) = faults.into_iter().flatten().next() {
                return Err(fault(entity, what));
            }
        }
        Ok(())
    }

    fn references_fault(&self, entity: &Entity) -> Option<String> {
        let mut fields = entity.fields.iter();
        fields.find_map(|field| {
            let named = field.references.as_deref()?;
            let is_there = self.entity(named).is_some();
            (!is_there).then(|| format!("`{}` names records of no entity, `{named}`", field.name))
        })
    }

    fn role_via_fault(&self, entity: &Entity) -> Option<String> {
        let via = entity.access.role_via.as_ref()?;
        let RoleVia {
            entity: name,
            entity_field,
            field,
            user_field,
            role_field,
        } = via;
        let Some(membership) = self.entity(name) else {
            return Some(format!("its roles are given by no entity, `{name}`"));
        };
        let of_membership = [entity_field, user_field, role_field].map(|name| (membership, name));
        let mut all = of_membership.into_iter().chain([(entity, field)]);
        all.find_map(|(owner, name)| {
            let tells =
                stored(owner, name).is_some_and(|field| !matches!(field.kind, FieldKind::Json));
            (!tells).then(|| format!("its roles can't be told by `{name}` of `{}`", owner.name))
        })
    }
}

fn fault(entity: &Entity, what: String) -> SchemaFault {
    // A name may hold anything, and is part of a message of one line.
    let entity = entity.name.escape_debug().take(NAME_BYTES_MAX).collect();
    SchemaFault { entity, what }
}

/// Why no entity can be called so. The name of a record is that of its entity, a slash, and its id.
pub fn entity_name_fault(name: &str) -> Option<String> {
    let parted = || name.contains('/').then(|| "it holds a slash".to_owned());
    name_fault(name).or_else(parted)
}

/// Why nothing can be called so.
pub fn name_fault(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("it is empty".to_owned());
    }
    if name.len() > NAME_BYTES_MAX {
        return Some(format!("it has over {NAME_BYTES_MAX} bytes"));
    }
    let has_control = name.chars().any(char::is_control);
    has_control.then(|| "it holds a control character".to_owned())
}

/// Whether every record has this already, so that it is no field.
pub fn is_reserved(name: &str) -> bool {
    let mut reserved = RESERVED.iter();
    reserved.any(|reserved| name.eq_ignore_ascii_case(reserved))
}

fn stored<'e>(entity: &'e Entity, name: &str) -> Option<&'e Field> {
    entity.field(name).filter(|field| !field.sync_exclude)
}

fn fields_fault(entity: &Entity) -> Option<String> {
    if entity.fields.len() > FIELDS_MAX {
        return Some(format!("it has more than {FIELDS_MAX} fields"));
    }
    if entity.not_kept.len() > FIELDS_MAX {
        return Some(format!(
            "it has more than {FIELDS_MAX} columns that are not kept"
        ));
    }
    let mut names = HashSet::new();
    entity.fields.iter().find_map(|field| {
        let name = &field.name;
        let shown = name.escape_debug();
        if let Some(reason) = name_fault(name) {
            return Some(format!("a field can't be called `{shown}`: {reason}"));
        }
        if is_reserved(name) {
            return Some(format!("every record has `{shown}`: it is no field"));
        }
        let is_new = names.insert(name.to_lowercase());
        (!is_new).then(|| format!("two fields are called `{shown}`"))
    })
}

fn key_fault(entity: &Entity) -> Option<String> {
    let key = &entity.key;
    let Some(field) = stored(entity, key) else {
        return Some(format!("its key `{key}` is no field that the server has"));
    };
    let what = "is neither text, a uuid nor a whole number";
    (!field.kind.is_for_keys()).then(|| format!("its key `{key}` {what}"))
}

fn unique_fault(entity: &Entity) -> Option<String> {
    let mut sets = entity.unique.iter();
    sets.find_map(|fields| {
        if fields.is_empty() {
            return Some("a set of unique fields is empty".to_owned());
        }
        let unknown = fields.iter().find(|name| stored(entity, name).is_none())?;
        let what = "is unique, and no field that the server has";
        Some(format!("`{}` {what}", unknown.escape_debug()))
    })
}

/// A group may hold columns that are no fields; permissions name groups that there are.
fn groups_fault(entity: &Entity) -> Option<String> {
    let access = &entity.access;
    let read = access.read_permissions.iter();
    let mut permitted = read
        .flat_map(|permissions| permissions.values())
        .chain(access.role_permissions.values())
        .flatten();
    let unknown = permitted.find(|group| !access.field_groups.contains_key(*group))?;
    Some(format!("there is no group `{}`", unknown.escape_debug()))
}

fn subset_fault(entity: &Entity) -> Option<String> {
    let subset = entity.subset.as_deref()?;
    let read = Filter::parse(subset, &[], &entity.name, &entity_columns(entity));
    read.err()
        .map(|error| format!("its subset is no condition: {}", error.message))
}

fn path_fault(operation: &Operation) -> Option<String> {
    let Operation {
        path,
        key_parameter,
        field_parameters,
        ..
    } = operation;
    if !path.starts_with('/') {
        return Some(format!("`{}` is no path", path.escape_debug()));
    }
    let parts = || path.trim_matches('/').split('/');
    let of_fields = field_parameters.iter().map(|(parameter, _)| parameter);
    let mut parameters = key_parameter.iter().chain(of_fields);
    let unsaid = parameters.find(|name| parts().all(|part| part != format!("{{{name}}}")))?;
    Some(format!("the path `{path}` has no parameter `{unsaid}`"))
}
