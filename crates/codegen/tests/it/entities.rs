//! Which paths are entities, and which are not.

use syncline_codegen::Severity;
use syncline_model::schema::Verb;

use crate::sample::{
    COMPONENTS, LIST, NOTE, entity, errors, names, resolve, resolved, told, with_paths,
};

/// A collection with a list, a create and an item path.
fn crud(name: &str, parameter: &str) -> String {
    with_paths(&format!(
        "  /{name}: {{ get: {LIST}, post: {NOTE} }}\n  /{name}/{{{parameter}}}: {{ get: {NOTE}, patch: {NOTE}, delete: {NOTE} }}\n{COMPONENTS}"
    ))
}

#[test]
fn plurals_keep_all_their_operations() {
    for (name, parameter, singular) in [
        ("invoices", "invoice_id", "invoice"),
        ("addresses", "address_id", "address"),
        ("companies", "companyId", "company"),
        ("notes", "id", "note"),
        ("boxes", "box", "box"),
        ("files", "file_id", "file"),
        ("people", "person_id", "person"),
        ("children", "id", "child"),
        ("series", "series_id", "series"),
        ("Contacts", "contact_id", "contact"),
    ] {
        let entity = entity(&crud(name, parameter));
        let verbs: Vec<_> = entity.operations.iter().map(|one| one.verb).collect();
        assert_eq!(
            verbs,
            [
                Verb::List,
                Verb::Get,
                Verb::Create,
                Verb::Update,
                Verb::Delete
            ],
            "{name}"
        );
        assert_eq!(
            (entity.name.as_str(), entity.singular.as_str()),
            (name, singular)
        );
        assert_eq!(entity.key, "id");
    }
}

#[test]
fn prefixes_and_trailing_slashes_name_nothing() {
    for path in [
        "/notes",
        "/notes/",
        "/api/notes",
        "/v1/notes",
        "/api/v2.1/notes/",
        "/API/v1beta2/notes",
    ] {
        let document = with_paths(&format!("  {path}: {{ get: {LIST} }}\n{COMPONENTS}"));
        let entity = entity(&document);
        assert_eq!(entity.name, "notes", "{path}");
        assert_eq!(entity.operations[0].path, path);
    }
}

#[test]
fn a_name_may_be_anything_that_a_path_can_say() {
    for (path, name) in [
        ("/select", "select"),
        ("/it's", "it's"),
        ("/🦀", "🦀"),
        ("/caf%C3%A9s", "cafés"),
        ("/a\\\"b", "a\"b"),
    ] {
        let document = with_paths(&format!("  \"{path}\": {{ get: {LIST} }}\n{COMPONENTS}"));
        assert_eq!(names(&document), [name]);
    }
    let long = "n".repeat(129);
    let document = with_paths(&format!("  /{long}: {{ get: {LIST} }}\n{COMPONENTS}"));
    assert_eq!(errors(&document), ["3:3: name"]);
    for path in ["/sqlite_notes", "/a%2Fb"] {
        let document = with_paths(&format!("  {path}: {{ get: {LIST} }}\n{COMPONENTS}"));
        assert_eq!(errors(&document), ["3:3: name"], "{path}");
    }
}

#[test]
fn entities_that_would_share_a_table_are_refused() {
    for (one, other) in [
        ("notes", "Notes"),
        ("notes", "notes_synced"),
        ("notes_local", "notes"),
        ("x", "_changes"),
    ] {
        let document = with_paths(&format!(
            "  /{one}: {{ get: {LIST}, post: {NOTE} }}\n  /{other}: {{ get: {LIST}, post: {NOTE} }}\n{COMPONENTS}"
        ));
        let found = resolve(&document).diagnostics;
        let codes: Vec<_> = found.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["collision"], "{one} {other}");
        let is_of_clients = other == "_changes";
        let message = &found[0].message;
        assert_eq!(
            message.contains("every client's database"),
            is_of_clients,
            "{message}"
        );
    }
}

