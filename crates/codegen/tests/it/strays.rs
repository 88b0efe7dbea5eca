//! Extensions in places where nobody reads them.

use syncline_codegen::Severity;

use crate::sample::{LIST, NOTE, entity, errors, notes, resolve, told, with_paths};

/// The errors of notes with this property, on line 12.
fn refused(property: &str) -> Vec<String> {
    errors(&notes(&[], &[property]))
}

#[test]
fn a_private_word_below_a_property_is_refused() {
    for word in ["x-sync-exclude", "x-owner-only", "x-sync-excluded"] {
        let secret = format!("{{ type: string, {word}: true }}");
        for property in [
            format!("a: {{ type: object, properties: {{ b: {secret} }} }}"),
            format!("a: {{ type: array, items: {secret} }}"),
            format!("a: {{ type: array, items: {{ properties: {{ b: {secret} }} }} }}"),
            format!("a: {{ type: object, additionalProperties: {secret} }}"),
            format!("a: {{ type: object, patternProperties: {{ '^b': {secret} }} }}"),
            format!("a: {{ oneOf: [{{ properties: {{ b: {secret} }} }}, {{ type: array }}] }}"),
            format!("a: {{ if: {secret}, then: {{ type: string }} }}"),
            format!("a: {{ $defs: {{ x-b: {secret} }} }}"),
            format!("a: {{ allOf: [{{ properties: {{ b: {secret} }} }}] }}"),
        ] {
            let found = refused(&property);
            assert_eq!(found.len(), 1, "{property}: {found:?}");
            assert!(
                found[0].starts_with("11:") && found[0].ends_with("unknown_extension"),
                "{property}: {found:?}"
            );
        }
    }
}

#[test]
fn a_private_word_in_a_record_but_on_none_of_its_properties_is_refused() {
    let secret = "{ type: string, x-sync-exclude: true }";
    for keyword in [
        format!("additionalProperties: {secret}"),
        format!("patternProperties: {{ '^b': {secret} }}"),
        format!("if: {{ properties: {{ b: {secret} }} }}"),
        format!("dependentSchemas: {{ b: {secret} }}"),
    ] {
        let line = format!("      {keyword}\n");
        let found = errors(&(notes(&[], &[]) + &line));
        assert_eq!(found.len(), 1, "{keyword}: {found:?}");
        assert!(found[0].starts_with("11:"), "{keyword}: {found:?}");
    }
}

#[test]
fn an_extension_anywhere_else_is_refused() {
    let document = notes(&[], &["name: { type: string }"]);
    for (place, with) in [
        ("openapi: 3.1.0\n", "openapi: 3.1.0\nx-sync: {}\n"),
        ("openapi: 3.1.0\n", "openapi: 3.1.0\ninfo: { x-rbac: {} }\n"),
        (
            "openapi: 3.1.0\n",
            "openapi: 3.1.0\ntags: [{ name: a, x-sync: {} }]\n",
        ),
        ("paths:\n", "paths:\n  x-sync: {}\n"),
        ("'200': {", "'200': { x-sync: { local_first: true },"),
        ("responses: {", "responses: { x-sync: {},"),
        ("get: {", "parameters: [{ x-owner-only: true }]\n    get: {"),
        ("get: {", "head: { x-sync-mode: offline }\n    get: {"),
        (
            "get: {",
            "post: { requestBody: { x-rbac: {} } }\n    get: {",
        ),
        ("type: array", "type: array, x-conflict: reject"),
    ] {
        let found = errors(&document.replacen(place, with, 1));
        assert_eq!(found.len(), 1, "{with}: {found:?}");
        assert!(found[0].ends_with("unknown_extension"), "{with}: {found:?}");
    }
}

