//! `POST /sync/reset`: an empty log in a new epoch, which replicas follow.

use std::sync::{Arc, OnceLock};

use axum::http::{Method, header};
use syncline_model::{Epoch, Mark};
use syncline_protocol::{ErrorCode, ResetAnswer, ResetRequest, parse_if_match};
use syncline_store::control::Rights;

use crate::backups::keep_before_reset;

use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
use crate::random::{new_uuid, random};
use crate::server::now;
use crate::tenant::Refused;

/// Bytes of the request: a tenant's name, escaped however it may be.
const BODY_BYTES_MAX: usize = 8 << 10;

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Admin);
    let summary = "Begins an empty log in a new epoch; needs If-Match with the current epoch.";
    vec![
        Route::new(Method::POST, "/sync/reset", access, summary, |call| {
            Box::pin(reset(call))
        })
        .body(BodyRule::Small(BODY_BYTES_MAX)),
    ]
}

async fn reset(call: Call) -> Result<Answer, ApiError> {
    let request = ResetRequest::decode(&call.body)?;
    let Some(if_match) = call.headers.get(header::IF_MATCH) else {
        let message = "a reset needs If-Match: \"<epoch>\" with the epoch that it replaces";
        return Err(ApiError::new(ErrorCode::PreconditionRequired, message));
    };
    if request.confirm != call.identity().tenant.as_str() {
        return Err(ApiError::invalid_field(
            "confirm",
            "must be the name of the tenant whose log is reset",
        ));
    }
    let tenant = call.tenant().await?;
    let Some(expected) = if_match.to_str().ok().and_then(parse_if_match) else {
        let message = "If-Match names no epoch: it must be \"<epoch>\", in quotes";
        return Err(ApiError::new(ErrorCode::PreconditionFailed, message));
    };
    let next = Epoch::new(new_uuid());
    let kept = Arc::new(OnceLock::new());
    let keep = {
        let (data, kept) = (call.server.data.clone(), Arc::clone(&kept));
        let tenant = call.identity().tenant.clone();
        move || {
            let path = keep_before_reset(&data, &tenant, expected, now());
            let path = path.map_err(|error| Refused::NotKept(Box::new(error)))?;
            // Set this once.
            let _ = kept.set(path);
            Ok(())
        }
    };
    let origin = Mark::origin(random());
    let head = tenant.reset(expected, next, origin, keep).await?;
    let kept = kept.get().map(|path| path.display());
    tracing::warn!(
        tenant.id = %call.identity().tenant,
        user.id = %call.identity().user,
        epoch.old = %expected,
        epoch.new = %head.epoch,
        log.kept = kept.map(tracing::field::display),
        "log reset"
    );
    let answer = ResetAnswer {
        epoch: head.epoch,
        cursor: head.cursor,
    };
    Ok(Answer::json_bytes(answer.encode()))
}
