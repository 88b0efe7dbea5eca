//! `POST /api/threads/{id}/entries`.

use std::collections::HashMap;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, ThreadId};
use syncline_protocol::ErrorCode;
use syncline_store::threads::{
    NewEntry, SyncEntry, SyncError, SyncPlan, SyncTarget, Synced, Thread, entry, plan_sync,
};
use syncline_store::{StoreError, TenantFile};
use uuid::Uuid;

use super::target::{Stop, decide, find};
use crate::error::ApiError;
use crate::http::{Answer, Call};
use crate::random::new_uuid;
use crate::routes::decide::idempotency_key;

/// Entries of one request.
pub(super) const ENTRIES_MAX: usize = 100;
/// The author of an entry that names none.
const AUTHOR: &str = "user";

#[derive(Deserialize)]
struct Target {
    project_id: Option<String>,
}

/// Either form of the request.
#[derive(Deserialize)]
struct AppendRequest {
    entries: Option<Vec<SentEntry>>,
    content: Option<String>,
    author: Option<String>,
    entry_id: Option<EntryId>,
    sequence_id: Option<u64>,
    timestamp: Option<Timestamp>,
}

/// An entry as it is sent.
#[derive(Deserialize)]
pub(super) struct SentEntry {
    pub(super) entry_id: Option<EntryId>,
    pub(super) sequence_id: Option<u64>,
    pub(super) content: String,
    pub(super) author: Option<String>,
    pub(super) timestamp: Option<Timestamp>,
}

impl SentEntry {
    /// The entry as it is planned; `id` and `now` stand in for what was left out.
    pub(super) fn planned(&self, id: EntryId, now: Timestamp) -> SyncEntry<'_> {
        SyncEntry {
            entry: NewEntry {
                entry_id: self.entry_id.unwrap_or(id),
                author: self.author.as_deref().unwrap_or(AUTHOR),
                content: &self.content,
                at: self.timestamp.unwrap_or(now),
            },
            sequence_id: self.sequence_id,
        }
    }
}

pub(super) async fn append(call: Call) -> Result<Answer, ApiError> {
    let target: Target = call.query_as()?;
    let request: AppendRequest = call.json()?;
    match (request.entries, request.content) {
        (Some(_), Some(_)) => Err(ApiError::invalid_field("content", "goes with no entries")),
        (None, None) => Err(ApiError::invalid_field(
            "body",
            "must have entries or content",
        )),
        (Some(entries), None) => append_all(&call, target, entries).await,
        (None, Some(content)) => {
            let entry = SentEntry {
                entry_id: request.entry_id,
                sequence_id: request.sequence_id,
                content,
                author: request.author,
                timestamp: request.timestamp,
            };
            append_one(&call, target, entry).await
        }
    }
}

async fn append_all(
    call: &Call,
    target: Target,
    entries: Vec<SentEntry>,
) -> Result<Answer, ApiError> {
    check_count(entries.len())?;
    let (reference, now) = (call.parameter().to_owned(), call.now);
    let names = names_of_entries(call, entries.len())?;
    let (answer, _) = decide(call, move |file| {
        let thread = find(file, &reference, target.project_id.as_deref())?;
        let sent = entries
            .iter()
            .zip(&names)
            .map(|(entry, name)| entry.planned(name.entry_id(thread.thread_id), now));
        let sent: Vec<_> = sent.collect();
        let planned = plan_sync(file.connection(), &SyncTarget::Thread(&thread), &sent)
            .map_err(|error| other_content(error, &names, thread.thread_id))?;
        let synced = sequence_ids(file, &thread, &planned)?;
        let answer = json!({"synced": synced, "thread_id": thread.thread_id, "key": thread.key});
        Ok((planned.plan.ops, answer))
    })
    .await?;
    Answer::json(&answer)
}

