//! What the templates see of a schema.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use syncline_model::record::Rulebook;
use syncline_model::schema::{Entity, Field, FieldKind, Operation, Role, Schema, Verb, WriteMode};

use super::lacks::is_kept;
use super::names::{Names, literal, property, quoted};
use super::types::{Type, type_of};
use super::{Local, zod};

#[derive(Debug, Serialize)]
pub(super) struct ClientView {
    pub(super) version: String,
    pub(super) local: &'static str,
    pub(super) entities: Vec<EntityView>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct EntityView {
    pub(super) name: String,
    pub(super) one: String,
    pub(super) many: String,
    pub(super) variable: String,
    pub(super) file: String,
    pub(super) key: FieldView,
    /// A `key` as rows hold it, as an expression of TypeScript: UUIDs are in small letters.
    pub(super) held: &'static str,
    /// The fields of its unique sets that are in the client.
    #[serde(skip)]
    pub(super) unique: BTreeSet<String>,
    pub(super) mode: &'static str,
    pub(super) ttl_seconds: Option<u64>,
    pub(super) subset: Option<String>,
    /// All fields, the key among them.
    pub(super) fields: Vec<FieldView>,
    pub(super) permissions: Vec<(Role, Vec<String>)>,
    pub(super) operations: Vec<OperationView>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct FieldView {
    pub(super) name: String,
    /// What names a record by a key of text is text, also where its format is that of a UUID: it is in no other letters than that key.
    #[serde(skip)]
    pub(super) kind: FieldKind,
    /// Whether it is text and names records by UUIDs.
    #[serde(skip)]
    pub(super) names_uuids: bool,
    /// The kind's name in the metadata.
    pub(super) kind_name: String,
    /// The TypeScript type, null aside.
    pub(super) value_type: String,
    /// Whether the type names `Json`.
    pub(super) names_json: bool,
    pub(super) row_type: String,
    /// What is written of it, null among it where the server takes that.
    pub(super) written_type: String,
    /// Whether every record has it, and never as null.
    pub(super) is_certain: bool,
    /// Its values to Zod, null among them where a client may give that.
    pub(super) schema: String,
    pub(super) is_nullable: bool,
    pub(super) is_required: bool,
    pub(super) is_key: bool,
    pub(super) is_excluded: bool,
    pub(super) is_read_only: bool,
    /// Whether a record may lack it and servers take no null for it, which a row then shows.
    pub(super) is_optional: bool,
    pub(super) is_owner_only: bool,
    pub(super) groups: Vec<String>,
    pub(super) references: Option<String>,
    /// What a server gives a new record that does not name the field.
    #[serde(skip)]
    pub(super) default: Option<Value>,
    /// What a new record shows where it does not name the field, until it comes from the server.
    pub(super) fresh: Option<String>,
    pub(super) description: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct OperationView {
    pub(super) verb: Verb,
    pub(super) method: String,
    /// A template literal over `parameters`.
    pub(super) path: String,
    /// The path's parameters but the key's, as properties.
    pub(super) parameters: Vec<String>,
    /// The same as the first argument of a call, out of a `row`: empty, or with a comma behind it.
    pub(super) of_row: String,
    pub(super) envelope: Option<String>,
}

impl ClientView {
    pub(super) fn new(schema: &Schema, names: &[Names], local: Local, version: String) -> Self {
        Self {
            version,
            local: match local {
                Local::Pglite => "pglite",
                Local::Memory => "memory",
            },
            entities: schema
                .entities
                .iter()
                .zip(names)
                .map(|(entity, names)| EntityView::new(schema, entity, names, local))
                .collect(),
        }
    }
}

impl EntityView {
    fn new(schema: &Schema, entity: &Entity, names: &Names, local: Local) -> Self {
        let fields: Vec<FieldView> = entity
            .fields
            .iter()
            .filter(|field| is_kept(field, local))
            .map(|field| FieldView::new(schema, entity, field, &names.one))
            .collect();
        let key = fields
            .iter()
            .find(|field| field.is_key)
            .expect("an entity holds its key")
            .clone();
        let held = match key.kind == FieldKind::Uuid && key.value_type == "string" {
            true => "key.toLowerCase()",
            false => "key",
        };
        let (mode, ttl_seconds) = match entity.mode {
            WriteMode::Optimistic => ("optimistic", None),
            WriteMode::Confirmed => ("confirmed", None),
            WriteMode::Cache { ttl_seconds } => ("cache", Some(ttl_seconds)),
        };
        Self {
            name: entity.name.clone(),
            one: names.one.clone(),
            many: names.many.clone(),
            variable: names.variable.clone(),
            file: names.file.clone(),
            key,
            held,
            unique: entity
                .unique
                .iter()
                .flatten()
                .filter(|name| fields.iter().any(|field| field.name == **name))
                .cloned()
                .collect(),
            mode,
            ttl_seconds,
            subset: entity.subset.clone(),
            fields,
            permissions: entity
                .access
                .role_permissions
                .iter()
                .map(|(role, groups)| (*role, groups.clone()))
                .collect(),
            operations: first_of_each_verb(&entity.operations),
        }
    }

    /// The fields that servers store, but the key.
    pub(super) fn shared(&self) -> impl Iterator<Item = &FieldView> {
        self.fields
            .iter()
            .filter(|field| !field.is_key && !field.is_excluded)
    }

    /// The fields that never leave a local database.
    pub(super) fn private(&self) -> impl Iterator<Item = &FieldView> {
        self.fields.iter().filter(|field| field.is_excluded)
    }
}

impl FieldView {
    fn new(schema: &Schema, entity: &Entity, field: &Field, one: &str) -> Self {
        let value = type_of(&field.kind, &field.rules);
        let is_key = field.name == entity.key;
        let named = named_key(schema, field).filter(|_| !is_key);
        let kind = match (&field.kind, named) {
            (FieldKind::Uuid, Some(FieldKind::Text)) => &FieldKind::Text,
            (own, _) => own,
        };
        let mut schema = zod::schema_of(&field.kind, &field.rules);
        if field.nullable || field.sync_exclude {
            schema.push_str(".nullable()");
        }
        // Of what never leaves a local database, others' records have none.
        let is_certain = is_key || (field.required && !field.nullable && !field.sync_exclude);
        let groups = entity
            .access
            .field_groups
            .iter()
            .filter(|(_, fields)| fields.contains(&field.name))
            .map(|(group, _)| group.clone())
            .collect();
        Self {
            name: field.name.clone(),
            kind: kind.clone(),
            names_uuids: field.kind == FieldKind::Text && named == Some(&FieldKind::Uuid),
            kind_name: kind_name(kind).to_owned(),
            row_type: if is_certain {
                value.text.clone()
            } else {
                format!("{} | null", value.text)
            },
            is_certain,
            schema,
            written_type: written_type(field, &value, one),
            value_type: value.text,
            names_json: value.names_json,
            is_nullable: field.nullable,
            is_required: if is_key {
                !is_minted(field)
            } else {
                field.required && field.default.is_none() && !field.read_only
            },
            is_key,
            is_excluded: field.sync_exclude,
            is_read_only: field.read_only,
            is_optional: !(is_certain || takes_null(field) || field.read_only),
            is_owner_only: field.owner_only,
            groups,
            references: field.references.clone(),
            fresh: shown_default(field)
                .or_else(|| (!is_certain).then(|| "null".to_owned()))
                .filter(|_| !is_key),
            default: field.default.clone(),
            description: field.description.as_ref().map(|text| {
                text.replace("*/", "*\u{200b}/")
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            }),
        }
    }
}

/// The kind of the key that a field holds of another record.
fn named_key<'s>(schema: &'s Schema, field: &Field) -> Option<&'s FieldKind> {
    let target = schema.entity(field.references.as_ref()?)?;
    target.key_field().map(|key| &key.kind)
}

/// The type of what is written of a field of `one`'s. A type of several lines stands in the record's alone.
fn written_type(field: &Field, value: &Type, one: &str) -> String {
    let text = match value.text.contains('\n') {
        true => format!("NonNullable<{one}[{}]>", quoted(&field.name)),
        false => value.text.clone(),
    };
    match field.nullable || field.sync_exclude {
        true => text + " | null",
        false => text,
    }
}

/// The default that a server gives, as an expression of TypeScript; none where it is not of the field's kind.
fn shown_default(field: &Field) -> Option<String> {
    let one_of = &field.rules.one_of;
    let default = field.default.as_ref();
    let default = default.filter(|value| one_of.is_empty() || one_of.contains(value));
    default.and_then(|value| match field.kind {
        FieldKind::Text
        | FieldKind::Uuid
        | FieldKind::Date
        | FieldKind::Time
        | FieldKind::Timestamp => value.as_str().map(quoted),
        FieldKind::Decimal if value.is_number() => Some(quoted(&value.to_string())),
        FieldKind::Decimal => value.as_str().map(quoted),
        FieldKind::Boolean => value.as_bool().map(|is_true| is_true.to_string()),
        FieldKind::Int32 | FieldKind::Int64 => value.as_i64().map(|number| number.to_string()),
        FieldKind::Float => value.as_f64().map(|_| value.to_string()),
        FieldKind::Json => fits(field, value).then(|| value.to_string()),
    })
}

/// Whether a value is what the field's type says: some documents have defaults that are not.
fn fits(field: &Field, value: &Value) -> bool {
    Rulebook::of_field(field).check(field, value).is_none()
}

/// Whether null is a value of a field, here or on a server.
fn takes_null(field: &Field) -> bool {
    let is_anything = field.kind == FieldKind::Json && field.rules.json.is_none();
    field.nullable || field.sync_exclude || is_anything
}

/// Whether a client makes the key of a new record where none is given.
fn is_minted(key: &Field) -> bool {
    matches!(key.kind, FieldKind::Text | FieldKind::Uuid) && key.rules.one_of.is_empty()
}

pub(super) const fn kind_name(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Uuid => "uuid",
        FieldKind::Boolean => "boolean",
        FieldKind::Int32 => "int32",
        FieldKind::Int64 => "int64",
        FieldKind::Float => "float",
        FieldKind::Decimal => "decimal",
        FieldKind::Date => "date",
        FieldKind::Time => "time",
        FieldKind::Timestamp => "timestamp",
        FieldKind::Json => "json",
    }
}

