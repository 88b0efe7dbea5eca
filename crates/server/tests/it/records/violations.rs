//! Records that another schema does not take: counted before it stands, and shown alike everywhere after.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_store::control::Rights;

use super::{App, document};
use crate::support::Reply;

/// Notes of which two share a text, one has a long one, and one has no place.
async fn app() -> App {
    let app = App::of(&document().to_string()).await;
    let ada = app.token("ada");
    let notes = json!([
        {"id": "a", "text": "same", "place": 1},
        {"id": "b", "text": "same", "place": 2},
        {"id": "c", "text": "a long text", "place": 3},
        {"id": "d", "text": "12"},
    ]);
    app.post(&ada, "/api/notes", notes).await.expect(201);
    app
}

fn with(field: &str, schema: Value) -> Value {
    let mut other = document();
    other["components"]["schemas"]["Note"]["properties"][field] = schema;
    other
}

async fn compared(app: &App, rights: Rights, document: &Value) -> Value {
    let token = app.server.token("acme", rights);
    let request = app.server.request(Method::POST, "/api/schema/diff", &token);
    Reply::of(request.body(document.to_string()))
        .await
        .expect(200)
}

#[tokio::test]
async fn what_stands_against_a_schema_is_counted_before_anything_is_done() {
    let app = app().await;
    let mut required = document();
    let names = &mut required["components"]["schemas"]["Note"]["required"];
    *names = json!(["id", "text", "place"]);
    for (document, kind, ids) in [
        (
            with(
                "text",
                json!({"type": "string", "maxLength": 20, "x-unique": true}),
            ),
            "add-unique",
            json!(["a", "b"]),
        ),
        (
            with("text", json!({"type": "string", "maxLength": 8})),
            "tighten-field",
            json!(["c"]),
        ),
        (
            with("text", json!({"type": "string", "maxLength": 11})),
            "tighten-field",
            json!([]),
        ),
        (
            with("text", json!({"type": "integer"})),
            "change-kind",
            json!(["a", "b", "c"]),
        ),
        (required, "tighten-field", json!(["d"])),
    ] {
        let told = compared(&app, Rights::Admin, &document).await;
        let changes = told["changes"].as_array().unwrap().iter();
        let change = changes
            .clone()
            .find(|change| change["kind"] == kind)
            .unwrap();
        let count = ids.as_array().unwrap().len();
        assert_eq!(
            change["violating"],
            json!({"count": count, "ids": ids}),
            "{told}"
        );
        let what = change["what"].as_str().unwrap();
        let said = match count {
            0 => "no record stands against it".to_owned(),
            1 => "1 record holds".to_owned(),
            count => format!("{count} records hold"),
        };
        assert!(what.contains(&said), "{what}");
    }
}

#[tokio::test]
async fn a_field_that_is_new_is_told_of_records_that_hold_other_values_of_its_name() {
    let app = app().await;
    let ada = app.token("ada");
    let sent = json!({"id": "e", "text": "e", "colour": "red"});
    app.post(&ada, "/api/notes", sent).await.expect(201);
    for (schema, violating) in [
        (
            json!({"type": "integer"}),
            json!({"count": 1, "ids": ["e"]}),
        ),
        (json!({"type": "string"}), Value::Null),
    ] {
        let told = compared(&app, Rights::Admin, &with("colour", schema)).await;
        let change = &told["changes"][0];
        assert_eq!(
            (
                &change["kind"],
                &change["is_breaking"],
                &change["violating"]
            ),
            (&json!("add-field"), &json!(false), &violating),
            "{told}"
        );
        let what = change["what"].as_str().unwrap();
        assert_eq!(
            what.contains("holds what it does not take"),
            !violating.is_null()
        );
        assert!(!what.contains("no record"), "{what}");
    }
}

#[tokio::test]
async fn what_stands_against_a_schema_is_told_to_admins_alone_and_as_it_is_applied() {
    let app = app().await;
    // Who reads may not see all records.
    let unique = with(
        "text",
        json!({"type": "string", "maxLength": 20, "x-unique": true}),
    );
    let told = compared(&app, Rights::Read, &unique).await;
    assert!(
        !told.to_string().contains("violating") && !told.to_string().contains("records"),
        "{told}"
    );
    let admin = app.server.token("acme", Rights::Admin);
    let put = async |path: &str| {
        let request = app.server.request(Method::PUT, path, &admin);
        Reply::of(request.body(unique.to_string())).await
    };
    let refused = put("/api/schema").await.refused(409, "breaking_schema");
    assert!(
        refused
            .to_string()
            .contains("2 records hold values that another one has: a, b"),
        "{refused}"
    );
    let applied = put("/api/schema?allow=add-unique").await.expect(200);
    assert_eq!(applied["changes"][0]["violating"]["count"], 2, "{applied}");
}

