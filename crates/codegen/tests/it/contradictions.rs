//! What a document declares and can never be, told at its place.

use syncline_codegen::Severity;

use crate::sample::{LIST, field, notes, resolved};

/// What a document is warned of, as `pointer: code`.
fn warned(document: &str) -> Vec<String> {
    let diagnostics = resolved(document).diagnostics;
    let warnings = diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Warning);
    warnings
        .map(|one| format!("{}: {}", one.pointer, one.code.as_str()))
        .collect()
}

/// The same of a property of a note, with pointers from there.
fn warned_of_property(property: &str) -> Vec<String> {
    let name = property.split(':').next().unwrap();
    let place = format!("/components/schemas/Note/properties/{name}");
    let warned = warned(&notes(&[], &[property]));
    let places = warned.iter().map(|one| one.replace(&place, ""));
    places.collect()
}

#[test]
fn a_default_that_its_own_field_refuses_is_told_and_left_out() {
    for (property, is_kept) in [
        ("n: { type: integer, minimum: 5, default: 5 }", true),
        ("n: { type: integer, minimum: 5, default: 1 }", false),
        ("n: { type: string, enum: [a], default: b }", false),
        ("n: { type: string, pattern: '^a', default: b }", false),
        ("n: { type: string, maxLength: 1, default: bb }", false),
        ("n: { type: string, format: date, default: soon }", false),
        (
            "n: { type: array, items: { type: string }, default: [1] }",
            false,
        ),
        (
            "n: { type: array, items: { type: string, pattern: '^a' }, default: [b] }",
            false,
        ),
    ] {
        assert_eq!(field(property).default.is_some(), is_kept, "{property}");
        let expected: &[&str] = if is_kept { &[] } else { &["/default: default"] };
        assert_eq!(warned_of_property(property), expected, "{property}");
    }
}

#[test]
fn rules_that_no_value_satisfies_are_told_of() {
    for (property, expected) in [
        ("n: { type: string, minLength: 2, maxLength: 2 }", &[][..]),
        (
            "n: { type: string, minLength: 5, maxLength: 2 }",
            &["/minLength: contradiction"],
        ),
        ("n: { type: integer, minimum: 2, maximum: 2 }", &[]),
        (
            "n: { type: integer, minimum: 3, maximum: 2 }",
            &["/minimum: contradiction"],
        ),
        (
            "n: { type: number, exclusiveMinimum: 2, maximum: 2 }",
            &["/exclusiveMinimum: contradiction"],
        ),
        (
            "n: { type: array, items: { type: string }, minItems: 2, maxItems: 1 }",
            &["/minItems: contradiction"],
        ),
        (
            "n: { type: array, items: { type: string, minLength: 2, maxLength: 1 } }",
            &["/items/minLength: contradiction"],
        ),
        ("n: { type: string, enum: [] }", &["/enum: rule"]),
        ("n: { type: string, const: a, enum: [a, b] }", &[]),
        (
            "n: { type: string, const: a, enum: [b] }",
            &["/const: contradiction"],
        ),
    ] {
        assert_eq!(warned_of_property(property), expected, "{property}");
    }
}

#[test]
fn a_field_that_is_called_as_a_test_of_another_is_told_of() {
    let place = "/components/schemas/Note/properties";
    let number = |name: &str| format!("{name}: {{ type: integer }}");
    let told = |names: &[&str]| {
        let properties: Vec<_> = names.iter().map(|name| number(name)).collect();
        let properties: Vec<_> = properties.iter().map(String::as_str).collect();
        warned(&notes(&[], &properties))
    };
    assert_eq!(
        told(&["n", "n__gt"]),
        [format!("{place}/n__gt: list_parameter")]
    );
    assert_eq!(told(&["n", "n__most"]), [""; 0]);
    assert_eq!(told(&["n__gt"]), [""; 0]);
}

#[test]
fn a_group_that_those_may_not_write_who_should_is_told_of() {
    let told = |permissions: &str, own: &str| {
        let rbac = format!(
            "x-rbac: {{ field_groups: {{ own: [name] }}, role_permissions: {{ {permissions} }} }}"
        );
        let name = format!("name: {{ type: string{own} }}");
        warned(&notes(&[&rbac], &[&name]))
    };
    let unwritten = ["/paths/~1notes/x-rbac/role_permissions: unwritten"];
    assert_eq!(told("editor: [own], owner: [own]", ""), [""; 0]);
    assert_eq!(told("owner: [own]", ""), [""; 0]);
    assert_eq!(told("", ""), [""; 0]);
    assert_eq!(told("editor: [own]", ""), unwritten);
    assert_eq!(told("editor: [], owner: []", ""), unwritten);
    assert_eq!(told("owner: []", ", readOnly: true"), [""; 0]);
    let owner_only = ", x-owner-only: true";
    assert_eq!(told("owner: [own]", owner_only), [""; 0]);
    assert_eq!(told("owner: []", owner_only), [""; 0]);
    assert_eq!(
        told("editor: [own], owner: [own]", owner_only),
        ["/paths/~1notes/x-rbac/field_groups/own/0: contradiction"]
    );
}

