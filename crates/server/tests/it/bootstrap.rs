use reqwest::Method;
use syncline_store::control::Rights;
use syncline_store::{FileOptions, TenantFile};
use tempfile::TempDir;

use crate::limits::gunzip;
use crate::support::{TestServer, push_of, start, start_on};

const SQLITE: &str = "application/vnd.sqlite3";

async fn fetch(
    server: &TestServer,
    token: &str,
    coding: &str,
) -> (reqwest::header::HeaderMap, Vec<u8>) {
    let response = server
        .request(Method::GET, "/sync/bootstrap", token)
        .header("accept", SQLITE)
        .header("accept-encoding", coding)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], SQLITE);
    let headers = response.headers().clone();
    (headers, response.bytes().await.unwrap().to_vec())
}

fn expanded(packed: &[u8]) -> Vec<u8> {
    zstd::decode_all(packed).unwrap()
}

fn adopt(bytes: &[u8]) -> (TempDir, TenantFile) {
    let root = TempDir::new().unwrap();
    let path = root.path().join("fetched.db");
    std::fs::write(&path, bytes).unwrap();
    let file = TenantFile::adopt(&path, &FileOptions::default()).unwrap();
    (root, file)
}

#[tokio::test]
async fn without_more_it_is_the_first_page() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=3))
        .await
        .expect(200);
    let page = server.get("/sync/bootstrap", &token).await.expect(200);
    assert_eq!(page["ops"].as_array().unwrap().len(), 3);
    assert_eq!(page["cursor"]["serverSeq"], 3);
}

#[tokio::test]
async fn the_prepared_file_is_adopted_and_holds_the_log_without_the_servers_notes() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=3))
        .await
        .expect(200);
    let (headers, packed) = fetch(&server, &token, "gzip, zstd").await;
    assert_eq!(headers["content-encoding"], "zstd");
    assert_eq!(headers["content-length"], packed.len().to_string().as_str());
    let (_root, file) = adopt(&expanded(&packed));
    let page = server.get("/sync/pull", &token).await.expect(200);
    let head = file.head().unwrap();
    assert_eq!(head.cursor.server_seq.get(), 3);
    assert_eq!(head.cursor.mark.to_string(), page["cursor"]["mark"]);
    assert_eq!(head.epoch.to_string(), page["epoch"]);
    assert!(file.clients().unwrap().is_empty());

    let (headers, plain) = fetch(&server, &token, "identity").await;
    assert!(!headers.contains_key("content-encoding"));
    assert_eq!(headers["vary"], "accept-encoding");
    assert_eq!(plain, expanded(&packed));
    // An old client, and one that would rather have gzip.
    for coding in ["gzip", "gzip, zstd;q=0.5"] {
        let (headers, zipped) = fetch(&server, &token, coding).await;
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(gunzip(&zipped), plain);
    }
}

#[tokio::test]
async fn the_prepared_file_is_kept_until_the_log_is_another() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let pushed = server
        .post("/sync/push", &admin, push_of("a", 1..=3))
        .await
        .expect(200);
    let (_, first) = fetch(&server, &admin, "zstd").await;
    // A short tail is pulled sooner than the file is made anew.
    server
        .post("/sync/push", &admin, push_of("a", 4..=5))
        .await
        .expect(200);
    let (headers, second) = fetch(&server, &admin, "zstd").await;
    assert_eq!(second, first);
    assert_eq!(headers["syncline-server-seq"], "3");

    let reset = server
        .request(Method::POST, "/sync/reset", &admin)
        .header(
            "if-match",
            format!("\"{}\"", pushed["epoch"].as_str().unwrap()),
        )
        .json(&serde_json::json!({"confirm": "acme"}));
    let reset = crate::support::Reply::of(reset).await.expect(200);
    let (_, third) = fetch(&server, &admin, "zstd").await;
    let (_root, file) = adopt(&expanded(&third));
    let head = file.head().unwrap();
    assert_eq!(head.epoch.to_string(), reset["epoch"].as_str().unwrap());
    assert_eq!(head.cursor.server_seq.get(), 0);
}

#[tokio::test]
async fn all_who_ask_at_once_share_one_file() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=100))
        .await
        .expect(200);
    let fetches = futures_util::future::join_all((0..8).map(|_| fetch(&server, &token, "zstd")));
    let files: Vec<_> = fetches.await.into_iter().map(|(_, bytes)| bytes).collect();
    assert!(files.iter().all(|file| *file == files[0]));
}

#[tokio::test]
async fn a_file_that_a_build_before_has_left_as_gzip_gives_way_to_one_of_this() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=3))
        .await
        .expect(200);
    let (_, zipped) = fetch(&server, &token, "gzip").await;
    let data = server.stop().await;
    let former = data.path().join("data/tenants/t-acme.prepared.gz");
    std::fs::write(&former, zipped).unwrap();

    let server = start_on(data, |_| {}).await;
    for coding in ["zstd", "gzip"] {
        let (headers, packed) = fetch(&server, &token, coding).await;
        assert_eq!(headers["content-encoding"], coding);
        let plain = match coding {
            "zstd" => expanded(&packed),
            _ => gunzip(&packed),
        };
        let (_root, file) = adopt(&plain);
        assert_eq!(file.head().unwrap().cursor.server_seq.get(), 3);
        assert!(!former.exists());
    }
}

#[tokio::test]
async fn what_was_erased_is_in_no_prepared_file() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let entry = |content: &str| {
        serde_json::json!({"thread_id": "k", "project_id": "p", "name": "n", "entries": [{
            "entry_id": "00000000-0000-4000-8000-000000000001", "sequence_id": 0,
            "content": content, "timestamp": "2024-01-01T00:00:00Z"}]})
    };
    let holds = |packed: &[u8], word: &str| {
        let plain = expanded(packed);
        plain
            .windows(word.len())
            .any(|found| found == word.as_bytes())
    };
    server
        .post("/api/threads/sync", &token, entry("the xylophonist"))
        .await
        .expect(200);
    let (_, before) = fetch(&server, &token, "zstd").await;
    assert!(holds(&before, "xylophonist"));
    let delete = server.request(Method::DELETE, "/api/threads/k", &token);
    crate::support::Reply::of(delete).await.expect(200);

    let kept = std::fs::read_dir(server.data.path().join("data/tenants")).unwrap();
    let mut kept = kept.map(|file| file.unwrap().path());
    assert!(kept.all(|path| path.extension().is_none_or(|end| end != "zst")));
    let (_, after) = fetch(&server, &token, "zstd").await;
    // Nor is what its words left in the full-text index.
    assert!(!holds(&after, "xylophon"));
    let (_root, file) = adopt(&expanded(&after));
    assert_eq!(file.head().unwrap().cursor.server_seq.get(), 3);
}
