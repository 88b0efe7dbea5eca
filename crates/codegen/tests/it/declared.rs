//! What a document declares of its operations and addresses, beside what these do with records.

use syncline_codegen::{Code, Diagnostic, Severity};
use syncline_model::schema::Verb;

use crate::sample::{COMPONENTS, LIST, NOTE, resolved, with_paths};

/// What is told of these operations at `/notes` and `/notes/{id}`, as `code: message`.
fn told(own: &str, item: &str) -> Vec<String> {
    let all = diagnostics(&document(own, item));
    let told = all.iter();
    told.map(|one| format!("{}: {}", one.code.as_str(), one.message))
        .collect()
}

fn document(own: &str, item: &str) -> String {
    let paths = format!("  /notes:\n    {own}\n  /notes/{{id}}:\n    {item}\n");
    with_paths(&paths) + COMPONENTS
}

/// All of it, each seen to name a part of the text.
fn diagnostics(text: &str) -> Vec<Diagnostic> {
    let found = resolved(text).diagnostics;
    for one in &found {
        assert!(one.line > 2 && !one.pointer.is_empty(), "{one}");
    }
    found
}

const NOTE_SCHEMA: &str =
    "content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } }";

fn get() -> String {
    format!("get: {NOTE}")
}

fn list_with(parameters: &str) -> String {
    LIST.replacen("{ ", &format!("{{ parameters: [{parameters}], "), 1)
}

#[test]
fn the_parameters_of_a_query_that_are_not_served_are_told() {
    let query = |name: &str, rest: &str| format!("{{ name: {name}, in: query{rest} }}");
    let list = |parameters: &str| told(&format!("get: {}", list_with(parameters)), &get());
    let array = ", schema: { type: array, items: { type: string } }";
    for served in [
        query("limit", ""),
        query("order", ""),
        query("cursor", ""),
        query("title", ", schema: { type: string }"),
        query("title__gte", ""),
        query("title__in", &format!("{array}, explode: false")),
        "{ name: page, in: header }".to_owned(),
    ] {
        assert_eq!(list(&served), Vec::<String>::new(), "{served}");
    }
    for unserved in [
        query("page", ""),
        query("title__like", ""),
        query("title", array),
        query("title__in", array),
        query("author", ", schema: { type: string }"),
    ] {
        let found = list(&unserved);
        assert_eq!(found.len(), 1, "{unserved}: {found:?}");
        assert!(found[0].starts_with("parameter: GET /notes: "), "{found:?}");
    }
    let all: Vec<_> = (0..7).map(|n| query(&format!("p{n}"), "")).collect();
    let found = list(&all.join(", "));
    assert!(
        found[0].contains("`p0`, `p1`, `p2`, `p3`, `p4` and 2 more"),
        "{found:?}"
    );
    // A path's parameters are those of its operations.
    let shared = format!("parameters: [{}]\n    {}", query("fields", ""), get());
    let found = told(&format!("get: {LIST}"), &shared);
    assert_eq!(
        found,
        ["parameter: GET /notes/{id}: a Syncline server does not read `fields` in a query"]
    );
}

#[test]
fn an_answer_of_another_form_is_told() {
    let page = |properties: &str, required: &str| {
        let schema = format!(
            "{{ type: object, required: [{required}], properties: {{ data: {{ type: array, items: {{ $ref: '#/components/schemas/Note' }} }}{properties} }} }}"
        );
        let list = format!(
            "get: {{ responses: {{ '200': {{ content: {{ application/json: {{ schema: {schema} }} }} }} }} }}"
        );
        diagnostics(&document(&list, &get()))
    };
    assert_eq!(page("", "data"), []);
    assert_eq!(
        page(", next_cursor: { type: string }", "data, next_cursor"),
        []
    );
    for (required, severity) in [("data, total", Severity::Warning), ("data", Severity::Info)] {
        let found = page(", total: { type: integer }", required);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].code.as_str(), found[0].severity),
            ("answer", severity)
        );
        assert!(found[0].message.contains("`total`"), "{found:?}");
    }
    let answered = |schema: &str| {
        let post = format!(
            "post: {{ requestBody: {{ {NOTE_SCHEMA} }}, responses: {{ '201': {{ content: {{ application/json: {{ schema: {schema} }} }} }} }} }}"
        );
        told(&format!("get: {LIST}\n    {post}"), &get())
    };
    let note = "{ $ref: '#/components/schemas/Note' }";
    assert_eq!(answered(note), Vec::<String>::new());
    assert_eq!(answered("{}"), Vec::<String>::new());
    for other in [
        "{ type: object, properties: { ok: { type: boolean } } }",
        "{ type: string }",
        &format!("{{ type: array, items: {note} }}"),
    ] {
        let found = answered(other);
        let message = "answer: POST /notes is answered with the record, and not as declared here";
        assert_eq!(found, [message], "{other}");
    }
    let found = answered(&format!(
        "{{ type: object, properties: {{ data: {note} }} }}"
    ));
    assert!(
        found[0].starts_with("no_schema: one record is answered within `data`"),
        "{found:?}"
    );
}

