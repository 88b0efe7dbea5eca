//! Values within values of JSON.

use serde_json::json;

use super::deciding::{create, update};
use super::memory::World;

/// One invoice, whose fields hold lists and objects.
fn world() -> World {
    let text = json!({"kind": "text", "rules": {"pattern": "^[0-9]+$"}});
    let mut world = World::new(json!([{
        "name": "invoices", "singular": "invoice", "key": "id", "mode": {"kind": "confirmed"},
        "fields": [
            {"name": "id", "kind": "text"},
            {"name": "tags", "kind": "json", "rules": {"json": {"type": "array",
                "items": {"kind": "text", "rules": {"max_length": 3}},
                "min_items": 1, "max_items": 2, "unique_items": true}}},
            {"name": "address", "kind": "json", "nullable": true, "rules": {"json": {"type": "object",
                "properties": {"zip": text, "lines": {"kind": "json", "rules": {"json": {"type": "array"}}}},
                "required": ["zip"], "others": "none"}}},
            {"name": "counts", "kind": "json", "rules": {"json": {"type": "object",
                "others": {"each": {"kind": "int32", "nullable": true}}}}},
            {"name": "any", "kind": "json"},
        ],
    }]));
    world.write(create("1", json!({}))).unwrap();
    world
}

#[test]
fn lists_and_objects_that_hold_what_they_must_are_taken() {
    let mut world = world();
    for values in [
        json!({"tags": ["a", "b"], "address": null, "any": "x", "counts": {"a": 1, "b": null, "c": 1e3}}),
        json!({"address": {"zip": "123", "lines": []}, "any": null}),
    ] {
        world
            .write(update("1", values.clone()))
            .unwrap_or_else(|refusal| panic!("{values}: {refusal:?}"));
    }
}

#[test]
fn the_place_within_a_value_is_in_the_error_of_its_field() {
    let mut world = world();
    for (values, rule, message) in [
        (json!({"tags": "a"}), "type", "must be a list"),
        (json!({"tags": {}}), "type", "must be a list"),
        (json!({"tags": null}), "not_nullable", "may not be null"),
        (json!({"tags": []}), "min_items", "must have 1 item or more"),
        (
            json!({"tags": ["a", "b", "c"]}),
            "max_items",
            "must have 2 items or fewer",
        ),
        (
            json!({"tags": ["a", "a"]}),
            "unique_items",
            "must not hold an item twice",
        ),
        (json!({"tags": ["a", 1]}), "type", "/tags/1 must be text"),
        (
            json!({"tags": ["a", "long"]}),
            "max_length",
            "/tags/1 must have 3 characters or fewer",
        ),
        (json!({"address": []}), "type", "must be an object"),
        (
            json!({"address": {}}),
            "required",
            "/address/zip must be given",
        ),
        (
            json!({"address": {"zip": "x"}}),
            "pattern",
            "/address/zip must match ^[0-9]+$",
        ),
        (
            json!({"address": {"zip": "1", "lines": 2}}),
            "type",
            "/address/lines must be a list",
        ),
        (
            json!({"address": {"zip": "1", "a/b": 2}}),
            "unknown",
            "/address/a~1b is no property of it",
        ),
        (
            json!({"counts": {"a": 1.5}}),
            "type",
            "/counts/a must be a whole number from -2147483648 to 2147483647",
        ),
    ] {
        let refusal = world.write(update("1", values.clone())).unwrap_err();
        let field = &refusal.errors[0];
        let name = values.as_object().unwrap().keys().next().unwrap();
        assert_eq!(
            (&*field.field, field.rule, &*field.message),
            (&**name, rule, message),
            "{values}"
        );
    }
}
