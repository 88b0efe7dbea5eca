//! `PATCH` and `DELETE /api/threads/{id}`.

use serde::Deserialize;
use serde_json::json;
use syncline_model::thread::Status;
use syncline_store::threads::{Changes, plan_delete, plan_update, thread};

use super::json::thread_json;
use super::target::{decide, find, look};
use crate::error::ApiError;
use crate::http::{Answer, Call};

#[derive(Deserialize)]
struct Target {
    project_id: Option<String>,
}

#[derive(Deserialize)]
struct UpdateRequest {
    name: Option<String>,
    project_id: Option<String>,
    status: Option<Status>,
}

pub(super) async fn update(call: Call) -> Result<Answer, ApiError> {
    let target: Target = call.query_as()?;
    let request: UpdateRequest = call.json()?;
    if request.name.is_none() && request.project_id.is_none() && request.status.is_none() {
        return Err(ApiError::invalid_field(
            "body",
            "must have name, project_id or status",
        ));
    }
    let (reference, at) = (call.parameter().to_owned(), call.now);
    let (id, _) = decide(&call, move |file| {
        let thread = find(file, &reference, target.project_id.as_deref())?;
        let changes = Changes {
            name: request.name.as_deref(),
            project: request.project_id.as_deref(),
            status: request.status,
        };
        let plan = plan_update(&thread, &changes, at)?;
        Ok((plan.ops, thread.thread_id))
    })
    .await?;
    let changed = look(&call, move |file| {
        let thread = thread(file.connection(), id)?;
        thread.ok_or_else(|| ApiError::not_found("thread").into())
    })
    .await?;
    Answer::json(&thread_json(&changed))
}

pub(super) async fn delete(call: Call) -> Result<Answer, ApiError> {
    let target: Target = call.query_as()?;
    let (reference, at) = (call.parameter().to_owned(), call.now);
    let (thread, _) = decide(&call, move |file| {
        let thread = find(file, &reference, target.project_id.as_deref())?;
        let plan = plan_delete(&thread, at)?;
        Ok((plan.ops, thread))
    })
    .await?;
    Answer::json(&json!({
        "status": "ok",
        "message": format!("thread {} deleted, its entries erased", thread.key),
        "thread_id": thread.thread_id,
        "key": thread.key,
    }))
}
