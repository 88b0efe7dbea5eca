//! The task lists of a tenant over HTTP.

mod change;
mod keyed;
mod named;
mod nonsense;
mod repeat;

use reqwest::Method;
use serde_json::{Value, json};
use syncline_store::control::Rights;

use crate::support::{Reply, TestServer, start};

struct Lists {
    server: TestServer,
    token: String,
}

/// Lists `l` with items `x`, `y` and `z`, and `m` without any.
async fn lists() -> Lists {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let lists = Lists { server, token };
    for (id, title) in [("l", "groceries"), ("m", "music")] {
        let list = json!({"list_id": id, "title": title});
        lists.post("/api/lists", list).await.expect(201);
    }
    for id in ["x", "y", "z"] {
        let item = json!({"item_id": id, "text": format!("text of {id}")});
        lists.post("/api/lists/l/items", item).await.expect(201);
    }
    lists
}

impl Lists {
    async fn get(&self, path: &str) -> Reply {
        self.server.get(path, &self.token).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.server.post(path, &self.token, body).await
    }

    async fn patch(&self, path: &str, body: Value) -> Reply {
        self.server
            .send(Method::PATCH, path, &self.token, body)
            .await
    }

    async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.server.request(Method::DELETE, path, &self.token)).await
    }

    /// A request with one header.
    async fn with(
        &self,
        (name, value): (&str, &str),
        method: Method,
        path: &str,
        body: Value,
    ) -> Reply {
        let request = self.server.request(method, path, &self.token);
        Reply::of(request.header(name, value).json(&body)).await
    }

    /// The ids of what a list shows, in order.
    async fn ids(&self, list: &str) -> Vec<String> {
        let body = self.get(&format!("/api/lists/{list}")).await.expect(200);
        let items = body["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The ids of the lists, in order.
    async fn list_ids(&self, query: &str) -> Vec<String> {
        let body = self.get(&format!("/api/lists{query}")).await.expect(200);
        let lists = body["lists"].as_array().unwrap().iter();
        lists
            .map(|list| list["list_id"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn head(&self) -> Value {
        self.get("/sync/status").await.expect(200)["server_seq"].clone()
    }
}
