//! `GET /api/threads/search`.

use serde_json::json;

use super::{entry, sync_of, threads};

#[tokio::test]
async fn search_takes_any_text_and_marks_safely() {
    let t = threads().await;
    let entries = vec![
        entry(0, "the auth-design uses <b>tokens</b>"),
        entry(1, "what issues did we find in the API?"),
    ];
    t.post("/api/threads/sync", sync_of("k", "p", entries))
        .await
        .expect(200);
    let search = async |query: &'static str| {
        t.get(&format!("/api/threads/search?q={query}"))
            .await
            .expect(200)
    };
    let found = search("auth-design").await;
    assert_eq!(
        (&found["total"], &found["results"][0]["sequence_id"]),
        (&json!(1), &json!(0))
    );
    let hit = &found["results"][0];
    assert!(hit["content"].as_str().unwrap().contains("<mark>"));
    assert!(!hit["content"].as_str().unwrap().contains("<b>"));
    let score = hit["score"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&score));
    for query in [
        "What%20issues%20did%20we%20find%3F",
        "%22issues",
        "issues%20NEAR(",
        "issues%20AND",
    ] {
        assert_eq!(
            search(query).await["results"][0]["sequence_id"],
            1,
            "{query}"
        );
    }
    for query in ["%3F%21", "-"] {
        assert_eq!(
            search(query).await,
            json!({"results": [], "total": 0}),
            "{query}"
        );
    }
    for query in ["", "q=", "q=x&limit=51", "q=x&limit=0"] {
        let reply = t.get(&format!("/api/threads/search?{query}")).await;
        reply.refused(422, "invalid_field");
    }
    let long = format!("/api/threads/search?q={}", "x".repeat(257));
    t.get(&long).await.refused(422, "invalid_field");
}
