//! `GET /health` and `GET /ready`: whether the process lives, and whether it may be sent work.

use axum::http::Method;
use serde_json::json;
use syncline_protocol::ErrorCode;
use syncline_store::backup::last_backup;

use crate::error::ApiError;
use crate::http::{Access, Answer, Call, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(
            Method::GET,
            "/health",
            Access::Open,
            "Answers that the server lives, with its version and how it authenticates.",
            |call| Box::pin(health(call)),
        ),
        Route::new(
            Method::GET,
            "/ready",
            Access::Open,
            "Answers 200 while the server takes work, 503 while it stops or its disk fails.",
            |call| Box::pin(ready(call)),
        ),
    ]
}

async fn health(call: Call) -> Result<Answer, ApiError> {
    let server = &call.server;
    let last = last_backup(server.data.path()).unwrap_or_else(|error| {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "could not read the last backup"
        );
        None
    });
    let failed = server.failed_backup();
    Answer::json(&json!({
        "status": "healthy",
        "version": env!("CARGO_PKG_VERSION"),
        "auth_mode": server.config.auth.name(),
        "database": "sqlite",
        "database_version": syncline_store::sqlite_version(),
        "storage": server.metrics.storage(),
        "uptime_seconds": server.uptime().as_secs(),
        "last_verified_backup_at": last.as_ref().map(|backup| backup.verified_at),
        "last_backup_left_out": last.map_or(0, |backup| backup.left_out),
        "last_backup_failed_at": failed.map(|failed| failed.at),
        "last_backup_failure": failed.map(|failed| failed.code),
    }))
}

async fn ready(call: Call) -> Result<Answer, ApiError> {
    let server = &call.server;
    if server.beat.borrow().draining {
        let message = "the server stops: send what you have to another";
        return Err(ApiError::new(ErrorCode::Unavailable, message));
    }
    server.authenticator.check_readable()?;
    // It is ready with a full or failing disk as well: it answers what it holds, and says of writes when to come again.
    Answer::json(&json!({"status": "ready", "storage": server.metrics.storage()}))
}
