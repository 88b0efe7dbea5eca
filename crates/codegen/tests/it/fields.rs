//! What a schema says of a field, in both dialects.

use serde_json::{Value, json};
use syncline_model::schema::{Bound, FieldKind};

use crate::sample::{entity, errors, field, notes, resolved, told};

#[test]
fn types_and_formats_give_kinds() {
    for (schema, kind) in [
        ("{ type: string }", FieldKind::Text),
        ("{ type: string, format: email }", FieldKind::Text),
        ("{ type: string, format: uuid }", FieldKind::Uuid),
        ("{ type: string, format: date }", FieldKind::Date),
        ("{ type: string, format: time }", FieldKind::Time),
        ("{ type: string, format: date-time }", FieldKind::Timestamp),
        ("{ type: string, format: decimal }", FieldKind::Decimal),
        ("{ type: number, format: decimal }", FieldKind::Decimal),
        ("{ type: number, format: double }", FieldKind::Float),
        ("{ type: number }", FieldKind::Float),
        ("{ type: integer }", FieldKind::Int64),
        ("{ type: integer, format: int64 }", FieldKind::Int64),
        ("{ type: integer, format: int32 }", FieldKind::Int32),
        ("{ type: boolean }", FieldKind::Boolean),
        ("{ type: object }", FieldKind::Json),
        ("{ type: array, items: { type: string } }", FieldKind::Json),
        ("{}", FieldKind::Json),
        ("true", FieldKind::Json),
        ("{ enum: [a, b] }", FieldKind::Text),
        ("{ enum: [1, 2] }", FieldKind::Int64),
        ("{ const: yes it is }", FieldKind::Text),
        // What pydantic writes for a decimal in a request.
        (
            "{ anyOf: [{ type: number }, { type: string }] }",
            FieldKind::Decimal,
        ),
        ("{ type: [number, string] }", FieldKind::Decimal),
        (
            "{ oneOf: [{ type: string, format: date }, { type: string, format: date }] }",
            FieldKind::Date,
        ),
        (
            "{ oneOf: [{ type: string }, { type: boolean }] }",
            FieldKind::Json,
        ),
        (
            "{ anyOf: [{ type: string }, { $ref: '#/components/schemas/Note' }] }",
            FieldKind::Json,
        ),
        ("{ $ref: '#/components/schemas/Note' }", FieldKind::Json),
        (
            "{ allOf: [{ type: string }, { format: uuid }] }",
            FieldKind::Uuid,
        ),
    ] {
        assert_eq!(field(&format!("x: {schema}")).kind, kind, "{schema}");
    }
}

#[test]
fn null_is_told_in_every_dialect() {
    for schema in [
        "{ type: string, nullable: true }",
        "{ type: [string, 'null'] }",
        "{ type: ['null', string] }",
        "{ anyOf: [{ type: string }, { type: 'null' }] }",
        "{ oneOf: [{ type: 'null' }, { type: string }] }",
        "{ oneOf: [{ const: null }, { type: string }] }",
        "{ type: string, enum: [a, null] }",
        "{ allOf: [{ type: string }], nullable: true }",
        "{ allOf: [{ type: string, nullable: true }] }",
    ] {
        let field = field(&format!("x: {schema}"));
        assert!(field.nullable, "{schema}");
        assert_eq!(field.kind, FieldKind::Text, "{schema}");
    }
    assert!(!field("x: { type: string }").nullable);
    assert!(!field("x: { type: string, nullable: false }").nullable);
}

#[test]
fn a_reference_may_stand_for_a_union_of_one() {
    let document = notes(
        &[],
        &[
            "kind: { anyOf: [{ $ref: '#/components/schemas/Kind' }, { type: 'null' }], default: big }",
        ],
    ) + "    Kind: { type: string, enum: [big, small] }\n";
    let kind = entity(&document).field("kind").unwrap().clone();
    assert!(kind.nullable);
    assert_eq!(kind.kind, FieldKind::Text);
    assert_eq!(kind.rules.one_of, [json!("big"), json!("small")]);
    assert_eq!(kind.default, Some(json!("big")));
}

#[test]
fn ranges_are_read_in_both_dialects() {
    let exclusive = |value| {
        Some(Bound {
            value,
            exclusive: true,
        })
    };
    let old = field("x: { type: integer, minimum: 1, exclusiveMinimum: true, maximum: 9 }").rules;
    assert_eq!(old.minimum, exclusive(1.0));
    assert!(!old.maximum.unwrap().exclusive);
    let new = field("x: { type: number, exclusiveMinimum: 1, exclusiveMaximum: 9.5 }").rules;
    assert_eq!((new.minimum, new.maximum), (exclusive(1.0), exclusive(9.5)));
}

