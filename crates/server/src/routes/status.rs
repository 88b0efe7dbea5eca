//! `GET /sync/status`: where the log stands, who follows it, and what sessions it holds.

use axum::http::Method;
use serde_json::{Value, json};
use syncline_store::control::Rights;
use syncline_store::sessions::session_totals;

use crate::error::ApiError;
use crate::http::{Access, Answer, Call, Route};

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Read);
    let summary = "Answers where the log stands, and what its clients say they have applied.";
    vec![Route::new(
        Method::GET,
        "/sync/status",
        access,
        summary,
        |call| Box::pin(status(call)),
    )]
}

async fn status(call: Call) -> Result<Answer, ApiError> {
    let tenant = call.tenant().await?;
    let (head, clients, totals, noted) = tenant
        .read(|file| {
            file.snapshot(|file| {
                let totals = session_totals(file.connection())?;
                let state = (file.head()?, file.clients()?, totals, file.last_time()?);
                Ok::<_, crate::tenant::Refused>(state)
            })
        })
        .await?;
    let heard = clients.iter().map(|client| client.seen_at);
    let batch = call.server.last_batch(&call.identity().tenant);
    let last_sync = heard.chain(batch).chain(noted).max();
    let clients: Vec<Value> = clients
        .iter()
        .map(|client| {
            json!({
                "client_id": client.client,
                "user": client.user,
                "server_seq": client.cursor.map(|cursor| cursor.server_seq),
                "moved_at": client.moved_at,
                "seen_at": client.seen_at,
            })
        })
        .collect();
    Answer::json(&json!({
        "tenant": call.identity().tenant,
        "epoch": head.epoch,
        "server_seq": head.cursor.server_seq,
        "mark": head.cursor.mark,
        "floor": head.floor,
        "clients": clients,
        "last_sync": last_sync,
        "total_sessions": totals.sessions,
        "total_messages": totals.messages,
    }))
}
