//! What rows must say, told from the ops alone and in the most naive way.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use syncline_model::session::{
    COMPACTIONS, ERRORS, MESSAGES, PARTS, SESSION_LINKS, SESSIONS, TOOLS, USAGE,
};
use syncline_model::{Op, Row, Table, Timestamp, Value};

use super::memory::{Memory, column_at};

/// A thing: what it is, and its id.
type Thing = (&'static str, String);
/// What is known of each thing, by field.
pub(crate) type Known = BTreeMap<Thing, BTreeMap<String, Json>>;

/// The lists of a patch, with what makes the key of their things.
const LISTS: [(&str, &[&str], &Table); 5] = [
    ("messages", &["id"], &MESSAGES),
    ("tools", &["id"], &TOOLS),
    ("errors", &["id"], &ERRORS),
    ("compactions", &["id"], &COMPACTIONS),
    ("links", &["kind", "target"], &SESSION_LINKS),
];

/// What was decided is above what was told, and that by how far it goes.
fn weight(op: &Op) -> (bool, i64) {
    let json: Json = op.payload.read().expect("payloads are JSON");
    let patch = &json["patch"];
    match patch["decided"] == Json::Bool(true) {
        true => (true, 0),
        false => (false, patch["upTo"].as_i64().unwrap_or_default()),
    }
}

/// Of all that was ever said of a field, what the op said that weighs most, and then the greatest
/// `(clock, actor)`.
pub(crate) fn told(ops: &[Op]) -> Known {
    let mut ops: Vec<&Op> = ops.iter().collect();
    ops.sort_by_key(|op| (weight(op), op.key.clock, op.key.actor.clone()));
    let mut known = Known::new();
    let mut usage: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for op in ops {
        let json: Json = op.payload.read().expect("payloads are JSON");
        let patch = &json["patch"];
        for (field, value) in patch["session"].as_object().into_iter().flatten() {
            let session = known.entry(("session", String::new())).or_default();
            session.insert(field.clone(), value.clone());
        }
        for (list, key, _) in LISTS {
            for piece in patch[list].as_array().into_iter().flatten() {
                let mut fields = piece.as_object().expect("pieces are objects").clone();
                let id = key.iter().map(|part| text(&fields.remove(*part)));
                let thing = (list, id.collect::<Vec<_>>().join("/"));
                for (field, value) in fields {
                    known.entry(thing.clone()).or_default().insert(field, value);
                }
            }
        }
        for part in patch["parts"].as_array().into_iter().flatten() {
            let fields = part.as_object().expect("pieces are objects");
            let id = ["messageId", "toolId", "id"].map(|part| text(&fields.get(part).cloned()));
            let said = ["text", "order"].map(|field| (field.to_owned(), part[field].clone()));
            known.insert(("parts", id.join("/")), BTreeMap::from(said));
        }
        for snapshot in patch["usage"].as_array().into_iter().flatten() {
            let id = snapshot["id"].as_str().expect("it has an id").to_owned();
            usage.entry(id).or_default().push(snapshot.clone());
        }
    }
    for (id, snapshots) in usage {
        let number = |of: &Json, field: &str| of[field].as_i64().unwrap_or_default();
        let last = snapshots
            .iter()
            .max_by_key(|s| (number(s, "order"), number(s, "output"), number(s, "input")));
        let last = last.expect("one was said");
        let copied = snapshots.iter().any(|s| s["copied"] == Json::Bool(true));
        let fields = ["order", "output", "input"].map(|f| (f.to_owned(), number(last, f).into()));
        let mut fields = BTreeMap::from(fields);
        fields.insert("copied".into(), Json::from(i64::from(copied)));
        known.insert(("usage", id), fields);
    }
    let outputs = known.clone();
    let tools = known.iter_mut().filter(|((list, _), _)| *list == "tools");
    for ((_, id), fields) in tools {
        let output = outputs.get(&("parts", format!("/{id}/tool_output")));
        let output = output.and_then(|output| output["order"].as_i64());
        fields.insert("position".into(), stands(fields, output).into());
    }
    known
}

/// Where a call stands: where its own line does, or else what it has given.
fn stands(call: &BTreeMap<String, Json>, output: Option<i64>) -> i64 {
    let time = |field: &str| {
        let at: Timestamp = call.get(field)?.as_str()?.parse().ok()?;
        Some(at.as_millis() * 1024)
    };
    let own = call.get("order").and_then(Json::as_i64).or(time("at"));
    let given = time("completedAt").max(output);
    own.or(given).unwrap_or_default()
}

fn text(json: &Option<Json>) -> String {
    json.as_ref()
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// How many messages, prompts, tool calls, failed ones, errors, compactions and responses are to be
/// counted, and the tokens that were put in and came out.
pub(crate) fn counts(known: &Known) -> [i64; 9] {
    let mut counts = [0; 9];
    for ((list, _), fields) in known {
        let is = |field: &str, value: &Json| fields.get(field) == Some(value);
        let has = |field: &str| fields.get(field).is_some_and(|value| !value.is_null());
        if has("copiedFrom") {
            continue;
        }
        let spoken = is("role", &"user".into()) || is("role", &"assistant".into());
        match *list {
            "messages" if spoken && !has("kind") && !is("rewound", &true.into()) => {
                counts[0] += 1;
                counts[1] += i64::from(is("role", &"user".into()));
            }
            "tools" => {
                counts[2] += 1;
                counts[3] += i64::from(is("success", &false.into()));
            }
            "errors" => counts[4] += 1,
            "compactions" => counts[5] += 1,
            "usage" if is("copied", &0.into()) => {
                counts[6] += 1;
                for (count, field) in [(7, "input"), (8, "output")] {
                    counts[count] += fields[field].as_i64().unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    counts
}

/// What the rows say of the counts.
pub(crate) fn counted(view: &Memory) -> [i64; 9] {
    let columns = [
        "message_count",
        "prompt_count",
        "tool_call_count",
        "tool_error_count",
        "error_count",
        "compaction_count",
        "response_count",
        "input_tokens",
        "output_tokens",
    ];
    let sessions = view.table(&SESSIONS);
    columns.map(|column| {
        let row = sessions.first();
        row.map_or(0, |row| integer(&row[column_at(&SESSIONS, column)]))
    })
}

fn integer(cell: &Value) -> i64 {
    cell.as_integer().expect("a number")
}

/// What the rows say of each field that `known` names, and that they say of nothing else.
pub(crate) fn shown(view: &Memory, known: &Known) -> Known {
    let mut shown = Known::new();
    let mut add = |what: &'static str, id: String, table: &'static Table, row: &Row| {
        let fields = known.get(&(what, id.clone())).into_iter().flatten();
        let fields = fields.map(|(field, said)| {
            let column = column_of(what, field);
            (field.clone(), json(&row[column_at(table, &column)], said))
        });
        let fields: BTreeMap<_, _> = fields.collect();
        shown.insert((what, id), fields);
    };
    for row in view.table(&SESSIONS) {
        if known.contains_key(&("session", String::new())) {
            add("session", String::new(), &SESSIONS, &row);
        }
    }
    for (list, _, table) in LISTS {
        for row in view.table(table) {
            let id = row[1..table.key_columns].iter();
            let id: Vec<&str> = id.map(|cell| cell.as_text().expect("an id")).collect();
            add(list, id.join("/"), table, &row);
        }
    }
    for row in view.table(&PARTS) {
        let cell = |n: usize| row[n].as_text().expect("a text");
        let id = match cell(1) {
            "session" => format!("//{}", cell(3)),
            "message" => format!("{}//{}", cell(2), cell(3)),
            "tool" => format!("/{}/{}", cell(2), cell(3)),
            // Texts of other tables, to be found.
            _ => continue,
        };
        add("parts", id, &PARTS, &row);
    }
    for row in view.table(&USAGE) {
        add(
            "usage",
            row[1].as_text().expect("an id").to_owned(),
            &USAGE,
            &row,
        );
    }
    shown
}

fn column_of(what: &str, field: &str) -> String {
    match (what, field) {
        ("usage" | "parts", "order") => return "position".to_owned(),
        ("usage", "copied") => return "copied".to_owned(),
        ("usage", field) => return format!("{field}_tokens"),
        (_, "order") => return "ordinal".to_owned(),
        _ => {}
    }
    field.chars().fold(String::new(), |mut column, c| {
        if c.is_ascii_uppercase() {
            column.push('_');
        }
        column.push(c.to_ascii_lowercase());
        column
    })
}

/// The cell as JSON, of the kind that was said.
fn json(cell: &Value, said: &Json) -> Json {
    match (cell, said) {
        (Value::Null, _) => Json::Null,
        (Value::Integer(value), Json::Bool(_)) => Json::Bool(*value == 1),
        (Value::Integer(value), Json::String(_)) => {
            let at = Timestamp::from_millis(*value).expect("a small time");
            serde_json::to_value(at).expect("times are written as JSON")
        }
        (Value::Integer(value), _) => (*value).into(),
        (Value::Text(text), _) => text.as_str().into(),
    }
}