#[test]
fn lists_are_arrays_or_wrapped_in_an_object() {
    let list = |answer: &str| {
        with_paths(&format!(
            "  /notes: {{ get: {{ responses: {{ '200': {{ content: {{ application/json: {{ schema: {answer} }} }} }} }} }} }}\n{COMPONENTS}"
        ))
    };
    let note = "{ $ref: '#/components/schemas/Note' }";
    let array = format!("{{ type: array, items: {note} }}");
    assert_eq!(entity(&list(&array)).operations[0].envelope, None);
    for envelope in ["items", "data", "results", "records", "notes"] {
        let answer = format!(
            "{{ type: object, properties: {{ total: {{ type: integer }}, {envelope}: {array} }} }}"
        );
        assert_eq!(
            entity(&list(&answer)).operations[0].envelope.as_deref(),
            Some(envelope)
        );
    }
    // Two arrays, of which neither has a usual name, leave it open.
    let answer = format!("{{ properties: {{ ours: {array}, theirs: {array} }} }}");
    assert_eq!(names(&list(&answer)), [""; 0]);
    // Among several the usual one.
    let answer = format!("{{ properties: {{ warnings: {array}, results: {array} }} }}");
    assert_eq!(
        entity(&list(&answer)).operations[0].envelope.as_deref(),
        Some("results")
    );
    // Numbers are no records.
    assert_eq!(
        names(&list("{ type: array, items: { type: integer } }")),
        [""; 0]
    );
}

#[test]
fn a_collection_needs_no_list() {
    let document = with_paths(&format!(
        "  /notes: {{ post: {NOTE} }}\n  /notes/{{id}}: {{ get: {NOTE} }}\n{COMPONENTS}"
    ));
    let verbs: Vec<_> = entity(&document)
        .operations
        .iter()
        .map(|one| one.verb)
        .collect();
    assert_eq!(verbs, [Verb::Get, Verb::Create]);
}

#[test]
fn actions_are_told_of_and_are_no_entities() {
    for path in [
        "/notes/get_over_budget",
        "/notes/fields/metadata",
        "/notes/search",
        "/notes/{id}/archive",
    ] {
        let document = with_paths(&format!(
            "  /notes: {{ get: {LIST} }}\n  {path}: {{ get: {NOTE}, post: {NOTE} }}\n{COMPONENTS}"
        ));
        assert_eq!(names(&document), ["notes"], "{path}");
        assert_eq!(told(&document), ["custom_operation"], "{path}");
    }
    for path in [
        "/notes/get_over_budget",
        "/notes/recent",
        "/get_over_budget",
        "/notes/by-day/{day}",
    ] {
        let document = with_paths(&format!(
            "  /notes: {{ get: {LIST}, post: {NOTE} }}\n  {path}: {{ get: {LIST} }}\n{COMPONENTS}"
        ));
        assert_eq!(names(&document), ["notes"], "{path}");
    }
}

#[test]
fn a_view_belongs_to_the_collection_whose_records_it_shows() {
    let document = with_paths(&format!(
        "  /notes: {{ get: {LIST}, post: {NOTE} }}\n  /favourites: {{ get: {LIST} }}\n{COMPONENTS}"
    ));
    assert_eq!(names(&document), ["notes"]);
    assert_eq!(told(&document), ["view"]);
    // One that is written, or that its author wants to sync, is a collection of its own.
    let document = with_paths(&format!(
        "  /notes: {{ get: {LIST}, post: {NOTE} }}\n  /drafts: {{ get: {LIST}, post: {NOTE} }}\n  /favourites: {{ x-sync: {{ local_first: true }}, get: {LIST} }}\n{COMPONENTS}"
    ));
    assert_eq!(names(&document), ["drafts", "favourites", "notes"]);
}

#[test]
fn references_may_stand_wherever_something_else_may() {
    let document = "
openapi: 3.1.0
paths:
  /notes~1: { $ref: '#/components/pathItems/notes' }
  /notes~1/{id}: { $ref: '#/components/pathItems/a~1b%7E0c~0d' }
components:
  pathItems:
    notes: { post: { requestBody: { $ref: '#/components/requestBodies/Note' }, responses: { '201': { $ref: '#/components/responses/Note' } } } }
    a/b~c~d: { parameters: [{ $ref: '#/components/parameters/Id' }], get: { responses: { '200': { $ref: '#/components/responses/Note' } } } }
  parameters: { Id: { name: id, in: path, schema: { $ref: '#/components/schemas/Id' } } }
  requestBodies: { Note: { content: { application/json: { schema: { $ref: '#/components/schemas/New' } } } } }
  responses: { Note: { $ref: '#/components/responses/Same' }, Same: { content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } } } }
  schemas:
    Id: { type: string, format: uuid }
    New: { required: [title], properties: { title: { $ref: '#/components/schemas/Note/properties/title' } } }
    Note: { properties: { id: { $ref: '#/components/schemas/Id' }, title: { type: string, maxLength: 9 } } }
