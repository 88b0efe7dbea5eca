//! `GET /api/threads/{id}` and its status.

use serde::Deserialize;
use serde_json::{Value, json};
use syncline_store::threads::{EntryPlace, EntryRange, read_entries};

use super::PROJECT_ID;
use super::json::{entry_json, thread_json};
use super::target::{find, look};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::routes::page::bounded;

pub(super) const QUERY: &[(&str, &str)] = &[
    PROJECT_ID,
    ("include_entries", "false leaves the entries out."),
    ("entries_limit", "Entries at most: 1 to 500, 50 if absent."),
    (
        "after",
        "Entries after this sequence_id, instead of the last.",
    ),
    (
        "before",
        "Entries before this sequence_id, instead of the last.",
    ),
];
const ENTRIES_MAX: u64 = 500;

#[derive(Deserialize)]
struct ReadQuery {
    project_id: Option<String>,
    include_entries: Option<bool>,
    entries_limit: Option<u64>,
    after: Option<i64>,
    before: Option<u64>,
}

pub(super) async fn thread(call: Call) -> Result<Answer, ApiError> {
    let query: ReadQuery = call.query_as()?;
    let limit = bounded("entries_limit", query.entries_limit, 50, ENTRIES_MAX)?;
    let range = match (query.after, query.before) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid_field("after", "goes with no before"));
        }
        (Some(after), None) if after < -1 => {
            return Err(ApiError::invalid_field("after", "must be -1 or more"));
        }
        // -1 stands for the place before the first, as in status.
        (Some(after), None) => EntryRange::After {
            place: u64::try_from(after).ok().map(EntryPlace::Sequence),
            limit,
        },
        (None, Some(before)) => EntryRange::Before {
            place: EntryPlace::Sequence(before),
            limit,
        },
        (None, None) => EntryRange::Last(limit),
    };
    let reference = call.parameter().to_owned();
    let with_entries = query.include_entries.unwrap_or(true);
    let answer = look(&call, move |file| {
        let thread = find(file, &reference, query.project_id.as_deref())?;
        let mut fields = thread_json(&thread);
        if with_entries {
            let page = read_entries(file.connection(), thread.thread_id, range)?;
            let entries: Vec<Value> = page.entries.iter().map(entry_json).collect();
            fields.insert("entries".into(), entries.into());
            fields.insert("has_more".into(), page.has_more.into());
        }
        Ok(fields)
    })
    .await?;
    Answer::json(&answer)
}

#[derive(Deserialize)]
struct StatusQuery {
    project_id: Option<String>,
}

pub(super) async fn status(call: Call) -> Result<Answer, ApiError> {
    let query: StatusQuery = call.query_as()?;
    let reference = call.parameter().to_owned();
    let thread = look(&call, move |file| {
        find(file, &reference, query.project_id.as_deref())
    })
    .await?;
    let last = thread.entry_count.checked_sub(1);
    Answer::json(&json!({
        "thread_id": thread.thread_id,
        "key": thread.key,
        "last_synced_sequence": last.map_or(-1, |last| i64::try_from(last).unwrap_or(i64::MAX)),
        "last_sync_at": last.map(|_| thread.updated_at),
        "sync_error": null,
    }))
}
