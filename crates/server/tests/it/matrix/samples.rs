//! What each route takes.

use serde_json::{Value, json};

use super::CANARY;
use crate::records::document;
use crate::support::push_of;

/// A path with a body.
type Asked = (String, Option<Value>);

/// What a route takes; none: no route is known by this path.
pub(super) fn of(method: &str, path: &str, spare_token: &str) -> Option<Asked> {
    log_sample(method, path)
        .or_else(|| thread_sample(method, path))
        .or_else(|| record_sample(method, path))
        .or_else(|| view_sample(method, path))
        .or_else(|| admin_sample(method, path, spare_token))
}

/// What the routes of the log itself take.
fn log_sample(method: &str, path: &str) -> Option<Asked> {
    let body = match (method, path) {
        ("POST", "/sync/push") => Some(push_of("matrix", [9])),
        ("POST", "/sync/batch") => Some(rows_of("matrix")),
        ("POST", "/sync/reset") => Some(json!({"confirm": "acme"})),
        ("GET", "/sync/pull" | "/sync/stream" | "/sync/bootstrap" | "/sync/status") => None,
        _ => return None,
    };
    Some((path.to_owned(), body))
}

fn thread_sample(method: &str, path: &str) -> Option<Asked> {
    let body = match (method, path) {
        ("POST", "/api/threads/sync") => Some(json!({
            "thread_id": "matrix", "project_id": "p", "name": "n",
            "entries": [{"entry_id": "00000000-0000-4000-8000-000000000002",
                "sequence_id": 0, "content": "x", "timestamp": "2024-01-01T00:00:00Z"}],
        })),
        ("POST", "/api/threads/{id}/entries") => Some(json!({"entries": [{"content": "more"}]})),
        ("PATCH", "/api/threads/{id}") => Some(json!({"status": "archived"})),
        ("GET", "/api/threads/search") => return Some((format!("{path}?q=canary"), None)),
        ("GET" | "DELETE", "/api/threads/{id}")
        | ("GET", "/api/threads/{id}/status" | "/api/threads") => None,
        _ => return None,
    };
    Some((path.replace("{id}", "canary-key"), body))
}

/// What the routes of records and of their schema take.
fn record_sample(method: &str, path: &str) -> Option<Asked> {
    let asked = match (method, path) {
        ("PUT", "/api/schema") | ("POST", "/api/schema/diff") => Some(document()),
        ("POST", "/api/writes") => Some(json!({"transactions": []})),
        (
            "GET",
            "/api/schema" | "/api/writes/{write_id}" | "/api/records/{entity}/{id}/history",
        ) => None,
        _ => return None,
    };
    let path = path
        .replace("{write_id}", "canary-write")
        .replace("{entity}/{id}", "notes/canary-note");
    Some((path, asked))
}

/// What the routes of lists, sessions and shapes take.
fn view_sample(method: &str, path: &str) -> Option<Asked> {
    let same = || path.to_owned();
    Some(match (method, path) {
        (method, path) if path.starts_with("/api/lists") => {
            let path_of = path.replace("{list_id}", "canary-list");
            (
                path_of.replace("{item_id}", "canary-item"),
                list_body(method, path),
            )
        }
        (method, path) if path.starts_with("/v1/") => shape_sample(method, path),
        ("GET", "/api/search") => (format!("{path}?q=canary"), None),
        ("GET", "/api/sessions/{session_id}") => (path.replace("{session_id}", CANARY), None),
        ("GET", "/api/sessions" | "/api/stats") => (same(), None),
        _ => return None,
    })
}

fn admin_sample(method: &str, path: &str, spare_token: &str) -> Option<Asked> {
    let body = match (method, path) {
        ("POST", "/api/admin/compact") => {
            Some(json!({"retention_seconds": 604_800, "idle_seconds": 86_400}))
        }
        ("POST", "/api/admin/expire") => Some(json!({"idle_seconds": 86_400})),
        ("POST", "/api/tokens") => Some(json!({"user": "matrix"})),
        ("DELETE", "/api/tokens/{id}") => None,
        (
            "GET",
            "/" | "/api/tokens" | "/api/whoami" | "/health" | "/ready" | "/metrics"
            | "/openapi.json" | "/api/admin/tenants" | "/api/admin/clients",
        ) => None,
        _ => return None,
    };
    Some((path.replace("{id}", spare_token), body))
}

fn shape_sample(method: &str, path: &str) -> Asked {
    let body = (method == "POST").then(|| json!({"where": "true"}));
    let path = match (method, path) {
        ("GET" | "HEAD", "/v1/shape") => format!("{path}?table=threads&offset=-1"),
        ("DELETE", "/v1/shape") => format!("{path}?table=threads"),
        ("POST", "/v1/shape") => format!("{path}?table=threads&offset=now"),
        _ => path.to_owned(),
    };
    (path, body)
}

/// What each route over lists takes; those that the document has without a body take none.
fn list_body(method: &str, path: &str) -> Option<Value> {
    match (method, path.rsplit('/').next()?) {
        ("POST", "lists") => Some(json!({"title": "matrix"})),
        ("POST", "items") => Some(json!({"text": "matrix", "done": true, "note": "n"})),
        ("POST", "move") => Some(json!({"position": "start"})),
        ("PATCH", "{list_id}") => Some(json!({"title": "matrix", "position": "start"})),
        ("PATCH", "{item_id}") => Some(json!({"text": "matrix", "done": true, "note": "n"})),
        _ => None,
    }
}

/// A session and a message in it, both with this id, as a recorder sends them.
pub(super) fn rows_of(id: &str) -> Value {
    json!({
        "sessions": [{"id": id, "title": format!("{id} title"), "created_at": 1, "cost": 0.5}],
        "messages": [{"id": id, "session_id": id, "role": "user",
            "text_content": format!("{id} text"), "created_at": "2024-01-01T00:00:00Z"}],
        "sync_timestamp": "2024-01-01T00:00:00Z",
    })
}