#[test]
fn a_field_that_must_be_given_and_nobody_may_write_is_told_of() {
    let told = |permissions: &str, own: &str| {
        let rbac = format!(
            "x-rbac: {{ field_groups: {{ own: [name] }}, role_permissions: {{ {permissions} }} }}"
        );
        let name = format!("name: {{ type: string{own} }}");
        let document = notes(&[&rbac], &[&name]);
        let required = "type: object\n      required: [name]";
        let warned = warned(&document.replace("type: object", required));
        let of_field = warned.into_iter().filter(|one| one.contains("properties"));
        of_field.collect::<Vec<_>>()
    };
    let place = "/components/schemas/Note/properties/name: unwritten";
    assert_eq!(told("editor: [own], owner: [own]", ""), [""; 0]);
    assert_eq!(told("viewer: [own]", ""), [place]);
    assert_eq!(told("owner: []", ""), [place]);
    assert_eq!(told("owner: []", ", default: a"), [""; 0]);
}

/// Notes with members, whose fields are these.
fn shared(id: &str, user: &str, role: &str, note: &str) -> String {
    let rbac = "x-rbac: { role_via: { entity: members, entity_field: note_id } }";
    let owners = |name: &str, schema: &str| format!("{name}: {{ {schema}, x-owner-only: true }}");
    let fields = [("user_id", user), ("role", role), ("note_id", note)];
    let fields = fields.map(|(name, schema)| owners(name, schema)).join(", ");
    let members = LIST.replace("Note", "Member");
    let document = notes(&[rbac], &[]);
    document.replace("type: string, format: uuid", id).replace(
        "components:\n  schemas:\n",
        &format!(
            "  /members: {{ get: {members} }}\ncomponents:\n  schemas:\n    Member: {{ properties: {{ id: {{ type: string }}, {fields} }} }}\n"
        ),
    )
}

#[test]
fn memberships_that_never_give_a_role_are_told_of() {
    let (text, whole, uuid) = (
        "type: string",
        "type: integer",
        "type: string, format: uuid",
    );
    let place = "/paths/~1notes/x-rbac/role_via: contradiction";
    for (document, expected) in [
        (shared(text, text, text, text), 0),
        (
            shared(uuid, uuid, "type: string, enum: [viewer, owner]", text),
            0,
        ),
        (shared(text, text, whole, text), 1),
        (shared(text, text, "type: string, enum: [admin]", text), 1),
        (shared(text, text, text, whole), 1),
        (shared(whole, text, text, text), 1),
        (shared(whole, text, text, "type: number"), 0),
        (shared(text, whole, text, text), 1),
        (shared(text, whole, whole, whole), 3),
    ] {
        assert_eq!(warned(&document), vec![place; expected], "{document}");
    }
}

#[test]
fn numbers_are_joined_by_what_they_mean_as_the_kind_of_the_records_own() {
    let joined = |keeper: &str, own: &str| {
        let document = shared("type: string", "type: string", "type: string", keeper);
        let by_own = document.replace("entity_field: note_id", "entity_field: note_id, field: own");
        let key = "id: { type: string }\n";
        let both = format!("{key}        own: {{ {own} }}\n");
        warned(&by_own.replace(key, &both)).is_empty()
    };
    let (whole, number, decimal) = (
        "type: integer",
        "type: number",
        "type: string, format: decimal",
    );
    assert!(joined(whole, number) && joined(number, whole));
    assert!(joined(whole, decimal) && joined(number, decimal));
    // A decimal is kept as text, which no number is.
    assert!(!joined(decimal, whole) && !joined(decimal, number));
    assert!(!joined("type: string", number));
}

#[test]
fn a_field_that_names_records_by_what_their_key_never_is_is_told_of() {
    let told = |schema: &str| {
        let parent = format!("parent: {{ {schema}, x-references: notes }}");
        warned(&notes(&[], &[&parent]))
    };
    let place = "/components/schemas/Note/properties/parent/x-references: contradiction";
    for (schema, expected) in [
        ("type: string", &[][..]),
        ("type: array, items: { type: string }", &[]),
        ("type: integer", &[place]),
        ("type: number", &[place]),
        ("type: boolean", &[place]),
    ] {
        assert_eq!(told(schema), expected, "{schema}");
    }
}