#[test]
fn a_status_of_success_is_as_declared_or_told() {
    let one = |verb: &str, statuses: &str| {
        let operation = |name: &str| match verb == name {
            true => format!(
                "{name}: {{ requestBody: {{ {NOTE_SCHEMA} }}, responses: {{ {statuses} }} }}"
            ),
            false => String::new(),
        };
        let item = [get(), operation("patch"), operation("delete")].join("\n    ");
        let text = document(&format!("get: {LIST}\n    {}", operation("post")), &item);
        let resolution = resolved(&text);
        let operations = resolution.schema.entities[0].operations.iter();
        let wanted = match verb {
            "post" => Verb::Create,
            "patch" => Verb::Update,
            _ => Verb::Delete,
        };
        let status = operations
            .filter(|one| one.verb == wanted)
            .map(|one| one.status);
        (status.collect::<Vec<_>>(), resolution.diagnostics.len())
    };
    let empty = "{ description: '' }";
    let said = format!("{{ {NOTE_SCHEMA} }}");
    for (verb, statuses, status, notes) in [
        ("post", format!("'201': {said}"), None, 0),
        ("post", format!("'200': {said}"), Some(200), 0),
        ("post", format!("'200': {said}, '201': {said}"), None, 0),
        ("post", format!("2XX: {said}"), None, 0),
        ("post", String::new(), None, 0),
        ("post", format!("'202': {empty}"), None, 1),
        ("patch", format!("'200': {said}"), None, 0),
        ("patch", format!("'204': {empty}"), None, 1),
        ("delete", format!("'204': {empty}"), None, 0),
        ("delete", format!("'200': {empty}"), Some(200), 0),
        (
            "delete",
            "'200': { content: { application/json: { schema: {} } } }".to_owned(),
            Some(200),
            0,
        ),
        ("delete", format!("'200': {said}"), None, 1),
    ] {
        assert_eq!(
            one(verb, &statuses),
            (vec![status], notes),
            "{verb} {statuses}"
        );
    }
}

#[test]
fn errors_of_another_form_are_told_once() {
    let error = "'404': { content: { application/json: { schema: { type: object } } } }";
    let with = |operation: &str| {
        operation.replacen("responses: { ", &format!("responses: {{ {error}, "), 1)
    };
    let text = document(
        &format!("get: {}", with(LIST)),
        &format!("get: {}", with(NOTE)),
    );
    let found = diagnostics(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].severity, found[0].line), (Severity::Info, 4));
}

#[test]
fn an_address_with_a_path_is_told() {
    let with = |servers: &str| {
        let text = document(&format!("get: {LIST}"), &get());
        diagnostics(&format!("{text}servers: [{servers}]\n"))
    };
    for plain in [
        "{ url: / }",
        "{ url: 'https://api.example' }",
        "{ url: 'https://api.example:8443/' }",
        "{ url: '{origin}', variables: { origin: { default: 'https://api.example' } } }",
    ] {
        assert_eq!(with(plain), [], "{plain}");
    }
    for prefixed in [
        "{ url: /v2 }",
        "{ url: ./v2/ }",
        "{ url: 'https://api.example/v2' }",
        "{ url: 'https://{region}.example/{base}', variables: { base: { default: v2 } } }",
    ] {
        let found = with(prefixed);
        assert_eq!(found.len(), 1, "{prefixed}: {found:?}");
        assert_eq!(found[0].code.as_str(), "servers");
        assert_eq!(found[0].severity, Severity::Warning);
        assert_eq!(found[0].pointer, "/servers/0");
        assert!(
            found[0].message.contains("at `/notes`, without the `/v2`"),
            "{found:?}"
        );
    }
    let own = format!("servers: [{{ url: /v3 }}]\n    get: {LIST}");
    let found = diagnostics(&document(&own, &get()));
    assert_eq!(found[0].pointer, "/paths/~1notes/servers/0");
}

