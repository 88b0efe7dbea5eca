//! `GET /api/stats`.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_store::sessions::{
    SessionFilter, StatGroup, StatRow, StatSpan, session_stats, sessions_among, tool_counts,
    touched_files,
};

use super::filter::Chosen;
use super::json::{all_tokens, rate, stat_json};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::decide::look;
use crate::routes::page::bounded;

pub(super) const QUERY: &[(&str, &str)] = &[
    ("by", "day, project, model or agent; day if absent."),
    ("agent", "Sessions of this agent only."),
    (
        "project",
        "Sessions of this project only, by name or directory.",
    ),
    ("machine", "Sessions of this machine only."),
    ("branch", "Sessions on this git branch only."),
    ("model", "Sessions that used this model only."),
    (
        "since",
        "What was done at this time or later: a day, or RFC 3339.",
    ),
    ("until", "What was done before this time."),
    (
        "has_error",
        "In sessions with an error of the agent or of a tool: true; without: false.",
    ),
    ("min_cost", "In sessions that cost so many dollars or more."),
    (
        "limit",
        "Rows, tools and files at most, each: 1 to 1000, 100 if absent.",
    ),
];
const LIMIT_MAX: u64 = 1_000;

#[derive(Deserialize)]
struct Parameters {
    by: Option<By>,
    limit: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Day,
    Project,
    Model,
    Agent,
}

impl From<By> for StatGroup {
    fn from(by: By) -> Self {
        match by {
            By::Day => Self::Day,
            By::Project => Self::Project,
            By::Model => Self::Model,
            By::Agent => Self::Agent,
        }
    }
}

pub(super) async fn stats(call: Call) -> Result<Answer, ApiError> {
    call.takes_only(QUERY)?;
    let parameters: Parameters = call.query_as()?;
    let chosen = Chosen::of(&call)?;
    let limit = bounded("limit", parameters.limit, 100, LIMIT_MAX)?;
    let by = parameters.by.unwrap_or(By::Day);
    let prices = Arc::clone(&call.server.config.prices);
    let (rows, total, tools, files) = look(&call, move |file| {
        let connection = file.connection();
        let among = sessions_among(connection, &chosen.sessions(), &prices)?;
        let filter = SessionFilter {
            among: among.as_deref(),
            ..chosen.whenever()
        };
        let span = StatSpan {
            since: chosen.since,
            until: chosen.until,
            offset_minutes: 0,
        };
        let grouped = |group| session_stats(connection, &filter, span, group, &prices);
        let mut rows = grouped(by.into())?;
        choose(&mut rows, by, limit as usize);
        // A session has one agent, and so none counts twice.
        let mut total = StatRow {
            key: "total".to_owned(),
            ..StatRow::default()
        };
        grouped(StatGroup::Agent)?
            .iter()
            .for_each(|row| total.add(row));
        let tools = tool_counts(connection, &filter, span, limit)?;
        let files = touched_files(connection, &filter, span, limit)?;
        Ok((rows, total, tools, files))
    })
    .await?;
    let rows: Vec<Value> = rows.iter().map(stat_json).collect();
    let tools = tools.iter().map(|tool| {
        json!({
            "name": tool.name,
            "calls": tool.calls,
            "errors": tool.errors,
            "error_rate": rate(tool.errors, tool.calls),
            "duration_ms": tool.duration_ms,
        })
    });
    let files = files
        .iter()
        .map(|file| json!({"path": file.path, "touches": file.touches, "changes": file.changes}));
    Answer::json(&json!({
        "by": by,
        "rows": rows,
        "total": stat_json(&total),
        "tools": tools.collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
    }))
}

/// Keeps the last days, or what cost most.
fn choose(rows: &mut Vec<StatRow>, by: By, limit: usize) {
    if by == By::Day {
        rows.drain(..rows.len().saturating_sub(limit));
    } else {
        rows.sort_by_key(|row| std::cmp::Reverse((row.cost.nanos(), all_tokens(&row.tokens))));
        rows.truncate(limit);
    }
}
