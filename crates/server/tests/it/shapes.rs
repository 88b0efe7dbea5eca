//! `/v1/shape`: the wire, header by header.

mod bad;
mod caches;
mod changes;
mod compacted;
mod entities;
mod evolving;
mod live;
mod put_back;
pub(crate) mod random;
mod records;
mod room;
mod schemas;
mod sights;
mod subsets;
mod txids;
mod unread;

use reqwest::Method;
use serde_json::{Value, json};
use syncline_server::ServeConfig;
use syncline_store::control::Rights;

use crate::support::{Reply, TestServer, start, start_with};

/// A tenant that makes shapes of its threads.
pub(crate) struct Shapes {
    pub(crate) server: TestServer,
    pub(crate) token: String,
}

pub(crate) async fn shapes() -> Shapes {
    of(start().await)
}

pub(crate) async fn shapes_with(configure: impl FnOnce(&mut ServeConfig)) -> Shapes {
    of(start_with(configure).await)
}

fn of(server: TestServer) -> Shapes {
    let token = server.token("acme", Rights::Sync);
    Shapes { server, token }
}

impl Shapes {
    /// Writes a thread with an entry, in one op each.
    pub(crate) async fn thread(&self, key: &str, project: &str) -> String {
        let hash = key
            .bytes()
            .fold(7_u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
        let id = format!("00000000-0000-4000-8000-{:012x}", hash & 0xffff_ffff_ffff);
        let body = json!({
            "thread_id": key, "project_id": project, "name": key,
            "entries": [{"entry_id": id, "sequence_id": 0, "author": "ada",
                "timestamp": "2026-01-01T00:00:00.000Z", "content": format!("of {key}")}],
        });
        let made = self
            .server
            .post("/api/threads/sync", &self.token, body)
            .await;
        made.expect(200)["thread_id"].as_str().unwrap().to_owned()
    }

    /// How far the log has come.
    pub(crate) async fn head(&self) -> u64 {
        let log = self
            .server
            .get("/sync/pull?since=0", &self.token)
            .await
            .expect(200);
        log["serverSeq"].as_u64().unwrap()
    }

    pub(crate) async fn rename(&self, thread: &str, name: &str) {
        let path = format!("/api/threads/{thread}");
        let renamed = self
            .server
            .send(Method::PATCH, &path, &self.token, json!({"name": name}));
        renamed.await.expect(200);
    }

    pub(crate) async fn remove(&self, thread: &str) {
        let path = format!("/api/threads/{thread}");
        let removed = self
            .server
            .send(Method::DELETE, &path, &self.token, json!({}))
            .await;
        assert!(removed.status.is_success(), "{}", removed.text);
    }

    pub(crate) async fn ask(&self, query: &str) -> Reply {
        self.server
            .get(&format!("/v1/shape?{query}"), &self.token)
            .await
    }

    /// The first answer, and what follows it up to date.
    pub(crate) async fn follow(&self, query: &str) -> Follower<'_> {
        let first = self.ask(&format!("{query}&offset=-1")).await;
        let messages = first.expect(200);
        let mut follower = Follower {
            shapes: self,
            query: query.to_owned(),
            handle: first.header("electric-handle").to_owned(),
            offset: first.header("electric-offset").to_owned(),
            messages: messages.as_array().unwrap().clone(),
        };
        follower.catch_up().await;
        follower
    }
}

/// A client that follows a shape.
pub(crate) struct Follower<'s> {
    shapes: &'s Shapes,
    query: String,
    pub(crate) handle: String,
    pub(crate) offset: String,
    /// All messages so far.
    pub(crate) messages: Vec<Value>,
}

impl Follower<'_> {
    pub(crate) fn next(&self) -> String {
        format!(
            "{}&handle={}&offset={}",
            self.query, self.handle, self.offset
        )
    }

    /// Asks until it is up to date; gives the messages of rows.
    pub(crate) async fn catch_up(&mut self) -> Vec<Value> {
        let mut rows = Vec::new();
        loop {
            let reply = self.shapes.ask(&self.next()).await;
            let messages = reply.expect(200);
            self.offset = reply.header("electric-offset").to_owned();
            let messages = messages.as_array().unwrap().clone();
            self.messages.extend(messages.clone());
            rows.extend(
                messages
                    .into_iter()
                    .filter(|message| message["key"].is_string()),
            );
            if reply.headers.contains_key("electric-up-to-date") {
                return rows;
            }
        }
    }

    /// The rows that a client has by now, by key.
    pub(crate) fn rows(&self) -> std::collections::BTreeMap<String, Value> {
        let mut rows = std::collections::BTreeMap::new();
        for message in &self.messages {
            let Some(key) = message["key"].as_str() else {
                continue;
            };
            match message["headers"]["operation"].as_str().unwrap() {
                "insert" => assert!(
                    rows.insert(key.to_owned(), message["value"].clone())
                        .is_none(),
                    "inserted twice: {message}"
                ),
                "update" => {
                    let row = rows.get_mut(key).expect("an update of a row that is there");
                    let row = row.as_object_mut().unwrap();
                    row.extend(message["value"].as_object().unwrap().clone());
                }
                "delete" => {
                    rows.remove(key);
                }
                other => panic!("{other}"),
            }
        }
        rows
    }
}

/// The values of a column, in the order of the keys.
pub(crate) fn column(follower: &Follower<'_>, name: &str) -> Vec<String> {
    let rows = follower.rows();
    let cells = rows
        .values()
        .map(|row| row[name].as_str().unwrap_or("null").to_owned());
    cells.collect()
}
