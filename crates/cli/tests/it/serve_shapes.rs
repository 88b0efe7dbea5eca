//! What an operator says of shapes, by environment and by flag.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;

use crate::machine::Machine;
use crate::serve_environment::Told;
use crate::serve_schema::machine;
use crate::wire::Wire;

/// How long a test waits for what should come at once; less than what a server waits for by default.
const PATIENCE: Duration = Duration::from_secs(15);

/// Each setting: its variable, its flag, and a value that is seen in the answers below.
const SETTINGS: [[&str; 3]; 5] = [
    ["SYNCLINE_SHAPE_CHUNK_BYTES", "--shape-chunk-bytes", "1"],
    ["SYNCLINE_SHAPE_LONG_POLL", "--shape-long-poll", "0s"],
    ["SYNCLINE_SHAPE_STREAM", "--shape-stream", "90d"],
    ["SYNCLINE_SHAPE_MAX_AGE", "--shape-max-age", "7s"],
    ["SYNCLINE_SHAPE_STALE_AGE", "--shape-stale-age", "9s"],
];

/// A server of the document.
fn serve(machine: &Machine, variables: &[(&str, &str)], flags: &[&str]) -> Told {
    let own = [
        "--listen",
        "127.0.0.1:0",
        "--data",
        "srv",
        "--schema",
        "openapi.yaml",
    ];
    Told::start(machine, variables, &[&own[..], flags].concat())
}

fn address(server: &Told) -> SocketAddr {
    server.url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// A request that was sent, and whose answer is still to be read.
fn sent(server: &Told, method: &str, query: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address(server)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "{method} /v1/shape?table=contacts&{query} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    BufReader::new(stream)
}

/// An answer as it came, in small letters.
fn ask(server: &Told, method: &str, query: &str) -> String {
    let mut answer = String::new();
    sent(server, method, query)
        .read_to_string(&mut answer)
        .unwrap();
    answer.to_ascii_lowercase()
}

/// What comes before the events of a stream, in small letters.
fn ask_for_events(server: &Told, query: &str) -> String {
    let lines = sent(server, "GET", query).lines().map(Result::unwrap);
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    head.join("\n").to_ascii_lowercase()
}

fn header<'a>(answer: &'a str, name: &str) -> &'a str {
    let mut lines = answer.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    value.unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn is_up_to_date(answer: &str) -> bool {
    answer.contains("\nelectric-up-to-date: ")
}

/// Sees each setting in what the server answers.
fn sees_all_settings(machine: &Machine, variables: &[(&str, &str)], flags: &[&str]) {
    let server = serve(machine, variables, flags);
    for name in ["Ada", "Bob"] {
        let mut wire = Wire::connect(address(&server), "").unwrap();
        let contact = json!({"name": name}).to_string();
        let made = wire.post("/api/contacts", contact.as_bytes()).unwrap();
        assert_eq!(made.status, 201, "{}", made.body);
    }

    // An answer ends after the row that reaches its bytes.
    let first = ask(&server, "GET", "offset=-1");
    assert_eq!(
        first.matches("\"operation\":\"insert\"").count(),
        1,
        "{first}"
    );
    assert!(!is_up_to_date(&first), "{first}");
    let handle = header(&first, "electric-handle").to_owned();
    let mut answer = first;
    while !is_up_to_date(&answer) {
        let offset = header(&answer, "electric-offset");
        answer = ask(&server, "GET", &format!("handle={handle}&offset={offset}"));
        let kept = header(&answer, "cache-control");
        assert!(
            kept.ends_with("max-age=7, stale-while-revalidate=9"),
            "{kept}"
        );
    }

    // Nothing changes meanwhile, and it comes to its end.
    let offset = header(&answer, "electric-offset");
    let live = format!("handle={handle}&offset={offset}&live=true");
    let polled = ask(&server, "GET", &live);
    assert!(polled.contains("\"up-to-date\""), "{polled}");
    let streamed = ask_for_events(&server, &format!("{live}&live_sse=true"));
    let kept = header(&streamed, "cache-control");
    assert!(kept.ends_with("max-age=7775999"), "{kept}");

    let deleted = ask(&server, "DELETE", &format!("handle={handle}"));
    assert!(deleted.starts_with("http/1.1 202 "), "{deleted}");
}

#[test]
fn every_setting_of_shapes_is_told_by_the_environment() {
    let mut variables: Vec<_> = SETTINGS.map(|[name, _, value]| (name, value)).into();
    variables.push(("SYNCLINE_SHAPE_DELETES", "true"));
    sees_all_settings(&machine(), &variables, &[]);
}

#[test]
fn every_setting_of_shapes_is_told_by_a_flag_before_the_environment() {
    let others = SETTINGS.map(|[name, _, value]| match value {
        "1" => (name, "1000000"),
        _ => (name, "1h"),
    });
    let mut flags: Vec<_> = SETTINGS
        .iter()
        .flat_map(|[_, flag, value]| [*flag, *value])
        .collect();
    flags.push("--shape-deletes");
    sees_all_settings(&machine(), &others, &flags);
}

#[test]
fn a_setting_of_shapes_that_cannot_be_is_refused_by_name() {
    let machine = Machine::new();
    // What would not be refused by its name would be for its document, and serve nothing.
    let serve = ["serve", "--data", "srv", "--schema", "nowhere.yaml"];
    for [name, _, _] in SETTINGS.into_iter().chain([["SYNCLINE_SHAPE_DELETES"; 3]]) {
        machine
            .run_with(&[(name, "soon")], &serve)
            .failed(2, "environment_invalid")
            .says(name);
    }
}

#[test]
fn clients_delete_no_shapes_unless_the_operator_lets_them() {
    let machine = machine();
    let server = serve(&machine, &[], &[]);
    let first = ask(&server, "GET", "offset=-1");
    let handle = header(&first, "electric-handle");
    let refused = ask(&server, "DELETE", &format!("handle={handle}"));
    assert!(refused.starts_with("http/1.1 405 "), "{refused}");
}
