//! What rows must say, told from the ops alone and in the most naive way: each part of a thing is
//! what the greatest `(clock, actor)` of all ops that name this part says. What a restore gives back
//! or a file makes is worth the `(clock, actor)` that it says, and of two of one worth the later counts.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use syncline_model::{Op, Value};

use super::memory::Memory;

/// A clock and an actor.
type Version = (u64, String);
/// Who said something, and who repeated it last.
type Said = (Version, Version);
/// A part by its name, with what it says and who said it.
type Part = (&'static str, (Said, Json));
/// Parts by their names.
type Parts = BTreeMap<&'static str, (Said, Json)>;
/// A thing: its scope, its list or the registry, and its id.
type Thing = (String, String, String);

const ITEM: [(&str, &str); 5] = [
    ("text", "text"),
    ("done", "done"),
    ("note", "note"),
    ("position", "pos"),
    ("home", "list"),
];

/// Who said what stands in `field` of the op's payload.
fn writer(op: &Op, payload: &Json, field: &str) -> Said {
    let own = (op.key.clock.get(), op.key.actor.to_string());
    let versions = &payload["versions"];
    let counts = versions["actor"].is_null() || versions["actor"] == *own.1;
    let written = versions["written"].as_array().filter(|_| counts);
    let of_field = written.into_iter().flatten().find(|written| {
        let parts = written["parts"].as_array();
        parts.is_some_and(|parts| parts.contains(&field.into()))
    });
    let version = of_field.map(|written| {
        let actor = written["actor"].as_str().unwrap_or_default().to_owned();
        (written["clock"].as_u64().unwrap_or_default(), actor)
    });
    (
        version.map_or(own.clone(), |version| version.min(own.clone())),
        own,
    )
}

fn said(op: &Op) -> Option<(Thing, Vec<Part>)> {
    let json: Json = serde_json::from_str(op.payload.as_str()).ok()?;
    let payload = &json["payload"];
    let (scope, resource) = (op.key.scope.to_string(), op.key.resource.to_string());
    let id = |name: &str| json[name].as_str().map(str::to_owned);
    let kind = json["type"].as_str()?.to_owned();
    let exists = match &*kind {
        "insert" | "restore" | "createList" | "restoreList" => Some(1),
        "remove" | "removeList" => Some(0),
        "update" | "move" | "renameList" | "reorderList" => None,
        _ => return None,
    };
    let mut parts = Vec::new();
    let own = || writer(op, &Json::Null, "");
    if let Some(exists) = exists {
        let said = writer(op, payload, "present");
        parts.push(("present", (said, exists.into())));
    }
    for (part, field) in ITEM.into_iter().chain([("title", "title")]) {
        if payload[field] != Json::Null {
            let said = writer(op, payload, field);
            parts.push((part, (said, payload[field].clone())));
        }
    }
    if kind == "insert" {
        parts.push(("home", (own(), resource.clone().into())));
    }
    let id = match &*scope {
        "registry" => id("listId")?,
        _ if kind == "renameList" => String::new(),
        _ => id("itemId")?,
    };
    Some(((scope, resource, id), parts))
}

/// What is known of each thing.
pub(crate) fn told(ops: &[Op]) -> BTreeMap<Thing, BTreeMap<&'static str, Json>> {
    let mut things: BTreeMap<Thing, Parts> = BTreeMap::new();
    for op in ops {
        let Some((thing, parts)) = said(op) else {
            continue;
        };
        for (part, said) in parts {
            let last = things.entry(thing.clone()).or_default().entry(part);
            let last = last.or_insert_with(|| said.clone());
            if said.0 > last.0 {
                *last = said;
            }
        }
    }
    let things = things.into_iter().map(|(thing, parts)| {
        let parts = parts.into_iter().map(|(part, (_, value))| (part, value));
        (thing, parts.collect())
    });
    things.collect()
}

/// What the rows say of each thing, as far as a part was ever named.
pub(crate) fn shown(view: &Memory) -> BTreeMap<Thing, BTreeMap<&'static str, Json>> {
    const COLUMNS: [(&str, &[&str]); 3] = [
        (
            "list_items",
            &[
                "list", "item", "home", "position", "present", "done", "versions", "text", "note",
            ],
        ),
        (
            "lists",
            &["list", "item", "position", "present", "title", "versions"],
        ),
        ("list_titles", &["list", "title", "versions"]),
    ];
    const LETTERS: [(&str, char); 7] = [
        ("position", 'p'),
        ("present", 'e'),
        ("home", 'h'),
        ("text", 't'),
        ("done", 'd'),
        ("note", 'n'),
        ("title", 'T'),
    ];
    let rows = view.rows.iter().map(|((table, _), (row, _))| {
        let (_, columns) = COLUMNS
            .iter()
            .find(|(name, _)| name == table)
            .expect("a table");
        let cell = |name: &str| {
            let at = columns.iter().position(|column| *column == name)?;
            Some(row[at].clone())
        };
        let text = |name| cell(name).and_then(Value::into_text).unwrap_or_default();
        let versions = text("versions");
        let letters: String = versions
            .lines()
            .filter(|line| !line.starts_with('<'))
            .filter_map(|line| line.split(' ').next())
            .collect();
        let parts = LETTERS
            .into_iter()
            .filter(|(_, letter)| letters.contains(*letter));
        let parts = parts.map(|(part, _)| {
            let value = match cell(part).expect("a row has the parts of its versions") {
                Value::Integer(value) if part == "done" => (value == 1).into(),
                Value::Integer(value) => value.into(),
                Value::Text(value) => value.into(),
                Value::Null => Json::Null,
            };
            (part, value)
        });
        let scope = if *table == "lists" {
            "registry"
        } else {
            "list"
        };
        (
            (scope.to_owned(), text("list"), text("item")),
            parts.collect(),
        )
    });
    rows.collect()
}
