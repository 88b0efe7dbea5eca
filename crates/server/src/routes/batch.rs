//! `POST /sync/batch`: what recorders of sessions send that keep rows and no log.
//!
//! The rows become ops of this server's actor, all of them in one commit or none. What is known
//! already is written no second time, so that a batch can be sent again. Recorders take no secrets out:
//! that is done here, before anything is written.

mod plan;
mod sent;

use axum::http::Method;
use serde_json::json;
use syncline_redact::Redactor;
use syncline_store::control::Rights;

use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
use sent::SentBatch;

use super::decide::decide;

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Sync);
    let summary = "Takes rows of sessions and messages: {sessions, messages, sync_timestamp}.";
    vec![
        Route::new(Method::POST, "/sync/batch", access, summary, |call| {
            Box::pin(batch(call))
        })
        .body(BodyRule::Log),
    ]
}

async fn batch(call: Call) -> Result<Answer, ApiError> {
    let mut batch: SentBatch = call.json_of_cut_texts()?;
    batch.check()?;
    let batch = tokio::task::spawn_blocking(move || {
        batch.redact(&Redactor::standard());
        batch
    });
    let batch = batch.await.map_err(ApiError::internal)?;
    let (sessions, messages) = (batch.sessions().len(), batch.messages().len());
    decide(&call, move |file| Ok((plan::plan(file, &batch)?, ()))).await?;
    call.server.note_batch(&call.identity().tenant, call.now);
    Answer::json(&json!({
        "sessions_synced": sessions,
        "messages_synced": messages,
        "sync_timestamp": call.now,
        "tenant": call.identity().tenant,
    }))
}