#[test]
fn values_are_of_their_fields_kind() {
    assert_eq!(
        field("x: { type: string, format: decimal, default: 1.50 }").default,
        Some(json!("1.5"))
    );
    assert_eq!(
        field("x: { type: integer, default: 3.0 }").default,
        Some(json!(3))
    );
    assert_eq!(
        field("x: { type: [string, 'null'], default: null }").default,
        Some(Value::Null)
    );
    // How some frameworks write that there is no default.
    assert_eq!(field("x: { type: string, default: null }").default, None);
    let wrong = notes(
        &[],
        &["x: { type: integer, default: many, enum: [1, two] }"],
    );
    assert_eq!(told(&wrong), ["default", "rule"]);
    let x = entity(&wrong).field("x").unwrap().clone();
    assert_eq!((x.default, x.rules.one_of), (None, vec![json!(1)]));
}

#[test]
fn all_of_puts_properties_together() {
    let document = notes(&[], &["x: { type: string }"])
        + "      allOf:\n        - $ref: '#/components/schemas/Base'\n        - properties: { z: { type: boolean } }\n"
        + "    Base: { type: object, properties: { y: { type: string }, x: { maxLength: 3 } } }\n";
    let note = entity(&document);
    let names: Vec<_> = note
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["y", "x", "z", "id"]);
    assert_eq!(note.field("x").unwrap().rules.max_length, Some(3));
}

#[test]
fn what_stands_beside_a_reference_counts() {
    let document = notes(
        &[],
        &[
            "secret: { $ref: '#/components/schemas/Text', x-sync-exclude: true, description: Mine. }",
        ],
    ) + "    Text: { type: string, description: Any text. }\n";
    let secret = entity(&document).field("secret").unwrap().clone();
    assert!(secret.sync_exclude);
    assert_eq!(secret.kind, FieldKind::Text);
    assert_eq!(secret.description.as_deref(), Some("Mine."));
}

#[test]
fn requests_tell_what_a_new_record_needs() {
    let document = "
openapi: 3.0.0
paths:
  /notes:
    post:
      requestBody: { content: { application/json: { schema: { required: [title], properties: {
        title: { type: string, minLength: 1 }, color: { type: string, default: red },
        password: { type: string, writeOnly: true }, draft: { type: string, x-sync-exclude: true } } } } } }
      responses: { '201': { content: { application/json: { schema: { required: [id, title, color, created_at],
        properties: { id: { type: string }, title: { type: string }, color: { type: string },
          created_at: { type: string, format: date-time }, seen: { type: boolean, readOnly: true } } } } } } }
  /notes/{id}:
    patch:
      requestBody: { content: { application/json: { schema: { properties: { title: { type: string }, seen: { type: boolean } } } } } }
      responses: { '200': { description: Done. } }
";
    let note = entity(document);
    let is = |name: &str| {
        let field = note.field(name).unwrap();
        (field.required, field.read_only)
    };
    assert_eq!(is("title"), (true, false));
    assert_eq!(is("color"), (false, false));
    assert_eq!(is("created_at"), (false, true));
    assert_eq!(is("seen"), (false, true));
    // Clients name what they make.
    assert_eq!(is("id"), (false, false));
    assert_eq!(note.field("title").unwrap().rules.min_length, Some(1));
    // Never read, and so never kept; never sent, and so only here.
    assert!(note.field("password").is_none());
    assert_eq!(note.not_kept, ["password"]);
    assert!(note.field("draft").unwrap().sync_exclude);
    // `color` can be given to a new record alone.
    assert_eq!(told(document), ["unchecked", "request_only"]);
}

/// Notes that are made with the one body and changed with the other, each of these properties.
fn requested(create: &str, change: &str) -> String {
    let body = |properties: &str| {
        format!(
            "requestBody: {{ content: {{ application/json: {{ schema: {{ type: object, properties: {{ {properties} }} }} }} }} }}, \
             responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Note' }} }} }} }} }}"
        )
    };
    let (create, change) = (body(create), body(change));
    let record = "id: { type: string }, title: { type: string }, size: { type: integer }, \
                  tags: { type: array, items: { type: string } }, made: { type: string, readOnly: true }";
    format!(
        "openapi: 3.1.0\npaths:\n  /notes: {{ post: {{ {create} }} }}\n  /notes/{{id}}: {{ patch: {{ {change} }} }}\n\
         components: {{ schemas: {{ Note: {{ type: object, properties: {{ {record} }} }} }} }}\n"
    )
}

#[test]
fn a_field_that_only_making_a_record_takes_is_told_to_be_changed_all_the_same() {
    let told = |create: &str, change: &str| {
        let diagnostics = resolved(&requested(create, change)).diagnostics;
        let told = diagnostics.iter();
        told.map(|one| format!("{}: {}", one.pointer, one.code.as_str()))
            .collect::<Vec<_>>()
    };
    let (title, size) = ("title: { type: string }", "size: { type: integer }");
    let both = format!("{title}, {size}");
    assert_eq!(told(&both, &both), [""; 0]);
    assert_eq!(told(title, &both), [""; 0]);
    // A change whose body says nothing leaves nothing out.
    assert_eq!(told(&both, ""), [""; 0]);
    let key = "id: { type: string }, made: { type: string }";
    assert_eq!(told(&format!("{both}, {key}"), &both), [""; 0]);
    let body = "/requestBody/content/application~1json/schema/properties";
    assert_eq!(
        told(&both, title),
        [format!("/paths/~1notes/post{body}/size: unchecked")]
    );
}

