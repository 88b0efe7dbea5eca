//! `/api/sessions`, `/api/search` and `/api/stats`: what agents did, for those that keep no replica.

mod events;
mod filter;
mod json;
mod list;
mod search;
mod show;
mod stats;

use axum::http::Method;
use syncline_store::control::Rights;

use crate::http::{Access, Route};

pub(super) fn routes() -> Vec<Route> {
    let access = Access::Needs(Rights::Read);
    let get = |path, summary, handler| Route::new(Method::GET, path, access, summary, handler);
    vec![
        get(
            "/api/sessions",
            "Lists coding sessions, the one that told of itself last first.",
            |call| Box::pin(list::list(call)),
        )
        .query(list::QUERY),
        get(
            "/api/sessions/{session_id}",
            "Answers a coding session: its figures, and a page of what happened in it.",
            |call| Box::pin(show::show(call)),
        )
        .query(show::QUERY),
        get(
            "/api/search",
            "Searches all that was said and done in sessions, and the entries of threads.",
            |call| Box::pin(search::search(call)),
        )
        .query(search::QUERY),
        get(
            "/api/stats",
            "Adds up what sessions did and used, by day, project, model or agent.",
            |call| Box::pin(stats::stats(call)),
        )
        .query(stats::QUERY),
    ]
}
