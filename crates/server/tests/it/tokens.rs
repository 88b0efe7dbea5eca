use reqwest::Method;
use serde_json::json;
use syncline_model::Timestamp;
use syncline_store::control::Rights;

use crate::support::{Reply, now, open_to_all, start, start_with};

#[tokio::test]
async fn a_token_is_shown_once_and_works_at_once() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let body = json!({"user": "grace", "rights": "read"});
    let made = server.post("/api/tokens", &admin, body).await.expect(201);
    let text = made["token"].as_str().unwrap();
    assert!(text.starts_with("sl_"));
    let who = server.get("/api/whoami", text).await.expect(200);
    assert_eq!(
        (&who["tenant"], &who["user"]),
        (&json!("acme"), &json!("grace"))
    );
    assert_eq!(
        (&who["rights"], &who["token_id"]),
        (&json!("read"), &made["id"])
    );

    let list = server.get("/api/tokens", &admin).await;
    assert!(!list.text.contains(&text[3..]), "a secret was listed");
    let ids: Vec<_> = list.json()["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["id"].clone())
        .collect();
    assert!(ids.contains(&made["id"]));
}

#[tokio::test]
async fn the_default_right_is_sync() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let made = server
        .post("/api/tokens", &admin, json!({"user": "g"}))
        .await
        .expect(201);
    assert_eq!(made["rights"], "sync");
    assert_eq!(made["expires_at"], serde_json::Value::Null);
}

#[tokio::test]
async fn a_misspelt_field_makes_no_token() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    for body in [
        json!({"user": "g", "right": "read"}),
        json!({"user": "g", "expires": "2030-01-01T00:00:00Z"}),
    ] {
        let reply = server.post("/api/tokens", &admin, body).await;
        reply.refused(422, "invalid_field");
    }
    let list = server.get("/api/tokens", &admin).await.expect(200);
    assert_eq!(list["tokens"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_for_good() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let made = server
        .post("/api/tokens", &admin, json!({"user": "g"}))
        .await
        .expect(201);
    let text = made["token"].as_str().unwrap();
    let path = format!("/api/tokens/{}", made["id"].as_str().unwrap());
    for _ in 0..2 {
        Reply::of(server.request(Method::DELETE, &path, &admin))
            .await
            .expect(200);
        server
            .get("/api/whoami", text)
            .await
            .refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn other_tenants_tokens_are_neither_seen_nor_revoked() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let theirs = server.issue("umbrella", Rights::Sync, None);
    let list = server.get("/api/tokens", &admin).await;
    assert!(!list.text.contains("umbrella"));
    let path = format!("/api/tokens/{}", theirs.id);
    Reply::of(server.request(Method::DELETE, &path, &admin))
        .await
        .refused(404, "not_found");
    Reply::of(server.request(Method::DELETE, "/api/tokens/x", &admin))
        .await
        .refused(404, "not_found");
    server.get("/api/whoami", &theirs.text).await.expect(200);
}

#[tokio::test]
async fn what_no_token_can_be_is_refused_with_the_field() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let past = Timestamp::from_millis(now().as_millis() - 1000).unwrap();
    for body in [
        json!({}),
        json!({"user": "../../etc"}),
        json!({"user": 7}),
        json!({"user": "g", "rights": "root"}),
        json!({"user": "g", "expires_at": "tomorrow"}),
        json!({"user": "g", "expires_at": past}),
    ] {
        let refused = server.post("/api/tokens", &admin, body.clone()).await;
        refused.refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn the_last_use_is_noted() {
    let server = start().await;
    let token = server.issue("acme", Rights::Admin, None);
    server.get("/api/whoami", &token.text).await.expect(200);
    let data = server.stop().await;
    let server = crate::support::start_on(data, |_| {}).await;
    let list = server.get("/api/tokens", &token.text).await.expect(200);
    assert!(list["tokens"][0]["last_used_at"].is_string());
}

#[tokio::test]
async fn without_authentication_everybody_is_the_same_user_of_one_tenant() {
    let server = start_with(open_to_all).await;
    let reply = Reply::of(server.client.get(server.url("/api/whoami"))).await;
    let who = reply.expect(200);
    assert_eq!(
        (&who["tenant"], &who["user"]),
        (&json!("default"), &json!("anonymous"))
    );
}
