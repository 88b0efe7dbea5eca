//! `GET /api/whoami`: what the credential says.

use axum::http::Method;
use serde_json::json;
use syncline_store::control::Rights;

use crate::auth::Credential;
use crate::error::ApiError;
use crate::http::{Access, Answer, Call, Route};

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Read);
    let summary = "Answers tenant, user and rights of the credential.";
    vec![Route::new(
        Method::GET,
        "/api/whoami",
        access,
        summary,
        |call| Box::pin(whoami(call)),
    )]
}

async fn whoami(call: Call) -> Result<Answer, ApiError> {
    let identity = call.identity();
    let (kind, token_id) = match identity.credential {
        Credential::Open => ("none", None),
        Credential::Token { id, .. } => ("token", Some(id)),
        Credential::Jwt { .. } => ("jwt", None),
    };
    Answer::json(&json!({
        "tenant": identity.tenant,
        "user": identity.user,
        "rights": identity.rights,
        "credential": kind,
        "token_id": token_id,
        "expires_at": identity.credential.expires_at(),
    }))
}
