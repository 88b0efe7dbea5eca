//! Values compare by what they mean, however they are written.

use reqwest::Url;
use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::{App, document};
use crate::shapes::random::Chance;

const RECORDS: usize = 24;
const CONDITIONS: usize = 40;

/// Notes with a field of each kind whose values are written in more than one way.
async fn app(unique: Value) -> (App, String) {
    let text = |format: &str| json!({"type": ["string", "null"], "format": format});
    let mut document = document();
    let note = &mut document["components"]["schemas"]["Note"];
    note["required"] = json!(["id"]);
    note["x-unique"] = unique;
    note["properties"] = json!({
        "id": {"type": "string"}, "due": text("date-time"), "at": text("time"),
        "day": text("date"), "price": text("decimal"), "owner": text("uuid"),
        "count": {"type": ["integer", "null"]}, "size": {"type": ["number", "null"]},
    });
    let app = App::of(&document.to_string()).await;
    let ada = app.member("ada", Role::Owner);
    (app, ada)
}

/// A value of a column in one of its spellings.
fn spelled(chance: &mut Chance, column: &str) -> Value {
    let n = chance.below(4);
    match column {
        "due" => json!(chance.one(&[
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.000Z",
            "2026-01-01T02:00:00+02:00",
            "2025-12-31 19:00:00-05",
            "2026-01-01T00:00:00+02:00",
            "2025-12-31T22:00:00.0Z",
            "2026-01-01T00:00:00.25Z",
            "2026-01-01t01:00:00.250000+01:00",
            "1969-07-20T20:17:40Z",
        ])),
        "at" => json!(chance.one(&["09:30", "09:30:00", "09:30:00.5", "09:30:00.50", "10:00"])),
        "day" => json!(chance.one(&["2026-01-31", "2026-02-01", "0999-12-31"])),
        "price" => json!(chance.one(&[
            "9",
            "9.0",
            "+9.00",
            "10",
            "10.0",
            "-10",
            "-10.00",
            "-9.5",
            "0",
            "-0.0",
            "12345678901234567.01",
            "12345678901234567.02",
            "012345678901234567.020",
        ])),
        "owner" => {
            let id = format!("0a00000{n}-0000-4000-8000-00000000000b");
            json!([id.clone(), id.to_uppercase()][chance.below(2)])
        }
        "count" => json!([9, 10, -10, 100][n]),
        _ => [json!(9.5), json!(10), json!(-9.5), json!(10.25)][n].clone(),
    }
}

const COLUMNS: &[&str] = &["due", "at", "day", "price", "owner", "count", "size"];

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The ids of a list, read page by page.
async fn listed(app: &App, token: &str, query: &[(&str, String)]) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = None;
    loop {
        let mut asked: Vec<_> = query.to_vec();
        asked.push(("limit", "5".to_owned()));
        asked.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let url = Url::parse_with_params("http://x/api/notes", asked).unwrap();
        let path = format!("/api/notes?{}", url.query().unwrap());
        let reply = app.get(token, &path).await;
        let rows = reply.expect(200);
        let rows = rows.as_array().unwrap().iter();
        ids.extend(rows.map(|row| row["id"].as_str().unwrap().to_owned()));
        match reply.header("syncline-next-cursor") {
            "" => return ids,
            next => cursor = Some(next.to_owned()),
        }
    }
}

