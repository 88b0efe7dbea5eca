//! The generated `*.sqlite.sql`: they run as they stand in the SQLite that is built in, and in the shell of the
//! system's own, which is the oldest that they are for where the system is Debian 12.

#[path = "../../../codegen/tests/it/documents/packages.rs"]
mod packages;

use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use syncline_codegen::client::{Options, Part, generate};
use syncline_model::schema::{Entity, Field, FieldKind, Schema, WriteMode};

use packages::{CODE_FORGE, DIRECTORY, document};

/// The oldest SQLite that the files are for.
const OLDEST: [u32; 2] = [3, 40];

/// What came after it and could slip in: functions, and an order within an aggregate.
const NEWER: [&str; 12] = [
    "concat(",
    "concat_ws(",
    "json_array_insert",
    "json_error_position",
    "json_pretty",
    "jsonb",
    "octet_length",
    "percentile",
    "string_agg",
    "timediff",
    "unhex",
    "unistr",
];

/// Entities of a document that are written to, spread over all of it: large ones have a hundred, of dozens of fields.
const ENTITIES_WRITTEN: usize = 14;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a schema, in the order in which they are run.
fn files(schema: &Schema) -> Vec<String> {
    let only = Some(vec![Part::Schema]);
    let options = Options {
        only,
        ..Options::default()
    };
    let mut files = generate(schema, &options).unwrap();
    files.retain(|file| file.path.ends_with(".sqlite.sql"));
    let (first, rest): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.path.ends_with("/_changes.sqlite.sql"));
    assert_eq!(first.len(), 1);
    first
        .into_iter()
        .chain(rest)
        .map(|file| file.text)
        .collect()
}

fn schema_at(path: &Path) -> Schema {
    syncline_codegen::resolve(&std::fs::read_to_string(path).unwrap()).schema
}

fn sample() -> Vec<String> {
    let path = repository().join("packages/client/test/openapi.yaml");
    files(&schema_at(&path))
}

/// Those of all documents that are there to be tried, some of them as large as they come.
fn schemas() -> Vec<Schema> {
    let fixtures = repository().join("crates/codegen/tests/fixtures");
    let large = [
        (CODE_FORGE, "api.github.com.json"),
        (DIRECTORY, "netbox.dev.json"),
        (DIRECTORY, "stripe.com.json"),
    ];
    let large = large.map(|(package, file)| document(&package, file));
    let mut schemas: Vec<Schema> = large
        .iter()
        .map(|text| syncline_codegen::resolve(text).schema)
        .collect();
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "yaml") {
            schemas.push(schema_at(&path));
        }
    }
    assert!(schemas.len() > 8);
    schemas
}

/// A statement, and the rows that it is to give.
type Step = (String, Vec<String>);

/// The steps that a text of `tests/data` has.
fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(row) = line.strip_prefix("= ") {
            steps.last_mut().unwrap().1.push(row.to_owned());
        } else if !line.is_empty() && !line.starts_with('#') {
            steps.push((line.to_owned(), Vec::new()));
        }
    }
    steps
}

/// A history of writes, answers and rows of the sample.
fn history() -> Vec<Step> {
    let history = steps(include_str!("../data/generated-history.txt"));
    assert!(history.len() > 20);
    history
}

/// What becomes of one record of an entity, all of whose fields are written to.
fn life_of(entity: &Entity) -> Vec<Step> {
    let text = match entity.mode {
        WriteMode::Optimistic => include_str!("../data/generated-life-optimistic.txt"),
        _ => include_str!("../data/generated-life-confirmed.txt"),
    };
    let key = entity.key_field().unwrap();
    let mut fields: Vec<&Field> = entity.stored_fields().collect();
    fields.retain(|field| field.name != entity.key);
    fields.sort_by_key(|field| &field.name);
    let listed = |of: &dyn Fn(&Field) -> String, first: String| {
        let others = fields.iter().map(|field| of(field));
        let all: Vec<String> = [first].into_iter().chain(others).collect();
        all.join(", ")
    };
    let set = |at: usize| {
        let one = |field: &Field| format!("{} = {}", identifier(&field.name), literal(field, at));
        listed(&one, format!("{0} = {0}", identifier(&key.name)))
    };
    let cells = |operation: &str, at: usize| -> String {
        let cell = |field: &&Field| {
            let value = values_of(&field.kind)[at];
            format!("= {operation}|{}|{value}\n", field.name)
        };
        fields.iter().map(cell).collect()
    };
    let columns = listed(&|field| identifier(&field.name), identifier(&key.name));
    let ones = listed(&|field| literal(field, 0), literal(key, 0));
    let text = text
        .replace("{view}", &identifier(&entity.name))
        .replace("{synced}", &identifier(&format!("{}_synced", entity.name)))
        .replace("{key}", &identifier(&key.name))
        .replace("{id}", &literal(key, 0))
        .replace("{columns}", &columns)
        .replace("{ones}", &ones)
        .replace("{set ones}", &set(0))
        .replace("{set twos}", &set(1))
        .replace("{= insert ones}", &cells("insert", 0))
        .replace("{= insert twos}", &cells("insert", 1))
        .replace("{= update twos}", &cells("update", 1));
    steps(&text)
}

