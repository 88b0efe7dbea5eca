use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"a secret of at least thirty-two bytes, for these tests alone";
// Key pairs made for these tests alone.
const ES256_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYxk0YCV9ExoQpXXa
YNkqZ2t/CV3i7FldBZLRGrc+kg6hRANCAAQNtk8dQLJV5g/jFwsGWznjruZhhUd9
QeM5vMYNNExfqfhTyIXU5RhEkDqlocscPqiFKAugGQXMEKZzoNViQU/9
-----END PRIVATE KEY-----
";
const ES256_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEDbZPHUCyVeYP4xcLBls5467mYYVH
fUHjObzGDTRMX6n4U8iF1OUYRJA6paHLHD6ohSgLoBkFzBCmc6DVYkFP/Q==
-----END PUBLIC KEY-----
";
const ED25519_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAwcgFnl6puh6RtV8/9+OtxiZ3UZ5c9oiCYrfpXbWLVH
-----END PRIVATE KEY-----
";
const ED25519_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAUan0nQTzu/iBSumIuPQ/6KN+dY/75SJC0fYxtsByTNE=
-----END PUBLIC KEY-----
";

fn key(algorithm: JwtAlgorithm, material: &[u8]) -> JwtKey {
    JwtKey {
        id: None,
        algorithm,
        material: material.to_owned(),
    }
}

fn all_keys() -> Vec<JwtKey> {
    vec![
        key(JwtAlgorithm::Hs256, SECRET),
        key(JwtAlgorithm::Es256, ES256_PUBLIC.as_bytes()),
        key(JwtAlgorithm::EdDsa, ED25519_PUBLIC.as_bytes()),
    ]
}

fn verifier(keys: Vec<JwtKey>) -> JwtVerifier {
    JwtVerifier::new(&JwtConfig {
        audience: "syncline".into(),
        issuer: None,
        keys,
    })
    .unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000).unwrap()
}

fn claims() -> Value {
    json!({"sub": "ada", "tenant": "acme", "aud": "syncline", "exp": 1_700_000_060})
}

fn sign(algorithm: Algorithm, claims: &Value) -> String {
    let key = match algorithm {
        Algorithm::HS256 => EncodingKey::from_secret(SECRET),
        Algorithm::ES256 => EncodingKey::from_ec_pem(ES256_PRIVATE.as_bytes()).unwrap(),
        _ => EncodingKey::from_ed_pem(ED25519_PRIVATE.as_bytes()).unwrap(),
    };
    encode(&Header::new(algorithm), claims, &key).unwrap()
}

#[test]
fn each_algorithm_is_verified_with_its_key() {
    let verifier = verifier(all_keys());
    for algorithm in [Algorithm::HS256, Algorithm::ES256, Algorithm::EdDSA] {
        let identity = verifier.verify(&sign(algorithm, &claims()), now()).unwrap();
        assert_eq!(identity.tenant.as_str(), "acme");
        assert_eq!(identity.user.as_str(), "ada");
        assert_eq!(identity.rights, Rights::Sync);
    }
}

