//! Clients: which files are written, and how what is called alike is told apart.

use std::collections::BTreeSet;

use syncline_codegen::client::{
    COLUMN_NAME_BYTES_MAX, File, Local, NameProblem, Options, Part, generate,
};

use crate::sample::{notes, resolved, with_paths};

/// A document whose collections have these names.
fn collections(names: &[&str]) -> String {
    let paths: String = names
        .iter()
        .map(|name| {
            format!(
                "  /{name}:\n    get: {{ responses: {{ '200': {{ content: {{ application/json: {{ schema: \
                 {{ type: array, items: {{ type: object, properties: {{ id: {{ type: string }}, \
                 title: {{ type: string }} }} }} }} }} }} }} }} }}\n"
            )
        })
        .collect();
    with_paths(&paths)
}

fn written(text: &str, options: &Options) -> Result<Vec<File>, Vec<NameProblem>> {
    generate(&resolved(text).schema, options)
}

fn text_of<'f>(files: &'f [File], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap().text
}

fn only(part: Part, local: Local) -> Options {
    let only = Some(vec![part]);
    Options { local, only }
}

#[test]
fn a_page_that_keeps_its_rows_in_memory_gets_no_statements_unless_it_asks() {
    let document = collections(&["tasks"]);
    let has_schema = |options: &Options| {
        let files = written(&document, options).unwrap();
        files.iter().any(|file| file.path.starts_with("schema/"))
    };
    let local = Local::Memory;
    assert!(!has_schema(&Options { local, only: None }));
    for part in Part::ALL {
        assert_eq!(has_schema(&only(part, local)), part == Part::Schema);
    }
    assert!(has_schema(&Options::default()));
}

/// Every module that a file names must be written with it.
#[test]
fn a_part_comes_with_what_it_imports() {
    let document = collections(&["tasks", "people"]);
    for local in [Local::Pglite, Local::Memory] {
        for part in Part::ALL {
            let files = written(&document, &only(part, local)).unwrap();
            let modules = files.iter().filter(|file| file.path.ends_with(".ts"));
            for file in modules {
                let dir = file.path.rsplit_once('/').map_or("", |(dir, _)| dir);
                let named = file.text.split("from \"").skip(1);
                for name in named.filter_map(|rest| rest.split('"').next()) {
                    let path = match (name.strip_prefix("../"), name.strip_prefix("./")) {
                        (Some(path), _) => path.to_owned(),
                        (None, Some(path)) if dir.is_empty() => path.to_owned(),
                        (None, Some(path)) => format!("{dir}/{path}"),
                        (None, None) => continue,
                    };
                    let path = path.replace(".js", ".ts");
                    let is_there = files.iter().any(|other| other.path == path);
                    assert!(is_there, "{part:?} {local:?}: {} imports {name}", file.path);
                }
            }
        }
    }
}

#[test]
fn a_type_that_would_be_what_another_ones_is_made_of_has_a_name_of_its_own() {
    let document = collections(&["contacts", "contact_creates", "storages", "collections"]);
    let files = written(&document, &Options::default()).unwrap();
    let types = |file: &str, name: &str| {
        text_of(&files, &format!("types/{file}.ts")).contains(&format!("export type {name} = {{"))
    };
    assert!(types("contacts", "Contact") && types("contacts", "ContactCreate"));
    assert!(types("contact_creates", "ContactCreateRow"));
    assert!(types("storages", "StorageRow"));
    assert!(types("collections", "CollectionRow"));
}

#[test]
fn names_that_would_be_one_in_typescript_are_told() {
    let problems = written(&collections(&["foo_bar", "foo-bar"]), &Options::default());
    let problems = problems.unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let told = problems[0].to_string();
    assert!(
        told.contains("foo_bar") && told.contains("foo-bar"),
        "{told}"
    );
}

#[test]
fn a_column_that_a_database_would_cut_or_has_itself_is_told() {
    let longest = "a".repeat(COLUMN_NAME_BYTES_MAX);
    let fits = notes(&[], &[&format!("{longest}: {{ type: string }}")]);
    assert!(written(&fits, &Options::default()).is_ok());
    for name in [
        format!("{longest}a"),
        "xmin".to_owned(),
        "_is_new".to_owned(),
    ] {
        let document = notes(&[], &[&format!("{name}: {{ type: string }}")]);
        let problems = written(&document, &Options::default()).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains(&name), "{}", problems[0]);
        let local = Local::Memory;
        assert!(written(&document, &Options { local, only: None }).is_ok());
    }
}

