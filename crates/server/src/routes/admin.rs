//! `/api/admin`: the log of the asker's tenant, its clients, compaction and expiry.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use serde::Deserialize;
use serde_json::json;
use syncline_model::{TenantId, Timestamp};
use syncline_store::control::Rights;
use tokio::sync::watch;

use crate::admin::{ClientReport, CompactSummary, TenantReport};
use crate::error::ApiError;
use crate::http::{Access, Answer, BodyRule, Call, Route};
use crate::log::Tenant;
use crate::tenant::Keep;

/// Bytes of a request.
const BODY_BYTES_MAX: usize = 4 << 10;
/// How long who looks at the clients waits for what they have said last.
const NOTED_WITHIN: Duration = Duration::from_secs(3);

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Admin);
    vec![
        Route::new(
            Method::GET,
            "/api/admin/tenants",
            access,
            "Answers what the tenant's log is like: its head, floor, size and clients.",
            |call| Box::pin(tenants(call)),
        ),
        Route::new(
            Method::GET,
            "/api/admin/clients",
            access,
            "Lists the tenant's clients: where each is, how far behind, and when it was last heard of.",
            |call| Box::pin(clients(call)),
        ),
        Route::new(
            Method::POST,
            "/api/admin/compact",
            access,
            "Drops covered ops from the tenant's log, beside its traffic; answers when the file has shrunk.",
            |call| Box::pin(compact(call)),
        )
        .body(BodyRule::Small(BODY_BYTES_MAX)),
        Route::new(
            Method::POST,
            "/api/admin/expire",
            access,
            "Lets clients that have been idle for so long hold the floor no more.",
            |call| Box::pin(expire(call)),
        )
        .body(BodyRule::Small(BODY_BYTES_MAX)),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompactRequest {
    /// Seconds for which ops stay, whatever covers them; none: as the server is set.
    retention_seconds: Option<u64>,
    /// Seconds of idleness after which a client is not waited for; none: as the server is set.
    idle_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpireRequest {
    /// Seconds of idleness; none: as the server is set.
    idle_seconds: Option<u64>,
}

async fn tenants(call: Call) -> Result<Answer, ApiError> {
    call.takes_only(&[])?;
    let (name, keep, now) = settings(&call);
    let tenant = up_to_date(&call).await?;
    let report = tenant
        .read(move |file| Ok(TenantReport::read(&name, file, &keep, now)?))
        .await?;
    Answer::json(&json!({"tenants": [report]}))
}

async fn clients(call: Call) -> Result<Answer, ApiError> {
    call.takes_only(&[])?;
    let (name, keep, now) = settings(&call);
    let tenant = up_to_date(&call).await?;
    let reports = tenant
        .read(move |file| Ok(ClientReport::read(&name, file, &keep, now)?))
        .await?;
    Answer::json(&json!({"clients": reports}))
}

async fn compact(call: Call) -> Result<Answer, ApiError> {
    let request: CompactRequest = call.json_if_any()?;
    let (name, mut keep, _) = settings(&call);
    if let Some(seconds) = request.retention_seconds {
        keep.retention = Duration::from_secs(seconds);
    }
    if let Some(seconds) = request.idle_seconds {
        keep.idle = Duration::from_secs(seconds);
    }
    let nobody_told = watch::Sender::new(None);
    let report = call.server.compact_now(&name, keep, nobody_told).await?;
    Answer::json(&CompactSummary::of(&name, &report))
}

async fn expire(call: Call) -> Result<Answer, ApiError> {
    let request: ExpireRequest = call.json_if_any()?;
    let (name, keep, _) = settings(&call);
    let idle = request.idle_seconds.map_or(keep.idle, Duration::from_secs);
    let expired = call.tenant().await?.expire(idle).await?;
    Answer::json(&json!({"tenant": name, "expired": expired}))
}

/// The log of who asks, once what its clients have said is written down; a writer that is at something
/// long is not waited for.
async fn up_to_date(call: &Call) -> Result<Arc<Tenant>, ApiError> {
    let tenant = call.tenant().await?;
    match tokio::time::timeout(NOTED_WITHIN, tenant.write_notes()).await {
        Ok(written) => written?,
        Err(_elapsed) => {}
    }
    Ok(tenant)
}

fn settings(call: &Call) -> (TenantId, Keep, Timestamp) {
    let keep = call.server.config.compaction.keep;
    (call.identity().tenant.clone(), keep, call.now)
}
