//! `GET /api/sessions/{session_id}`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::PayloadHash;
use syncline_protocol::ErrorCode;
use syncline_store::TenantFile;
use syncline_store::sessions::{
    EventCursor, PriceTable, ResolvedSession, Session, figures, resolve_session, session_links,
    subagents,
};

use super::events;
use super::json::{all_tokens, dollars, joined, link_json, session_json};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::{Stop, look};
use crate::routes::page::bounded;

pub(super) const QUERY: &[(&str, &str)] = &[
    (
        "agent",
        "The session of this agent, where several have the id.",
    ),
    (
        "limit",
        "Messages, tool calls, errors, compactions and lines of the page at most: 1 to 500, 100 if absent.",
    ),
    ("cursor", "next_cursor of the page before."),
];
const LIMIT_MAX: u64 = 500;

#[derive(Deserialize)]
struct Parameters {
    agent: Option<String>,
    limit: Option<u64>,
    cursor: Option<String>,
}

pub(super) async fn show(call: Call) -> Result<Answer, ApiError> {
    call.takes_only(QUERY)?;
    let parameters: Parameters = call.query_as()?;
    let limit = bounded("limit", parameters.limit, 100, LIMIT_MAX)?;
    let cursor = parameters.cursor.as_deref().map(str::parse::<EventCursor>);
    let after = cursor
        .transpose()
        .map_err(|_| ApiError::invalid_field("cursor", "is not the next_cursor of a page"))?;
    let reference = call.parameter().to_owned();
    let prices = Arc::clone(&call.server.config.prices);
    let shown = look(&call, move |file| {
        let session = find(file, &reference, parameters.agent.as_deref())?;
        read(file, &session, &prices, after, limit)
    })
    .await?;
    let body = shown.to_string();
    let tag = PayloadHash::of(&body);
    let answer = Answer::json_bytes(body).tagged_as_bytes(tag);
    Ok(answer.unless_known(&call.headers))
}

fn find(file: &TenantFile, reference: &str, agent: Option<&str>) -> Result<Session, Stop> {
    match resolve_session(file.connection(), reference, agent)? {
        ResolvedSession::Found(session) => Ok(*session),
        ResolvedSession::Unknown => Err(ApiError::not_found("session").into()),
        ResolvedSession::Ambiguous(sessions) => {
            let candidates: Vec<Value> = sessions.iter().map(named).collect();
            let message = "several sessions fit: say which by its session_id, or by ?agent=";
            let error = ApiError::new(ErrorCode::Ambiguous, message);
            Err(error.details(json!({"candidates": candidates})).into())
        }
    }
}

fn named(session: &Session) -> Value {
    json!({
        "session_id": session.session_id,
        "id": session.native_id,
        "agent": session.agent,
        "title": session.title,
    })
}

fn read(
    file: &TenantFile,
    session: &Session,
    prices: &PriceTable,
    after: Option<EventCursor>,
    limit: u64,
) -> Result<Value, Stop> {
    let (connection, id) = (file.connection(), session.session_id);
    let figures = figures(connection, id, prices)?;
    let links: Vec<Value> = session_links(connection, id)?
        .iter()
        .map(link_json)
        .collect();
    let children: Vec<Value> = subagents(connection, id)?.iter().map(named).collect();
    let page = events::read(file, id, after, limit, prices)?;
    let more = json!({"links": links, "subagents": children});
    Ok(json!({
        "session": joined(session_json(session, &figures), more),
        "stats": {
            "message_count": figures.messages,
            "total_tokens": all_tokens(&figures.tokens),
            "total_cost": dollars(figures.cost),
        },
        "messages": page.messages,
        "tools": page.tools,
        "errors": page.errors,
        "compactions": page.compactions,
        "raw": page.raw,
        "usage": page.usage,
        "next_cursor": page.next.map(|cursor| cursor.to_string()),
    }))
}