/// Of several paths with one verb, the shortest is the collection's own.
fn first_of_each_verb(operations: &[Operation]) -> Vec<OperationView> {
    let mut sorted: Vec<&Operation> = operations.iter().collect();
    sorted.sort_by_key(|operation| {
        (
            operation.verb,
            operation.field_parameters.len(),
            operation.path.len(),
            operation.path.clone(),
        )
    });
    sorted.dedup_by_key(|operation| operation.verb);
    sorted.into_iter().map(OperationView::new).collect()
}

impl OperationView {
    fn new(operation: &Operation) -> Self {
        let mut path = String::new();
        let mut parameters = Vec::new();
        let mut rest = operation.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            path.push_str(&literal(before));
            if operation.key_parameter.as_deref() == Some(name) {
                path.push_str("${encodeURIComponent(key)}");
            } else {
                path.push_str(&format!("${{encodeURIComponent(path[{}])}}", quoted(name)));
                parameters.push(property(name));
            }
            rest = after;
        }
        path.push_str(&literal(rest));
        let fields: Vec<String> = operation
            .field_parameters
            .iter()
            .map(|(parameter, field)| {
                format!("{}: String(row[{}])", property(parameter), quoted(field))
            })
            .collect();
        Self {
            of_row: if fields.is_empty() {
                String::new()
            } else {
                format!("{{ {} }}, ", fields.join(", "))
            },
            verb: operation.verb,
            method: operation.method.clone(),
            path,
            parameters,
            envelope: operation.envelope.clone(),
        }
    }
}
