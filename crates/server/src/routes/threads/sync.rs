//! `POST /api/threads/sync`.

use serde::Deserialize;
use serde_json::json;
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, Status};
use syncline_store::TenantFile;
use syncline_store::threads::{
    Changes, NewThread, PlannedOp, Resolved, SyncTarget, Synced, Thread, plan_sync, plan_update,
    resolve_key,
};

use super::entries::{SentEntry, check_count};
use super::target::{Stop, ambiguous, decide};
use crate::error::ApiError;
use crate::http::{Answer, Call};

/// The longest `thread_id` of a request, in characters. Keys may be longer; such a thread is named
/// by its id.
const THREAD_ID_CHARS_MAX: usize = 128;

/// The request: a thread, and entries of which the server may have some already.
#[derive(Deserialize)]
struct SyncRequest {
    /// An id, or the key that the thread has or gets in its project.
    thread_id: String,
    project_id: String,
    name: String,
    status: Option<Status>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    entries: Vec<NumberedEntry>,
}

#[derive(Deserialize)]
struct NumberedEntry {
    entry_id: EntryId,
    sequence_id: u64,
    content: String,
    author: Option<String>,
    timestamp: Timestamp,
}

impl From<NumberedEntry> for SentEntry {
    fn from(entry: NumberedEntry) -> Self {
        Self {
            entry_id: Some(entry.entry_id),
            sequence_id: Some(entry.sequence_id),
            content: entry.content,
            author: entry.author,
            timestamp: Some(entry.timestamp),
        }
    }
}

pub(super) async fn sync(call: Call) -> Result<Answer, ApiError> {
    let mut request: SyncRequest = call.json()?;
    if request.thread_id.chars().count() > THREAD_ID_CHARS_MAX {
        let message = format!("must have 1 to {THREAD_ID_CHARS_MAX} characters");
        return Err(ApiError::invalid_field("thread_id", message));
    }
    check_count(request.entries.len())?;
    let mut entries: Vec<SentEntry> = request.entries.drain(..).map(SentEntry::from).collect();
    entries.sort_by_key(|entry| entry.sequence_id);
    let now = call.now;
    let (answer, _) = decide(&call, move |file| {
        let sent = entries
            .iter()
            .map(|entry| entry.planned(EntryId::new(uuid::Uuid::nil()), now));
        let sent: Vec<_> = sent.collect();
        let thread = find_or_none(file, &request)?;
        let target = match &thread {
            Some(thread) => SyncTarget::Thread(thread),
            None => SyncTarget::New(new_thread(&request, now)),
        };
        let planned = plan_sync(file.connection(), &target, &sent)?;
        let new = planned
            .synced
            .iter()
            .filter(|synced| matches!(synced, Synced::New(_)));
        let answer = json!({
            "thread_id": planned.plan.thread_id,
            "key": thread.as_ref().map_or(&request.thread_id, |thread| &thread.key),
            "synced_count": new.count(),
            "last_synced_sequence": planned.last_sequence_id,
        });
        let mut ops = planned.plan.ops;
        ops.extend(changes(
            thread.as_ref(),
            &request,
            planned.plan.thread_id,
            now,
        )?);
        Ok((ops, answer))
    })
    .await?;
    Answer::json(&answer)
}

fn find_or_none(file: &TenantFile, request: &SyncRequest) -> Result<Option<Thread>, Stop> {
    let project = Some(request.project_id.as_str());
    match resolve_key(file.connection(), &request.thread_id, project)? {
        Resolved::Found(thread) => Ok(Some(thread)),
        Resolved::Unknown => Ok(None),
        Resolved::Ambiguous(threads) => Err(ambiguous(&threads).into()),
    }
}

fn new_thread(request: &SyncRequest, now: Timestamp) -> NewThread<'_> {
    NewThread {
        project: &request.project_id,
        key: Some(&request.thread_id),
        name: &request.name,
        at: request.created_at.unwrap_or(now),
    }
}

/// The ops that give the thread the name and status that the request says. A status that is left
/// out stays as it is: a push never revives a thread that somebody has archived.
fn changes(
    thread: Option<&Thread>,
    request: &SyncRequest,
    id: syncline_model::thread::ThreadId,
    now: Timestamp,
) -> Result<Vec<PlannedOp>, Stop> {
    let at = request.updated_at.unwrap_or(now);
    let made;
    let thread = match thread {
        Some(thread) => thread,
        // As the thread will be once the plan before this is written.
        None => {
            made = Thread {
                thread_id: id,
                key: request.thread_id.clone(),
                project: request.project_id.clone(),
                name: request.name.clone(),
                status: Status::Active,
                created_at: at,
                updated_at: at,
                entry_count: 0,
                authors: Vec::new(),
                origin: None,
            };
            &made
        }
    };
    let changes = Changes {
        name: Some(&request.name),
        project: None,
        status: request.status,
    };
    Ok(plan_update(thread, &changes, at)?.ops)
}
