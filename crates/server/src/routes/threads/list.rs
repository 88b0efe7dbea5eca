//! `GET /api/threads`.

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::thread::Status;
use syncline_store::threads::{ListCursor, ListFilter, ListStart, list_threads};

use super::json::listed_json;
use super::target::look;
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::page::bounded;

pub(super) const QUERY: &[(&str, &str)] = &[
    ("project_id", "Threads of this project only."),
    ("status", "active, archived or blocked."),
    (
        "tag",
        "Threads with this tag, on themselves or on an entry.",
    ),
    (
        "limit",
        "Threads of the page at most: 1 to 100, 50 if absent.",
    ),
    ("offset", "Threads to skip; cursor is the better way."),
    ("cursor", "next_cursor of the page before."),
];
const LIMIT_MAX: u64 = 100;

#[derive(Deserialize)]
struct ListQuery {
    project_id: Option<String>,
    status: Option<Status>,
    tag: Option<String>,
    limit: Option<u64>,
    offset: Option<u64>,
    cursor: Option<String>,
}

pub(super) async fn list(call: Call) -> Result<Answer, ApiError> {
    let query: ListQuery = call.query_as()?;
    let limit = bounded("limit", query.limit, 50, LIMIT_MAX)?;
    let start = match &query.cursor {
        Some(_) if query.offset.is_some() => {
            return Err(ApiError::invalid_field("offset", "goes with no cursor"));
        }
        Some(cursor) => {
            let cursor: ListCursor = cursor
                .parse()
                .map_err(|_| ApiError::invalid_field("cursor", "is not one that a list gave"))?;
            ListStart::After(cursor)
        }
        None => ListStart::Offset(query.offset.unwrap_or(0)),
    };
    let page = look(&call, move |file| {
        let filter = ListFilter {
            project: query.project_id.as_deref(),
            status: query.status,
            tag: query.tag.as_deref(),
        };
        Ok(list_threads(file.connection(), &filter, start, limit)?)
    })
    .await?;
    let threads: Vec<Value> = page.threads.iter().map(listed_json).collect();
    Answer::json(&json!({
        "threads": threads,
        "total": page.total,
        "next_cursor": page.next.map(|cursor| cursor.to_string()),
    }))
}
