//! `POST /api/threads/{id}/entries`: entries that the server numbers.

use reqwest::Method;
use serde_json::{Value, json};

use super::{entry, threads};
use crate::support::Reply;

#[tokio::test]
async fn entries_are_appended_in_both_forms() {
    let t = threads().await;
    let made = t.sync("k", "p", 0..1).await.expect(200);
    let path = "/api/threads/k/entries";
    let many = json!({"entries": [{"content": "one"}, {"content": "two", "author": "bob"}]});
    let many = t.post(path, many).await.expect(200);
    assert_eq!(
        (&many["synced"], &many["thread_id"]),
        (&json!([1, 2]), &made["thread_id"])
    );
    let numbered = json!({"entries": [entry(3, "three")]});
    for _ in 0..2 {
        let answer = t.post(path, numbered.clone()).await.expect(200);
        assert_eq!(answer["synced"], json!([3]));
    }
    let one = t
        .post(path, json!({"content": "four", "author": "eve"}))
        .await
        .expect(201);
    assert_eq!(
        (&one["success"], &one["sequence_id"]),
        (&json!(true), &json!(4))
    );
    assert_eq!(one["thread_id"], made["thread_id"]);
    let thread = t.get("/api/threads/k").await.expect(200);
    let shown: Vec<_> = thread["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["author"].as_str().unwrap(),
                entry["content"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("ada", "entry 0"),
            ("user", "one"),
            ("bob", "two"),
            ("ada", "three"),
            ("eve", "four")
        ]
    );
    assert_eq!(thread["entries"][4]["entry_id"], one["entry_id"]);

    t.post("/api/threads/nobody/entries", json!({"content": "x"}))
        .await
        .refused(404, "not_found");
    for body in [
        json!({}),
        json!({"content": "x", "entries": []}),
        json!({"content": ""}),
        json!({"content": "x", "author": "a".repeat(65)}),
    ] {
        t.post(path, body).await.refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn an_idempotency_key_makes_a_repeat_harmless() {
    let t = threads().await;
    t.sync("k", "p", 0..1).await.expect(200);
    let post = |key: &'static str, content: &'static str| {
        let request = t
            .server
            .request(Method::POST, "/api/threads/k/entries", &t.token);
        Reply::of(
            request
                .header("idempotency-key", key)
                .json(&json!({"content": content})),
        )
    };
    let first = post("one", "x").await.expect(201);
    let again = post("one", "x").await.expect(201);
    assert_eq!(first, again);
    post("one", "other").await.refused(422, "invalid_field");
    let second = post("two", "x").await.expect(201);
    assert_eq!(second["sequence_id"], 2);
}

#[tokio::test]
async fn what_is_posted_becomes_ops_that_replicas_pull() {
    let t = threads().await;
    t.sync("k", "p", 0..1).await.expect(200);
    let page = t.get("/sync/pull").await.expect(200);
    let ops = page["ops"].as_array().unwrap();
    assert_eq!(ops.len(), 2);
    assert!(ops.iter().all(|op| op["scope"] == "thread"));
    assert!(ops[0]["actor"].as_str().unwrap().starts_with("server-"));
    assert_eq!(ops[1]["payload"]["content"], "entry 0");
    assert!(ops[0]["clock"].as_u64() < ops[1]["clock"].as_u64());
}

#[tokio::test]
async fn writers_at_once_get_dense_numbers() {
    let t = std::sync::Arc::new(threads().await);
    t.sync("k", "p", 0..1).await.expect(200);
    let posts = (0..30).map(|n| {
        let t = std::sync::Arc::clone(&t);
        tokio::spawn(async move {
            let body = json!({"content": format!("from {n}")});
            let made = t.post("/api/threads/k/entries", body).await.expect(201);
            made["sequence_id"].as_u64().unwrap()
        })
    });
    let mut numbers = Vec::new();
    for post in posts.collect::<Vec<_>>() {
        numbers.push(post.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_idempotency_key_holds_for_each_entry_of_a_request() {
    let t = threads().await;
    t.sync("k", "p", 0..1).await.expect(200);
    let post = |body: Value| {
        let path = "/api/threads/k/entries";
        let request = t.server.request(Method::POST, path, &t.token);
        Reply::of(request.header("idempotency-key", "one").json(&body))
    };
    let two = json!({"entries": [{"content": "same"}, {"content": "same"}]});
    for _ in 0..2 {
        let answer = post(two.clone()).await.expect(200);
        assert_eq!(answer["synced"], json!([1, 2]));
    }
    assert_eq!(t.get("/api/threads/k").await.expect(200)["entry_count"], 3);
    let other = json!({"entries": [{"content": "same"}, {"content": "other"}]});
    post(other).await.refused(422, "invalid_field");
    // A number that is not the next one is told as what it is.
    let gap = json!({"entries": [{"content": "same"}, {"content": "same"},
        {"content": "new", "sequence_id": 9}]});
    post(gap).await.refused(409, "sequence_conflict");
}

#[tokio::test]
async fn a_single_entry_may_say_its_number_too() {
    let t = threads().await;
    t.sync("k", "p", 0..1).await.expect(200);
    let post = |number: u64| {
        let body = json!({"content": "x", "sequence_id": number});
        t.post("/api/threads/k/entries", body)
    };
    let gap = post(5).await.refused(409, "sequence_conflict");
    assert_eq!(gap["expected_sequence"], 1);
    assert_eq!(post(1).await.expect(201)["sequence_id"], 1);
    assert_eq!(post(1).await.expect(201)["sequence_id"], 1);
    assert_eq!(t.get("/api/threads/k").await.expect(200)["entry_count"], 2);
}
