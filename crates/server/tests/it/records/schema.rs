//! The schema over HTTP.

use reqwest::Method;
use serde_json::json;
use syncline_store::control::Rights;

use super::{App, LEDGER, ask, document, served};
use crate::support::Reply;

#[tokio::test]
async fn a_schema_that_takes_something_away_needs_leave() {
    let (server, writer) = served().await;
    let admin = server.token("acme", Rights::Admin);
    let mut less = document();
    less["components"]["schemas"]["Note"]["properties"]
        .as_object_mut()
        .unwrap()
        .remove("done");
    let compared = ask(
        &server,
        Method::POST,
        "/api/schema/diff",
        &writer,
        Some(less.clone()),
    )
    .await
    .expect(200);
    assert_eq!(compared["changes"][0]["kind"], "drop-field");
    ask(
        &server,
        Method::PUT,
        "/api/schema",
        &writer,
        Some(less.clone()),
    )
    .await
    .refused(403, "forbidden");
    let refused = ask(
        &server,
        Method::PUT,
        "/api/schema",
        &admin,
        Some(less.clone()),
    )
    .await;
    refused.refused(409, "breaking_schema");
    ask(
        &server,
        Method::PUT,
        "/api/schema?allow=drop-field",
        &admin,
        Some(less),
    )
    .await
    .expect(200);
    let broken = json!({"openapi": "9.0.0"});
    let error = ask(&server, Method::PUT, "/api/schema", &admin, Some(broken)).await;
    let error = error.refused(422, "validation_failed");
    assert!(
        error["error"]["details"]["diagnostics"][0]["line"].is_u64(),
        "{error}"
    );
}

#[tokio::test]
async fn operations_at_the_servers_own_paths_are_named_when_a_document_comes() {
    let app = App::of(LEDGER).await;
    let admin = app.server.token("acme", Rights::Admin);
    let moved = LEDGER.replace("/api/people/{id}:", "/api/threads/{id}:");
    let request = app.server.request(Method::POST, "/api/schema/diff", &admin);
    let compared = Reply::of(request.body(moved)).await.expect(200);
    let hidden = compared["hidden"].as_array().unwrap();
    let own = json!({"entity": "threads", "method": "GET", "path": "/api/threads/{id}"});
    assert!(hidden.contains(&own), "{compared}");
    let request = app.server.request(Method::POST, "/api/schema/diff", &admin);
    let same = Reply::of(request.body(LEDGER)).await.expect(200);
    assert_eq!(same["hidden"], json!([]));
}
