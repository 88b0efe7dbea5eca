//! Another spelling of a value that stands is no change that needs a right, and no conflict.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::{App, document};

/// What a note holds, and the same in other spellings.
const FIELDS: [(&str, &str, &str); 4] = [
    ("price", "1.5", "1.50"),
    (
        "due",
        "2026-01-01T00:00:00Z",
        "2026-01-01T02:00:00.000+02:00",
    ),
    ("at", "09:30", "09:30:00.0"),
    (
        "owner",
        "0a000000-0000-4000-8000-00000000000b",
        "0A000000-0000-4000-8000-00000000000B",
    ),
];

/// Notes of which an editor writes the texts alone, and owners all.
fn notes(conflict: &str) -> Value {
    let field = |format: &str| json!({"type": ["string", "null"], "format": format});
    let of_owners = |format: &str| {
        let mut field = field(format);
        field["x-owner-only"] = json!(true);
        field
    };
    let mut document = document();
    let note = &mut document["components"]["schemas"]["Note"];
    note["required"] = json!(["id"]);
    note["x-conflict"] = json!(conflict);
    note["properties"] = json!({
        "id": {"type": "string"}, "text": {"type": "string"}, "free": field("decimal"),
        "price": of_owners("decimal"), "due": of_owners("date-time"), "at": of_owners("time"),
        "owner": of_owners("uuid"),
    });
    document
}

fn note(spelling: impl Fn(&(&'static str, &'static str, &'static str)) -> &'static str) -> Value {
    let fields = FIELDS
        .iter()
        .map(|field| (field.0.to_owned(), json!(spelling(field))));
    let mut note = Value::Object(fields.collect());
    note["text"] = json!("one");
    note
}

#[tokio::test]
async fn who_may_not_write_a_field_sends_it_back_in_another_spelling() {
    let app = App::of(&notes("server_wins").to_string()).await;
    let (ada, bob) = (
        app.member("ada", Role::Owner),
        app.member("bob", Role::Editor),
    );
    let mut made = note(|field| field.1);
    made["id"] = json!("n");
    app.post(&ada, "/api/notes", made).await.expect(201);

    let mut whole = note(|field| field.2);
    whole["text"] = json!("two");
    let put = app
        .send(&bob, Method::PUT, "/api/notes/n", whole.clone())
        .await;
    let put = put.expect(200);
    assert_eq!(put["text"], "two");
    for (name, first, _) in FIELDS {
        assert_eq!(
            put[name], first,
            "what nobody has changed is as it was written"
        );
    }
    app.patch(&bob, "/api/notes/n", whole.clone())
        .await
        .expect(200);
    let write = json!({"entity": "notes", "id": "n", "action": "update", "values": whole});
    let results = app.writes(&bob, &[("w", write)]).await;
    assert_eq!(results[0]["status"], "accepted", "{results:?}");

    for (name, other) in [
        ("price", "1.51"),
        ("due", "2026-01-01T00:00:00.001Z"),
        ("at", "09:30:01"),
        ("owner", "0a000000-0000-4000-8000-00000000000c"),
    ] {
        let refused = app.patch(&bob, "/api/notes/n", json!({name: other})).await;
        refused.refused(403, "forbidden_field");
    }
    // Who may write it has it as they wrote it.
    let respelled = app
        .patch(&ada, "/api/notes/n", json!({"price": "1.50"}))
        .await;
    assert_eq!(respelled.expect(200)["price"], "1.50");
}

#[tokio::test]
async fn another_spelling_of_what_stands_is_no_conflict() {
    let app = App::of(&notes("reject").to_string()).await;
    let ada = app.member("ada", Role::Owner);
    let made = json!({"id": "n", "text": "one", "free": "1"});
    app.post(&ada, "/api/notes", made).await.expect(201);
    let change = json!({"free": "2.5"});
    app.patch(&ada, "/api/notes/n", change).await.expect(200);
    let late = |free: &str| json!({"free": free, "_base": {"free": "1"}});
    let same = app.patch(&ada, "/api/notes/n", late("2.50")).await;
    assert_eq!(same.expect(200)["free"], "2.50");
    let other = app.patch(&ada, "/api/notes/n", late("3")).await;
    other.refused(409, "conflict");
}