/// The text of each note, by REST and by a shape.
async fn shown(app: &App, token: &str) -> (Value, Value) {
    let rows = app.get(token, "/api/notes?order=id").await.expect(200);
    let rows = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["text"].clone());
    let rows: Vec<_> = rows.collect();
    let shape = app
        .get(token, "/v1/shape?table=notes&offset=-1")
        .await
        .expect(200);
    let shape = shape.as_array().unwrap().iter();
    let mut values: Vec<_> = shape
        .filter(|message| message["value"]["id"].is_string())
        .map(|message| {
            (
                message["value"]["id"].to_string(),
                message["value"]["text"].clone(),
            )
        })
        .collect();
    values.sort_by(|one, other| one.0.cmp(&other.0));
    (
        json!(rows),
        values.into_iter().map(|(_, text)| text).collect(),
    )
}

/// Conditions, orders and pages of a list of notes whose texts are whole numbers by now.
async fn a_list_asks_what_it_shows(app: &App, token: &str) {
    let made = json!([{"id": "e", "text": 7}, {"id": "f", "text": 100}]);
    app.post(token, "/api/notes", made).await.expect(201);
    for (query, expected) in [
        ("text=12", vec!["d"]),
        ("text__in=12,100", vec!["d", "f"]),
        ("text__gt=7", vec!["d", "f"]),
        ("text__lt=1000", vec!["d", "e", "f"]),
        ("text__ne=7", vec!["d", "f"]),
        ("text__null=true", vec!["a", "b", "c"]),
        ("text__contains=same", vec![]),
        ("order=text", vec!["a", "b", "c", "e", "d", "f"]),
        ("order=-text", vec!["f", "d", "e", "a", "b", "c"]),
    ] {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/notes?{query}&limit=1{cursor}");
            let page = app.get(token, &path).await;
            let next = page.header("syncline-next-cursor").to_owned();
            let rows = page.expect(200);
            let rows = rows.as_array().unwrap().iter();
            ids.extend(rows.map(|row| row["id"].as_str().unwrap().to_owned()));
            if next.is_empty() {
                break;
            }
            cursor = format!("&cursor={next}");
        }
        assert_eq!(ids, expected, "{query}");
    }
    for id in ["e", "f"] {
        let path = format!("/api/notes/{id}");
        assert_eq!(app.delete(token, &path).await.status, 204);
    }
}

#[tokio::test]
async fn values_of_another_kind_are_shown_alike_by_rest_and_shapes_and_can_be_written() {
    let app = app().await;
    let ada = app.token("ada");
    let whole = with("text", json!({"type": "integer"}));
    let admin = app.server.token("acme", Rights::Admin);
    let path = "/api/schema?allow=change-kind,tighten-field";
    let request = app.server.request(Method::PUT, path, &admin);
    Reply::of(request.body(whole.to_string())).await.expect(200);
    let (rest, shape) = shown(&app, &ada).await;
    assert_eq!(rest, json!([null, null, null, 12]));
    assert_eq!(shape, json!([null, null, null, "12"]));
    a_list_asks_what_it_shows(&app, &ada).await;
    // What its writer has seen is no conflict, whichever it has seen.
    for (id, base) in [("a", json!(null)), ("b", json!("same")), ("d", json!(12))] {
        let change = json!({"text": 5, "_base": {"text": base}});
        let changed = app.patch(&ada, &format!("/api/notes/{id}"), change).await;
        let changed = changed.expect(200);
        assert_eq!(
            (&changed["text"], &changed["_lost"]),
            (&json!(5), &Value::Null),
            "{id}"
        );
    }
    // Nothing is lost: the history keeps what was there.
    let history = app
        .get(&ada, "/api/records/notes/a/history")
        .await
        .expect(200);
    assert_eq!(history["entries"][0]["values"]["text"], "same");
}
