//! The schema over HTTP.

use reqwest::Method;
use serde_json::json;
use syncline_store::control::Rights;

use super::{ask, document, served};

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
