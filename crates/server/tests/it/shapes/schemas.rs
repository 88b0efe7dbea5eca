//! Shapes of an entity hold what REST does, under random documents and random writes.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Map, Value};

use super::evolving::with;
use super::random::Chance;
use super::{Follower, Shapes, shapes};

const ROUNDS: usize = 12;
const WRITES: usize = 4;
/// What records may have, whether the document says so or not. The first it always does.
const FIELDS: &[&str] = &["text", "a", "m", "x", "z"];
const WORDS: &[&str] = &["one", "two", "three"];

/// Adds a field to those that are declared, at any place among them, or drops one.
fn change(declared: &mut Vec<&'static str>, chance: &mut Chance) {
    let field = chance.one(&FIELDS[1..]);
    match declared.iter().position(|name| *name == field) {
        Some(at) => {
            declared.remove(at);
        }
        None => declared.insert(chance.below(declared.len() + 1), field),
    }
}

async fn write(s: &Shapes, chance: &mut Chance) {
    let id = format!("n{}", chance.below(6));
    let mut values = Map::new();
    for field in FIELDS {
        if chance.below(2) == 0 {
            values.insert((*field).to_owned(), chance.one(WORDS).into());
        }
    }
    let path = format!("/api/notes/{id}");
    let (method, path) = match chance.below(5) {
        0 | 1 => {
            values.insert("id".to_owned(), id.into());
            values.insert("text".to_owned(), chance.one(WORDS).into());
            (Method::POST, "/api/notes".to_owned())
        }
        2 => (Method::DELETE, path),
        _ => (Method::PATCH, path),
    };
    // What is not there can't be changed; that is no matter here.
    let reply = s.server.send(method, &path, &s.token, values.into()).await;
    assert!(reply.status.as_u16() < 500, "{}", reply.text);
}

type Rows = BTreeMap<String, Map<String, Value>>;

/// What REST shows of the declared fields.
async fn shown(s: &Shapes, declared: &[&str], query: &str) -> Rows {
    let path = format!("/api/notes?limit=1000{query}");
    let rows = s.server.get(&path, &s.token).await.expect(200);
    rows_of(rows.as_array().unwrap().iter(), declared)
}

fn rows_of<'r>(rows: impl Iterator<Item = &'r Value>, declared: &[&str]) -> Rows {
    let rows = rows.map(|row| {
        let cells = declared.iter();
        let cells = cells.map(|field| ((*field).to_owned(), row[*field].clone()));
        (row["id"].as_str().unwrap().to_owned(), cells.collect())
    });
    rows.collect()
}

/// Reads on, or anew where the server says so.
async fn read<'s>(s: &'s Shapes, query: &str, follower: &mut Follower<'s>) {
    if s.ask(&follower.next()).await.status == 409 {
        *follower = s.follow(query).await;
    } else {
        follower.catch_up().await;
    }
}

#[tokio::test]
async fn shapes_hold_what_rest_shows_while_the_document_changes() {
    for seed in 1..=3 {
        let s = shapes().await;
        let mut chance = Chance(seed);
        let mut declared = vec!["text"];
        s.apply(&with(&declared), "").await;
        let queries = [
            ("table=notes", ""),
            ("table=notes&where=text='one'", "&text=one"),
            ("table=notes&where=text='one'&columns=id,text", "&text=one"),
        ];
        let mut followers = Vec::new();
        for (query, _) in queries {
            followers.push(s.follow(query).await);
        }
        for round in 0..ROUNDS {
            for _ in 0..WRITES {
                write(&s, &mut chance).await;
            }
            if chance.below(2) == 0 {
                change(&mut declared, &mut chance);
                s.apply(&with(&declared), "?allow=drop-field").await;
            }
            for _ in 0..chance.below(WRITES) {
                write(&s, &mut chance).await;
            }
            for ((query, narrowed), follower) in queries.iter().zip(&mut followers) {
                read(&s, query, follower).await;
                let of_shape: &[&str] = if query.contains("columns") {
                    &["text"][..]
                } else {
                    &declared
                };
                let held = rows_of(follower.rows().values(), of_shape);
                let shown = shown(&s, of_shape, narrowed).await;
                assert_eq!(held, shown, "seed {seed}, round {round}: {query}");
            }
        }
    }
}
