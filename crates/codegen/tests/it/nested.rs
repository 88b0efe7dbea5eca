//! What is asked of values within a field, and what is told where it is not checked.

use serde_json::{Value, json};
use syncline_codegen::Severity;
use syncline_model::schema::JsonRules;

use crate::sample::{field, notes, resolved, told};

/// The rules within a field, as JSON.
fn within(property: &str) -> Value {
    serde_json::to_value(field(property).rules.json).unwrap()
}

#[test]
fn lists_and_objects_are_what_they_hold() {
    assert_eq!(within("x: { type: array }"), json!({"type": "array"}));
    assert_eq!(within("x: { type: object }"), json!({"type": "object"}));
    assert_eq!(within("x: {}"), Value::Null);
    let text = json!({"kind": "text", "rules": {"max_length": 3}});
    assert_eq!(
        within(
            "x: { type: array, items: { type: string, maxLength: 3 }, minItems: 1, maxItems: 2.0, uniqueItems: true }"
        ),
        json!({"type": "array", "items": text, "min_items": 1, "max_items": 2, "unique_items": true})
    );
    let object = "x: { properties: { zip: { type: string, maxLength: 3 }, made: { type: boolean, readOnly: true }, \
                  no: { type: [integer, 'null'] } }, required: [zip, made, other], additionalProperties: false }";
    assert_eq!(
        within(object),
        json!({"type": "object", "properties": {
            "zip": text, "made": {"kind": "boolean"}, "no": {"kind": "int64", "nullable": true},
        }, "required": ["zip", "other"], "others": "none"})
    );
    let map = "x: { type: object, additionalProperties: { type: array, items: { type: integer, nullable: true } } }";
    assert_eq!(
        within(map),
        json!({"type": "object", "others": {"each": {"kind": "json", "rules": {"json": {
            "type": "array", "items": {"kind": "int64", "nullable": true},
        }}}}})
    );
}

#[test]
fn schemas_within_themselves_end_and_are_told_of() {
    let document = notes(&[], &["tree: { $ref: '#/components/schemas/Tree' }"])
        + "    Tree: { type: object, properties: { name: { type: string }, children: { type: array, items: { $ref: '#/components/schemas/Tree' } } } }\n";
    assert_eq!(told(&document), ["unchecked"]);
    let schema = resolved(&document).schema;
    let tree = schema.entities[0].field("tree").unwrap();
    let Some(JsonRules::Object(tree)) = tree.rules.json.as_deref() else {
        panic!("{tree:?}");
    };
    assert!(tree.properties.contains_key("name"));
    // Each line doubles the one above: only whether it is a list or an object is checked.
    let chain: String = (0..30)
        .map(|at| {
            let next = format!("{{ type: object, properties: {{ a: {{ $ref: '#/components/schemas/N{0}' }}, b: {{ $ref: '#/components/schemas/N{0}' }} }} }}", at + 1);
            format!("    N{at}: {next}\n")
        })
        .collect();
    let many = notes(&[], &["x: { $ref: '#/components/schemas/N0' }"])
        + &chain
        + "    N30: { type: string }\n";
    let schema = resolved(&many).schema;
    let x = schema.entities[0].field("x").unwrap();
    assert_eq!(
        serde_json::to_value(&x.rules.json).unwrap(),
        json!({"type": "object"})
    );
    assert!(told(&many).contains(&"unchecked"));
}

#[test]
fn a_property_that_may_be_anything_is_none_of_the_others() {
    let any = json!({"kind": "json", "nullable": true});
    let closed = "x: { type: object, properties: { a: {} }, additionalProperties: false }";
    assert_eq!(
        within(closed),
        json!({"type": "object", "properties": {"a": any}, "others": "none"})
    );
    let each =
        "x: { type: object, properties: { a: {} }, additionalProperties: { type: boolean } }";
    assert_eq!(
        within(each),
        json!({"type": "object", "properties": {"a": any}, "others": {"each": {"kind": "boolean"}}})
    );
    let open = "x: { type: object, properties: { a: {} } }";
    assert_eq!(
        within(open),
        json!({"type": "object", "properties": {"a": any}})
    );
}

