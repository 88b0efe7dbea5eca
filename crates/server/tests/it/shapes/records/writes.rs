//! Random writes through the document's paths and the queue of clients.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use reqwest::{Method, Url};
use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::table::{COLUMNS, Column, LATER};
use crate::shapes::Shapes;
use crate::support::Reply;

/// Keys of records, some of which a path and a shape's key hold only escaped.
const KEYS: [&str; 14] = [
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "h",
    "1",
    "2",
    "it's \"x\"",
    "é\u{1f980}",
    "a/b",
    "100%",
];
const STRATEGIES: [&str; 3] = ["server_wins", "last_write_wins", "reject"];

/// What became of writes.
#[derive(Debug, Default)]
pub(super) struct Written {
    accepted: usize,
    refused: usize,
    conflicts: usize,
}

impl Written {
    /// Whether some were accepted, some refused, and some met what somebody else has written.
    pub(super) fn have_met_all(&self) -> bool {
        self.accepted > 0 && self.refused > 0 && self.conflicts > 0
    }
}

/// Gives each write of a queue a name of its own.
static WRITES: AtomicU64 = AtomicU64::new(0);

/// Which columns the document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    First,
    Later,
}

/// The document of the entity, whose conflicts are settled by the seed's strategy.
pub(super) fn document(seed: u64, which: Columns) -> Value {
    let thing = json!({"$ref": "#/components/schemas/Thing"});
    let content = |schema: &Value| json!({"application/json": {"schema": schema}});
    let answer = |schema: &Value| json!({"200": {"description": "", "content": content(schema)}});
    let sent = json!({"content": content(&thing)});
    let columns: Vec<_> = COLUMNS
        .iter()
        .chain((which == Columns::Later).then_some(&LATER))
        .collect();
    let mut properties = Map::new();
    properties.insert("id".to_owned(), json!({"type": "string"}));
    for column in &columns {
        properties.insert(column.name.to_owned(), column.property());
    }
    let required = columns.iter().filter(|column| column.is_required);
    let required: Vec<_> = required.map(|column| column.name).chain(["id"]).collect();
    json!({
        "openapi": "3.1.0",
        "info": {"title": "things", "version": "1"},
        "paths": {
            "/api/things": {
                "get": {"responses": answer(&json!({"type": "array", "items": thing}))},
                "post": {"requestBody": sent, "responses": answer(&thing)},
            },
            "/api/things/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true,
                    "schema": {"type": "string"}}],
                "get": {"responses": answer(&thing)},
                "patch": {"requestBody": sent, "responses": answer(&thing)},
                "put": {"requestBody": sent, "responses": answer(&thing)},
                "delete": {"responses": {"204": {"description": ""}}},
            },
        },
        "components": {"schemas": {"Thing": {
            "type": "object",
            "x-conflict": STRATEGIES[(seed % 3) as usize],
            "required": required,
            "properties": properties,
        }}},
    })
}

fn cell(chance: &mut Chance, column: &Column) -> Value {
    if !column.is_required && chance.below(4) == 0 {
        return Value::Null;
    }
    column.value(chance.one(column.values))
}

/// A record, some of whose columns that it need not have are left out.
fn record(chance: &mut Chance, key: &str) -> Value {
    let mut record = json!({"id": key});
    for column in COLUMNS {
        if column.is_required || chance.below(5) > 0 {
            record[column.name] = cell(chance, column);
        }
    }
    record
}

/// New values of some columns.
fn change(chance: &mut Chance) -> Value {
    let mut change = json!({});
    for _ in 0..=chance.below(4) {
        let column = &COLUMNS[chance.below(COLUMNS.len())];
        change[column.name] = cell(chance, column);
    }
    if chance.below(6) == 0 {
        change[LATER.name] = cell(chance, &LATER);
    }
    change
}

fn key(chance: &mut Chance) -> &'static str {
    KEYS[chance.below(KEYS.len())]
}

/// The path of a record.
fn at(key: &str) -> String {
    let mut url = Url::parse("http://x/api/things").expect("it is a URL");
    url.path_segments_mut().expect("it has a path").push(key);
    url.path().to_owned()
}

/// One request that writes; whether it may is the server's to say.
pub(super) async fn write(s: &Shapes, chance: &mut Chance, written: &mut Written) {
    let key = key(chance);
    let (method, path, body) = match chance.below(9) {
        0 => (Method::POST, "/api/things".to_owned(), record(chance, key)),
        1 => {
            let keys: BTreeSet<_> = (0..=chance.below(4)).map(|_| self::key(chance)).collect();
            let several: Vec<_> = keys.into_iter().map(|key| record(chance, key)).collect();
            (Method::POST, "/api/things".to_owned(), json!(several))
        }
        2 | 3 => (Method::PATCH, at(key), change(chance)),
        4 => {
            let mut change = change(chance);
            change["_base"] = self::change(chance);
            (Method::PATCH, at(key), change)
        }
        5 => (Method::PUT, at(key), record(chance, key)),
        6 => (Method::DELETE, at(key), Value::Null),
        _ => (Method::POST, "/api/writes".to_owned(), queue(chance)),
    };
    let request = s.server.request(method.clone(), &path, &s.token);
    let reply = Reply::of(match &body {
        Value::Null => request,
        body => request.json(body),
    });
    let reply = reply.await;
    match reply.status.as_u16() {
        200 if path == "/api/writes" => {
            for result in reply.json()["results"].as_array().into_iter().flatten() {
                let is_accepted = result["status"] == "accepted";
                written.accepted += usize::from(is_accepted);
                written.refused += usize::from(!is_accepted);
                let lost = result["lost"].as_array().into_iter().flatten();
                let has_lost = lost
                    .filter_map(Value::as_object)
                    .any(|lost| !lost.is_empty());
                let is_conflict = result["error"]["code"] == "conflict";
                written.conflicts += usize::from(has_lost || is_conflict);
            }
        }
        200 | 201 | 204 => {
            written.accepted += 1;
            written.conflicts += usize::from(reply.text.contains("\"_lost\""));
        }
        404 | 410 => written.refused += 1,
        409 => {
            written.refused += 1;
            written.conflicts += usize::from(reply.json()["error"]["code"] == "conflict");
        }
        _ => panic!("{method} {path} {body}: {} {}", reply.status, reply.text),
    }
}

/// Transactions of several writes each, some of which stand on what nobody has.
fn queue(chance: &mut Chance) -> Value {
    let transaction = |chance: &mut Chance| {
        let writes = (0..=chance.below(4)).map(|_| {
            let key = key(chance);
            let mut write = json!({"entity": "things", "id": key});
            match chance.below(4) {
                0 => {
                    write["action"] = json!("create");
                    write["values"] = record(chance, key);
                }
                1 => {
                    write["action"] = json!("delete");
                    write["values"] = json!({});
                }
                _ => {
                    write["action"] = json!("update");
                    write["values"] = change(chance);
                }
            }
            if chance.below(3) == 0 {
                write["base"] = change(chance);
            }
            write
        });
        let writes: Vec<_> = writes.collect();
        json!({"write_id": format!("w{}", WRITES.fetch_add(1, SeqCst)), "writes": writes})
    };
    let transactions: Vec<_> = (0..=chance.below(2)).map(|_| transaction(chance)).collect();
    json!({"transactions": transactions})
}
