//! Documents that are broken, hostile or too large.

use std::fmt::Write as _;

use syncline_codegen::{
    Code, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_NODES_MAX, ENTITIES_MAX, FIELDS_MAX,
};

use crate::sample::{
    COMPONENTS, LIST, NOTE, entity, errors, names, notes, resolve, told, with_paths,
};

/// The one thing that is said of a document that can't be read.
fn refusal(text: &str) -> String {
    let resolution = resolve(text);
    assert_eq!(resolution.schema.entities, []);
    assert_eq!(
        resolution.diagnostics.len(),
        1,
        "{:?}",
        resolution.diagnostics
    );
    resolution.diagnostics[0].placed("api.yaml").to_string()
}

#[test]
fn what_is_no_document_is_told_with_its_place() {
    for (text, told) in [
        ("", "api.yaml:1:1: error[syntax]: the document is empty"),
        (
            "# nothing\n",
            "api.yaml:1:1: error[syntax]: the document is empty",
        ),
        (
            "{\"openapi\": \"3.0.0\",\n  \"paths\": {\"a\" 1} }\n",
            "api.yaml:2:17: error[syntax]: expected a colon after the key",
        ),
        (
            "{\"é\": \"\u{1}\", \"a\" 1}",
            "api.yaml:1:7: error[syntax]: this text holds a control character",
        ),
        (
            "openapi: 3.0.0\nopenapi: 3.1.0\n",
            "api.yaml:2:1: error[duplicate_key]: `openapi` is in this map twice",
        ),
        (
            "{\"a\": 1, \"a\": 2}",
            "api.yaml:1:10: error[duplicate_key]: `a` is in this map twice",
        ),
        (
            "openapi: 3.1.0\n---\nopenapi: 3.1.0\n",
            "api.yaml:2:1: error[syntax]: the text holds more than one document",
        ),
        (
            "? [a]\n: b\n",
            "api.yaml:1:3: error[syntax]: a key must be text",
        ),
        (
            "a: &a [*a]\n",
            "api.yaml:1:8: error[syntax]: an alias stands within its anchor",
        ),
        (
            "title: Mine\n",
            "api.yaml:1:1: error[not_openapi]: the document has no `openapi`",
        ),
        (
            "- a\n",
            "api.yaml:1:1: error[not_openapi]: the document has no `openapi`",
        ),
        (
            "swagger: '2.0'\n",
            "api.yaml:1:1: error[version]: Swagger 2.0 is not read: convert it to OpenAPI 3",
        ),
        (
            "openapi: 4.0.0\n",
            "api.yaml:1:1: error[version]: version `4.0.0` is not read: only 3.0 and 3.1 are",
        ),
        (
            "openapi: 3.1.0\npaths: []\n",
            "api.yaml:2:1: error[malformed]: `paths` must be a map",
        ),
    ] {
        assert_eq!(refusal(text), told);
    }
    assert!(refusal("a: [1, 2\nb: }").contains(": error[syntax]: "));
}

#[test]
fn json_and_yaml_have_their_places_alike() {
    let json = "{\n  \"openapi\": \"3.1.0\",\n  \"paths\": {\n    \"/né/{id}\": { \"x-sync\": { \"mode\": \"no\" },\n\"get\": {} } } }";
    let found = resolve(json).diagnostics;
    let mode = found.iter().find(|one| one.code == Code::UNKNOWN_MODE);
    // Nothing is an entity here, and so nobody asked for the mode; its path is told of.
    assert!(mode.is_none());
    assert_eq!(
        (found[0].line, found[0].column, found[0].pointer.as_str()),
        (4, 5, "/paths/~1né~1{id}")
    );
    let yaml = "openapi: 3.1.0\npaths:\n  /né/{id}:\n    x-sync: { mode: no }\n    get: {}\n";
    let found = resolve(yaml).diagnostics;
    assert_eq!(
        (found[0].line, found[0].column, found[0].pointer.as_str()),
        (3, 3, "/paths/~1né~1{id}")
    );
}

