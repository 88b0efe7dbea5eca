//! The threads of a tenant over HTTP.

mod change;
mod entries;
mod read;
mod search;
mod sync;

use serde_json::{Value, json};
use syncline_store::control::Rights;

use crate::support::{Reply, TestServer, start};

struct Threads {
    server: TestServer,
    token: String,
}

async fn threads() -> Threads {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    Threads { server, token }
}

fn entry(number: u64, content: &str) -> Value {
    json!({
        "entry_id": format!("00000000-0000-4000-8000-{number:012}"),
        "sequence_id": number,
        "content": content,
        "author": "ada",
        "timestamp": format!("2024-01-01T00:00:{:02}Z", number % 60),
    })
}

fn sync_of(key: &str, project: &str, entries: Vec<Value>) -> Value {
    json!({"thread_id": key, "project_id": project, "name": format!("Name of {key}"), "entries": entries})
}

impl Threads {
    async fn get(&self, path: &str) -> Reply {
        self.server.get(path, &self.token).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.server.post(path, &self.token, body).await
    }

    async fn sync(&self, key: &str, project: &str, numbers: std::ops::Range<u64>) -> Reply {
        let entries = numbers.map(|n| entry(n, &format!("entry {n}"))).collect();
        self.post("/api/threads/sync", sync_of(key, project, entries))
            .await
    }

    async fn head(&self) -> Value {
        self.get("/sync/status").await.expect(200)["server_seq"].clone()
    }
}
