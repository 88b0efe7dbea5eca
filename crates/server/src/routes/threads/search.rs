//! `GET /api/threads/search`.

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::thread::Status;
use syncline_store::search::{SearchFilter, SearchQuery, SnippetStyle};

use super::json::hit_json;
use super::target::look;
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::page::bounded;

pub(super) const QUERY: &[(&str, &str)] = &[
    ("q", "The words to look for: 1 to 256 characters."),
    ("project_id", "Entries of this project only."),
    ("status", "Entries of threads of this status only."),
    ("limit", "Results at most: 1 to 50, 10 if absent."),
    ("offset", "Results to skip."),
];
const LIMIT_MAX: u64 = 50;
const TEXT_CHARS_MAX: usize = 256;

#[derive(Deserialize)]
struct Parameters {
    q: String,
    project_id: Option<String>,
    status: Option<Status>,
    limit: Option<u64>,
    offset: Option<u64>,
}

pub(super) async fn search(call: Call) -> Result<Answer, ApiError> {
    let parameters: Parameters = call.query_as()?;
    let limit = bounded("limit", parameters.limit, 10, LIMIT_MAX)?;
    let chars = parameters.q.chars().count();
    if !(1..=TEXT_CHARS_MAX).contains(&chars) {
        let message = format!("must have 1 to {TEXT_CHARS_MAX} characters");
        return Err(ApiError::invalid_field("q", message));
    }
    let now = call.now;
    let page = look(&call, move |file| {
        let query = SearchQuery {
            text: &parameters.q,
            filter: SearchFilter {
                project: parameters.project_id.as_deref(),
                thread: None,
                status: parameters.status,
            },
            limit,
            offset: parameters.offset.unwrap_or(0),
            now,
            snippet: SnippetStyle::Html,
        };
        Ok(syncline_store::search::search(file.connection(), &query)?)
    })
    .await?;
    let results: Vec<Value> = page.hits.iter().map(hit_json).collect();
    Answer::json(&json!({"results": results, "total": page.total}))
}
