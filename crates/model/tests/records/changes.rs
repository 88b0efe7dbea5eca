//! What is told of a schema's changes, and which of them need leave.

use serde_json::{Value as Json, json};
use syncline_model::schema::{Change, Schema, diff};

use super::deciding::invoices;

/// The kinds of the changes from some rules within values to others, and back.
fn both(before: &Json, after: &Json) -> [String; 2] {
    let schema = |json: &Json| {
        let mut entities = invoices();
        let field = json!({"name": "x", "kind": "json", "rules": {"json": json}});
        entities[0]["fields"].as_array_mut().unwrap().push(field);
        serde_json::from_value::<Schema>(json!({"entities": entities})).unwrap()
    };
    let kinds = |before, after| {
        let changes = diff(&schema(before), &schema(after));
        let kinds = changes.iter().map(|change| change.kind.as_str());
        kinds.collect::<Vec<_>>().join(" ")
    };
    [kinds(before, after), kinds(after, before)]
}

const LOOSE: &str = "widen-field";
const TIGHT: &str = "tighten-field";

#[test]
fn rules_within_a_list_are_loosened_without_leave_and_tightened_with_it() {
    let list = |rules: Json| {
        let mut list = json!({"type": "array"});
        list.as_object_mut()
            .unwrap()
            .extend(rules.as_object().unwrap().clone());
        list
    };
    let text = |rules: Json| list(json!({"items": {"kind": "text", "rules": rules}}));
    let number = json!({"items": {"kind": "int64"}});
    for (before, after, there) in [
        (
            text(json!({"one_of": ["a"]})),
            text(json!({"one_of": ["a", "b"]})),
            LOOSE,
        ),
        (text(json!({})), list(json!({})), LOOSE),
        (text(json!({})), list(number), TIGHT),
        (
            list(json!({"max_items": 3})),
            list(json!({"max_items": 4})),
            LOOSE,
        ),
        (
            list(json!({"min_items": 3})),
            list(json!({"min_items": 2})),
            LOOSE,
        ),
        (list(json!({"unique_items": true})), list(json!({})), LOOSE),
        (list(json!({})), json!({"type": "object"}), TIGHT),
    ] {
        assert_eq!(both(&before, &after), [there, TIGHT], "{before} {after}");
    }
}

#[test]
fn rules_within_an_object_are_loosened_without_leave_and_tightened_with_it() {
    let object = |properties: Json, others: Json| json!({"type": "object", "properties": properties, "others": others});
    let (a, none) = (json!({"a": {"kind": "text"}}), json!({}));
    let (ab, each) = (
        json!({"a": {"kind": "text"}, "b": {"kind": "text"}}),
        json!({"each": {"kind": "text"}}),
    );
    let nullable = json!({"a": {"kind": "text", "nullable": true}});
    let asks = |required: Json| json!({"type": "object", "required": required});
    let any = || json!("any");
    for (before, after, back) in [
        (
            object(a.clone(), json!("none")),
            object(ab.clone(), json!("none")),
            TIGHT,
        ),
        // A property that is added, and one of which nothing is said any more.
        (object(a.clone(), any()), object(ab, any()), LOOSE),
        (
            object(none.clone(), each.clone()),
            object(none.clone(), any()),
            TIGHT,
        ),
        (
            object(none.clone(), json!("none")),
            object(none, each),
            TIGHT,
        ),
        (object(a, any()), object(nullable, any()), TIGHT),
        (asks(json!(["a", "b"])), asks(json!(["b"])), TIGHT),
    ] {
        assert_eq!(both(&before, &after), [LOOSE, back], "{before} {after}");
    }
}

/// A part of an entity as it was and is, and what is told of it.
fn offered() -> Vec<(&'static str, Json, Json, &'static str)> {
    let list = |path: &str| json!({"verb": "list", "method": "GET", "path": path});
    let cache = json!({"kind": "cache", "ttl_seconds": 60});
    vec![
        (
            "operations",
            json!([list("/a"), list("/b")]),
            json!([list("/b"), list("/c")]),
            "!drop-operation invoices: `GET /a` is gone; adjust invoices: `GET /c` is new",
        ),
        (
            "operations",
            json!([{"verb": "get", "method": "GET", "path": "/a/{id}", "key_parameter": "id"}]),
            json!([{"verb": "get", "method": "GET", "path": "/a/{key}", "key_parameter": "key"}]),
            "adjust invoices: `GET /a/{id}` has other words or parameters",
        ),
        (
            "operations",
            json!([{"verb": "list", "method": "GET", "path": "/a", "envelope": "items"}]),
            json!([list("/a")]),
            "!drop-operation invoices: `GET /a` answers with records as a list, before in `items`",
        ),
        (
            "mode",
            json!({"kind": "optimistic"}),
            json!({"kind": "confirmed"}),
            "adjust invoices: its mode is confirmed, before optimistic",
        ),
        (
            "mode",
            json!({"kind": "optimistic"}),
            cache,
            "!change-access invoices: its mode is a cache of 60 s, only read, before optimistic",
        ),
        (
            "conflict",
            json!("server_wins"),
            json!("reject"),
            "adjust invoices: its strategy is reject, before server_wins",
        ),
        (
            "subset",
            Json::Null,
            json!("paid = true"),
            "adjust invoices: clients take those with `paid = true`, before all records",
        ),
        (
            "unique",
            json!([["code"], ["title", "number"]]),
            json!([["code"]]),
            "adjust invoices: `title`, `number` is one record's alone no more",
        ),
    ]
}

#[test]
fn what_a_document_offers_otherwise_is_told_from_what_to_what() {
    let with = |changed: &[(&str, Json)]| {
        let operations = json!([
            {"verb": "list", "method": "GET", "path": "/invoices"},
            {"verb": "get", "method": "GET", "path": "/invoices/{id}", "key_parameter": "id"},
        ]);
        let mut entities = invoices();
        entities[0]["operations"] = operations;
        for (name, value) in changed {
            entities[0][*name] = value.clone();
        }
        serde_json::from_value::<Schema>(json!({"entities": entities})).unwrap()
    };
    let told = |name: &str, was: Json, is: Json| {
        let changes = diff(&with(&[(name, was)]), &with(&[(name, is)]));
        let text = |change: &Change| {
            let mark = if change.kind.is_breaking() { "!" } else { "" };
            format!("{mark}{change}")
        };
        changes.iter().map(text).collect::<Vec<_>>().join("; ")
    };
    for (name, was, is, expected) in offered() {
        assert_eq!(told(name, was, is), expected);
    }
}