#[test]
fn a_module_imports_the_type_of_any_json_where_a_field_has_it() {
    let imports = |document: &str| {
        let files = written(document, &Options::default()).unwrap();
        text_of(&files, "types/notes.ts").contains("import type { Json }")
    };
    assert!(imports(&notes(&[], &["more: { type: object }"])));
    assert!(!imports(&notes(&[], &["more: { type: string }"])));
}

/// A collection whose records are named by a number that clients can't make.
const TICKETS: &str = "openapi: 3.1.0\npaths:\n  /tickets:\n    get: { responses: { '200': { content: { application/json: \
                       { schema: { type: array, items: { type: object, properties: { id: { type: integer }, title: { type: string } } } } } } } } }\n";

#[test]
fn a_key_that_a_client_cannot_make_must_be_given() {
    let has = |document: &str, local: Local, line: &str| {
        let files = written(document, &Options { local, only: None }).unwrap();
        let types = text_of(
            &files,
            if document == TICKETS {
                "types/tickets.ts"
            } else {
                "types/tasks.ts"
            },
        );
        let create = types.split_once("Create = {").unwrap().1;
        create.split_once("};").unwrap().0.contains(line)
    };
    for local in [Local::Pglite, Local::Memory] {
        assert!(has(TICKETS, local, "  id: number;"));
        assert!(has(&collections(&["tasks"]), local, "  id?: string;"));
    }
    let memory = Options {
        local: Local::Memory,
        only: None,
    };
    let files = written(TICKETS, &memory).unwrap();
    assert!(!text_of(&files, "entities/tickets.ts").contains("newId"));
}

/// Tickets can only be made, in memory: what the document has no path for, a page must not be offered.
#[test]
fn a_page_in_memory_has_hooks_of_the_verbs_that_its_document_has() {
    let record = "content: { application/json: { schema: { type: object, properties: { id: { type: string }, \
                  place: { type: integer, default: 3 }, price: { type: string, format: decimal, default: '1.50' }, \
                  color: { type: string, enum: [red, blue], default: red }, \
                  done: { type: boolean }, secret: { type: string, x-sync-exclude: true } } } } }";
    let document = with_paths(&format!(
        "  /tickets:\n    get: {{ responses: {{ '200': {{ content: {{ application/json: {{ schema: {{ type: array, items: \
         {{ $ref: '#/paths/~1tickets/post/requestBody/content/application~1json/schema' }} }} }} }} }} }} }}\n    \
         post: {{ requestBody: {{ {record} }}, responses: {{ '201': {{ {record} }} }} }}\n"
    ));
    let local = Local::Memory;
    let files = written(&document, &Options { local, only: None }).unwrap();
    let hooks = text_of(&files, "entities/tickets.ts");
    assert!(hooks.contains("useCreateTicket"), "{hooks}");
    for absent in ["useUpdateTicket", "useDeleteTicket"] {
        assert!(!hooks.contains(absent), "{hooks}");
    }
    // A new one shows what the server will give it.
    for shown in [
        "place: 3,",
        "price: \"1.50\",",
        "color: \"red\",",
        "done: null,",
    ] {
        assert!(hooks.contains(&format!("  {shown}\n")), "{shown} {hooks}");
    }
    // What never travels has nothing in memory to be kept in.
    for file in &files {
        assert!(
            !file.text.contains("secret"),
            "{}: {}",
            file.path,
            file.text
        );
    }
}

/// Triggers, functions and tables that a statement makes.
fn made(sql: &str) -> BTreeSet<&str> {
    let lines = sql.lines().filter(|line| line.starts_with("CREATE "));
    lines.filter_map(|line| line.split('"').nth(1)).collect()
}

#[test]
fn no_entity_takes_the_place_of_what_the_queue_is_made_of() {
    let names = ["changes", "shapes", "outcomes", "touched", "reject"];
    let files = written(&collections(&names), &only(Part::Schema, Local::Pglite)).unwrap();
    for dialect in ["pglite", "sqlite"] {
        let queue = made(text_of(&files, &format!("schema/_changes.{dialect}.sql")));
        for name in names {
            let own = made(text_of(&files, &format!("schema/{name}.{dialect}.sql")));
            assert_eq!(
                own.intersection(&queue).count(),
                0,
                "{name}, {dialect}: {own:?}"
            );
        }
    }
}

#[test]
fn a_name_of_postgres_is_no_entity_of_a_local_database() {
    let document = collections(&["pg_class"]);
    let problems = written(&document, &Options::default()).unwrap_err();
    assert!(problems[0].message.contains("`pg_`"), "{problems:?}");
    assert!(written(&document, &only(Part::Types, Local::Memory)).is_ok());
}
