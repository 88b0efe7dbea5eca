//! Requests and documents that nobody wants.

use reqwest::Method;
use serde_json::json;
use syncline_store::control::Rights;

use super::{App, LEDGER};
use crate::support::Reply;

/// Texts that mean something to SQL, to JSON, to a path or to a header.
const SLY: [&str; 8] = [
    "' OR '1'='1",
    "\"; DROP TABLE records; --",
    "x') UNION SELECT columns FROM records --",
    "%' OR 1=1 --",
    "$.\"name\"",
    "../../etc/passwd",
    "a\\\"b",
    "\u{1f980}\u{202e}",
];

fn coded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn what_is_slipped_into_a_request_is_a_value_and_nothing_else() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    app.post(&ada, "/api/people", json!({"id": "p", "name": "one"}))
        .await
        .expect(201);
    for sly in SLY {
        let text = coded(sly);
        for path in [
            format!("/api/people?name={text}"),
            format!("/api/people?name__contains={text}"),
            format!("/api/people?id__in={text},{text}"),
        ] {
            let found = app.get(&ada, &path).await.expect(200);
            assert_eq!(found, json!([]), "{path}");
        }
        for path in [
            format!("/api/people?{text}=x"),
            format!("/api/people?name__{text}=x"),
            format!("/api/people?order={text}"),
            format!("/api/people?cursor={text}"),
            format!("/api/people?limit={text}"),
        ] {
            let refused = app.get(&ada, &path).await;
            refused.refused(422, "invalid_field");
        }
        for path in [
            format!("/api/people/{text}"),
            format!("/api/writes/{text}"),
            format!("/api/records/people/{text}/history"),
            format!("/api/records/{text}/p/history"),
        ] {
            app.get(&ada, &path).await.refused(404, "not_found");
        }
        // As an id, a name and a value it is taken for what it is.
        let person = json!({"id": sly, "name": sly, sly: sly});
        let made = app.post(&ada, "/api/people", person).await.expect(201);
        let shown = app.get(&ada, &format!("/api/people/{text}")).await;
        assert_eq!(shown.expect(200)[sly], made[sly]);
        let history = format!("/api/records/people/{text}/history");
        let history = app.get(&ada, &history).await.expect(200);
        assert_eq!(history["entries"][0]["values"]["name"], sly);
        let gone = app.delete(&ada, &format!("/api/people/{text}")).await;
        assert_eq!(gone.status, 204);
    }
    let all = app.get(&ada, "/api/people").await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 1);
}

/// A document of one entity that is called so, as is its one field.
fn named(name: &str) -> String {
    let schema = json!({"type": "object", "required": ["id"], "properties": {
        "id": {"type": "string"}, name: {"type": ["string", "null"], "x-unique": true}}});
    let content = json!({"application/json": {"schema": schema}});
    let responses = json!({"2XX": {"description": "", "content": content}});
    let list = json!({"application/json": {"schema": {"type": "array", "items": schema}}});
    let list = json!({"200": {"description": "", "content": list}});
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}]);
    json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {
        format!("/api/{name}"): {"get": {"responses": list},
            "post": {"requestBody": {"content": content}, "responses": responses}},
        format!("/api/{name}/{{id}}"): {"parameters": id, "get": {"responses": responses},
            "patch": {"requestBody": {"content": content}, "responses": responses}},
    }})
    .to_string()
}

#[tokio::test]
async fn an_entity_and_a_field_may_be_called_anything() {
    for name in [
        "select",
        "group",
        "it's",
        "a\"b",
        "order",
        "\u{1f980}s",
        "_role_",
        "rowid",
    ] {
        let app = App::of(&named(name)).await;
        let ada = app.token("ada");
        let path = format!("/api/{}", coded(name));
        let row = json!({"id": "a", name: "x"});
        let made = app.post(&ada, &path, row).await;
        assert_eq!(made.status, 201, "{name}: {}", made.text);
        let again = app.post(&ada, &path, json!({"id": "b", name: "x"})).await;
        again.refused(409, "unique_violation");
        let one = format!("{path}/a");
        let changed = app.patch(&ada, &one, json!({name: "y"})).await.expect(200);
        assert_eq!(changed[name], "y");
        // The list's own words hide fields of their names.
        if name != "order" {
            let found = format!("{path}?{}=y&order={}", coded(name), coded(name));
            let found = app.get(&ada, &found).await.expect(200);
            assert_eq!(found[0]["id"], "a", "{name}");
        }
    }
}

#[tokio::test]
async fn a_document_that_is_too_long_is_refused_with_the_limit() {
    let app = App::of(LEDGER).await;
    let admin = app.server.token("acme", Rights::Admin);
    let long = format!("openapi: 3.1.0\n# {}", "x".repeat(50 << 20));
    let request = app.server.request(Method::PUT, "/api/schema", &admin);
    let refused = Reply::of(request.body(long)).await;
    let refused = refused.refused(413, "payload_too_large");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.chars().any(|c| c.is_ascii_digit()), "{message}");
    let ada = app.token("ada");
    app.get(&ada, "/api/people").await.expect(200);
}

#[tokio::test]
async fn entities_that_collide_are_refused_with_their_place() {
    let app = App::of(LEDGER).await;
    let admin = app.server.token("acme", Rights::Admin);
    let twice = LEDGER.replace("/api/memberships:", "/api/People:");
    let request = app.server.request(Method::PUT, "/api/schema", &admin);
    let refused = Reply::of(request.body(twice)).await;
    let refused = refused.refused(422, "validation_failed");
    let told = refused["error"]["details"]["diagnostics"]
        .as_array()
        .unwrap();
    let collision = told.iter().find(|told| told["code"] == "collision");
    let collision = collision.unwrap_or_else(|| panic!("{refused}"));
    assert!(collision["line"].as_u64().unwrap() > 1, "{collision}");
}

#[tokio::test]
async fn bodies_of_another_form_say_what_is_wrong_with_them() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    app.post(&ada, "/api/people", json!({"id": "p", "name": "one"}))
        .await
        .expect(201);
    for (method, path, body, status) in [
        (Method::POST, "/api/people", json!([]), 422),
        (Method::POST, "/api/people", json!([1]), 422),
        (
            Method::POST,
            "/api/people",
            json!({"id": [], "name": "n"}),
            422,
        ),
        (
            Method::POST,
            "/api/people",
            json!({"id": "", "name": "n"}),
            422,
        ),
        (
            Method::POST,
            "/api/people",
            json!({"id": "x".repeat(300), "name": "n"}),
            422,
        ),
        (Method::PATCH, "/api/people/p", json!([]), 422),
        (Method::PATCH, "/api/people/p", json!({"_base": 1}), 422),
        (Method::PATCH, "/api/people/p", json!({"name": {}}), 422),
        (Method::PUT, "/api/people/p", json!("x"), 422),
        (Method::PUT, "/api/people/p", json!({}), 422),
    ] {
        let reply = app.send(&ada, method.clone(), path, body.clone()).await;
        assert_eq!(
            reply.status, status,
            "{method} {path} {body}: {}",
            reply.text
        );
        assert!(reply.json()["error"]["message"].is_string());
    }
    let shown = app.get(&ada, "/api/people/p").await.expect(200);
    assert_eq!(shown["name"], "one");
}