";
    let note = entity(document);
    assert!(note.field("title").unwrap().required);
    assert_eq!(note.field("title").unwrap().rules.max_length, Some(9));
    assert_eq!(note.key, "id");
}

#[test]
fn keys_are_what_paths_name_records_by() {
    let keyed = |parameter: &str, schema: &str, properties: &str| {
        let note = format!(
            "{{ responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ type: object, properties: {{ {properties} }} }} }} }} }} }} }}"
        );
        let document = with_paths(&format!(
            "  /invoices/{{{parameter}}}: {{ parameters: [{{ name: {parameter}, in: path, schema: {schema} }}], get: {note} }}\n"
        ));
        let entities = resolve(&document).schema.entities;
        entities.first().map(|entity| entity.key.clone())
    };
    let both = "id: { type: integer }, number: { type: string }";
    let text = "{ type: string }";
    let whole = "{ type: integer }";
    assert_eq!(keyed("number", text, both).as_deref(), Some("number"));
    assert_eq!(
        keyed("invoice_number", text, both).as_deref(),
        Some("number")
    );
    assert_eq!(
        keyed("invoiceNumber", text, both).as_deref(),
        Some("number")
    );
    assert_eq!(keyed("invoice_id", whole, both).as_deref(), Some("id"));
    assert_eq!(keyed("invoice", whole, both).as_deref(), Some("id"));
    // Text in the path is no number in `id`, so that nothing tells what it is.
    assert_eq!(keyed("invoice", text, both), None);
    assert_eq!(keyed("invoicenumber", text, both), None);
    // What can't name a record.
    assert_eq!(keyed("id", "{}", "id: { type: boolean }"), None);
}

#[test]
fn nested_paths_hold_fields_of_their_records() {
    let document = |path: &str, properties: &str| {
        with_paths(&format!(
            "  {path}: {{ get: {LIST} }}\ncomponents: {{ schemas: {{ Note: {{ properties: {{ id: {{ type: string }}, {properties} }} }} }} }}\n"
        ))
    };
    for (path, field) in [
        ("/accounts/{account_id}/notes", "account_id"),
        ("/accounts/{accountId}/notes", "account_id"),
        ("/accounts/{id}/notes", "account_id"),
        ("/accounts/{account}/notes", "account_id"),
        ("/accounts/{account}/notes", "account"),
    ] {
        let note = entity(&document(path, &format!("{field}: {{ type: string }}")));
        assert_eq!(note.operations[0].field_parameters[0].1, field, "{path}");
    }
    // The owner's id is not the record's own.
    let unmapped = document("/accounts/{id}/notes", "title: { type: string }");
    assert_eq!(told(&unmapped), ["unmapped_parameter"]);
    // Whoever asked for it to sync is told so as an error.
    let asked = unmapped.replace("{ get", "{ x-sync: { local_first: true }, get");
    assert_eq!(errors(&asked), ["3:3: unmapped_parameter"]);
}

#[test]
fn what_stands_behind_a_single_record_is_no_view_of_it() {
    let emails = LIST.replace("Note", "Email");
    let document = with_paths(&format!(
        "  /user: {{ get: {NOTE} }}\n  /user/{{id}}: {{ get: {NOTE} }}\n  /user/emails: {{ get: {emails} }}\n{}",
        COMPONENTS.replace(
            "schemas: {",
            "schemas: { Email: { properties: { id: { type: string }, address: { type: string } } },"
        )
    ));
    assert_eq!(names(&document), ["emails", "user"]);
}

#[test]
fn collections_of_one_name_and_other_records_are_named_by_their_author() {
    let other = LIST.replace("Note", "Remark");
    let document = with_paths(&format!(
        "  /contacts/{{contact_id}}/notes: {{ get: {other} }}\n  /notes: {{ get: {LIST} }}\n{}",
        COMPONENTS.replace("schemas: {", "schemas: { Remark: { properties: { id: { type: string }, contact_id: { type: string }, text: { type: string } } },")
    ));
    assert_eq!(names(&document), ["notes"]);
    assert_eq!(told(&document), ["ambiguous_entity"]);
    let named = document.replace("notes: { get: { responses: { '200': { content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Remark'", "notes: { x-sync: { entity: remarks }, get: { responses: { '200': { content: { application/json: { schema: { type: array, items: { $ref: '#/components/schemas/Remark'");
    assert_eq!(names(&named), ["notes", "remarks"]);
    assert_eq!(told(&named), [""; 0]);
}