#[test]
fn json_is_read_as_json() {
    let json = r#"{"openapi":"3.1.0","paths":{"/notes":{"get":{"responses":{"200":{"content":{"application/json":{"schema":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"\ud83e\udd80\/\"":{"type":"string","default":"a\nb"}}}}}}}}}}}}"#;
    let field = entity(json).fields.remove(1);
    assert_eq!(field.name, "🦀/\"");
    assert_eq!(field.default, Some("a\nb".into()));
    // Tabs and a byte order mark are fine in JSON.
    assert_eq!(
        names(&format!("\u{feff}{}", json.replace(':', "\t:\t"))),
        ["notes"]
    );
}

#[test]
fn references_that_lead_nowhere_or_in_a_circle_end() {
    let note = |schema: &str| {
        with_paths(&format!(
            "  /notes: {{ get: {LIST} }}\ncomponents: {{ schemas: {{ Note: {schema} }} }}\n"
        ))
    };
    for (schema, found) in [
        (
            "{ $ref: '#/components/schemas/Gone' }",
            "4:34: missing_reference",
        ),
        ("{ $ref: 'other.yaml#/Note' }", "4:34: remote_reference"),
        (
            "{ $ref: 'https://example.org/note' }",
            "4:34: remote_reference",
        ),
        ("{ $ref: 7 }", "4:34: malformed"),
        (
            "{ $ref: '#/components/schemas/Note' }",
            "4:26: circular_reference",
        ),
        (
            "{ allOf: [{ $ref: '#/components/schemas/Note' }] }",
            "4:26: circular_reference",
        ),
        (
            "{ anyOf: [{ $ref: '#/components/schemas/Note' }] }",
            "4:26: circular_reference",
        ),
    ] {
        assert!(
            errors(&note(schema)).contains(&found.to_owned()),
            "{schema}: {:?}",
            errors(&note(schema))
        );
    }
    // Trees and lists of themselves are how people model trees.
    let tree = "{ properties: { id: { type: string }, parent: { $ref: '#/components/schemas/Note' }, children: { type: array, items: { $ref: '#/components/schemas/Note' } } } }";
    assert_eq!(entity(&note(tree)).fields.len(), 3);
    let chain: String = (0..200).fold(String::new(), |mut text, at| {
        writeln!(
            text,
            "    N{at}: {{ $ref: '#/components/schemas/N{}' }}",
            at + 1
        )
        .unwrap();
        text
    });
    let long = notes(&[], &["x: { $ref: '#/components/schemas/N0' }"])
        + &chain
        + "    N200: { type: string }\n";
    let found = errors(&long);
    assert_eq!(found.len(), 1);
    assert!(found[0].ends_with("circular_reference"), "{found:?}");
    let around = with_paths("  /a: { $ref: '#/paths/~1b' }\n  /b: { $ref: '#/paths/~1a' }\n");
    assert!(
        errors(&around)
            .iter()
            .all(|error| error.ends_with("circular_reference"))
    );
}

#[test]
fn limits_are_named_and_bound_the_work() {
    let large = " ".repeat(DOCUMENT_BYTES_MAX + 1);
    assert!(refusal(&large).contains("error[limit]"));
    for bomb in ["[", "{\"a\":", "- ", "a: {"] {
        let message = refusal(&bomb.repeat(DOCUMENT_DEPTH_MAX + 1));
        assert!(
            message.contains("error[limit]") || message.contains("error[syntax]"),
            "{message}"
        );
    }
    let wide = format!("[{}0]", "0,".repeat(DOCUMENT_NODES_MAX));
    assert!(refusal(&wide).contains("error[limit]"));
    let fields: Vec<_> = (0..FIELDS_MAX)
        .map(|at| format!("f{at}: {{ type: string }}"))
        .collect();
    let fields: Vec<_> = fields.iter().map(String::as_str).collect();
    assert_eq!(errors(&notes(&[], &fields)), ["3:3: limit"]);
    assert_eq!(entity(&notes(&[], &fields[1..])).fields.len(), FIELDS_MAX);
    let paths = (0..=ENTITIES_MAX).fold(String::new(), |mut text, at| {
        writeln!(text, "  /n{at}: {{ get: {LIST}, post: {NOTE} }}").unwrap();
        text
    });
    let many = with_paths(&(paths + COMPONENTS));
    assert_eq!(names(&many).len(), ENTITIES_MAX);
    assert_eq!(errors(&many).len(), 1);
}

