//! What was erased is in no byte of a server's files soon after, and where the server ends before, after
//! its next look for what is due.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use syncline_model::session::session_id;
use syncline_model::thread::{Create, Delete, Entry, EntryId, ThreadOp, thread_id};
use syncline_model::{ActorId, Clock, OpKey, Payload, ResourceId, Scope, TenantId};
use syncline_store::control::{DataDirectory, Rights};
use syncline_store::{FileOptions, TenantFile};
use uuid::Uuid;

use crate::support::{TestServer, eventually, now, push_of, start_on, start_with};

/// A word that full-text search keeps as it is.
const SECRET: &str = "plutonium";
const PREPARED: &str = "application/vnd.sqlite3";

fn op(thread: &str, clock: u64, op: &ThreadOp<'_>) -> Value {
    let payload: Value = serde_json::from_str(op.payload().unwrap().as_str()).unwrap();
    let resource = thread_id("default", thread, 1).to_string();
    json!({
        "scope": "thread", "resourceId": resource, "actor": "a", "clock": clock,
        "payload": payload,
    })
}

/// A few secrets among much else: words of which a tenth is deleted go from an index by themselves.
fn secrets() -> Vec<Value> {
    let create = ThreadOp::Create(Create {
        project: "default".into(),
        key: "plans".into(),
        generation: 1,
        name: "Plans".into(),
        at: now(),
    });
    let entry = |n: u64, word: &str| {
        ThreadOp::Entry(Entry {
            entry_id: EntryId::new(Uuid::now_v7()),
            author: "ada".into(),
            content: format!("{n} is {word} {}", "and on ".repeat(n as usize * 13 % 400)).into(),
            name: None,
            at: now(),
        })
    };
    let others = (2..300).map(|n| op("others", n, &entry(n, "harmless")));
    let secrets = (300..310).map(|n| op("plans", n, &entry(n, SECRET)));
    std::iter::once(op("plans", 1, &create))
        .chain(others)
        .chain(secrets)
        .collect()
}

fn delete() -> Value {
    let delete = ThreadOp::Delete(Delete {
        project: "default".into(),
        key: "plans".into(),
        generation: 1,
        at: now(),
    });
    op("plans", 1_000, &delete)
}

fn session_op(clock: u64, payload: &Value) -> Value {
    json!({
        "scope": "session", "resourceId": session_id("codex", "s", ""), "actor": "a",
        "clock": clock, "payload": payload,
    })
}

fn secret_session() -> Value {
    let text = format!("not a word of {SECRET} to anybody");
    session_op(
        1_001,
        &json!({"type": "patch", "patch": {
            "session": {"agent": "codex", "nativeId": "s"},
            "messages": [{"id": "m", "role": "user"}],
            "parts": [{"messageId": "m", "id": "0", "kind": "text", "order": 0, "text": text}]}}),
    )
}

fn delete_session() -> Value {
    session_op(1_002, &json!({"type": "delete", "at": now()}))
}

async fn push(server: &TestServer, token: &str, ops: Vec<Value>) {
    let body = json!({"clientId": "client-a", "ops": ops});
    server.post("/sync/push", token, body).await.expect(200);
}

async fn fetch_prepared(server: &TestServer, token: &str) {
    let request = server.request(reqwest::Method::GET, "/sync/bootstrap", token);
    let response = request.header("accept", PREPARED).send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.bytes().await.unwrap();
}

/// Whether the secret is in the bytes of any file.
fn is_told(directory: &Path) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_told(&path);
        }
        // A file may go while it is looked for.
        std::fs::read(&path).is_ok_and(|bytes| {
            bytes
                .windows(SECRET.len())
                .any(|window| window == SECRET.as_bytes())
        })
    })
}

async fn is_forgotten(server: &TestServer) {
    let data = server.data.path();
    eventually("forgotten", async || !is_told(data)).await;
}

#[tokio::test]
async fn an_erased_text_is_gone_though_nothing_can_be_dropped_yet() {
    let server = start_with(|config| {
        config.compaction.every = Some(Duration::from_millis(20));
    })
    .await;
    let token = server.token("acme", Rights::Sync);
    push(&server, &token, secrets()).await;
    fetch_prepared(&server, &token).await;
    assert!(is_told(server.data.path()));
    push(&server, &token, vec![delete()]).await;
    is_forgotten(&server).await;
    let page = server.get("/sync/pull?since=0", &token).await.expect(200);
    assert_eq!(page["serverSeq"], 310);
}

#[tokio::test]
async fn an_erased_text_is_gone_at_once_and_not_by_the_next_look() {
    let server = start_with(|config| config.compaction.every = None).await;
    let token = server.token("acme", Rights::Sync);
    push(&server, &token, secrets()).await;
    push(&server, &token, vec![delete()]).await;
    is_forgotten(&server).await;
    // What comes after the run has ended is the next run's.
    push(&server, &token, vec![secret_session()]).await;
    assert!(is_told(server.data.path()));
    push(&server, &token, vec![delete_session()]).await;
    is_forgotten(&server).await;
}

#[tokio::test]
async fn it_is_gone_as_well_where_the_server_was_stopped_and_nobody_asks_for_the_log_again() {
    let server = start_with(|config| config.compaction.every = None).await;
    let token = server.token("acme", Rights::Sync);
    push(&server, &token, secrets()).await;
    let data = server.stop().await;
    // As of a server that ended right after the commit.
    let directory = DataDirectory::open(data.path().join("data")).unwrap();
    let path = directory.tenant_file(&TenantId::new("acme").unwrap());
    let mut file = TenantFile::open(&path, &FileOptions::default()).unwrap();
    let delete = delete();
    let key = OpKey {
        actor: ActorId::new("a").unwrap(),
        clock: Clock::new(1_000).unwrap(),
        scope: Scope::new("thread").unwrap(),
        resource: ResourceId::new(delete["resourceId"].as_str().unwrap()).unwrap(),
    };
    let payload = Payload::parse(&delete["payload"].to_string()).unwrap();
    let mut batch = file.begin().unwrap();
    batch.append(&key, Some(&payload), payload.hash()).unwrap();
    batch.commit().unwrap();
    drop(file);
    assert!(is_told(data.path()), "its words are in the index");
    let server = start_on(data, |config| {
        config.compaction.every = Some(Duration::from_millis(20));
    })
    .await;
    is_forgotten(&server).await;
}

#[tokio::test]
async fn a_log_that_is_closed_is_looked_at_when_it_was_used_since() {
    let server = start_with(|config| {
        config.tenants_open_max = 1;
        config.compaction.every = Some(Duration::from_millis(20));
    })
    .await;
    let (token, other) = (
        server.token("acme", Rights::Sync),
        server.token("other", Rights::Sync),
    );
    // Opened, closed, looked at, and known to be quiet.
    for round in 1..=3 {
        push(&server, &token, secrets()).await;
        let pushed = server.post("/sync/push", &other, push_of("b", [round]));
        pushed.await.expect(200);
    }
    push(&server, &token, vec![delete()]).await;
    is_forgotten(&server).await;
}
