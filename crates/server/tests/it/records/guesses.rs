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

/// Who may not see a record learns that it has a value, and nothing of which record it is.
#[tokio::test]
async fn a_value_that_is_taken_tells_nothing_of_the_record_that_has_it() {
    let unique = "text: { type: string, x-unique: true }";
    let app = App::of(&LEDGER.replacen("text: { type: string }", unique, 1)).await;
    let owner = app.member("olga", Role::Owner);
    for (user, account) in [("ada", "hers"), ("bob", "his")] {
        let membership =
            json!({"id": user, "account_id": account, "user_id": user, "role": "owner"});
        app.post(&owner, "/api/memberships", membership)
            .await
            .expect(201);
    }
    let (ada, bob) = (app.token("ada"), app.token("bob"));
    let booking = |id: &str, margin| json!({"id": id, "text": "rent", "margin": margin});
    let hers = "/api/accounts/hers/bookings";
    app.post(&ada, hers, booking("secret-id", json!("4711")))
        .await
        .expect(201);
    let his = "/api/accounts/his/bookings";
    let refused = app.post(&bob, his, booking("b", json!(null))).await;
    let refused = refused.refused(409, "unique_violation").to_string();
    for secret in ["secret-id", "hers", "4711", "ada"] {
        assert!(!refused.contains(secret), "{refused}");
    }
    // In a set with the account it is a matter of the account alone.
    let text = LEDGER.replace(
        "    x-conflict: reject\n",
        "    x-conflict: reject\n    x-unique: [[account_id, text]]\n",
    );
    let admin = app
        .server
        .token("acme", syncline_store::control::Rights::Admin);
    let path = "/api/schema?allow=add-unique";
    let request = app.server.request(Method::PUT, path, &admin);
    Reply::of(request.body(text)).await.expect(200);
    app.post(&bob, his, booking("b", json!(null)))
        .await
        .expect(201);
    let again = app.post(&bob, his, booking("c", json!(null))).await;
    again.refused(409, "unique_violation");
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