/// A note whose requests name so many properties that its records don't have.
fn requested(count: usize) -> String {
    let properties: String = (0..count).map(|at| format!("p{at}: {{}}, ")).collect();
    let body = format!(
        "post: {{ requestBody: {{ content: {{ application/json: {{ schema: {{ properties: {{ {properties} }} }} }} }} }} }}\n    get: {{"
    );
    notes(&[], &[]).replacen("get: {", &body, 1)
}

#[test]
fn what_only_requests_name_is_bounded_and_read_once() {
    assert_eq!(entity(&requested(FIELDS_MAX)).not_kept.len(), FIELDS_MAX);
    assert_eq!(errors(&requested(FIELDS_MAX + 1)), ["3:3: limit"]);
    // Compared with one another they would be 40,000,000,000 pairs.
    assert_eq!(errors(&requested(200_000)), ["3:3: limit"]);
}

/// Each line doubles the one above: written out it would be a billion values.
#[test]
fn aliases_are_shared_and_not_written_out() {
    let mut text = "x0: &x0 [a, a]\n".to_owned();
    for at in 1..30 {
        writeln!(text, "x{at}: &x{at} [*x{0}, *x{0}]", at - 1).unwrap();
    }
    let document = text + &notes(&[], &["x: { default: *x29, enum: [*x28] }"]);
    assert_eq!(told(&document), ["limit", "limit"]);
    assert_eq!(entity(&document).field("x").unwrap().default, None);
}

#[test]
fn millions_of_things_to_tell_are_cut_off() {
    let paths: String = (0..20_000)
        .map(|at| format!("\"/a{at}/{{b}}/{{c}}\":{{}},"))
        .collect();
    let document = format!("{{\"openapi\":\"3.1.0\",\"paths\":{{{paths}\"/z\":{{}}}}}}");
    let found = resolve(&document).diagnostics;
    assert_eq!(found.len(), syncline_codegen::DIAGNOSTICS_MAX + 1);
    assert_eq!(found[0].code, Code::LIMIT);
}

#[test]
fn errors_are_cut_off_and_counted_as_well() {
    let paths: String = (0..12_000)
        .map(|at| format!("\"/a{at}\":{{\"x-sink\":1,\"x-syncs\":1}},"))
        .collect();
    let document = format!("{{\"openapi\":\"3.1.0\",\"paths\":{{{paths}\"/z\":{{}}}}}}");
    let resolution = resolve(&document);
    let (told, left) = (
        &resolution.diagnostics,
        12_000 - syncline_codegen::DIAGNOSTICS_MAX,
    );
    assert!(resolution.has_errors());
    assert_eq!(told.len(), syncline_codegen::DIAGNOSTICS_MAX + 1);
    assert_eq!(
        told[0].message,
        format!("{left} more diagnostics were left out")
    );
    assert_eq!(told[1].pointer, "/paths/~1a0/x-syncs");
}

#[test]
fn a_pointer_leads_to_what_a_merge_has_moved() {
    let document = with_paths(
        "  /notes: &notes\n    x-syncs: 1\n  /other:\n    <<: *notes\n    x-sinks: 1\n    x-syncing: 2\n",
    );
    let told = resolve(&document).diagnostics;
    let pointers: Vec<_> = told.iter().map(|one| one.pointer.as_str()).collect();
    assert_eq!(
        pointers,
        ["/paths/~1notes/x-syncs", "/paths/~1other/x-syncing"]
    );
}

#[test]
fn a_parameter_of_another_type_than_the_key_is_told_as_such() {
    let message = |parameter: &str, components: &str| {
        let document = with_paths(&format!(
            "  /notes: {{ x-sync: {{ local_first: true }}, get: {LIST} }}\n  \"/notes/{{{parameter}}}\":\n    parameters: \
             [{{ name: {parameter}, in: path, required: true, schema: {{ type: integer }} }}]\n    get: {NOTE}\n{components}"
        ));
        resolve(&document).diagnostics[0].message.clone()
    };
    let told = message("noteId", COMPONENTS);
    assert!(
        told.contains("whose type is not that of the record's `id`"),
        "{told}"
    );
    let told = message("noteId", &COMPONENTS.replace("id: {", "uid: {"));
    assert!(told.contains("it has no `id`"), "{told}");
}
