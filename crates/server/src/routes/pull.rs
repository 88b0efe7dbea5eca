//! `GET /sync/pull`: a page of the log.

use axum::http::Method;
use syncline_model::{ClientId, Cursor};
use syncline_protocol::{Claims, PullQuery};
use syncline_store::PageLimit;
use syncline_store::control::Rights;

use crate::error::ApiError;
use crate::http::{Access, Answer, Call, LogCoding, Route};
use crate::log::Tenant;
use crate::tenant::ClientNote;

pub(super) fn routes() -> Vec<Route> {
    let summary = "Answers the ops after a place of the log.";
    let access = Access::Needs(Rights::Read);
    vec![
        Route::new(Method::GET, "/sync/pull", access, summary, |call| {
            Box::pin(pull(call))
        })
        .query(&[
            ("clientId", "Who asks; its place is noted."),
            (
                "since",
                "The place after which the page begins; 0 if absent.",
            ),
            ("mark", "The mark of that place, checked if given."),
            ("limit", "Ops of the page at most."),
            ("epoch", "The epoch of the asker's log, checked if given."),
            (
                "floor",
                "The floor that the first page of this fetch named.",
            ),
        ]),
    ]
}

async fn pull(call: Call) -> Result<Answer, ApiError> {
    let query = PullQuery::parse(call.query())?;
    let claims = Claims {
        epoch: query.epoch,
        since: query.since,
        mark: query.mark,
        floor: query.floor,
        heal: None,
    };
    let limits = &call.server.config.limits;
    let limit = PageLimit {
        ops: limits.page_ops_for(query.limit),
        bytes: limits.page_bytes,
    };
    let tenant = call.tenant().await?;
    let named = query.sight.as_deref();
    let asker = || call.asker();
    let (page, _) = tenant.page_as_seen(claims, limit, named, asker).await?;
    note(&call, &tenant, query.client_id, &claims);
    page.answer(LogCoding::accepted(&call.headers)).await
}

/// Notes what a client says it has applied, now that the place has been checked. A token that can
/// only read never holds the floor.
pub(super) fn note(call: &Call, tenant: &Tenant, client: Option<ClientId>, claims: &Claims) {
    let Some(client) = client.filter(|_| call.identity().rights.include(Rights::Sync)) else {
        return;
    };
    let cursor = claims.mark.map(|mark| Cursor {
        server_seq: claims.since,
        mark,
    });
    tenant.note(ClientNote {
        client,
        user: call.identity().user.clone(),
        cursor,
        at: call.now,
    });
}
