//! Random shapes under random writes hold what `SELECT … WHERE` does.

use std::collections::BTreeSet;

use reqwest::Method;
use rusqlite::Connection;
use serde_json::json;

use super::{Shapes, shapes};

/// Shapes that are followed at once, and writes between two looks at them.
const SHAPES: usize = 14;
const ROUNDS: usize = 10;
const WRITES: usize = 6;

/// A generator of its own: the same numbers for the same seed on every machine.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    pub(crate) fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

const WORDS: &[&str] = &["milk", "Bread", "50%", "a_b", "it's", "", "ß", "milk shake"];

fn text(chance: &mut Chance) -> String {
    match chance.below(6) {
        0 => "text".to_owned(),
        1 => "note".to_owned(),
        2 => "CAST(NULL AS text)".to_owned(),
        3 => format!("({} || {})", text(chance), text(chance)),
        _ => format!("'{}'", chance.one(WORDS).replace('\'', "''")),
    }
}

fn number(chance: &mut Chance) -> String {
    match chance.below(7) {
        0 | 1 => "place".to_owned(),
        2 => "done".to_owned(),
        3 => "CAST(NULL AS integer)".to_owned(),
        4 => {
            let operator = chance.one(&["+", "-", "*", "&", "|"]);
            format!("({} {operator} {})", number(chance), number(chance))
        }
        _ => chance.below(4).to_string(),
    }
}

/// A condition that SQLite and Postgres read alike.
fn condition(chance: &mut Chance, depth: usize) -> String {
    if depth > 0 && chance.below(3) > 0 {
        let (one, other) = (condition(chance, depth - 1), condition(chance, depth - 1));
        return match chance.below(5) {
            0 => format!("NOT ({one})"),
            1 => format!("(({one}) IS NULL)"),
            2 => format!("(({one}) IS NOT TRUE)"),
            3 => format!("({one} OR {other})"),
            _ => format!("({one} AND {other})"),
        };
    }
    let operator = chance.one(&["=", "<>", "<", "<=", ">", ">="]);
    match chance.below(9) {
        0 | 1 => format!("({} {operator} {})", text(chance), text(chance)),
        2 | 3 => format!("({} {operator} {})", number(chance), number(chance)),
        4 => format!("(text LIKE '{}%')", chance.one(&["m", "B", "%", "_", "i"])),
        5 => format!(
            "({} IN ({}, {}))",
            number(chance),
            number(chance),
            number(chance)
        ),
        6 => format!(
            "({} NOT BETWEEN {} AND {})",
            number(chance),
            number(chance),
            number(chance)
        ),
        7 => format!("({} IS NULL)", text(chance)),
        _ => format!("({} IS NOT DISTINCT FROM {})", text(chance), text(chance)),
    }
}

async fn write(s: &Shapes, chance: &mut Chance) {
    let list = chance.one(&["home", "work"]);
    let item = format!("i{}", chance.below(8));
    let path = format!("/api/lists/{list}/items");
    let (method, path, body) = match chance.below(6) {
        0 | 1 => {
            let body =
                json!({"item_id": item, "text": chance.one(WORDS), "note": chance.one(WORDS)});
            (Method::POST, path, body)
        }
        2 => (
            Method::PATCH,
            format!("{path}/{item}"),
            json!({"done": chance.below(2) == 0}),
        ),
        3 => (
            Method::PATCH,
            format!("{path}/{item}"),
            json!({"text": chance.one(WORDS)}),
        ),
        4 => (
            Method::PATCH,
            format!("{path}/{item}"),
            json!({"note": chance.one(WORDS)}),
        ),
        _ => (Method::DELETE, format!("{path}/{item}"), json!({})),
    };
    // What is not there can't be changed; that is no matter here.
    let reply = s.server.send(method, &path, &s.token, body).await;
    assert!(reply.status.as_u16() < 500, "{}", reply.text);
}

/// The items that SQLite finds.
fn selected(s: &Shapes, condition: &str) -> BTreeSet<String> {
    let data = s.server.data.path().join("data");
    let directory = syncline_store::control::DataDirectory::open(&data).unwrap();
    let tenant = syncline_model::TenantId::new("acme").unwrap();
    let connection = Connection::open(directory.tenant_file(&tenant)).unwrap();
    connection
        .pragma_update(None, "case_sensitive_like", true)
        .unwrap();
    let sql = format!(
        // tidy: sql because it is what shapes are held against
        "WITH items AS (SELECT i.item_id AS id, i.home AS list_id, row_number() OVER (PARTITION BY i.home \
         ORDER BY i.position, i.item_id, i.list_id) - 1 AS place, i.text, i.done, i.note, i.list_id AS origin \
         FROM list_items AS i JOIN lists AS l ON l.list_id = i.home WHERE i.present = 1 AND l.present = 1) \
         SELECT id || '@' || origin FROM items WHERE {condition}"
    );
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn random_shapes_hold_what_a_select_does() {
    for seed in 1..=3 {
        let s = shapes().await;
        for list in ["home", "work"] {
            let made = json!({"list_id": list, "title": list});
            s.server
                .post("/api/lists", &s.token, made)
                .await
                .expect(201);
        }
        let mut chance = Chance(seed);
        for _ in 0..WRITES {
            write(&s, &mut chance).await;
        }
        let conditions: Vec<_> = (0..SHAPES).map(|_| condition(&mut chance, 2)).collect();
        let mut followers = Vec::new();
        for condition in &conditions {
            let url = reqwest::Url::parse_with_params("http://x/", [("where", condition)]).unwrap();
            let query = format!("table=items&{}", url.query().unwrap());
            followers.push(s.follow(&query).await);
        }
        for _ in 0..ROUNDS {
            for _ in 0..WRITES {
                write(&s, &mut chance).await;
            }
            for (follower, condition) in followers.iter_mut().zip(&conditions) {
                follower.catch_up().await;
                let held = follower.rows().into_values().map(|row| {
                    let text = |name: &str| row[name].as_str().unwrap().to_owned();
                    format!("{}@{}", text("id"), text("origin_list_id"))
                });
                let held: BTreeSet<_> = held.collect();
                assert_eq!(held, selected(&s, condition), "seed {seed}: {condition}");
            }
        }
    }
}