#[test]
fn what_is_data_or_a_name_is_no_extension() {
    let data = "{ x-sync-exclude: true }";
    for property in [
        format!("a: {{ type: object, example: {data} }}"),
        format!("a: {{ type: object, examples: [{data}] }}"),
        format!("a: {{ type: object, default: {data} }}"),
        format!("a: {{ enum: [{data}] }}"),
        format!("a: {{ const: {data} }}"),
        format!("a: {{ type: string, x-vendor: {data} }}"),
        "a: { type: object, properties: { x-sync-exclude: { type: boolean } } }".to_owned(),
        "x-owner: { type: string }".to_owned(),
    ] {
        assert_eq!(refused(&property), [""; 0], "{property}");
    }
    let headers = "'200': { headers: { X-Sync-Token: { schema: { type: string } } },";
    let document = notes(&[], &[]).replacen("'200': {", headers, 1);
    assert_eq!(told(&document), [""; 0]);
}

#[test]
fn a_component_that_no_entity_has_is_warned_of() {
    let document = notes(&[], &[])
        + "    Other: { properties: { priv: { type: string, x-sync-exclude: true } } }\n";
    assert_eq!(told(&document), ["unknown_extension"]);
    // Once a field holds it, it would be sent.
    let property = "      properties:\n        other: { $ref: '#/components/schemas/Other' }\n";
    let held = document.replacen("      properties:\n", property, 1);
    assert_eq!(errors(&held), ["12:50: unknown_extension"]);
}

#[test]
fn another_entitys_schema_within_a_field_is_warned_of() {
    let secret = "secret: { type: string, x-sync-exclude: true, x-unique: false }";
    let document = notes(&[], &[secret]).replacen(
        "paths:\n",
        &format!(
            "paths:\n  /tasks:\n    get: {}\n",
            LIST.replace("Note", "Task")
        ),
        1,
    ) + "    Task: { properties: { id: { type: string }, note: { $ref: '#/components/schemas/Note' } } }\n";
    assert_eq!(told(&document), ["unknown_extension"]);
    let diagnostics = resolve(&document).diagnostics;
    assert_eq!(diagnostics[0].severity, Severity::Warning);
    assert!(
        diagnostics[0].pointer.ends_with("/Task/properties/note"),
        "{diagnostics:?}"
    );
    // A field that never leaves keeps what is in it, and one that only owners write does not.
    for (word, told_of) in [
        ("x-sync-exclude", vec![]),
        ("x-owner-only", told(&document)),
    ] {
        let plain = "note: { $ref: '#/components/schemas/Note'";
        let marked = document.replacen(plain, &format!("{plain}, {word}: true"), 1);
        assert_ne!(marked, document);
        assert_eq!(told(&marked), told_of, "{word}");
    }
}

#[test]
fn what_stands_on_any_schema_of_a_record_is_heeded() {
    let record = |property: &str| {
        format!(
            "{{ properties: {{ id: {{ type: string }}, secret: {{ type: string{property} }} }} }}"
        )
    };
    let content = |schema: &str| format!("content: {{ application/json: {{ schema: {schema} }} }}");
    let private = record(", x-sync-exclude: true");
    let document = |list: &str, create: &str, change: &str| {
        let answer = |schema: &str| format!("responses: {{ '200': {{ {} }} }}", content(schema));
        with_paths(&format!(
            "  /notes:\n    get: {{ {} }}\n    post: {{ requestBody: {{ {} }}, {} }}\n  \
             /notes/{{id}}:\n    patch: {{ requestBody: {{ {} }} }}\n",
            answer(&format!("{{ type: array, items: {list} }}")),
            content(create),
            answer(&record("")),
            content(change),
        ))
    };
    let plain = record("");
    for text in [
        document(&private, &plain, &plain),
        document(&plain, &private, &plain),
        document(&plain, &plain, &private),
        document(&private, &private, &private),
    ] {
        assert!(
            entity(&text).field("secret").unwrap().sync_exclude,
            "{text}"
        );
    }
    // And on what a property is put together from.
    let text = notes(&[], &["secret: { $ref: '#/components/schemas/Secret' }"])
        + "    Secret: { type: string, x-owner-only: true, x-unique: true }\n";
    let note = entity(&text);
    assert!(note.field("secret").unwrap().owner_only);
    assert_eq!(note.unique, [["secret"]]);
    assert_eq!(told(&text), [""; 0]);
    let strategy = notes(&[], &[]).replacen("get: {", &format!("post: {NOTE}\n    get: {{"), 1);
    assert_eq!(errors(&strategy), [""; 0]);
}
