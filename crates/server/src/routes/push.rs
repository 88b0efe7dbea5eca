//! `POST /sync/push`: ops into the log.

use axum::http::Method;
use syncline_model::Scope;
use syncline_model::schema::Role;
use syncline_protocol::{ReceivedOp, ReceivedPush};
use syncline_store::control::Rights;

use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
use crate::tenant::{Push, Standing};

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Sync);
    let summary = "Appends ops to the log; answers once they are on disk, with one result per op.";
    vec![
        Route::new(Method::POST, "/sync/push", access, summary, |call| {
            Box::pin(push(call))
        })
        .body(BodyRule::Log),
    ]
}

async fn push(call: Call) -> Result<Answer, ApiError> {
    let received = ReceivedPush::decode(&call.body, &call.server.config.limits)?;
    let is_ruled = |op: &ReceivedOp| match op {
        ReceivedOp::Readable(op) => matches!(op.key.scope.as_str(), Scope::RECORD | Scope::SCHEMA),
        ReceivedOp::Refused { .. } => false,
    };
    // Roles are asked for where something depends on them.
    let role = if received.ops.iter().any(is_ruled) {
        call.server.authenticator.role(call.identity())?
    } else {
        Role::default()
    };
    let push = Push {
        user: call.identity().user.clone(),
        standing: Standing {
            role,
            rights: call.identity().rights,
        },
        received,
    };
    let tenant = call.tenant().await?;
    let held = call.body.held();
    // Gone before the wait, the request leaves its buffer to the connection's next one.
    drop(call);
    let answer = tenant.push(push, held).await?;
    Ok(Answer::json_bytes(answer.encode()))
}
