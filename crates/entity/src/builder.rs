//! Puts an entity together: what the derive writes calls to.

use std::collections::BTreeMap;

use serde_json::Value;
use syncline_model::schema::{
    Access, Bound, Conflict, Entity, Field, FieldKind, Role, RoleVia, WriteMode,
};

use crate::kinds::FieldType;
use crate::operations;

/// An entity in the making.
#[derive(Debug)]
#[must_use = "`build` gives the entity"]
pub struct Builder {
    entity: Entity,
    path: String,
}

impl Builder {
    /// An entity of a collection's name and that of one record. Its key is `id`, its path its name.
    pub fn new(name: &str, singular: &str) -> Self {
        Self {
            path: format!("/{name}"),
            entity: Entity {
                name: name.to_owned(),
                singular: singular.to_owned(),
                fields: Vec::new(),
                key: "id".to_owned(),
                mode: WriteMode::default(),
                subset: None,
                conflict: Conflict::default(),
                unique: Vec::new(),
                access: Access::default(),
                dropped: Default::default(),
                not_kept: Default::default(),
                operations: Vec::new(),
            },
        }
    }

    /// The collection's path.
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    pub fn key(mut self, field: &str) -> Self {
        field.clone_into(&mut self.entity.key);
        self
    }

    pub fn mode(mut self, mode: WriteMode) -> Self {
        self.entity.mode = mode;
        self
    }

    /// The subset that clients take, in the `where` language of shapes.
    pub fn subset(mut self, condition: &str) -> Self {
        self.entity.subset = Some(condition.to_owned());
        self
    }

    pub fn conflict(mut self, conflict: Conflict) -> Self {
        self.entity.conflict = conflict;
        self
    }

    pub fn unique(mut self, fields: &[&str]) -> Self {
        self.entity.unique.push(owned(fields));
        self
    }

    /// The groups of fields that a role may write.
    pub fn may_write(mut self, role: Role, groups: &[&str]) -> Self {
        let permissions = &mut self.entity.access.role_permissions;
        permissions.insert(role, owned(groups));
        self
    }

    /// The groups of fields that a role may read. Once this was said of one role, others read no group.
    pub fn may_read(mut self, role: Role, groups: &[&str]) -> Self {
        let permissions = &mut self.entity.access.read_permissions;
        permissions
            .get_or_insert_with(BTreeMap::new)
            .insert(role, owned(groups));
        self
    }

    pub fn role_via(mut self, role_via: RoleVia) -> Self {
        self.entity.access.role_via = Some(role_via);
        self
    }

    pub fn field(mut self, field: FieldBuilder) -> Self {
        if let Some(group) = field.group {
            let groups = &mut self.entity.access.field_groups;
            groups
                .entry(group)
                .or_default()
                .push(field.field.name.clone());
        }
        if field.is_unique {
            self.entity.unique.push(vec![field.field.name.clone()]);
        }
        self.entity.fields.push(field.field);
        self
    }

    /// The entity, with an operation of each kind at its path.
    pub fn build(mut self) -> Entity {
        let entity = &mut self.entity;
        entity.unique.sort();
        entity.unique.dedup();
        for field in &mut entity.fields {
            if field.name == entity.key || field.sync_exclude || field.read_only {
                field.required = false;
            }
        }
        entity.operations = operations::of(entity, &self.path);
        self.entity
    }
}

/// A field in the making.
#[derive(Debug)]
#[must_use = "`Builder::field` takes it"]
pub struct FieldBuilder {
    field: Field,
    group: Option<String>,
    is_unique: bool,
}

impl FieldBuilder {
    /// A field of a Rust type. A new record must name it unless the type has null or a default is given.
    pub fn of<T: FieldType>(name: &str) -> Self {
        Self {
            field: Field {
                name: name.to_owned(),
                kind: T::KIND,
                nullable: T::NULLABLE,
                required: !T::NULLABLE,
                read_only: false,
                sync_exclude: false,
                owner_only: false,
                default: None,
                rules: T::rules(),
                references: None,
                description: None,
            },
            group: None,
            is_unique: false,
        }
    }

    /// A decimal number, which Rust's own types can't hold.
    pub fn decimal(mut self) -> Self {
        self.field.kind = FieldKind::Decimal;
        self.field.rules.json = None;
        self
    }

    pub fn format(mut self, format: &str) -> Self {
        self.field.rules.format = Some(format.to_owned());
        self
    }

    pub fn sync_exclude(mut self) -> Self {
        self.field.sync_exclude = true;
        self
    }

    pub fn owner_only(mut self) -> Self {
        self.field.owner_only = true;
        self
    }

    pub fn read_only(mut self) -> Self {
        self.field.read_only = true;
        self
    }

    pub fn unique(mut self) -> Self {
        self.is_unique = true;
        self
    }

    pub fn group(mut self, group: &str) -> Self {
        self.group = Some(group.to_owned());
        self
    }

    pub fn references(mut self, entity: &str) -> Self {
        self.field.references = Some(entity.to_owned());
        self
    }

    pub fn description(mut self, text: &str) -> Self {
        self.field.description = Some(text.to_owned());
        self
    }

    pub fn default_value(mut self, value: impl Into<Value>) -> Self {
        self.field.default = Some(value.into());
        self.field.required = false;
        self
    }

    pub fn one_of(mut self, values: &[&str]) -> Self {
        self.field.rules.one_of = values.iter().map(|value| Value::from(*value)).collect();
        self
    }

    pub fn min_length(mut self, characters: u64) -> Self {
        self.field.rules.min_length = Some(characters);
        self
    }

    pub fn max_length(mut self, characters: u64) -> Self {
        self.field.rules.max_length = Some(characters);
        self
    }

    pub fn pattern(mut self, pattern: &str) -> Self {
        self.field.rules.pattern = Some(pattern.to_owned());
        self
    }

    pub fn minimum(mut self, value: f64) -> Self {
        self.field.rules.minimum = Some(inclusive(value));
        self
    }

    pub fn maximum(mut self, value: f64) -> Self {
        self.field.rules.maximum = Some(inclusive(value));
        self
    }
}

fn inclusive(value: f64) -> Bound {
    Bound {
        value,
        exclusive: false,
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