#[test]
fn a_body_that_is_declared_in_other_forms_than_json_alone_is_told() {
    let told = |forms: &str| {
        let body = format!("requestBody: {{ content: {{ {forms} }} }}");
        let made = format!("responses: {{ '201': {{ {NOTE_SCHEMA} }} }}");
        told(&format!("post: {{ {body}, {made} }}"), &get())
    };
    let form = |name: &str| format!("{name}: {{ schema: {{ type: object }} }}");
    let json = form("application/json");
    assert_eq!(told(&json), Vec::<String>::new());
    assert_eq!(
        told(&format!("{json}, {}", form("multipart/form-data"))),
        Vec::<String>::new()
    );
    assert_eq!(
        told(&form("multipart/form-data")),
        [
            "request: POST /notes: a Syncline server reads bodies of JSON alone, and not `multipart/form-data`"
        ]
    );
}

#[test]
fn what_no_operation_does_and_other_ways_do_is_told_once() {
    let found = |own: &str, item: &str| {
        let found = syncline_codegen::resolve(&document(own, item)).diagnostics;
        let found = found.into_iter().filter(|one| one.code == Code::UNDECLARED);
        found.collect::<Vec<_>>()
    };
    let body = format!("requestBody: {{ {NOTE_SCHEMA} }}, responses: {{}}");
    let (post, patch) = (
        format!("post: {{ {body} }}"),
        format!("patch: {{ {body} }}"),
    );
    let (put, delete) = (format!("put: {{ {body} }}"), "delete: { responses: {} }");
    let all = |change: &str| found(&post, &[change, delete].join("\n    "));
    assert_eq!(all(&patch), []);
    assert_eq!(all(&put), []);
    for (own, item, words) in [
        (
            format!("get: {LIST}"),
            get(),
            "makes `notes`, none changes `notes`, none deletes `notes`:",
        ),
        (
            post.clone(),
            get(),
            "changes `notes`, none deletes `notes`:",
        ),
        (post.clone(), patch.clone(), "deletes `notes`:"),
        (
            format!("get: {LIST}"),
            [&*patch, delete].join("\n    "),
            "makes `notes`:",
        ),
    ] {
        let told = found(&own, &item);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((told[0].severity, told[0].line), (Severity::Info, 3));
        let wanted = format!("no operation {words} who may write them does it");
        assert!(told[0].message.starts_with(&wanted), "{told:?}");
        // Whoever reads it can act on it, and neither all editors nor all generated clients do what it says.
        for said in [
            "`syncline record`",
            "clients with a database",
            "`x-rbac` limit who",
        ] {
            assert!(told[0].message.contains(said), "{told:?}");
        }
    }
}

#[test]
fn what_no_operation_of_many_does_is_told_at_the_first_in_the_text() {
    let paths: String = ["zebras", "ants", "bees", "cows", "dogs", "elks", "foxes"]
        .iter()
        .map(|name| format!("  /{name}:\n    get: {LIST}\n"))
        .collect();
    // Nobody writes a field of theirs that is there.
    let fixed = "components: { schemas: { Note: { type: object, properties: { id: { type: string }, title: { type: string, readOnly: true } } } } }\n";
    let found = syncline_codegen::resolve(&(with_paths(&paths) + fixed)).diagnostics;
    let found = found.iter().filter(|one| one.code == Code::UNDECLARED);
    let found: Vec<_> = found.collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].pointer, "/paths/~1zebras");
    let names = "`ants`, `bees`, `cows`, `dogs`, `elks` and 2 more";
    let wanted = format!("no operation makes {names}, none deletes {names}: ");
    assert!(found[0].message.starts_with(&wanted), "{found:?}");
}
