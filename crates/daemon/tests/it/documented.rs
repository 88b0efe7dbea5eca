//! `docs/guide/socket.md` says what the socket does.

use serde_json::{Value, json};

use crate::house::{Home, Running};
use crate::plugin::{ask, capturing};

const DOCUMENT: &str = include_str!("../../../../docs/guide/socket.md");

/// The text under a heading, to the next.
fn section(heading: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// The cells of the rows of a section's table, without its head.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let rows = section(heading)
        .lines()
        .filter(|line| line.starts_with('|'));
    let cells = |row: &'static str| row.trim_matches('|').split('|').map(str::trim).collect();
    rows.skip(2).map(cells).collect()
}

/// What stands between backticks.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_batch_of_the_document_is_answered_as_it_says() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let mut blocks = section("A batch").split("```json\n").skip(1);
    let mut block = || -> Value {
        let text = blocks.next().unwrap().split("```").next().unwrap();
        serde_json::from_str(text).unwrap()
    };
    let (request, answer) = (block(), block());
    assert_eq!(ask(&home.socket(), &request), answer);
    daemon.signal();
}

#[test]
fn every_method_of_the_document_is_there() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    let rows = rows("Methods");
    let methods: Vec<&str> = rows.iter().flat_map(|row| names(row[0])).collect();
    assert!(methods.len() > 20, "{methods:?}");
    // The last one ends the daemon.
    assert_eq!(methods.last(), Some(&"stop"));
    for method in methods {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {} });
        let answer = ask(&home.socket(), &request);
        assert_ne!(answer["error"]["code"], -32601, "{method}");
    }
    drop(daemon);
}

#[test]
fn what_the_document_requires_of_a_thing_is_required_and_nothing_else() {
    let home = Home::new();
    let daemon = Running::start(capturing(&home));
    for row in rows("What is told") {
        let thing = names(row[0]).next().unwrap();
        let method = format!("upsert{}{}", thing[..1].to_uppercase(), &thing[1..]);
        let required: Vec<&str> = row[1].split("**").skip(1).step_by(2).collect();
        let mut told = json!({});
        for field in required.iter().map(|field| field.trim_matches('`')) {
            let params = json!({ thing: told });
            let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
            let answer = ask(&home.socket(), &request);
            assert_eq!(answer["error"]["code"], 4001, "{method}: {answer}");
            assert_eq!(answer["error"]["data"]["field"], field, "{method}");
            told[field] = json!("x");
        }
        let known: Vec<&str> = names(row[1]).collect();
        for field in &known[required.len()..] {
            told[*field] = Value::Null;
        }
        let request =
            json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { thing: told } });
        let answer = ask(&home.socket(), &request);
        assert_eq!(answer["result"], json!({ "ok": true }), "{method}");
        // A field that is not known is kept: one that is told by another type than it must be is not.
        for field in &known {
            let mut told = told.clone();
            told[*field] = json!([[]]);
            let request =
                json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { thing: told } });
            let answer = ask(&home.socket(), &request);
            let takes_any = matches!(*field, "toolInput" | "toolOutput");
            assert_eq!(
                answer["error"].is_null(),
                takes_any,
                "{method} {field}: {answer}"
            );
        }
    }
    daemon.signal();
}
