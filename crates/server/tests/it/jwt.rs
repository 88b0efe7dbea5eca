use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use syncline_server::{AuthMode, JwtAlgorithm, JwtConfig, JwtKey};
use syncline_store::control::Rights;

use crate::support::{TestServer, now, push_of, start_with};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes, for these tests alone";

async fn start() -> TestServer {
    start_with(|config| {
        let key = JwtKey {
            id: None,
            algorithm: JwtAlgorithm::Hs256,
            material: SECRET.to_owned(),
        };
        config.auth = AuthMode::Token {
            jwt: Some(JwtConfig {
                audience: "syncline".into(),
                issuer: None,
                keys: vec![key],
            }),
        };
    })
    .await
}

fn sign(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET);
    encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

fn claims(seconds: i64) -> Value {
    let exp = now().as_millis() / 1000 + seconds;
    json!({"sub": "ada", "tenant": "acme", "aud": "syncline", "exp": exp})
}

#[tokio::test]
async fn a_signed_token_is_a_user_of_its_tenant() {
    let server = start().await;
    let token = sign(&claims(60));
    let who = server.get("/api/whoami", &token).await.expect(200);
    assert_eq!(
        (&who["tenant"], &who["user"]),
        (&json!("acme"), &json!("ada"))
    );
    assert_eq!(
        (&who["rights"], &who["credential"]),
        (&json!("sync"), &json!("jwt"))
    );
    server
        .post("/sync/push", &token, push_of("a", [1]))
        .await
        .expect(200);
    server
        .get("/api/tokens", &token)
        .await
        .refused(403, "forbidden");
    // Both kinds reach the same tenant.
    let kept = server.token("acme", Rights::Read);
    assert_eq!(
        server.get("/sync/pull", &kept).await.expect(200)["serverSeq"],
        1
    );
}

#[tokio::test]
async fn what_is_not_signed_expired_or_of_another_audience_is_nobody() {
    let server = start().await;
    let mut other = claims(60);
    other["aud"] = json!("another");
    for token in [
        sign(&claims(-1)),
        sign(&other),
        format!("{}x", sign(&claims(60))),
    ] {
        server
            .get("/api/whoami", &token)
            .await
            .refused(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_signed_tenant_or_user_that_has_no_such_name_is_nobody() {
    let server = start().await;
    for claim in ["tenant", "sub"] {
        for value in [
            json!("../acme"),
            json!(".."),
            json!("a/b"),
            json!("a\u{0}b"),
            json!(""),
            json!("x".repeat(1_000)),
            json!(7),
            json!(null),
            json!(["acme"]),
        ] {
            let mut odd = claims(60);
            odd[claim] = value;
            server
                .get("/api/whoami", &sign(&odd))
                .await
                .refused(401, "unauthorized");
        }
    }
    let tenants = server.data.path().join("data/tenants");
    assert_eq!(std::fs::read_dir(tenants).unwrap().count(), 0);
}
