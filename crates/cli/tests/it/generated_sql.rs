//! The generated `*.sqlite.sql`: they run as they stand in the SQLite that is built in, and in the oldest
//! one that they are for, where this machine has it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use syncline_codegen::client::{Options, Part, generate};

/// The oldest SQLite that the files are for.
const OLDEST: &str = "3.40.";

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

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a document's schema, in the order in which they are run.
fn files(document: &str) -> Vec<String> {
    let only = Some(vec![Part::Schema]);
    let schema = syncline_codegen::resolve(document).schema;
    let options = Options {
        only,
        ..Options::default()
    };
    let mut files = generate(&schema, &options).unwrap();
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

fn sample() -> Vec<String> {
    let path = repository().join("packages/client/test/openapi.yaml");
    files(&std::fs::read_to_string(path).unwrap())
}

/// All documents that are there to be tried.
fn documents() -> Vec<String> {
    let fixtures = repository().join("crates/codegen/tests/fixtures");
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "yaml") {
            documents.push(std::fs::read_to_string(path).unwrap());
        }
    }
    assert!(documents.len() > 5);
    documents
}

/// Each statement of a history of writes, answers and rows, and the rows that it is to give.
fn history() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut history: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in include_str!("../data/generated-history.txt").lines() {
        if let Some(row) = line.strip_prefix("= ") {
            history.last_mut().unwrap().1.push(row);
        } else if !line.starts_with('#') {
            history.push((line, Vec::new()));
        }
    }
    assert!(history.len() > 20);
    history
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

/// What the system's own shell of SQLite prints, if it is of the oldest version.
#[expect(
    clippy::print_stdout,
    reason = "the log of a run says which versions were tried"
)]
fn oldest_shell(script: &str) -> Option<String> {
    let version = Command::new("sqlite3").arg("--version").output();
    let version = version.expect("`apt-get install sqlite3` gives the shell of SQLite");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    if !version.starts_with(OLDEST) {
        println!("sqlite3 here is {version}, not {OLDEST}x: seen in the built-in one alone");
        return None;
    }
    let mut shell = Command::new("sqlite3");
    shell.args(["-batch", "-bail", ":memory:"]);
    shell.stdin(Stdio::piped());
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = shell.spawn().unwrap();
    let mut input = running.stdin.take().unwrap();
    input.write_all(script.as_bytes()).unwrap();
    drop(input);
    let output = running.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{told}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_files_do_what_they_say_in_the_built_in_sqlite() {
    let connection = Connection::open_in_memory().unwrap();
    for file in sample() {
        connection.execute_batch(&file).unwrap();
    }
    for (statement, expected) in history() {
        assert_eq!(rows(&connection, statement), expected, "{statement}");
    }
}

#[test]
fn the_files_do_what_they_say_in_the_oldest_sqlite() {
    let mut script = sample().join("\n");
    let history = history();
    for (statement, _) in &history {
        script.push_str(statement);
        script.push_str(";\n");
    }
    let expected: Vec<&str> = history.into_iter().flat_map(|(_, rows)| rows).collect();
    if let Some(printed) = oldest_shell(&script) {
        let printed: Vec<&str> = printed.lines().collect();
        assert_eq!(printed, expected);
    }
}

#[test]
fn the_files_of_every_document_run_and_run_again() {
    for document in documents() {
        let files = files(&document);
        let connection = Connection::open_in_memory().unwrap();
        for file in files.iter().chain(&files) {
            connection.execute_batch(file).unwrap();
        }
        oldest_shell(&[files.join("\n"), files.join("\n")].join("\n"));
    }
}

#[test]
fn the_files_use_nothing_that_is_newer_than_the_oldest_sqlite() {
    for file in documents().iter().flat_map(|document| files(document)) {
        let statements = file.to_lowercase();
        for newer in NEWER {
            assert!(!statements.contains(newer), "{newer}");
        }
    }
}