#[test]
fn a_partial_put_is_an_update() {
    let document = |required: &str| {
        format!(
            "openapi: 3.0.0\npaths:\n  /notes: {{ post: {{ requestBody: {{ content: {{ application/json: {{ schema: {{ required: [title], properties: {{ title: {{ type: string }} }} }} }} }} }}, responses: {{ '201': {{ content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Note' }} }} }} }} }} }} }}\n  /notes/{{id}}: {{ put: {{ requestBody: {{ content: {{ application/json: {{ schema: {{ {required} properties: {{ title: {{ type: string }} }} }} }} }} }}, responses: {{ '204': {{ description: Done. }} }} }} }}\n{COMPONENTS}"
        )
    };
    let verb = |required| entity(&document(required)).operations[1].verb;
    assert_eq!(verb("required: [title],"), Verb::Replace);
    assert_eq!(verb(""), Verb::Update);
}

#[test]
fn a_document_without_collections_is_no_error() {
    let resolution = resolved("openapi: 3.1.0\ninfo: { title: Nothing }\n");
    assert_eq!(resolution.schema.entities, []);
    assert_eq!(resolution.diagnostics, []);
}

/// Paths of notes under a prefix, with one more property.
fn version(prefix: &str, property: &str, extension: &str) -> String {
    let record = format!("{{ properties: {{ id: {{ type: string }}, {property}: {{}} }} }}");
    let content = |schema: &str| format!("content: {{ application/json: {{ schema: {schema} }} }}");
    let list = content(&format!("{{ type: array, items: {record} }}"));
    let one = content(&record);
    format!(
        "  {prefix}/notes:\n    {extension}\n    get: {{ responses: {{ '200': {{ {list} }} }} }}\n  \
         {prefix}/notes/{{id}}:\n    get: {{ responses: {{ '200': {{ {one} }} }} }}\n"
    )
}

#[test]
fn two_versions_of_a_collection_are_one_only_where_their_records_are() {
    let both = |second: &str, extension: &str| {
        with_paths(&(version("/v1", "a", "") + &version("/v2", second, extension)))
    };
    let alike = entity(&both("a", ""));
    let paths: Vec<_> = alike.operations.iter().map(|one| &*one.path).collect();
    let (list, one) = (
        ["/v1/notes", "/v2/notes"],
        ["/v1/notes/{id}", "/v2/notes/{id}"],
    );
    assert_eq!(paths, [list, one].concat());
    assert_eq!(told(&both("a", "")), [""; 0]);
    // Neither is the one that the name belongs to.
    let other = both("b", "");
    assert_eq!(names(&other), [""; 0]);
    assert_eq!(told(&other), ["ambiguous_entity"; 4]);
    let named = both("b", "x-sync: { entity: new_notes }");
    assert_eq!(names(&named), ["new_notes", "notes"]);
    assert_eq!(told(&named), [""; 0]);
}

#[test]
fn of_two_versions_that_with_more_fields_owns_the_name_and_the_other_is_served_too() {
    let more = |property: &str| format!("{property}: {{}}, b");
    for (first, second) in [("a".to_owned(), more("a")), (more("a"), "a".to_owned())] {
        let document = with_paths(&(version("/v1", &first, "") + &version("/v2", &second, "")));
        let note = entity(&document);
        assert!(note.field("b").is_some(), "{first} {second}");
        assert_eq!(note.operations.len(), 4, "{first} {second}");
        assert_eq!(told(&document), [""; 0]);
    }
    // What is left out is a warning: somebody may miss it.
    let third = with_paths(
        &(version("/v1", "c", "") + &version("/v2", &more("a"), "") + &version("/v3", "a", "")),
    );
    let severities = resolved(&third).diagnostics;
    assert!(!severities.is_empty());
    for found in severities {
        assert_eq!(found.severity, Severity::Warning, "{found}");
    }
}
