//! A UUID names one record, in whatever letters it is written.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_store::control::Rights;

use super::{App, document};
use crate::support::Reply;

const SMALL: &str = "0a000000-0000-4000-8000-00000000000b";
const CAPITALS: &str = "0A000000-0000-4000-8000-00000000000B";

/// Notes whose keys are of a format, and that refer to one another.
fn notes(format: Option<&str>) -> Value {
    let mut key = json!({"type": "string"});
    if let Some(format) = format {
        key["format"] = json!(format);
    }
    let mut document = document();
    let properties = &mut document["components"]["schemas"]["Note"]["properties"];
    properties["id"] = key.clone();
    key["x-references"] = json!("notes");
    properties["under"] = key;
    document
}

async fn app() -> (App, String) {
    let app = App::of(&notes(Some("uuid")).to_string()).await;
    let ada = app.member("ada", Role::Owner);
    (app, ada)
}

async fn ids(app: &App, token: &str) -> Vec<String> {
    let rows = app.get(token, "/api/notes").await.expect(200);
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

fn at(id: &str) -> String {
    format!("/api/notes/{id}")
}

#[tokio::test]
async fn a_record_is_made_once_and_known_in_any_letters() {
    let (app, ada) = app().await;
    let note = |id: &str| json!({"id": id, "text": "one"});
    let made = app
        .post(&ada, "/api/notes", note(CAPITALS))
        .await
        .expect(201);
    assert_eq!(made["id"], SMALL);
    for id in [SMALL, CAPITALS] {
        let again = app.post(&ada, "/api/notes", note(id)).await;
        again.refused(409, "already_exists");
        let got = app.get(&ada, &at(id)).await.expect(200);
        assert_eq!((&got["id"], &got["text"]), (&json!(SMALL), &json!("one")));
        let whole = json!({"id": id, "text": "put"});
        let put = app.send(&ada, Method::PUT, &at(CAPITALS), whole).await;
        assert_eq!(put.expect(200)["text"], "put");
        app.patch(&ada, &at(CAPITALS), json!({"text": "one"}))
            .await
            .expect(200);
        let history = format!("/api/records/notes/{id}/history");
        let entries = app.get(&ada, &history).await.expect(200)["entries"].clone();
        assert!(entries.as_array().unwrap().len() > 2, "{entries}");
    }
    assert_eq!(ids(&app, &ada).await, [SMALL]);
    let deleted = app.delete(&ada, &at(CAPITALS)).await;
    assert_eq!(deleted.status.as_u16(), 204);
    assert_eq!(ids(&app, &ada).await, [""; 0]);
    let twice = json!([note(CAPITALS), note(SMALL)]);
    app.post(&ada, "/api/notes", twice)
        .await
        .refused(409, "already_exists");
}

#[tokio::test]
async fn a_queue_and_its_repeats_know_a_record_in_any_letters() {
    let (app, ada) = app().await;
    let write = |id: &str, action: &str, text: &str| json!({"entity": "notes", "id": id, "action": action, "values": {"id": id, "text": text}});
    for _ in 0..2 {
        let written = app
            .writes(&ada, &[("a", write(CAPITALS, "create", "one"))])
            .await;
        assert_eq!(written[0]["rows"][0]["id"], SMALL, "{written:?}");
    }
    let written = app
        .writes(
            &ada,
            &[
                ("b", write(CAPITALS, "update", "two")),
                ("c", write(CAPITALS, "create", "x")),
            ],
        )
        .await;
    assert_eq!(written[0]["rows"][0]["text"], "two", "{written:?}");
    assert_eq!(written[1]["error"]["code"], "already_exists", "{written:?}");
    assert_eq!(ids(&app, &ada).await, [SMALL]);
}

#[tokio::test]
async fn a_reference_is_to_the_record_as_it_is_known() {
    let (app, ada) = app().await;
    let note = json!({"id": SMALL, "text": "one", "under": CAPITALS});
    let made = app.post(&ada, "/api/notes", note).await.expect(201);
    assert_eq!(made["under"], SMALL);
    let changed = json!({"under": CAPITALS, "text": "two"});
    let changed = app.patch(&ada, &at(SMALL), changed).await.expect(200);
    assert_eq!(changed["under"], SMALL);
}

#[tokio::test]
async fn a_condition_means_a_record_in_any_letters() {
    let (app, ada) = app().await;
    let note = json!({"id": SMALL, "text": "one", "under": SMALL});
    app.post(&ada, "/api/notes", note).await.expect(201);
    for column in ["id", "under"] {
        let path = format!("/api/notes?{column}__is={CAPITALS}");
        let listed = app.get(&ada, &path).await.expect(200);
        assert_eq!(listed[0]["id"], SMALL, "{column}");
        for condition in [
            format!("{column}%20=%20'{CAPITALS}'"),
            format!("{column}%20IN%20('{CAPITALS}')"),
            format!("{column}%20=%20$1&params[1]={CAPITALS}"),
        ] {
            let path = format!("/v1/shape?table=notes&offset=-1&where={condition}");
            let shape = app.get(&ada, &path).await.expect(200);
            assert_eq!(shape[0]["value"]["id"], SMALL, "{condition}: {shape}");
        }
    }
}

#[tokio::test]
async fn a_replica_makes_no_record_in_capitals() {
    let (app, ada) = app().await;
    let push = async |clock: u64, id: &str, action: &str| {
        let writes =
            json!([{"entity": "notes", "id": id, "action": action, "values": {"text": "one"}}]);
        let op = json!({"scope": "record", "resourceId": format!("notes/{id}"), "actor": "ada-1",
            "clock": clock, "payload": {"writes": writes, "mode": "optimistic"}});
        let body = json!({"clientId": "client-ada", "ops": [op]});
        app.post(&ada, "/sync/push", body).await.expect(200)["results"][0].clone()
    };
    let refused = push(1, CAPITALS, "create").await;
    let text = refused.to_string();
    assert!(
        text.contains("validation_failed") && text.contains(SMALL),
        "{text}"
    );
    let taken = push(2, SMALL, "create").await;
    assert_eq!(taken["status"], "accepted", "{taken}");
    let again = push(3, CAPITALS, "create").await;
    assert!(again.to_string().contains("already_exists"), "{again}");
    assert_eq!(ids(&app, &ada).await, [SMALL]);
}

/// Logs hold keys in capitals: what a key of texts was once may be one of UUIDs now.
#[tokio::test]
async fn a_key_of_an_older_log_stays_what_it_is_and_is_known_in_small_letters() {
    let app = App::of(&notes(None).to_string()).await;
    let ada = app.member("ada", Role::Owner);
    let note = json!({"id": CAPITALS, "text": "one"});
    app.post(&ada, "/api/notes", note).await.expect(201);
    let admin = app.server.token("acme", Rights::Admin);
    let path = "/api/schema?allow=change-kind";
    let request = app.server.request(Method::PUT, path, &admin);
    let request = request.json(&notes(Some("uuid")));
    Reply::of(request).await.expect(200);

    let note = json!({"id": SMALL, "text": "x", "under": SMALL});
    app.post(&ada, "/api/notes", note)
        .await
        .refused(409, "already_exists");
    for id in [SMALL, CAPITALS] {
        assert_eq!(app.get(&ada, &at(id)).await.expect(200)["id"], CAPITALS);
        let changed = json!({"text": "two", "under": CAPITALS});
        let changed = app.patch(&ada, &at(id), changed).await.expect(200);
        assert_eq!(
            (&changed["id"], &changed["under"]),
            (&json!(CAPITALS), &json!(CAPITALS))
        );
    }
    assert_eq!(ids(&app, &ada).await, [CAPITALS]);
    let deleted = app.delete(&ada, &at(SMALL)).await;
    assert_eq!(deleted.status.as_u16(), 204);
    let note = json!({"id": SMALL, "text": "new"});
    app.post(&ada, "/api/notes", note).await.expect(201);
    assert_eq!(ids(&app, &ada).await, [SMALL]);
}

/// Accounts, who has which role on them, and what is booked on them.
const SHARED: &str = r##"
openapi: 3.1.0
paths:
  /api/accounts:
    x-rbac: { role_via: { entity: shares, entity_field: account_id, field: id } }
    get: { responses: { "200": { description: "", content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Account" } } } } } } }
  /api/shares:
    get: { responses: { "200": { description: "", content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Share" } } } } } } }
  /api/accounts/{account_id}/bookings:
    x-rbac: { role_via: { entity: shares, entity_field: account_id, field: account_id } }
    get: { responses: { "200": { description: "", content: { application/json: { schema: { type: array, items: { $ref: "#/components/schemas/Booking" } } } } } } }
    post:
      requestBody: { content: { application/json: { schema: { $ref: "#/components/schemas/Booking" } } } }
      responses: { "201": { description: "", content: { application/json: { schema: { $ref: "#/components/schemas/Booking" } } } } }
components:
  schemas:
    Account: { type: object, properties: { id: { type: string, format: uuid } } }
    Share: { type: object, properties: { id: { type: string }, account_id: { type: string, format: uuid }, user_id: { type: string }, role: { type: string } } }
    Booking: { type: object, properties: { id: { type: string }, account_id: { type: string, format: uuid } } }
"##;

#[tokio::test]
async fn a_membership_is_of_the_record_as_it_is_known() {
    let app = App::of(SHARED).await;
    let ada = app.member("ada", Role::Owner);
    let create = |entity: &str, id: &str, values: Value| json!({"entity": entity, "id": id, "action": "create", "values": values});
    let share = json!({"account_id": CAPITALS, "user_id": "ada", "role": "owner"});
    let writes = [
        create("accounts", CAPITALS, json!({})),
        create("shares", "s", share),
    ];
    let body = json!({"transactions": [{"write_id": "w", "writes": writes}]});
    let written = app.post(&ada, "/api/writes", body).await.expect(200);
    let rows = &written["results"][0]["rows"];
    assert_eq!(
        (&rows[0]["id"], &rows[1]["account_id"]),
        (&json!(SMALL), &json!(SMALL)),
        "{written}"
    );
    let path = format!("/api/accounts/{CAPITALS}/bookings");
    let booked = app.post(&ada, &path, json!({"id": "b"})).await.expect(201);
    assert_eq!(
        (&booked["account_id"], &booked["_role"]),
        (&json!(SMALL), &json!("owner"))
    );
    let path = format!("/api/accounts/{SMALL}/bookings");
    let listed = app.get(&ada, &path).await.expect(200);
    assert_eq!(listed[0]["id"], "b");
}
