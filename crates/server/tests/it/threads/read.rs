//! Threads and lists of them.

use serde_json::{Value, json};

use super::threads;

#[tokio::test]
async fn reading_gives_the_last_entries_in_order_and_pages_both_ways() {
    let t = threads().await;
    t.sync("k", "p", 0..10).await.expect(200);
    let numbers = |thread: &Value| -> Vec<u64> {
        let entries = thread["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["sequence_id"].as_u64().unwrap())
            .collect()
    };
    let last = t.get("/api/threads/k?entries_limit=3").await.expect(200);
    assert_eq!(
        (numbers(&last), &last["has_more"]),
        (vec![7, 8, 9], &json!(true))
    );
    assert_eq!(last["entries"][0]["content"], "entry 7");
    assert_eq!(last["entries"][0]["author"], "ada");
    assert_eq!(last["entry_count"], 10);
    let before = t
        .get("/api/threads/k?entries_limit=3&before=7")
        .await
        .expect(200);
    assert_eq!(numbers(&before), [4, 5, 6]);
    let first = t
        .get("/api/threads/k?entries_limit=3&after=-1")
        .await
        .expect(200);
    assert_eq!(numbers(&first), [0, 1, 2]);
    let after = t
        .get("/api/threads/k?entries_limit=3&after=2")
        .await
        .expect(200);
    assert_eq!(numbers(&after), [3, 4, 5]);
    let without = t
        .get("/api/threads/k?include_entries=false")
        .await
        .expect(200);
    assert!(without.get("entries").is_none());
    for query in [
        "entries_limit=0",
        "entries_limit=501",
        "include_entries=maybe",
        "after=1&before=2",
        "after=-2",
    ] {
        let reply = t.get(&format!("/api/threads/k?{query}")).await;
        reply.refused(422, "invalid_field");
    }
    t.get("/api/threads/unknown")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_key_that_several_projects_have_is_ambiguous_until_one_is_named() {
    let t = threads().await;
    t.sync("k", "one", 0..1).await.expect(200);
    t.sync("k", "two", 0..1).await.expect(200);
    let ambiguous = t.get("/api/threads/k").await.refused(409, "ambiguous");
    let candidates = ambiguous["error"]["details"]["candidates"]
        .as_array()
        .unwrap();
    assert_eq!(candidates.len(), 2);
    let one = t.get("/api/threads/k?project_id=one").await.expect(200);
    assert_eq!(one["project_id"], "one");
    let by_id = format!("/api/threads/{}", one["thread_id"].as_str().unwrap());
    assert_eq!(t.get(&by_id).await.expect(200)["project_id"], "one");
}

#[tokio::test]
async fn lists_filter_count_and_page() {
    let t = threads().await;
    for (n, project) in ["one", "one", "two"].iter().enumerate() {
        t.sync(&format!("k{n}"), project, 0..n as u64 + 1)
            .await
            .expect(200);
    }
    let keys = |list: &Value| -> Vec<String> {
        let threads = list["threads"].as_array().unwrap().iter();
        threads
            .map(|thread| thread["key"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = t.get("/api/threads").await.expect(200);
    assert_eq!(
        (keys(&all), &all["total"]),
        (vec!["k2".into(), "k1".into(), "k0".into()], &json!(3))
    );
    assert_eq!(all["threads"][0]["last_entry"]["excerpt"], "entry 2");
    assert!(all["threads"][0].get("entries").is_none());
    let one = t.get("/api/threads?project_id=one").await.expect(200);
    assert_eq!(
        (keys(&one), &one["total"]),
        (vec!["k1".into(), "k0".into()], &json!(2))
    );
    let offset = t.get("/api/threads?limit=1&offset=1").await.expect(200);
    assert_eq!(
        (keys(&offset), &offset["total"]),
        (vec!["k1".into()], &json!(3))
    );

    let (mut path, mut seen) = ("/api/threads?limit=1".to_owned(), Vec::new());
    loop {
        let page = t.get(&path).await.expect(200);
        seen.extend(keys(&page));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/api/threads?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, ["k2", "k1", "k0"]);
    let archived = t.get("/api/threads?status=archived").await.expect(200);
    assert_eq!(archived["total"], 0);
}
