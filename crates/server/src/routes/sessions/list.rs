//! `GET /api/sessions`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_store::sessions::{SessionCursor, SessionFilter, Which, list_sessions};

use super::filter::Chosen;
use super::json::session_json;
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::look;
use crate::routes::page::bounded;

pub(super) const QUERY: &[(&str, &str)] = &[
    (
        "agent",
        "Sessions of this agent only: claude-code, codex, …; what stands before a - is enough.",
    ),
    (
        "project",
        "Sessions of this project only, by name or directory.",
    ),
    ("machine", "Sessions of this machine only."),
    ("branch", "Sessions on this git branch only."),
    (
        "model",
        "Sessions that used this model only; what stands before a - is enough.",
    ),
    (
        "since",
        "Sessions that told of themselves at this time or later: a day, or RFC 3339.",
    ),
    ("until", "Sessions that began before this time."),
    (
        "has_error",
        "true: with an error of the agent or of a tool; false: without.",
    ),
    ("min_cost", "Sessions that cost so many dollars or more."),
    ("subagents", "true lists subagents too, each by itself."),
    (
        "limit",
        "Sessions of the page at most: 1 to 200, 50 if absent.",
    ),
    ("cursor", "next_cursor of the page before."),
];
const LIMIT_MAX: u64 = 200;

#[derive(Deserialize)]
struct Paging {
    subagents: Option<bool>,
    limit: Option<u64>,
    cursor: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    call.takes_only(QUERY)?;
    let chosen = Chosen::of(&call)?;
    let paging: Paging = call.query_as()?;
    let limit = bounded("limit", paging.limit, 50, LIMIT_MAX)?;
    let cursor = paging.cursor.as_deref().map(str::parse::<SessionCursor>);
    let after = cursor
        .transpose()
        .map_err(|error| ApiError::invalid_field("cursor", error.to_string()))?;
    let which = match paging.subagents {
        Some(true) => Which::All,
        Some(false) | None => Which::Whole,
    };
    let prices = Arc::clone(&call.server.config.prices);
    let page = look(&call, move |file| {
        let filter = SessionFilter {
            which,
            ..chosen.sessions()
        };
        Ok(list_sessions(
            file.connection(),
            &filter,
            after,
            limit,
            &prices,
        )?)
    })
    .await?;
    let sessions: Vec<Value> = page
        .sessions
        .iter()
        .map(|listed| session_json(&listed.session, &listed.figures))
        .collect();
    let next = page.next.map(|cursor| cursor.to_string());
    Answer::json(&json!({"sessions": sessions, "next_cursor": next}))
}
