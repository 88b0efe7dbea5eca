use serde_json::Value;
use syncline_store::control::Rights;

use crate::support::{Reply, eventually, push_of, start};

fn places(page: &Value) -> Vec<u64> {
    let ops = page["ops"].as_array().unwrap().iter();
    ops.map(|op| op["serverSeq"].as_u64().unwrap()).collect()
}

fn after(page: &Value) -> String {
    let (seq, mark) = (
        &page["cursor"]["serverSeq"],
        page["cursor"]["mark"].as_str().unwrap(),
    );
    format!("since={seq}&mark={mark}")
}

#[tokio::test]
async fn pages_chain_to_the_head_and_hold_payloads_byte_for_byte() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let odd = r#"{ "b" : 1,"a":[1.0e2 , "\u00e9é\/"],"a":null }"#;
    let body = format!(
        r#"{{"clientId":"c","ops":[{{"scope":"custom.scope","resourceId":"r","actor":"a","clock":1,"payload":{odd}}}]}}"#
    );
    server
        .post_bytes("/sync/push", &token, body)
        .await
        .expect(200);
    server
        .post("/sync/push", &token, push_of("b", 2..=5))
        .await
        .expect(200);

    let first = server.get("/sync/pull?limit=2", &token).await;
    assert!(first.text.contains(odd), "{}", first.text);
    let first = first.expect(200);
    assert_eq!(
        (places(&first), &first["hasMore"]),
        (vec![1, 2], &true.into())
    );
    let path = format!("/sync/pull?{}&limit=2", after(&first));
    let second = server.get(&path, &token).await.expect(200);
    assert_eq!(places(&second), [3, 4]);
    let path = format!("/sync/pull?{}&limit=2", after(&second));
    let third = server.get(&path, &token).await.expect(200);
    assert_eq!(
        (places(&third), &third["hasMore"]),
        (vec![5], &false.into())
    );
    let path = format!("/sync/pull?{}", after(&third));
    let end = server.get(&path, &token).await.expect(200);
    assert_eq!((places(&end), &end["cursor"]), (vec![], &third["cursor"]));
}

#[tokio::test]
async fn a_page_is_right_however_often_and_by_whomever_it_is_asked_for() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    for head in 1..=5_u64 {
        server
            .post("/sync/push", &token, push_of("a", [head]))
            .await
            .expect(200);
        for _ in 0..2 {
            let page = server.get("/sync/pull?since=0", &token).await.expect(200);
            assert_eq!(places(&page), (1..=head).collect::<Vec<_>>());
            assert_eq!(page["serverSeq"], head);
        }
    }
    // A page in memory is no way around the checks of a place.
    let page = server.get("/sync/pull?limit=1", &token).await.expect(200);
    let good = format!("/sync/pull?{}", after(&page));
    server.get(&good, &token).await.expect(200);
    let bad = format!("/sync/pull?since=1&mark={}", "0".repeat(32));
    server.get(&bad, &token).await.refused(409, "log_diverged");
    let bad = format!("{good}&epoch=00000000-0000-4000-8000-000000000000");
    server.get(&bad, &token).await.refused(409, "epoch_changed");
    server
        .get("/sync/pull?since=6", &token)
        .await
        .refused(409, "log_diverged");
}

#[tokio::test]
async fn a_limit_over_the_bound_is_lowered_to_it() {
    let server = crate::support::start_with(|config| config.limits.page_ops_max = 3).await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=5))
        .await
        .expect(200);
    let page = server
        .get("/sync/pull?limit=1000000", &token)
        .await
        .expect(200);
    assert_eq!(places(&page), [1, 2, 3]);
}

#[tokio::test]
async fn a_page_ends_with_the_op_that_reaches_its_bytes() {
    let server = crate::support::start_with(|config| config.limits.page_bytes = 1).await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=3))
        .await
        .expect(200);
    for path in ["/sync/pull", "/sync/pull?limit=1000000", "/sync/bootstrap"] {
        let page = server.get(path, &token).await.expect(200);
        assert_eq!((places(&page), &page["hasMore"]), (vec![1], &true.into()));
    }
}

