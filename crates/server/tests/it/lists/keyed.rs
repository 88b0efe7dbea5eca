//! Changes that come again with their key, whatever others have done since, and what a compaction leaves.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_store::control::Rights;

use super::{Lists, lists};

/// A change to what is there, sent with a key.
struct Change {
    method: Method,
    path: &'static str,
    body: Value,
}

impl Change {
    async fn send(&self, lists: &Lists, key: &str) -> crate::support::Reply {
        let key = ("idempotency-key", key);
        let method = self.method.clone();
        lists.with(key, method, self.path, self.body.clone()).await
    }
}

/// Each change, and what takes it back.
fn changes() -> Vec<[Change; 2]> {
    let change = |method: &Method, path, body| Change {
        method: method.clone(),
        path,
        body,
    };
    let (post, patch, delete) = (Method::POST, Method::PATCH, Method::DELETE);
    vec![
        [
            change(&patch, "/api/lists/l/items/x", json!({"done": true})),
            change(&patch, "/api/lists/l/items/x", json!({"done": false})),
        ],
        [
            change(&post, "/api/lists/l/items/x/move", json!({"to": "m"})),
            change(&post, "/api/lists/m/items/x/move", json!({"to": "l"})),
        ],
        [
            change(&delete, "/api/lists/l/items/y", json!({})),
            change(&post, "/api/lists/l/items/y/restore", json!({})),
        ],
        [
            change(&post, "/api/lists/l/items/w/restore", json!({})),
            change(&delete, "/api/lists/l/items/w", json!({})),
        ],
        [
            change(&patch, "/api/lists/l", json!({"title": "t"})),
            change(&patch, "/api/lists/l", json!({"title": "groceries"})),
        ],
        [
            change(&delete, "/api/lists/m", json!({})),
            change(&post, "/api/lists/m/restore", json!({})),
        ],
        [
            change(&post, "/api/lists/n/restore", json!({})),
            change(&delete, "/api/lists/n", json!({})),
        ],
    ]
}

/// As [`lists`], with a removed item `w` and a deleted list `n`.
async fn lists_with_removed() -> Lists {
    let lists = lists().await;
    let item = json!({"item_id": "w", "text": "w"});
    lists.post("/api/lists/l/items", item).await.expect(201);
    lists.delete("/api/lists/l/items/w").await.expect(200);
    let list = json!({"list_id": "n", "title": "n"});
    lists.post("/api/lists", list).await.expect(201);
    lists.delete("/api/lists/n").await.expect(200);
    lists
}

/// Compacts all that there is so far.
async fn compact(lists: &Lists) {
    let list = json!({"list_id": "last", "title": "behind all others"});
    lists.post("/api/lists", list).await.expect(201);
    let admin = lists.server.token("acme", Rights::Admin);
    let at_once = json!({"retention_seconds": 0});
    let compacted = lists.server.post("/api/admin/compact", &admin, at_once);
    compacted.await.expect(200);
}

#[tokio::test]
async fn a_change_with_the_same_key_is_made_once_though_others_take_it_back() {
    let lists = lists_with_removed().await;
    for (number, [change, back]) in changes().iter().enumerate() {
        let path = change.path;
        let key = format!("key-{number}");
        let before = lists.head().await;
        change.send(&lists, &key).await.expect(200);
        assert_ne!(lists.head().await, before, "{path}");
        back.send(&lists, &format!("back-{number}"))
            .await
            .expect(200);
        let head = lists.head().await;
        change.send(&lists, &key).await.expect(200);
        assert_eq!(lists.head().await, head, "{path}");
    }
    // Also when the log holds none of these ops any more.
    compact(&lists).await;
    let head = lists.head().await;
    for (number, [change, _]) in changes().iter().enumerate() {
        let again = change.send(&lists, &format!("key-{number}")).await;
        let gone = ["/api/lists/l/items/w/restore", "/api/lists/n/restore"];
        if gone.contains(&change.path) {
            again.refused(404, "not_found");
        } else {
            again.expect(200);
        }
        assert_eq!(lists.head().await, head, "{}", change.path);
    }
}

#[tokio::test]
async fn the_key_of_a_change_with_another_wish_is_refused() {
    let lists = lists_with_removed().await;
    let [[tick, untick], [.., back], ..] = &changes()[..] else {
        unreachable!("there are more")
    };
    tick.send(&lists, "aa").await.expect(200);
    let head = lists.head().await;
    untick.send(&lists, "aa").await.refused(409, "key_conflict");
    back.send(&lists, "aa").await.refused(409, "key_conflict");
    assert_eq!(lists.head().await, head);
    untick.send(&lists, "bb").await.expect(200);
}

#[tokio::test]
async fn a_deleted_list_is_known_and_restored_whole_after_a_compaction() {
    let lists = lists().await;
    lists.delete("/api/lists/l").await.expect(200);
    compact(&lists).await;
    let made = lists.post("/api/lists", json!({"list_id": "l", "title": "new"}));
    made.await.refused(422, "invalid_field");
    let restored = lists.post("/api/lists/l/restore", json!({})).await;
    assert_eq!(restored.expect(200)["item_count"], 3);
}
