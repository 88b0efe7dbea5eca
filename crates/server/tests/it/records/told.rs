//! What answers tell: of requests that are wrong, of what they lack, and by which ids.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;

use super::{App, LEDGER, ask, served};
use crate::support::Reply;

/// The fields that a refusal names, with what it says of each.
fn fields(refused: &Value) -> Vec<(String, String)> {
    let fields = refused["error"]["details"]["fields"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let fields = fields.iter();
    fields
        .map(|error| (text(&error["field"]), text(&error["message"])))
        .collect()
}

#[tokio::test]
async fn a_write_that_no_op_can_hold_is_too_large() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let long = "x".repeat(1 << 20);
    let mut deep = json!("x");
    for _ in 0..70 {
        deep = json!([deep]);
    }
    for body in [
        json!({"id": "p", "name": "one", "diary": long}),
        json!({"id": "p", "name": "one", "other": deep}),
    ] {
        let refused = app.post(&ada, "/api/people", body).await;
        refused.refused(413, "too_large");
    }
    let made = json!({"id": "p", "name": "one"});
    app.post(&ada, "/api/people", made).await.expect(201);
    let refused = app.patch(&ada, "/api/people/p", json!({"diary": long}));
    refused.await.refused(413, "too_large");
    let write =
        json!({"entity": "people", "id": "p", "action": "update", "values": {"diary": long}});
    let results = app.writes(&ada, &[("long", write)]).await;
    assert_eq!(results[0]["error"]["code"], "too_large");
}

#[tokio::test]
async fn a_body_that_is_too_long_is_told_as_readers_of_shapes_know_it() {
    let (server, writer) = served().await;
    let body = json!({"where": "x".repeat(70_000)});
    let refused = server.post("/v1/shape?table=notes", &writer, body).await;
    assert_eq!(refused.status, 413);
    assert_eq!(refused.json()["error"], "Request body too large");
    assert!(refused.json()["message"].is_string(), "{}", refused.text);
}

#[tokio::test]
async fn an_id_that_can_not_be_is_refused_by_its_field_with_the_bound() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let (longest, longer) = ("x".repeat(249), "x".repeat(250));
    for (id, message) in [
        ("", "must not be empty"),
        (&*longer, "must have at most 249 bytes, and has 250"),
        ("a\nb", "must have no control characters"),
    ] {
        let body = json!({"id": id, "name": "one"});
        for body in [body.clone(), json!([{"id": "fits", "name": "two"}, body])] {
            let refused = app.post(&ada, "/api/people", body).await;
            let told = fields(&refused.refused(422, "validation_failed"));
            assert_eq!(told, [("id".to_owned(), message.to_owned())]);
        }
    }
    let body = json!({"id": longest, "name": "one"});
    app.post(&ada, "/api/people", body).await.expect(201);
}

#[tokio::test]
async fn a_base_that_is_none_is_refused_by_its_name() {
    let (server, writer) = served().await;
    let note = json!({"id": "a", "text": "one"});
    server.post("/api/notes", &writer, note).await.expect(201);
    let body = json!({"text": "two", "_base": 3});
    let refused = server
        .send(Method::PATCH, "/api/notes/a", &writer, body)
        .await;
    let refused = refused.refused(422, "invalid_field");
    assert_eq!(refused["error"]["details"]["field"], "_base");
    assert_eq!(refused["error"]["message"], "_base: must be an object");
}

#[tokio::test]
async fn who_lacks_a_membership_is_told_so_before_anything_of_roles() {
    let app = App::of(LEDGER).await;
    let ada = app.member("ada", Role::Owner);
    let booking = json!({"id": "b", "text": "one"});
    let path = "/api/accounts/acc/bookings";
    let refused = app.post(&ada, path, booking.clone()).await;
    let refused = refused.refused(403, "forbidden");
    assert_eq!(
        refused["error"]["message"],
        "no record of `memberships` gives you a role at this `account_id`"
    );
    let viewer = json!({"id": "m", "user_id": "ada", "account_id": "acc", "role": "viewer"});
    app.post(&ada, "/api/memberships", viewer).await.expect(201);
    let refused = app.post(&ada, path, booking.clone()).await;
    let refused = refused.refused(403, "forbidden");
    let message = "the role viewer may not make this record";
    assert_eq!(refused["error"]["message"], message);
    let editor = json!({"role": "editor"});
    app.patch(&ada, "/api/memberships/m", editor)
        .await
        .expect(200);
    app.post(&ada, path, booking).await.expect(201);
}

#[tokio::test]
async fn a_head_is_a_get_without_its_body() {
    let (server, writer) = served().await;
    let note = json!({"id": "a", "text": "one"});
    server.post("/api/notes", &writer, note).await.expect(201);
    for path in [
        "/",
        "/api/notes",
        "/api/notes/a",
        "/api/notes/none",
        "/health",
    ] {
        let get = ask(&server, Method::GET, path, &writer, None).await;
        let head = ask(&server, Method::HEAD, path, &writer, None).await;
        assert_eq!((head.status, &*head.text), (get.status, ""), "{path}");
        assert_eq!(head.headers.get("etag"), get.headers.get("etag"), "{path}");
    }
    let root = Reply::of(server.client.get(server.url("/"))).await;
    assert_eq!((root.status.as_u16(), &*root.text), (200, ""));
    let head = ask(&server, Method::HEAD, "/api/notes/a", &writer, None).await;
    assert_eq!(head.status, 200);
}

#[tokio::test]
async fn rows_of_one_request_get_ids_that_rise() {
    let (server, writer) = served().await;
    let notes: Vec<_> = (0..200).map(|n| json!({"text": n.to_string()})).collect();
    let made = server.post("/api/notes", &writer, json!(notes)).await;
    let made = made.expect(201);
    let ids: Vec<_> = made
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str())
        .collect();
    assert!(ids.is_sorted() && ids.len() == 200, "{ids:?}");
    assert!(ids.windows(2).all(|two| two[0] != two[1]));
    for id in &ids {
        let id = uuid::Uuid::parse_str(id.unwrap()).unwrap();
        assert_eq!(id.get_version_num(), 7);
    }
}
