//! Threads and entries as they are answered.

use serde_json::{Map, Value, json};
use syncline_store::search::Hit;
use syncline_store::threads::{Entry, ListedThread, Thread};

/// A thread without its entries.
pub(super) fn thread_json(thread: &Thread) -> Map<String, Value> {
    let value = json!({
        "thread_id": thread.thread_id,
        "key": thread.key,
        "project_id": thread.project,
        "name": thread.name,
        "status": thread.status.as_str(),
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
        "entry_count": thread.entry_count,
        "authors": thread.authors,
    });
    match value {
        Value::Object(fields) => fields,
        other => unreachable!("{other} was written as an object"),
    }
}

pub(super) fn listed_json(listed: &ListedThread) -> Value {
    let mut fields = thread_json(&listed.thread);
    fields.insert("tags".into(), json!(listed.tags));
    let last = listed.last_entry.as_ref().map(|last| {
        json!({
            "entry_id": last.entry_id,
            "sequence_id": last.place.sequence_id(),
            "author": last.author,
            "timestamp": last.timestamp,
            "excerpt": last.excerpt,
        })
    });
    fields.insert("last_entry".into(), last.into());
    fields.into()
}

pub(super) fn entry_json(entry: &Entry) -> Value {
    json!({
        "entry_id": entry.entry_id,
        "sequence_id": entry.place.sequence_id(),
        "content": entry.content,
        "author": entry.author,
        "timestamp": entry.timestamp,
    })
}

pub(in crate::routes) fn hit_json(hit: &Hit) -> Value {
    json!({
        "thread_id": hit.thread_id,
        "key": hit.thread_key,
        "project_id": hit.project,
        "name": hit.thread_name,
        "entry_id": hit.entry_id,
        "sequence_id": hit.place.sequence_id(),
        "content": hit.snippet,
        "author": hit.author,
        "timestamp": hit.timestamp,
        "score": hit.score,
    })
}