#[test]
fn a_changed_token_is_refused() {
    let token = sign(Algorithm::ES256, &claims());
    let (head, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let other = sign(Algorithm::HS256, &json!({"sub": "eve", "tenant": "acme"}));
    let body = other.split('.').nth(1).unwrap();
    let denied = verifier(all_keys()).verify(&format!("{head}.{body}.{signature}"), now());
    assert_eq!(denied.unwrap_err(), Denial::Unknown);
}

#[test]
fn a_public_key_is_no_secret_for_another_algorithm() {
    // The classic: HS256 with the published key of ES256 as its secret.
    let forged = encode(
        &Header::new(Algorithm::HS256),
        &claims(),
        &EncodingKey::from_secret(ES256_PUBLIC.as_bytes()),
    );
    let verifier = verifier(vec![key(JwtAlgorithm::Es256, ES256_PUBLIC.as_bytes())]);
    let denied = verifier.verify(&forged.unwrap(), now());
    assert_eq!(denied.unwrap_err(), Denial::Unknown);
}

#[test]
fn an_unsigned_token_is_refused() {
    let signed = sign(Algorithm::HS256, &claims());
    let body = signed.split('.').nth(1).unwrap();
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{body}.");
    let denied = verifier(all_keys()).verify(&unsigned, now());
    assert_eq!(denied.unwrap_err(), Denial::Malformed);
}

#[test]
fn each_claim_is_asked_for_and_checked() {
    let verifier = verifier(all_keys());
    let cases = [
        ("sub", Value::Null, Denial::Claim("sub")),
        ("sub", json!("../etc"), Denial::Claim("sub")),
        ("tenant", Value::Null, Denial::Claim("tenant")),
        ("tenant", json!("a/b"), Denial::Claim("tenant")),
        ("aud", Value::Null, Denial::Claim("aud")),
        ("aud", json!("another"), Denial::Claim("aud")),
        ("exp", Value::Null, Denial::Claim("exp")),
        ("exp", json!(1e300), Denial::Claim("exp")),
        ("exp", json!(1_700_000_000), Denial::Expired),
        ("nbf", json!(1_700_000_001), Denial::Claim("nbf")),
        ("rights", json!("root"), Denial::Claim("types")),
        ("sub", json!(7), Denial::Claim("types")),
    ];
    for (claim, value, expected) in cases {
        let mut claims = claims();
        claims[claim] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim);
        }
        let denied = verifier.verify(&sign(Algorithm::EdDSA, &claims), now());
        let denied = denied.expect_err(&format!("{claim}: {value}"));
        assert_eq!(denied, expected, "{claim}: {value}");
    }
}

#[test]
fn rights_and_several_audiences_are_read() {
    let mut claims = claims();
    claims["rights"] = json!("admin");
    claims["aud"] = json!(["other", "syncline"]);
    let identity = verifier(all_keys())
        .verify(&sign(Algorithm::HS256, &claims), now())
        .unwrap();
    assert_eq!(identity.rights, Rights::Admin);
}

#[test]
fn a_key_id_picks_its_key() {
    let named = |id: &str, material: &[u8]| JwtKey {
        id: Some(id.into()),
        ..key(JwtAlgorithm::Hs256, material)
    };
    let verifier = verifier(vec![named("old", &[7; 32]), named("new", SECRET)]);
    let mut header = Header::new(Algorithm::HS256);
    let sign =
        |header: &Header| encode(header, &claims(), &EncodingKey::from_secret(SECRET)).unwrap();
    assert!(verifier.verify(&sign(&header), now()).is_ok());
    header.kid = Some("new".into());
    assert!(verifier.verify(&sign(&header), now()).is_ok());
    header.kid = Some("old".into());
    let denied = verifier.verify(&sign(&header), now());
    assert_eq!(denied.unwrap_err(), Denial::Unknown);
}

#[test]
fn weak_and_missing_keys_stop_the_start() {
    let config = |keys| JwtConfig {
        audience: "syncline".into(),
        issuer: None,
        keys,
    };
    let start = |keys| JwtVerifier::new(&config(keys)).unwrap_err();
    assert!(matches!(start(vec![]), JwtConfigError::NoKeys));
    assert!(matches!(
        start(vec![key(JwtAlgorithm::Hs256, b"short")]),
        JwtConfigError::ShortSecret { bytes: 5 }
    ));
    assert!(matches!(
        start(vec![key(JwtAlgorithm::Es256, b"no pem")]),
        JwtConfigError::Key { .. }
    ));
    let nobody = JwtConfig {
        audience: String::new(),
        ..config(all_keys())
    };
    assert!(matches!(
        JwtVerifier::new(&nobody).unwrap_err(),
        JwtConfigError::NoAudience
    ));
}