#[test]
fn the_limit_that_is_used_up_is_the_one_that_is_told() {
    let object = |names: std::ops::Range<usize>| {
        let names = names.map(|name| format!("a{name}: {{ type: string }}"));
        let names = names.collect::<Vec<_>>().join(", ");
        format!("{{ type: object, properties: {{ {names} }} }}")
    };
    let told_of = |fields: &[String]| {
        let fields: Vec<_> = fields.iter().map(String::as_str).collect();
        let resolved = resolved(&notes(&[], &fields));
        let told = resolved.diagnostics.into_iter();
        told.map(|diagnostic| diagnostic.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(told_of(&[format!("x: {}", object(0..200))]), [""; 0]);
    let told = told_of(&[format!("x: {}", object(0..201))]);
    assert!(
        told[0].starts_with("over 200 schemas are within this one"),
        "{told:?}"
    );
    let fields: Vec<_> = (0..101)
        .map(|n| format!("x{n}: {}", object(0..200)))
        .collect();
    let told = told_of(&fields);
    let text = "over 20000 schemas are within the document's fields, up to this one";
    assert!(told.len() == 1 && told[0].starts_with(text), "{told:?}");
}

#[test]
fn what_is_not_checked_is_told_at_its_place() {
    for (schema, place) in [
        ("type: string, not: { const: a }", "not"),
        (
            "type: string, if: { const: a }, then: { minLength: 2 }",
            "if",
        ),
        ("type: array, contains: { type: string }", "contains"),
        (
            "type: array, prefixItems: [{ type: string }]",
            "prefixItems",
        ),
        (
            "type: object, patternProperties: { a: {} }",
            "patternProperties",
        ),
        ("type: object, minProperties: 1", "minProperties"),
        (
            "type: object, dependentRequired: { a: [b] }",
            "dependentRequired",
        ),
        (
            "type: object, anyOf: [{ required: [a] }, { required: [b] }]",
            "anyOf",
        ),
        (
            "type: object, properties: { a: { type: string, not: {} } }",
            "properties/a/not",
        ),
        (
            "type: array, items: { type: object, maxProperties: 2 }",
            "items/maxProperties",
        ),
        (
            "type: string, maxLength: 3, allOf: [{ maxLength: 5 }]",
            "maxLength",
        ),
        ("type: string, format: uuid, pattern: '^a'", "pattern"),
        ("type: string, pattern: '^(?!a)'", "pattern"),
        (
            "oneOf: [{ type: string, maxLength: 3 }, { type: string }]",
            "oneOf/0/maxLength",
        ),
    ] {
        let document = notes(&[], &[&format!("x: {{ {schema} }}")]);
        let found = resolved(&document).diagnostics;
        let pointer = format!("/components/schemas/Note/properties/x/{place}");
        let one = found.iter().find(|one| one.pointer == pointer);
        let one = one.unwrap_or_else(|| panic!("{schema}: {found:#?}"));
        assert_eq!(
            (one.severity, one.code.as_str()),
            (Severity::Warning, "unchecked"),
            "{one}"
        );
    }
    let closed = notes(&[], &[]).replace(
        "type: object\n",
        "type: object\n      additionalProperties: false\n",
    );
    assert_eq!(told(&closed), ["unchecked"]);
    let slip = "type: object\n      required: [id, nmae]\n";
    let slipped = notes(&[], &[]).replace("type: object\n", slip);
    assert_eq!(told(&slipped), ["unchecked"]);
    // What is applied is not told of.
    let all = [
        "a: { type: array, items: { type: string, minLength: 1 }, minItems: 1, uniqueItems: true }",
        "b: { type: object, required: [c], properties: { c: { type: number, multipleOf: 0.5 } }, additionalProperties: false }",
        "d: { anyOf: [{ type: number, minimum: 0 }, { type: string, pattern: '^[0-9.]+$' }] }",
    ];
    assert_eq!(told(&notes(&[], &all)), [""; 0]);
}

#[test]
fn a_number_or_text_within_a_field_is_either() {
    for (items, kind) in [
        ("{ oneOf: [{ type: number }, { type: string }] }", None),
        ("{ type: [number, string] }", None),
        (
            "{ anyOf: [{ type: number, minimum: 0 }, { type: string }] }",
            None,
        ),
        (
            "{ type: [number, string], format: decimal }",
            Some("decimal"),
        ),
        (
            "{ oneOf: [{ type: number }, { type: string, format: decimal }] }",
            Some("decimal"),
        ),
    ] {
        for (property, place) in [
            (
                format!("x: {{ type: array, items: {items} }}"),
                "/items/kind",
            ),
            (
                format!("x: {{ type: object, properties: {{ a: {items} }} }}"),
                "/properties/a/kind",
            ),
        ] {
            let rules = within(&property);
            let found = rules.pointer(place).and_then(Value::as_str);
            // A property is known by its name, also where it may be anything.
            let found = found.filter(|kind| *kind != "json");
            assert_eq!(found, kind, "{property}: {rules}");
            let is_told = told(&notes(&[], &[&property])).contains(&"union");
            assert_eq!(is_told, kind.is_none(), "{property}");
        }
    }
}