/// Two values of a kind, as SQLite shows them.
fn values_of(kind: &FieldKind) -> [&'static str; 2] {
    match kind {
        FieldKind::Text => ["it's one", "\"two\""],
        FieldKind::Uuid => [
            "00000000-0000-4000-8000-00000000000a",
            "00000000-0000-4000-8000-00000000000b",
        ],
        FieldKind::Boolean => ["1", "0"],
        FieldKind::Int32 | FieldKind::Int64 => ["7", "8"],
        FieldKind::Float => ["2.5", "-0.25"],
        FieldKind::Decimal => ["1.250", "12345678901234567890.5"],
        FieldKind::Date => ["2026-01-30", "2026-01-31"],
        FieldKind::Time => ["10:00:00", "23:59:59"],
        FieldKind::Timestamp => ["2026-01-31T10:00:00Z", "2026-01-31T10:00:01Z"],
        FieldKind::Json => [r#"{"deep":[1,null]}"#, "[2]"],
    }
}

fn literal(field: &Field, at: usize) -> String {
    let value = values_of(&field.kind)[at];
    match field.kind {
        FieldKind::Boolean | FieldKind::Int32 | FieldKind::Int64 | FieldKind::Float => {
            value.to_owned()
        }
        _ => format!("'{}'", value.replace('\'', "''")),
    }
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The rows of a statement, as the shell of SQLite prints them.
fn rows(connection: &Connection, statement: &str) -> Vec<String> {
    let mut prepared = connection.prepare(statement).unwrap();
    let columns = prepared.column_count();
    let mut found = prepared.query([]).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = found.next().unwrap() {
        let cells: Vec<String> = (0..columns)
            .map(|at| match row.get_ref(at).unwrap() {
                ValueRef::Null => String::new(),
                ValueRef::Integer(number) => number.to_string(),
                ValueRef::Real(number) => number.to_string(),
                ValueRef::Text(text) | ValueRef::Blob(text) => {
                    String::from_utf8(text.to_vec()).unwrap()
                }
            })
            .collect();
        rows.push(cells.join("|"));
    }
    rows
}

/// Runs the files and the steps in the system's own shell of SQLite, and compares what it prints.
#[expect(
    clippy::print_stdout,
    reason = "the log of a run says which versions were tried"
)]
fn check_in_shell(files: &[String], steps: &[Step]) {
    // tidy: sql because it asks which SQLite this is
    let mut script = "SELECT sqlite_version();\n".to_owned();
    script.push_str(&files.join("\n"));
    for (statement, _) in steps {
        script.push_str(statement);
        script.push_str(";\n");
    }
    let printed = printed_by_shell(&script);
    let mut printed = printed.lines();
    let version = printed.next().unwrap();
    println!("seen in sqlite3 {version}");
    let numbers = version.split('.').map(|part| part.parse().unwrap());
    let numbers: Vec<u32> = numbers.take(OLDEST.len()).collect();
    assert!(
        numbers >= OLDEST.to_vec(),
        "sqlite3 is {version}: the files are for {OLDEST:?} or newer, as `apt-get install sqlite3` gives it on Debian 12"
    );
    let expected: Vec<&String> = steps.iter().flat_map(|(_, rows)| rows).collect();
    assert_eq!(
        printed.collect::<Vec<_>>(),
        expected,
        "in sqlite3 {version}"
    );
}

fn printed_by_shell(script: &str) -> String {
    // Of a file: into a pipe nothing more can be written once the shell has failed, whose reason would not be told.
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    input.rewind().unwrap();
    let mut shell = Command::new("sqlite3");
    shell.args(["-batch", "-bail", ":memory:"]).stdin(input);
    let output = shell.output();
    let output = output.expect("`apt-get install sqlite3` gives the shell of SQLite");
    let told = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8(output.stdout).unwrap();
    let is_done = output.status.success() && told.is_empty();
    assert!(is_done, "{told}, after it had printed {printed}");
    printed
}

fn check_built_in(files: &[String], steps: &[Step]) {
    let connection = Connection::open_in_memory().unwrap();
    for file in files {
        connection.execute_batch(file).unwrap();
    }
    for (statement, expected) in steps {
        assert_eq!(&rows(&connection, statement), expected, "{statement}");
    }
}

#[test]
fn the_files_do_what_they_say_in_the_built_in_sqlite() {
    check_built_in(&sample(), &history());
}

#[test]
fn the_files_do_what_they_say_in_the_shell_of_sqlite() {
    check_in_shell(&sample(), &history());
}

/// However much is behind what it refuses.
#[test]
#[should_panic(expected = "syntax error")]
fn the_shell_of_sqlite_is_heard_where_it_refuses_something() {
    let rest = "-- Nobody reads this.\n".repeat(100_000);
    printed_by_shell(&format!("nonsense;\n{rest}"));
}

#[test]
fn entities_of_every_document_are_written_to_in_both() {
    for schema in schemas() {
        let files = files(&schema);
        let spread = schema.entities.len().div_ceil(ENTITIES_WRITTEN);
        let written = schema.entities.iter().step_by(spread);
        let steps: Vec<Step> = written.flat_map(life_of).collect();
        check_built_in(&files, &steps);
        check_in_shell(&files, &steps);
    }
}

#[test]
fn the_files_of_every_document_run_and_run_again() {
    for schema in schemas() {
        let files = files(&schema);
        let twice = [files.as_slice(), &files].concat();
        check_built_in(&twice, &[]);
        check_in_shell(&twice, &[]);
    }
}

#[test]
fn the_files_use_nothing_that_is_newer_than_the_oldest_sqlite() {
    for file in schemas().iter().flat_map(files) {
        let statements = file.to_lowercase();
        for newer in NEWER {
            assert!(!statements.contains(newer), "{newer}");
        }
    }
}
