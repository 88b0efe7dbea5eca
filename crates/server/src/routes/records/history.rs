//! `GET /api/records/{entity}/{id}/history`: how a record came to be.

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::ServerSeq;
use syncline_model::record::readable;
use syncline_store::control::Rights;
use syncline_store::records::{HistoryEntry, HistoryPage, history};

use super::backend::{Backend, View};
use super::told::txid;
use crate::error::ApiError;
use crate::http::{Access, Answer, Call, Route};
use crate::routes::decide::Stop;
use crate::routes::page::bounded;

const PAGE: &[(&str, &str)] = &[
    (
        "after",
        "The place after which the page begins: `next` of the page before.",
    ),
    (
        "limit",
        "The most entries of a page: 1 to 1000, else 100. One of many bytes ends earlier; one that ends \
         with an op on the record twice may hold one more.",
    ),
];
const LIMIT: u64 = 100;
const LIMIT_MAX: u64 = 1_000;

#[derive(Debug, Deserialize)]
struct Query {
    after: Option<u64>,
    limit: Option<u64>,
}

pub(super) fn route() -> Route {
    let summary = "What was done to a record, oldest first, with the values that lost.";
    let path = "/api/records/{entity}/{id}/history";
    let access = Access::Needs(Rights::Read);
    Route::new(Method::GET, path, access, summary, |call| {
        Box::pin(show(call))
    })
    .query(PAGE)
}

async fn show(call: Call) -> Result<Answer, ApiError> {
    let query: Query = call.query_as()?;
    let limit = bounded("limit", query.limit, LIMIT, LIMIT_MAX)? as usize;
    let after = ServerSeq(query.after.unwrap_or(0));
    let backend = Backend::of(&call).await?;
    let [entity, id] =
        <[String; 2]>::try_from(call.path.clone()).map_err(|_| ApiError::not_found("record"))?;
    let page = backend
        .look(move |view| page(view, (&entity, &id), after, limit))
        .await?;
    let next = page.next.map(|seq| seq.0);
    let shown: Vec<Value> = page.entries.into_iter().map(entry_json).collect();
    Answer::json(&json!({"entries": shown, "next": next}))
}

/// What who asks may see of it: all that their role on the record, as it is now, lets them. Of a deleted
/// record only the tenant gives a role.
fn page(
    view: &View<'_>,
    (entity, id): (&str, &str),
    after: ServerSeq,
    limit: usize,
) -> Result<HistoryPage, Stop> {
    let absent = || Stop::from(ApiError::not_found("record"));
    let entity = view.schema.entity(entity).ok_or_else(absent)?;
    let record = view.record(entity, id)?.ok_or_else(absent)?;
    let id = record.id.clone();
    let role = if record.deleted {
        entity.access.role_via.is_none().then_some(view.asker.role)
    } else {
        view.seen(entity, record)?.map(|seen| seen.role)
    };
    let role = role.ok_or_else(absent)?;
    let connection = view.file.connection();
    let mut page = history(connection, (&entity.name, &id), after, limit)?;
    for entry in &mut page.entries {
        entry.decided = readable(entity, role, entry.decided.clone());
    }
    Ok(page)
}

fn entry_json(entry: HistoryEntry) -> Value {
    let HistoryEntry {
        seq,
        by,
        at,
        decided,
        ..
    } = entry;
    json!({
        "seq": seq.0,
        "txid": txid(seq),
        "by": by,
        "at": at,
        "action": decided.action,
        "values": decided.values,
        "unset": decided.unset,
        "lost": decided.lost,
    })
}
