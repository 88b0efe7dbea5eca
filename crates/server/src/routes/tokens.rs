//! `/api/tokens`: the tokens of the asker's tenant.

use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::{Timestamp, UserId};
use syncline_store::control::{Revocation, Rights, TokenId, TokenRecord};

use crate::auth::{NewToken, TokenRandom, issue_token};
use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
use crate::random::random;

/// Bytes of a request to make a token.
const BODY_BYTES_MAX: usize = 16 << 10;

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Admin);
    vec![
        Route::new(
            Method::GET,
            "/api/tokens",
            access,
            "Lists the tenant's tokens, without their secrets.",
            |call| Box::pin(list(call)),
        ),
        Route::new(
            Method::POST,
            "/api/tokens",
            access,
            "Makes a token; its text is answered this once.",
            |call| Box::pin(create(call)),
        )
        .body(BodyRule::Small(BODY_BYTES_MAX))
        .success(201),
        Route::new(
            Method::DELETE,
            "/api/tokens/{id}",
            access,
            "Revokes a token; it is refused from then on.",
            |call| Box::pin(revoke(call)),
        ),
    ]
}

/// A field that is not known is refused: a misspelt `expires_at` or `rights` would make a token that
/// may do more, or for longer, than was meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateRequest {
    user: UserId,
    #[serde(default)]
    rights: Rights,
    expires_at: Option<Timestamp>,
}

async fn list(call: Call) -> Result<Answer, ApiError> {
    let tenant = call.identity().tenant.clone();
    let tokens = call
        .server
        .control(move |control| control.tokens(Some(&tenant)))
        .await?;
    let tokens: Vec<Value> = tokens.iter().map(token_json).collect();
    Answer::json(&json!({"tokens": tokens}))
}

async fn create(call: Call) -> Result<Answer, ApiError> {
    let request: CreateRequest = call.json()?;
    if request.expires_at.is_some_and(|expiry| expiry <= call.now) {
        return Err(ApiError::invalid_field(
            "expires_at",
            "must be in the future",
        ));
    }
    let token = NewToken {
        tenant: call.identity().tenant.clone(),
        user: request.user,
        rights: request.rights,
        expires_at: request.expires_at,
    };
    let now = call.now;
    let random = TokenRandom {
        secret: random(),
        id: random(),
    };
    let work = move |control: &_| issue_token(control, token, random, now);
    let (secret, token) = call.server.control(work).await?;
    let mut answer = token_json(&token);
    answer["token"] = secret.reveal().into();
    Ok(Answer::json(&answer)?.status(StatusCode::CREATED))
}

async fn revoke(call: Call) -> Result<Answer, ApiError> {
    let id: TokenId = call
        .parameter()
        .parse()
        .map_err(|_| ApiError::not_found("token"))?;
    let (tenant, now) = (call.identity().tenant.clone(), call.now);
    let revoked = call
        .server
        .control(move |control| control.revoke_token(Some(&tenant), id, now))
        .await?;
    match revoked {
        Revocation::Unknown => Err(ApiError::not_found("token")),
        Revocation::Done | Revocation::Repeated => {
            call.server.credentials_changed();
            Answer::json(&json!({"status": "ok", "id": id}))
        }
    }
}

fn token_json(token: &TokenRecord) -> Value {
    json!({
        "id": token.id,
        "tenant": token.tenant,
        "user": token.user,
        "rights": token.rights,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    })
}