#[tokio::test]
async fn only_what_a_writer_says_it_applied_is_noted() {
    let server = start().await;
    let (sync, read) = (
        server.token("acme", Rights::Sync),
        server.token("acme", Rights::Read),
    );
    server
        .post("/sync/push", &sync, push_of("a", 1..=2))
        .await
        .expect(200);
    let page = server.get("/sync/pull", &sync).await.expect(200);
    let path = format!("/sync/pull?clientId=reader&{}", after(&page));
    server.get(&path, &read).await.expect(200);
    let path = format!("/sync/pull?clientId=writer&{}", after(&page));
    server.get(&path, &sync).await.expect(200);

    // Noted with the next commit.
    server
        .post("/sync/push", &sync, push_of("a", [3]))
        .await
        .expect(200);
    let status = server.get("/sync/status", &sync).await.expect(200);
    let clients = status["clients"].as_array().unwrap();
    let of = |id: &str| clients.iter().find(|client| client["client_id"] == id);
    assert_eq!(of("writer").unwrap()["server_seq"], 2);
    assert_eq!(of("client-a").unwrap()["server_seq"], Value::Null);
    assert!(
        of("reader").is_none(),
        "a read token's cursor never holds the floor"
    );
    assert_eq!(status["server_seq"], 3);
}

#[tokio::test]
async fn large_answers_are_compressed_for_who_asks() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=200))
        .await
        .expect(200);
    let plain = server.get("/sync/pull", &token).await;
    assert_eq!(plain.header("content-encoding"), "");
    for (accepted, coding) in [
        ("gzip", "gzip"),
        ("zstd", "zstd"),
        ("gzip, br, zstd", "zstd"),
        ("gzip, zstd;q=0.8", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
    ] {
        for path in ["/sync/pull", "/sync/bootstrap"] {
            let request = server.request(reqwest::Method::GET, path, &token);
            let request = request.header("accept-encoding", accepted);
            let response = request.send().await.unwrap();
            assert_eq!(response.headers()["content-encoding"], coding, "{accepted}");
            assert_eq!(response.headers()["vary"], "accept-encoding");
            let bytes = response.bytes().await.unwrap();
            assert!(bytes.len() * 3 < plain.text.len());
            let expanded = match coding {
                "zstd" => zstd::decode_all(&bytes[..]).unwrap(),
                _ => crate::limits::gunzip(&bytes),
            };
            assert_eq!(expanded, plain.text.as_bytes());
        }
    }
    // What is no part of a log stays on gzip.
    let request = server.request(reqwest::Method::GET, "/openapi.json", &token);
    let request = request.header("accept-encoding", "zstd, gzip");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
}

#[tokio::test]
async fn an_erased_payload_is_gone_from_pages_that_were_shared() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let thread = serde_json::json!({
        "thread_id": "k", "project_id": "p", "name": "n",
        "entries": (0..3).map(|n| serde_json::json!({
            "entry_id": format!("00000000-0000-4000-8000-00000000000{n}"), "sequence_id": n,
            "content": "canary-1", "timestamp": "2024-01-01T00:00:00Z",
        })).collect::<Vec<_>>(),
    });
    server
        .post("/api/threads/sync", &token, thread)
        .await
        .expect(200);
    // A page that is full stays the same when the head moves, and is kept for longer.
    let page = || server.get("/sync/pull?limit=2", &token);
    assert!(page().await.text.contains("canary-1"));
    let deleted = server.request(reqwest::Method::DELETE, "/api/threads/k", &token);
    Reply::of(deleted).await.expect(200);
    eventually("the payload is gone", || async {
        !page().await.text.contains("canary-1")
    })
    .await;
    assert!(page().await.text.contains("\"erased\":true"));
}
