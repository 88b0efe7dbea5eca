//! `PATCH` and `DELETE` of a thread.

use reqwest::Method;
use serde_json::{Value, json};

use super::threads;
use crate::support::Reply;

#[tokio::test]
async fn a_change_renames_moves_and_archives() {
    let t = threads().await;
    t.sync("k", "p", 0..1).await.expect(200);
    let patch = |body: Value| {
        t.server
            .send(Method::PATCH, "/api/threads/k", &t.token, body)
    };
    let changed = patch(json!({"name": "a/new name", "status": "blocked"}))
        .await
        .expect(200);
    assert_eq!(
        (&changed["name"], &changed["status"]),
        (&json!("a/new name"), &json!("blocked"))
    );
    let moved = patch(json!({"project_id": "q"})).await.expect(200);
    assert_eq!(
        (&moved["project_id"], &moved["key"]),
        (&json!("q"), &json!("k"))
    );
    for body in [
        json!({}),
        json!({"status": "deleted"}),
        json!({"name": ""}),
        json!({"name": 1}),
    ] {
        patch(body).await.refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn a_delete_erases_and_the_key_can_be_used_again() {
    let t = threads().await;
    let first = t.sync("k", "p", 0..2).await.expect(200);
    let delete = || Reply::of(t.server.request(Method::DELETE, "/api/threads/k", &t.token));
    assert_eq!(delete().await.expect(200)["status"], "ok");
    delete().await.refused(404, "not_found");
    t.get("/api/threads/k").await.refused(404, "not_found");
    t.get("/api/threads/k/status")
        .await
        .refused(404, "not_found");
    let by_id = format!("/api/threads/{}", first["thread_id"].as_str().unwrap());
    t.get(&by_id).await.refused(404, "not_found");
    let page = t.get("/sync/pull").await;
    assert!(
        !page.text.contains("entry 0"),
        "the log still holds the text"
    );
    assert_eq!(
        t.get("/api/threads/search?q=entry").await.expect(200)["total"],
        0
    );

    let second = t.sync("k", "p", 0..1).await.expect(200);
    assert_ne!(second["thread_id"], first["thread_id"]);
    assert_eq!(second["synced_count"], 1);
    let status = t.get("/api/threads/k/status").await.expect(200);
    assert_eq!(status["last_synced_sequence"], 0);
}
