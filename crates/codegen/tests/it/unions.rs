//! Records that are one of several objects, in both dialects.

use serde_json::json;
use syncline_codegen::Severity;
use syncline_model::schema::{Entity, FieldKind};

use crate::sample::{entity, resolve, resolved};

/// A document whose pets are cats or dogs, by this keyword, and this beside it.
fn pets(version: &str, keyword: &str, beside: &str) -> String {
    let pet = "content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } }";
    let pets = "content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Pet' } } } }";
    format!(
        "openapi: {version}
paths:
  /pets:
    get: {{ responses: {{ '200': {{ {pets} }} }} }}
    post: {{ requestBody: {{ {pet} }}, responses: {{ '201': {{ {pet} }} }} }}
  /pets/{{id}}:
    get: {{ responses: {{ '200': {{ {pet} }} }} }}
    patch: {{ requestBody: {{ {pet} }}, responses: {{ '200': {{ {pet} }} }} }}
components:
  schemas:
    Pet:
      {beside}
      {keyword}:
        - $ref: '#/components/schemas/Cat'
        - $ref: '#/components/schemas/Dog'
    Cat:
      type: object
      required: [kind, name, lives]
      properties:
        id: {{ type: string, format: uuid }}
        kind: {{ type: string, enum: [cat] }}
        name: {{ type: string, maxLength: 10 }}
        size: {{ type: number, maximum: 3 }}
        tag: {{ type: string }}
        lives: {{ type: integer }}
    Dog:
      type: object
      required: [kind, name]
      properties:
        id: {{ type: string, format: uuid }}
        kind: {{ type: string, enum: [dog] }}
        name: {{ type: string, maxLength: 20 }}
        size: {{ type: number, maximum: 90 }}
        tag: {{ type: integer }}
        secret: {{ type: string, x-sync-exclude: true }}
"
    )
}

fn names(entity: &Entity) -> Vec<&str> {
    let fields = entity.fields.iter();
    fields.map(|field| &*field.name).collect()
}

#[test]
fn a_record_that_is_one_of_several_has_the_fields_of_all() {
    let discriminator = "discriminator: { propertyName: kind }";
    for (version, keyword, beside) in [
        ("3.0.3", "oneOf", discriminator),
        ("3.1.0", "oneOf", "type: object"),
        ("3.0.3", "anyOf", "description: Either."),
        ("3.1.0", "anyOf", discriminator),
    ] {
        let pet = entity(&pets(version, keyword, beside));
        let all = ["id", "kind", "name", "size", "tag", "lives", "secret"];
        assert_eq!(names(&pet), all, "{version} {keyword}");
        let field = |name: &str| pet.field(name).unwrap();
        // What all of them require, and no more.
        let required: Vec<_> = pet.fields.iter().filter(|field| field.required).collect();
        let required: Vec<_> = required.iter().map(|field| &*field.name).collect();
        assert_eq!(required, ["kind", "name"], "{version} {keyword}");
        assert_eq!(field("id").kind, FieldKind::Uuid);
        assert_eq!(field("kind").rules.one_of, [json!("cat"), json!("dog")]);
        // A rule of one is not asked of the other.
        assert_eq!(
            (&field("name").kind, field("name").rules.max_length),
            (&FieldKind::Text, None)
        );
        assert_eq!(
            (&field("size").kind, field("size").rules.maximum),
            (&FieldKind::Float, None)
        );
        assert_eq!(field("tag").kind, FieldKind::Json);
        assert!(pet.fields.iter().all(|field| !field.read_only));
        // What is private in one of them is private.
        assert!(field("secret").sync_exclude);
    }
}

#[test]
fn what_is_not_checked_of_a_union_is_a_warning_at_its_place() {
    let document = pets("3.1.0", "oneOf", "type: object");
    let found = resolved(&document).diagnostics;
    let union = found
        .iter()
        .find(|one| one.pointer == "/components/schemas/Pet/oneOf");
    let union = union.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(
        (union.severity, union.code.as_str()),
        (Severity::Warning, "union")
    );
    assert!(
        union.message.contains("which of them go together"),
        "{union}"
    );
    let is_of_tag = |pointer: &str| pointer.ends_with("/properties/tag");
    assert!(
        found
            .iter()
            .any(|one| is_of_tag(&one.pointer) && one.severity == Severity::Warning),
        "{found:#?}"
    );
}