#[test]
fn a_request_that_has_values_of_another_type_than_the_record_is_told_of() {
    for (property, expected) in [
        ("title: { type: string, format: date }", &[][..]),
        ("title: { type: [string, integer] }", &[]),
        ("size: { type: number }", &[]),
        ("tags: { type: array }", &[]),
        ("title: { type: integer }", &["type"]),
        ("title: { type: object }", &["type"]),
        ("size: { type: string }", &["type"]),
        ("tags: { type: string }", &["type"]),
        ("tags: { type: object }", &["type"]),
    ] {
        let document = requested(property, property);
        let found = told(&document).into_iter().filter(|code| *code == "type");
        assert_eq!(found.collect::<Vec<_>>(), expected, "{property}");
    }
}

#[test]
fn a_field_that_lists_have_a_parameter_of_is_told_of() {
    let properties = ["order: { type: integer }", "limits: { type: integer }"];
    let document = notes(&[], &properties);
    assert_eq!(told(&document), ["list_parameter"]);
    let found = &resolved(&document).diagnostics[0];
    assert_eq!(found.pointer, "/components/schemas/Note/properties/order");
    assert!(found.message.contains("`order__is=…`"), "{found}");
    for name in ["cursor", "limit"] {
        let document = notes(&[], &[&format!("{name}: {{ type: string }}")]);
        assert_eq!(told(&document), ["list_parameter"], "{name}");
    }
}

#[test]
fn what_a_record_says_is_only_written_is_not_kept() {
    let note = entity(&notes(
        &[],
        &["password: { type: string, writeOnly: true }"],
    ));
    assert!(note.field("password").is_none());
    assert_eq!(note.not_kept, ["password"]);
}

#[test]
fn a_name_that_answers_have_is_refused_where_clients_would_write_it() {
    for name in ["txid", "_base", "_role"] {
        let shown = notes(&[], &[&format!("{name}: {{ type: string }}")]);
        assert_eq!(told(&shown), ["reserved"]);
        let body = "post: { requestBody: { content: { application/json: { schema: \
                    { $ref: '#/components/schemas/Note' } } } } }\n    get: {";
        let written = shown.replacen("get: {", body, 1);
        assert_eq!(errors(&written), ["12:9: reserved"], "{name}");
        let read_only = written.replace("{ type: string }", "{ type: string, readOnly: true }");
        assert_eq!(told(&read_only), ["reserved"], "{name}");
    }
}

#[test]
fn columns_that_would_be_one_are_refused() {
    let document = notes(&[], &["Title: { type: string }", "title: { type: string }"]);
    assert_eq!(errors(&document), ["12:9: collision"]);
}

#[test]
fn names_may_be_keywords_quotes_and_emoji() {
    let names = [
        "select",
        "\"order by\"",
        "'it''s \"quoted\"'",
        "🦀",
        "constructor",
    ];
    let lines: Vec<_> = names
        .iter()
        .map(|name| format!("{name}: {{ type: string }}"))
        .collect();
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let note = entity(&notes(&[], &lines));
    let fields: Vec<_> = note
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    let expected = [
        "id",
        "select",
        "order by",
        "it's \"quoted\"",
        "🦀",
        "constructor",
    ];
    assert_eq!(fields, expected);
    assert_eq!(
        errors(&notes(&[], &["\"a\\tb\": { type: string }"])),
        ["11:9: name"]
    );
}

#[test]
fn a_boolean_is_a_schema() {
    let told_of = |property: &str| {
        let document = notes(&[], &[property, "y: { type: string }"]);
        assert!(entity(&document).field("y").is_some());
        told(&document)
    };
    for anything in [
        "x: true",
        "x: { type: array, items: true }",
        "x: { allOf: [true, { type: string }] }",
        "x: { type: object, additionalProperties: true }",
        // What nothing satisfies is none of the alternatives.
        "x: { oneOf: [false, { type: string }] }",
    ] {
        assert_eq!(told_of(anything), Vec::<&str>::new(), "{anything}");
    }
    for nothing in [
        "x: false",
        "x: { type: array, items: false }",
        "x: { type: object, properties: { a: false } }",
        "x: { allOf: [false] }",
    ] {
        assert_eq!(told_of(nothing), ["unchecked"], "{nothing}");
    }
    assert_eq!(field("x: true").kind, FieldKind::Json);
    let union = "x: { oneOf: [false, { type: string }] }";
    assert_eq!(field(union).kind, FieldKind::Text);
}
