//! `POST /api/threads/sync`: what a client has, entry by entry.

use reqwest::Method;
use serde_json::json;

use super::{entry, sync_of, threads};

#[tokio::test]
async fn sync_makes_the_thread_and_counts_only_what_is_new() {
    let t = threads().await;
    let first = t.sync("design", "p", 0..3).await.expect(200);
    assert_eq!(
        (&first["synced_count"], &first["last_synced_sequence"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(first["key"], "design");
    let head = t.head().await;

    let again = t.sync("design", "p", 0..3).await.expect(200);
    assert_eq!(
        (&again["synced_count"], &again["last_synced_sequence"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(t.head().await, head, "a repeat writes nothing");
    assert_eq!(again["thread_id"], first["thread_id"]);
    let more = t.sync("design", "p", 1..5).await.expect(200);
    assert_eq!(
        (&more["synced_count"], &more["last_synced_sequence"]),
        (&json!(2), &json!(4))
    );
    let by_id = t
        .sync(first["thread_id"].as_str().unwrap(), "p", 5..6)
        .await
        .expect(200);
    assert_eq!(by_id["synced_count"], 1);
    assert_eq!(by_id["key"], "design");
}

#[tokio::test]
async fn a_gap_or_other_content_is_a_conflict_that_names_both_numbers() {
    let t = threads().await;
    t.sync("k", "p", 0..2).await.expect(200);
    let head = t.head().await;
    let gap = t
        .sync("k", "p", 3..4)
        .await
        .refused(409, "sequence_conflict");
    assert_eq!(
        (&gap["expected_sequence"], &gap["received_sequence"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(gap["detail"], gap["error"]["message"]);

    let mut other = entry(1, "other content");
    other["entry_id"] = json!("00000000-0000-4000-8000-000000000099");
    let taken = t
        .post("/api/threads/sync", sync_of("k", "p", vec![other]))
        .await;
    let taken = taken.refused(409, "sequence_conflict");
    assert_eq!(
        (&taken["expected_sequence"], &taken["received_sequence"]),
        (&json!(2), &json!(1))
    );
    let same_id = sync_of("k", "p", vec![entry(1, "changed")]);
    t.post("/api/threads/sync", same_id)
        .await
        .refused(409, "sequence_conflict");
    // All or nothing: the good ones before the bad one are not written either.
    let mixed = sync_of("k", "p", vec![entry(2, "good"), entry(7, "gap")]);
    t.post("/api/threads/sync", mixed)
        .await
        .refused(409, "sequence_conflict");
    assert_eq!(t.head().await, head);
}

#[tokio::test]
async fn a_request_has_a_bound_of_entries_and_an_entry_of_length() {
    let t = threads().await;
    let many = t.sync("k", "p", 0..101).await;
    many.refused(413, "payload_too_large");
    let hundred = t.sync("k", "p", 0..100).await.expect(200);
    assert_eq!(hundred["synced_count"], 100);
    let long = sync_of("k", "p", vec![entry(100, &"x".repeat(100_001))]);
    t.post("/api/threads/sync", long)
        .await
        .refused(413, "payload_too_large");
    let fits = sync_of("k", "p", vec![entry(100, &"\u{1F600}".repeat(100_000))]);
    t.post("/api/threads/sync", fits).await.expect(200);
}

#[tokio::test]
async fn a_push_never_revives_or_renames_what_it_does_not_name() {
    let t = threads().await;
    t.sync("k", "p", 0..1).await.expect(200);
    let path = "/api/threads/k";
    t.server
        .send(Method::PATCH, path, &t.token, json!({"status": "archived"}))
        .await
        .expect(200);
    t.sync("k", "p", 0..2).await.expect(200);
    assert_eq!(t.get(path).await.expect(200)["status"], "archived");
    let mut revive = sync_of("k", "p", vec![entry(1, "entry 1")]);
    revive["status"] = json!("active");
    revive["name"] = json!("Renamed");
    t.post("/api/threads/sync", revive).await.expect(200);
    let thread = t.get(path).await.expect(200);
    assert_eq!(
        (&thread["status"], &thread["name"]),
        (&json!("active"), &json!("Renamed"))
    );
}