#[test]
fn variants_may_be_put_together_from_what_they_are_variants_of() {
    let base = "type: object\n      required: [id]\n      properties: { id: { type: string }, born: { type: string, format: date } }";
    let document = pets("3.0.3", "oneOf", base).replace(
        "    Cat:\n      type: object\n",
        "    Cat:\n      allOf: [{ $ref: '#/components/schemas/Pet' }]\n      type: object\n",
    );
    let pet = entity(&document);
    assert_eq!(names(&pet)[..2], ["id", "born"]);
    assert_eq!(names(&pet).len(), 8);
}

#[test]
fn unions_within_unions_are_one_and_are_bounded() {
    let nested = pets("3.1.0", "oneOf", "type: object").replace(
        "    Dog:\n      type: object\n",
        "    Dog:\n      oneOf: [{ properties: { bark: { type: string } } }, { properties: { howl: { type: string } } }]\n      type: object\n",
    );
    let pet = entity(&nested);
    assert!(pet.field("bark").is_some() && pet.field("howl").is_some());
    // Each line doubles the one above: 2^40 variants.
    let chain: String = (0..40)
        .map(|at| {
            let next = format!("$ref: '#/components/schemas/N{}'", at + 1);
            format!("    N{at}: {{ oneOf: [{{ {next} }}, {{ allOf: [{{ {next} }}] }}] }}\n")
        })
        .collect();
    let many = pets("3.1.0", "oneOf", "type: object")
        .replace("#/components/schemas/Cat", "#/components/schemas/N0")
        + &chain
        + "    N40: { properties: { id: { type: string } } }\n";
    assert!(resolve(&many).schema.entities.len() <= 1);
}

#[test]
fn null_in_any_alternative_is_a_value() {
    let document = pets("3.1.0", "oneOf", "type: object").replace(
        "name: { type: string, maxLength: 20 }",
        "name: { type: [string, 'null'] }",
    );
    assert!(entity(&document).field("name").unwrap().nullable);
}

/// The pets' document with these two schemas for `mark`, a cat's and a dog's.
fn marked(of_cats: &str, of_dogs: &str) -> String {
    let text = pets("3.1.0", "oneOf", "description: pets");
    let text = text.replacen(
        "        lives:",
        &format!("        mark: {of_cats}\n        lives:"),
        1,
    );
    text.replacen(
        "        secret:",
        &format!("        mark: {of_dogs}\n        secret:"),
        1,
    )
}

#[test]
fn what_each_variant_only_answers_is_read_only_and_what_one_only_takes_is_kept_nowhere() {
    let read_only = |note: &str, mark: &str| {
        format!("{{ type: string, format: date-time, {mark}: true, description: {note} }}")
    };
    let mark = |text: &str| {
        let pets = entity(text);
        (pets.field("mark").cloned(), pets.not_kept)
    };
    let both = marked(
        &read_only("a cat's", "readOnly"),
        &read_only("a dog's", "readOnly"),
    );
    assert!(mark(&both).0.unwrap().read_only);
    let one = marked(
        &read_only("a cat's", "readOnly"),
        &read_only("a dog's", "deprecated"),
    );
    assert!(!mark(&one).0.unwrap().read_only);
    let written = marked(
        &read_only("a cat's", "deprecated"),
        &read_only("a dog's", "writeOnly"),
    );
    assert_eq!(mark(&written), (None, vec!["mark".to_owned()]));
}

#[test]
fn null_within_an_alternative_is_a_value_too() {
    let nullable = "{ anyOf: [{ type: string }, { type: 'null' }], title: Nick }";
    for other in ["{ type: string, title: Name }", nullable] {
        let text = marked(&nullable.replace("Nick", "Mark"), other);
        assert!(entity(&text).field("mark").unwrap().nullable, "{other}");
    }
    let text = marked(
        "{ type: string, title: Mark }",
        "{ type: string, title: Name }",
    );
    assert!(!entity(&text).field("mark").unwrap().nullable);
}
