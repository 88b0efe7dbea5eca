//! `GET /sync/status`: where the log stands, and who follows it.

use axum::http::Method;
use serde_json::{Value, json};
use syncline_store::control::Rights;

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
    let (head, clients) = tenant
        .read(|file| {
            file.snapshot(|file| Ok::<_, crate::tenant::Refused>((file.head()?, file.clients()?)))
        })
        .await?;
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
    }))
}
