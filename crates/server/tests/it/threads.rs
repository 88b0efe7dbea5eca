// tidy: long because it holds one contract, request by request
use reqwest::Method;
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
