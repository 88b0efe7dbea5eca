//! Values that a field's kind and rules leave out, also where the field is the key.

use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::{App, document};

/// Notes with these properties.
async fn with(properties: Value) -> (App, String) {
    let mut document = document();
    let note = &mut document["components"]["schemas"]["Note"];
    note["properties"] = properties;
    note["required"] = json!(["id"]);
    let app = App::of(&document.to_string()).await;
    let ada = app.member("ada", Role::Owner);
    (app, ada)
}

#[tokio::test]
async fn what_no_table_of_postgres_takes_is_refused_with_its_field() {
    let text = |format: &str| json!({"type": "string", "format": format});
    let (app, ada) = with(json!({
        "id": {"type": "string"}, "text": {"type": "string"}, "any": {"type": "object"},
        "due": text("date-time"), "day": text("date"), "at": text("time"),
    }))
    .await;
    for (field, value) in [
        ("text", json!("a\0b")),
        ("any", json!({"deep": ["a\0b"]})),
        ("any", json!({"a\0b": 1})),
        ("unknown", json!("a\0b")),
        ("unknown\0", json!("a")),
        ("due", json!("2026-01-01T10:00:00+01:00[Europe/Paris]")),
        ("due", json!("-000001-01-01T00:00:00Z")),
        ("due", json!("0000-01-01T00:00:00Z")),
        ("due", json!("20260101T100000Z")),
        ("due", json!("2026-01-01T10Z")),
        ("due", json!("2026-01-01T10:00:00+20:00")),
        ("due", json!("2026-01-01T10:00:00+20")),
        ("due", json!("2026-01-01é10:00:00Z")),
        ("day", json!("0000-01-01")),
        ("at", json!("T10:00")),
        ("at", json!("10:00:00[UTC]")),
    ] {
        let refused = app.post(&ada, "/api/notes", json!({field: value})).await;
        let error = refused.refused(422, "validation_failed");
        assert_eq!(
            error["error"]["details"]["fields"][0]["field"], field,
            "{value}"
        );
    }
    for (field, value) in [
        ("due", "2026-01-01T10:00:00Z"),
        ("due", "2026-01-01t10:00:00.123456789+05:30"),
        ("due", "2026-01-01 10:00:00-03:00"),
        ("due", "2026-01-01 10:00:00.5+00"),
        ("day", "2026-02-28"),
        ("at", "10:00"),
        ("at", "10:00:00.5"),
        ("text", "a\\u0000b\u{fffd}"),
    ] {
        let made = app.post(&ada, "/api/notes", json!({field: value})).await;
        made.expect(201);
    }
}

#[tokio::test]
async fn the_rules_of_a_field_hold_where_it_is_the_key() {
    let short = json!({"id": {"type": "string", "pattern": "^[A-Z]+$", "maxLength": 3}});
    let uuid = json!({"id": {"type": "string", "format": "uuid"}});
    for (properties, bad, good) in [
        (&short, vec!["abc", "ABCD"], "ABC"),
        (
            &uuid,
            vec!["not-a-uuid"],
            "9f0d4c1e-35f8-4f7b-a0aa-2c1fdc8cbd9b",
        ),
    ] {
        let (app, ada) = with(properties.clone()).await;
        for id in bad {
            let refused = app.post(&ada, "/api/notes", json!({"id": id})).await;
            let error = refused.refused(422, "validation_failed");
            assert_eq!(
                error["error"]["details"]["fields"][0]["field"], "id",
                "{error}"
            );
        }
        let made = app.post(&ada, "/api/notes", json!({"id": good})).await;
        made.expect(201);
    }
    // None that is made here would pass.
    let (app, ada) = with(short).await;
    let refused = app.post(&ada, "/api/notes", json!({})).await;
    refused.refused(422, "validation_failed");
}
