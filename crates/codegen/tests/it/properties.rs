//! What holds for every document.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};
use syncline_codegen::{Resolution, resolve};
use syncline_model::schema::Schema;

use crate::fixtures;

/// Words that a resolver looks for, so that random documents get far into it.
const WORDS: &[&str] = &[
    "openapi",
    "3.0.0",
    "3.1.0",
    "paths",
    "components",
    "schemas",
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "responses",
    "200",
    "201",
    "content",
    "application/json",
    "schema",
    "type",
    "object",
    "array",
    "string",
    "integer",
    "number",
    "boolean",
    "null",
    "properties",
    "items",
    "required",
    "allOf",
    "oneOf",
    "anyOf",
    "$ref",
    "#",
    "#/paths",
    "#/components/schemas/id",
    "#/components",
    "id",
    "name",
    "parameters",
    "in",
    "path",
    "requestBody",
    "format",
    "uuid",
    "date-time",
    "decimal",
    "enum",
    "const",
    "default",
    "nullable",
    "/notes",
    "/notes/{id}",
    "/a/{id}/notes",
    "/api/v1/notes/{note_id}",
    "x-sync",
    "local_first",
    "mode",
    "cache",
    "ttl",
    "where",
    "x-sync-mode",
    "x-rbac",
    "field_groups",
    "role_permissions",
    "role_via",
    "notes.name",
    "x-unique",
    "x-conflict",
    "x-sync-exclude",
    "x-references",
    "minimum",
    "security",
    "",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(WORDS).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => word().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(8, 200, 8, |inner| {
        prop_oneof![
            3 => btree_map(word(), inner.clone(), 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            1 => vec(inner, 0..6).prop_map(Value::Array),
        ]
    })
}

fn fixture(which: Index) -> String {
    let mut fixtures = fixtures::all();
    fixtures.swap_remove(which.index(fixtures.len())).text
}

/// A fixture as JSON. Aliases and merges are written out.
fn as_json(yaml: &str) -> Value {
    let mut value: serde_norway::Value = serde_norway::from_str(yaml).unwrap();
    value.apply_merge().unwrap();
    serde_json::to_value(value).unwrap()
}

/// JSON with the members of each map in an order drawn from `draws`.
fn shuffled(value: &Value, draws: &mut impl Iterator<Item = Index>) -> String {
    match value {
        Value::Object(map) => {
            let mut rest: Vec<_> = map.iter().collect();
            let mut members = Vec::new();
            while !rest.is_empty() {
                let place = draws.next().unwrap().index(rest.len());
                let (key, value) = rest.swap_remove(place);
                members.push(format!("{}:{}", json!(key), shuffled(value, draws)));
            }
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shuffled(item, draws)).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// A schema without the order of fields, which is the document's.
fn unordered(mut schema: Schema) -> Schema {
    for entity in &mut schema.entities {
        entity.fields.sort_by(|a, b| a.name.cmp(&b.name));
    }
    schema
}

/// What was found, without where.
fn told(resolution: &Resolution) -> Vec<(String, String)> {
    let diagnostics = resolution.diagnostics.iter();
    // A contradiction names the line of the other place, and either place may be the first.
    let plain = diagnostics.filter(|one| one.code.as_str() != "contradiction");
    let mut told: Vec<_> = plain
        .map(|one| (one.code.as_str().to_owned(), one.message.clone()))
        .collect();
    told.sort();
    told
}

/// Puts a value at the place that the draws lead to.
fn planted(target: &mut Value, draws: &[Index], plant: Value) {
    let Some((draw, rest)) = draws.split_first() else {
        *target = plant;
        return;
    };
    match target {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(draw.index(map.len())).unwrap().clone();
            planted(&mut map[&key], rest, plant);
        }
        Value::Array(items) if !items.is_empty() => {
            let place = draw.index(items.len());
            planted(&mut items[place], rest, plant);
        }
        other => *other = plant,
    }
}

proptest! {
    #[test]
    fn any_json_is_resolved_or_refused(paths in value(), schemas in value(), rest in value()) {
        let mut document = match rest {
            Value::Object(map) => map,
            other => Map::from_iter([("x".to_owned(), other)]),
        };
        document.insert("openapi".to_owned(), json!("3.1.0"));
        document.insert("paths".to_owned(), paths);
        document.insert("components".to_owned(), json!({ "schemas": schemas }));
        let resolution = resolve(&Value::Object(document).to_string());
        for diagnostic in &resolution.diagnostics {
            prop_assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
        }
    }

    #[test]
    fn any_text_is_resolved_or_refused(text in "[\\x20-\\x7e\\n\\t\u{e9}\u{1f600}]{0,200}") {
        resolve(&text);
        resolve(&format!("openapi: 3.1.0\npaths:\n  {text}"));
    }

    /// A good document with anything in any place of it, which reaches what no random one does.
    #[test]
    fn a_fixture_with_anything_in_it_is_resolved_or_refused(
        which: Index,
        draws in vec(any::<Index>(), 1..12),
        plant in value(),
    ) {
        let mut document = as_json(&fixture(which));
        planted(&mut document, &draws, plant);
        let text = document.to_string();
        let resolution = resolve(&text);
        for diagnostic in &resolution.diagnostics {
            prop_assert!(document.pointer(&diagnostic.pointer).is_some(), "{diagnostic}");
        }
        // What a document gives, a server takes.
        prop_assert!(resolution.has_errors() || resolution.schema.check().is_ok());
    }

    #[test]
    fn the_order_of_keys_changes_nothing(which: Index, draws in vec(any::<Index>(), 97)) {
        let document = as_json(&fixture(which));
        let mut draws = draws.into_iter().cycle();
        let plain = resolve(&document.to_string());
        let other = resolve(&shuffled(&document, &mut draws));
        prop_assert_eq!(told(&plain), told(&other));
        prop_assert_eq!(unordered(plain.schema), unordered(other.schema));
    }

    /// The same document in the other notation. YAML's own parser is checked against another's.
    #[test]
    fn yaml_and_json_say_the_same(which: Index) {
        let yaml = &fixture(which);
        let of_json = resolve(&as_json(yaml).to_string());
        prop_assert_eq!(unordered(resolve(yaml).schema), unordered(of_json.schema));
    }
}
