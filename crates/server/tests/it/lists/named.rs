//! Items of one id in one list, of which one came from another.

use reqwest::Method;
use serde_json::json;

use super::{Lists, lists};

const KEY: (&str, &str) = ("idempotency-key", "7f0e");
/// `l/x`, as a path has it.
const CAME: &str = "/api/lists/m/items/l%2Fx";

/// List `m` with an item `x` of its own, behind the `x` that came from `l`.
async fn of_one_id() -> Lists {
    let lists = lists().await;
    let own = json!({"item_id": "x", "text": "own"});
    lists.post("/api/lists/m/items", own).await.expect(201);
    let there = json!({"to": "m", "position": "start"});
    let moved = lists.post("/api/lists/l/items/x/move", there).await;
    assert_eq!(moved.expect(200)["id"], "l/x");
    lists
}

#[tokio::test]
async fn each_is_shown_and_taken_by_a_name_of_its_own() {
    let lists = of_one_id().await;
    assert_eq!(lists.ids("m").await, ["l/x", "x"]);
    let text = async |path: &str| lists.get(path).await.expect(200)["text"].clone();
    assert_eq!(text(CAME).await, "text of x");
    assert_eq!(text("/api/lists/m/items/x").await, "own");
    let edit = || lists.with(KEY, Method::PATCH, CAME, json!({"text": "edited"}));
    let edited = edit().await.expect(200);
    assert_eq!(
        (&edited["id"], &edited["text"]),
        (&json!("l/x"), &json!("edited"))
    );
    assert_eq!(edit().await.expect(200), edited);
    let behind = json!({"text": "between", "item_id": "y", "after": "l/x"});
    lists.post("/api/lists/m/items", behind).await.expect(201);
    assert_eq!(lists.ids("m").await, ["l/x", "y", "x"]);
}

#[tokio::test]
async fn a_removal_that_comes_again_removes_no_other() {
    let lists = of_one_id().await;
    for _ in 0..2 {
        lists.delete("/api/lists/m/items/x").await.expect(200);
        assert_eq!(lists.ids("m").await, ["l/x"]);
    }
    for _ in 0..2 {
        lists.delete(CAME).await.expect(200);
        assert!(lists.ids("m").await.is_empty());
    }
}

#[tokio::test]
async fn an_id_that_the_list_shows_is_not_given_again() {
    let lists = lists().await;
    let there = json!({"to": "m"});
    let moved = lists.post("/api/lists/l/items/x/move", there).await;
    assert_eq!(moved.expect(200)["id"], "x");
    let again = json!({"item_id": "x", "text": "again"});
    let refused = lists.post("/api/lists/m/items", again).await;
    refused.refused(422, "invalid_field");
    assert_eq!(lists.ids("m").await, ["x"]);
}