async fn append_one(call: &Call, target: Target, sent: SentEntry) -> Result<Answer, ApiError> {
    let (reference, now) = (call.parameter().to_owned(), call.now);
    let names = names_of_entries(call, 1)?;
    let (answer, _) = decide(call, move |file| {
        let thread = find(file, &reference, target.project_id.as_deref())?;
        let planned = [sent.planned(names[0].entry_id(thread.thread_id), now)];
        let entry_id = planned[0].entry.entry_id;
        let planned = plan_sync(file.connection(), &SyncTarget::Thread(&thread), &planned)
            .map_err(|error| other_content(error, &names, thread.thread_id))?;
        let sequence_id = sequence_ids(file, &thread, &planned)?.pop();
        let answer = json!({
            "success": true,
            "thread_id": thread.thread_id,
            "key": thread.key,
            "entry_id": entry_id,
            "sequence_id": sequence_id,
        });
        Ok((planned.plan.ops, answer))
    })
    .await?;
    Ok(Answer::json(&answer)?.status(StatusCode::CREATED))
}

pub(super) fn check_count(count: usize) -> Result<(), ApiError> {
    if count == 0 {
        return Err(ApiError::invalid_field("entries", "must have at least one"));
    }
    if count > ENTRIES_MAX {
        return Err(ApiError::new(
            ErrorCode::PayloadTooLarge,
            format!(
                "entries: {count} are more than the {ENTRIES_MAX} of one request: send several"
            ),
        ));
    }
    Ok(())
}

/// The numbers that the entries have, or will have once the plan is written.
fn sequence_ids(
    file: &TenantFile,
    thread: &Thread,
    planned: &SyncPlan,
) -> Result<Vec<u64>, StoreError> {
    let mut next = thread.entry_count;
    let mut new: HashMap<EntryId, u64> = HashMap::new();
    let mut numbers = Vec::with_capacity(planned.synced.len());
    for synced in &planned.synced {
        let number = match *synced {
            Synced::New(id) => {
                new.insert(id, next);
                next += 1;
                Some(next - 1)
            }
            Synced::Known(id) => match new.get(&id) {
                Some(number) => Some(*number),
                None => {
                    let known = entry(file.connection(), thread.thread_id, id)?;
                    known.and_then(|known| known.place.sequence_id())
                }
            },
        };
        numbers.extend(number);
    }
    Ok(numbers)
}

/// What the id of an entry that comes without one is made of.
#[derive(Debug)]
enum EntryName {
    Random(EntryId),
    /// The request's [`idempotency_key`], and the entry's place in the request.
    OfKey(String),
}

impl EntryName {
    fn entry_id(&self, thread: ThreadId) -> EntryId {
        match self {
            Self::Random(id) => *id,
            Self::OfKey(key) => EntryId::new(Uuid::new_v5(&thread.uuid(), key.as_bytes())),
        }
    }
}

/// One name for each of the request's entries.
fn names_of_entries(call: &Call, count: usize) -> Result<Vec<EntryName>, ApiError> {
    let Some(key) = idempotency_key(call)? else {
        let random = (0..count).map(|_| EntryName::Random(EntryId::new(new_uuid())));
        return Ok(random.collect());
    };
    let of_key = |n| EntryName::OfKey(format!("{key}\0{n}"));
    Ok((0..count).map(of_key).collect())
}

/// An entry whose id follows from the request's key and that is there with other content is told by
/// the key, which is what its sender knows; a number that is not the next one stays a conflict.
fn other_content(error: SyncError, names: &[EntryName], thread: ThreadId) -> Stop {
    let is_of_key = |id| {
        let mut of_key = names
            .iter()
            .filter(|name| matches!(name, EntryName::OfKey(_)));
        of_key.any(|name| name.entry_id(thread) == id)
    };
    match error {
        SyncError::Conflict {
            entry_id,
            expected,
            received,
        } if expected == received && is_of_key(entry_id) => {
            let message = "was used for an entry of other content";
            ApiError::invalid_field("Idempotency-Key", message).into()
        }
        SyncError::Conflict { .. } | SyncError::Plan(_) => error.into(),
    }
}
