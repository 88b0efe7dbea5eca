//! Fields as JSON Schema, in the dialect of OpenAPI 3.1.

use serde_json::{Map, Value, json};
use syncline_model::schema::{ArrayRules, Bound, Entity, Field, FieldKind, JsonRules, Nested};

/// The name of an entity's component: `user_account` as `UserAccount`.
pub(super) fn component(entity: &Entity) -> String {
    let words = entity.singular.split(['_', '-', ' ']);
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect::<String>()
    };
    words.map(capital).collect()
}

/// A record: what is answered, and what makes a new one.
pub(super) fn record(entity: &Entity) -> Value {
    let mut schema = change(entity);
    let fields = entity.fields.iter().filter(|field| field.required);
    let required: Vec<_> = fields.map(|field| &field.name).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// A change of a record, which names any of its fields.
pub(super) fn change(entity: &Entity) -> Value {
    let fields = entity.fields.iter();
    let properties: Map<_, _> = fields
        .map(|field| (field.name.clone(), property(field)))
        .collect();
    json!({ "type": "object", "properties": properties })
}

/// A parameter of a path that holds a field.
pub(super) fn of_parameter(entity: &Entity, parameter: &str, field: &str) -> Value {
    let kind = entity
        .field(field)
        .map_or(&FieldKind::Text, |field| &field.kind);
    json!({ "name": parameter, "in": "path", "required": true, "schema": typed(kind) })
}

fn typed(kind: &FieldKind) -> Value {
    match kind {
        FieldKind::Text => json!({ "type": "string" }),
        FieldKind::Uuid => json!({ "type": "string", "format": "uuid" }),
        FieldKind::Boolean => json!({ "type": "boolean" }),
        FieldKind::Int32 => json!({ "type": "integer", "format": "int32" }),
        FieldKind::Int64 => json!({ "type": "integer", "format": "int64" }),
        FieldKind::Float => json!({ "type": "number", "format": "double" }),
        FieldKind::Decimal => json!({ "type": "string", "format": "decimal" }),
        FieldKind::Date => json!({ "type": "string", "format": "date" }),
        FieldKind::Time => json!({ "type": "string", "format": "time" }),
        FieldKind::Timestamp => json!({ "type": "string", "format": "date-time" }),
        FieldKind::Json => json!({}),
    }
}

/// A value of a kind, made of what its rules say.
fn value(of: &Nested) -> Value {
    let mut schema = match of.rules.json.as_deref() {
        Some(JsonRules::Array(ArrayRules { items, .. })) => {
            let items = items.as_deref().map_or_else(|| json!({}), value);
            json!({ "type": "array", "items": items })
        }
        Some(JsonRules::Object(_)) => json!({ "type": "object" }),
        None => typed(&of.kind),
    };
    if !of.nullable {
        return schema;
    }
    match schema["type"].as_str() {
        Some(name) => {
            let types = json!([name, "null"]);
            schema["type"] = types;
            schema
        }
        None => json!({ "anyOf": [{}, { "type": "null" }] }),
    }
}

fn property(field: &Field) -> Value {
    let mut schema = value(&Nested {
        kind: field.kind.clone(),
        nullable: field.nullable,
        rules: field.rules.clone(),
    });
    let mut say = |keyword: &str, value: Value| schema[keyword] = value;
    for (keyword, is_set) in [
        ("readOnly", field.read_only),
        ("x-sync-exclude", field.sync_exclude),
        ("x-owner-only", field.owner_only),
    ] {
        if is_set {
            say(keyword, json!(true));
        }
    }
    rule(field, &mut schema);
    schema
}

/// What else its values must satisfy, and what it says of itself.
fn rule(field: &Field, schema: &mut Value) {
    let mut say = |keyword: &str, value: Value| schema[keyword] = value;
    let rules = &field.rules;
    let texts = [
        ("description", &field.description),
        ("x-references", &field.references),
        ("pattern", &rules.pattern),
        ("format", &rules.format),
    ];
    for (keyword, text) in texts {
        if let Some(text) = text {
            say(keyword, json!(text));
        }
    }
    if let Some(default) = &field.default {
        say("default", default.clone());
    }
    if !rules.one_of.is_empty() {
        let null = field.nullable.then_some(Value::Null);
        let values: Vec<_> = rules.one_of.iter().cloned().chain(null).collect();
        say("enum", Value::Array(values));
    }
    let lengths = [
        ("minLength", rules.min_length),
        ("maxLength", rules.max_length),
    ];
    for (keyword, length) in lengths {
        if let Some(length) = length {
            say(keyword, json!(length));
        }
    }
    if let Some(Bound { value, exclusive }) = rules.minimum {
        say(
            if exclusive {
                "exclusiveMinimum"
            } else {
                "minimum"
            },
            json!(value),
        );
    }
    if let Some(Bound { value, exclusive }) = rules.maximum {
        say(
            if exclusive {
                "exclusiveMaximum"
            } else {
                "maximum"
            },
            json!(value),
        );
    }
    if let Some(value) = rules.multiple_of {
        say("multipleOf", json!(value));
    }
}
