//! What can't be found out by trying.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::PayloadHash;
use syncline_model::schema::Role;

use super::{App, LEDGER};
use crate::support::Reply;

/// All that a member pulls of the log.
async fn pulled(app: &App, token: &str) -> Vec<Value> {
    let page = app.get(token, "/sync/pull?clientId=x&since=0").await;
    page.expect(200)["ops"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_hidden_of_an_op_is_not_told_by_its_hash() {
    let app = App::of(LEDGER).await;
    let (owner, viewer) = (
        app.member("olga", Role::Owner),
        app.member("vera", Role::Viewer),
    );
    app.post(&owner, "/api/people", json!({"id": "p", "name": "one"}))
        .await
        .expect(201);
    let raise = json!({"salary": "48250"});
    let path = "/api/people/p";
    for named in [false, true] {
        let mut request = app.server.request(Method::PATCH, path, &owner).json(&raise);
        if named {
            request = request.header("idempotency-key", "raise");
        }
        Reply::of(request).await.expect(200);
    }
    let ops = pulled(&app, &viewer).await;
    let op = ops.last().unwrap();
    assert_eq!(op["payload"]["decided"][0]["id"], "p", "{op}");
    let text = op.to_string();
    assert!(!text.contains("48250") && !text.contains("salt"), "{text}");
    // All of the op but the one value is known to them.
    let write = r#"{"entity":"people","id":"p","action":"update","values":{"salary":"48250"}}"#;
    let guess = PayloadHash::of(&format!(r#"{{"writes":[{write}],"mode":"confirmed"}}"#));
    for op in &ops {
        assert_ne!(op["payloadHash"], guess.to_string());
    }
}
