//! `GET /api/search`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_model::Timestamp;
use syncline_store::search::{
    Hit, Matched, PartFilter, SearchFilter, SearchQuery, SessionQuery, SnippetStyle,
    search_sessions,
};
use syncline_store::sessions::PriceTable;
use syncline_store::{StoreError, TenantFile};

use super::filter::Chosen;
use super::json::{hit_json, joined, matched};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::look;
use crate::routes::page::bounded;
use crate::routes::threads;

pub(super) const QUERY: &[(&str, &str)] = &[
    ("q", "The words to look for: 1 to 256 characters."),
    (
        "scope",
        "session or thread; both if absent, but where a parameter is about sessions alone.",
    ),
    (
        "kind",
        "Texts of sessions of this kind only: text, thinking, tool_input, tool_output, title, …",
    ),
    (
        "project",
        "What belongs to this project only; of sessions its name or directory.",
    ),
    ("agent", "Sessions of this agent only."),
    ("machine", "Sessions of this machine only."),
    ("branch", "Sessions on this git branch only."),
    ("model", "Sessions that used this model only."),
    (
        "since",
        "Sessions that told of themselves at this time or later: a day, or RFC 3339.",
    ),
    ("until", "Sessions that began before this time."),
    (
        "has_error",
        "true: sessions with an error of the agent or of a tool; false: without.",
    ),
    ("min_cost", "Sessions that cost so many dollars or more."),
    ("limit", "Results at most: 1 to 50, 10 if absent."),
    ("offset", "Results to skip: up to 10000."),
];
const LIMIT_MAX: u64 = 50;
/// All results before a page are found with it.
const OFFSET_MAX: u64 = 10_000;
const TEXT_CHARS_MAX: usize = 256;

#[derive(Deserialize)]
struct Parameters {
    q: String,
    scope: Option<Scope>,
    kind: Option<String>,
    limit: Option<u64>,
    offset: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    Session,
    Thread,
}

pub(super) async fn search(call: Call) -> Result<Answer, ApiError> {
    call.takes_only(QUERY)?;
    let parameters: Parameters = call.query_as()?;
    let chosen = Chosen::of(&call)?;
    let limit = bounded("limit", parameters.limit, 10, LIMIT_MAX)?;
    let offset = parameters.offset.unwrap_or(0);
    if offset > OFFSET_MAX {
        let message = format!("must be from 0 to {OFFSET_MAX}");
        return Err(ApiError::invalid_field("offset", message));
    }
    if !(1..=TEXT_CHARS_MAX).contains(&parameters.q.chars().count()) {
        let message = format!("must have 1 to {TEXT_CHARS_MAX} characters");
        return Err(ApiError::invalid_field("q", message));
    }
    let is_of_sessions = chosen.is_of_sessions() || parameters.kind.is_some();
    if is_of_sessions && parameters.scope == Some(Scope::Thread) {
        let message = "thread goes with no parameter that is about sessions alone";
        return Err(ApiError::invalid_field("scope", message));
    }
    let (sessions, threads) = match parameters.scope {
        Some(Scope::Session) => (true, false),
        Some(Scope::Thread) => (false, true),
        None => (true, !is_of_sessions),
    };
    let (now, prices) = (call.now, Arc::clone(&call.server.config.prices));
    let (results, total) = look(&call, move |file| {
        let wanted = Wanted {
            parameters: &parameters,
            chosen: &chosen,
            prices: &prices,
            count: offset + limit,
            now,
        };
        let (mut said, mut total) = (Vec::new(), 0);
        if sessions {
            total += wanted.sessions(file, &mut said)?;
        }
        let mut written = Vec::new();
        if threads {
            total += wanted.threads(file, &mut written)?;
        }
        Ok((in_turn(said, written), total))
    })
    .await?;
    let page: Vec<Value> = results
        .into_iter()
        .skip(offset as usize)
        .take(limit as usize)
        .collect();
    Answer::json(&json!({"results": page, "total": total}))
}

/// What is looked for, and how many are needed of each scope.
struct Wanted<'a> {
    parameters: &'a Parameters,
    chosen: &'a Chosen,
    prices: &'a PriceTable,
    count: u64,
    now: Timestamp,
}

impl Wanted<'_> {
    fn sessions(
        &self,
        file: &TenantFile,
        found: &mut Vec<(Matched, Value)>,
    ) -> Result<u64, StoreError> {
        let query = SessionQuery {
            text: &self.parameters.q,
            filter: PartFilter {
                kind: self.parameters.kind.as_deref(),
                ..self.chosen.parts()
            },
            limit: self.count,
            offset: 0,
            snippet: SnippetStyle::Html,
            prices: self.prices,
        };
        let page = search_sessions(file.connection(), &query)?;
        found.extend(page.hits.iter().map(|hit| (hit.matched, hit_json(hit))));
        Ok(page.total)
    }

    fn threads(
        &self,
        file: &TenantFile,
        found: &mut Vec<(Matched, Value)>,
    ) -> Result<u64, StoreError> {
        let query = SearchQuery {
            text: &self.parameters.q,
            filter: SearchFilter {
                project: self.chosen.project(),
                thread: None,
                status: None,
            },
            limit: self.count,
            offset: 0,
            now: self.now,
            snippet: SnippetStyle::Html,
        };
        let page = syncline_store::search::search(file.connection(), &query)?;
        found.extend(page.hits.iter().map(|hit| (hit.matched, entry_json(hit))));
        Ok(page.total)
    }
}

fn entry_json(hit: &Hit) -> Value {
    let more = json!({"scope": "thread", "at": hit.timestamp, "matched": matched(hit.matched)});
    joined(threads::hit_json(hit), more)
}

/// What has all words before what has some, and of those the best of one scope, the best of the other,
/// and so on: how well a text fits is told within a scope alone.
fn in_turn(said: Vec<(Matched, Value)>, written: Vec<(Matched, Value)>) -> Vec<Value> {
    let places = |found: Vec<(Matched, Value)>| {
        let ranks = found.into_iter().enumerate();
        ranks.map(|(rank, (matched, value))| (matched == Matched::SomeWords, rank, value))
    };
    let mut all: Vec<_> = places(said).chain(places(written)).collect();
    all.sort_by_key(|(some, rank, _)| (*some, *rank));
    all.into_iter().map(|(_, _, value)| value).collect()
}