/// The ids of the rows of a shape, in an order.
async fn subset(app: &App, token: &str, condition: &str, order: &str) -> Vec<String> {
    let asked = [
        ("table", "notes"),
        ("offset", "now"),
        ("log", "changes_only"),
        ("subset__where", condition),
        ("subset__order_by", order),
    ];
    let url = Url::parse_with_params("http://x/v1/shape", asked).unwrap();
    let path = format!("/v1/shape?{}", url.query().unwrap());
    let body = app.get(token, &path).await.expect(200);
    let rows = body["data"].as_array().unwrap().iter();
    rows.map(|row| row["value"]["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn lists_narrow_order_and_page_as_shapes_do_whatever_the_spelling() {
    for seed in 1..=4 {
        let (app, ada) = app(json!([])).await;
        let mut chance = Chance(seed);
        let notes: Vec<Value> = (0..RECORDS)
            .map(|n| {
                let mut note = json!({"id": format!("n{n:02}")});
                for column in COLUMNS {
                    if chance.below(6) > 0 {
                        note[*column] = spelled(&mut chance, column);
                    }
                }
                note
            })
            .collect();
        app.post(&ada, "/api/notes", json!(notes)).await.expect(201);
        for _ in 0..CONDITIONS {
            let column = chance.one(COLUMNS);
            let (test, operator) = [
                ("", "="),
                ("__ne", "<>"),
                ("__lt", "<"),
                ("__lte", "<="),
                ("__gt", ">"),
                ("__gte", ">="),
                ("__in", "IN"),
                ("__null", "IS NULL"),
            ][chance.below(8)];
            let value = plain(&spelled(&mut chance, column));
            let (asked, condition) = match operator {
                "IN" => {
                    let other = plain(&spelled(&mut chance, column));
                    (
                        format!("{value},{other}"),
                        format!("\"{column}\" IN ('{value}', '{other}')"),
                    )
                }
                "IS NULL" => ("true".to_owned(), format!("\"{column}\" IS NULL")),
                _ => (value.clone(), format!("\"{column}\" {operator} '{value}'")),
            };
            let (first, second) = (chance.one(COLUMNS), chance.one(COLUMNS));
            let (down, order) =
                [("", "ASC NULLS FIRST"), ("-", "DESC NULLS LAST")][chance.below(2)];
            let name = format!("{column}{test}");
            let query = [
                (name.as_str(), asked),
                ("order", format!("{down}{first},{second}")),
            ];
            let order = format!("\"{first}\" {order}, \"{second}\" ASC NULLS FIRST, id");
            assert_eq!(
                listed(&app, &ada, &query).await,
                subset(&app, &ada, &condition, &order).await,
                "seed {seed}: {query:?}, {condition}, {order}"
            );
        }
    }
}

#[tokio::test]
async fn a_unique_value_is_there_once_however_it_is_written() {
    for (column, spellings) in [
        (
            "due",
            [
                "2026-01-01T00:00:00Z",
                "2026-01-01T02:00:00.000+02:00",
                "2026-01-01T00:00:00.001Z",
            ],
        ),
        ("at", ["09:30", "09:30:00.0", "09:30:01"]),
        (
            "price",
            [
                "10",
                "+10.000",
                "10.00000000000000000000000000000000000000000001",
            ],
        ),
        (
            "owner",
            [
                "0a000000-0000-4000-8000-00000000000b",
                "0A000000-0000-4000-8000-00000000000B",
                "0a000000-0000-4000-8000-00000000000c",
            ],
        ),
    ] {
        let (app, ada) = app(json!([[column]])).await;
        let [first, same, other] = spellings;
        let post = async |id: &str, value: &str| {
            let note = json!({"id": id, column: value});
            app.post(&ada, "/api/notes", note).await
        };
        post("a", first).await.expect(201);
        let refused = post("b", same).await.refused(409, "unique_violation");
        assert_eq!(refused["error"]["details"]["fields"][0]["field"], column);
        // In one op as well, and its own value in other letters is its own.
        let both = json!([{"id": "c", column: other}, {"id": "d", column: other}]);
        let refused = app.post(&ada, "/api/notes", both).await;
        refused.refused(409, "unique_violation");
        let changed = app.patch(&ada, "/api/notes/a", json!({column: same})).await;
        assert_eq!(changed.expect(200)[column], same);
        post("e", other).await.expect(201);
        post("f", first).await.refused(409, "unique_violation");
    }
}

#[tokio::test]
async fn a_value_that_is_none_of_its_field_is_told_and_not_compared() {
    let (app, ada) = app(json!([])).await;
    for (query, expected) in [
        ("due=soon", "a time, as 2026-01-31T23:59:59Z"),
        // An offset's plus is a space in a URL, unless it is escaped.
        ("due__gt=2026-01-01T00:00:00+02:00", "a plus is %2B"),
        ("at__lt=25:00", "a time of day"),
        ("day__in=2026-01-31,2026-02-30", "a day"),
        ("price__gte=1,5", "a decimal number"),
    ] {
        let refused = app.get(&ada, &format!("/api/notes?{query}")).await;
        let text = refused.refused(422, "invalid_field").to_string();
        assert!(text.contains(expected), "{text}");
    }
    // A day is its midnight, and a part of a text is looked for as it is written.
    let note = json!({"id": "n", "due": "2026-01-01T02:00:00+02:00", "price": "9.50"});
    app.post(&ada, "/api/notes", note).await.expect(201);
    for (query, count) in [
        ("due=2026-01-01", 1),
        ("due__contains=02:00", 1),
        ("price__contains=9.50", 1),
        ("owner=nobody", 0),
    ] {
        let found = app
            .get(&ada, &format!("/api/notes?{query}"))
            .await
            .expect(200);
        assert_eq!(found.as_array().unwrap().len(), count, "{query}");
    }
}
