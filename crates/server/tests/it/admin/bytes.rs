//! What compaction leaves on the disk: nothing that was erased, and little more than what is live.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::TenantId;
use syncline_store::TenantFile;
use syncline_store::control::{DataDirectory, Rights};

use super::{push, without_retention};
use crate::support::{TestServer, eventually, start};

/// No word of English, so that the full-text index holds it as it is.
const CANARY: &str = "zyxcanaryqvw";

/// The files below a directory that hold the text, packed ones looked into.
fn holding(text: &str, directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(text, &path));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let bytes = match path.extension().and_then(std::ffi::OsStr::to_str) {
            Some("zst") => zstd::decode_all(&bytes[..]).unwrap(),
            Some("gz") => crate::limits::gunzip(&bytes),
            Some(_) | None => bytes,
        };
        if bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
        {
            found.push(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    found.sort();
    found
}

async fn make_thread(server: &TestServer, token: &str, key: &str, texts: &[String]) {
    let entries: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| {
            json!({"entry_id": format!("{n:08x}-0000-4000-8000-{:012x}", key.len()),
                "sequence_id": n, "content": text, "timestamp": "2024-01-01T00:00:00Z"})
        })
        .collect();
    for part in entries.chunks(100) {
        let body = json!({"thread_id": key, "project_id": "p", "name": key, "entries": part});
        server
            .post("/api/threads/sync", token, body)
            .await
            .expect(200);
    }
}

async fn fetch_prepared(server: &TestServer, token: &str) {
    let fetched = server
        .request(Method::GET, "/sync/bootstrap", token)
        .header("accept", "application/vnd.sqlite3")
        .send()
        .await
        .unwrap();
    assert_eq!(fetched.status(), 200);
    fetched.bytes().await.unwrap();
}

#[tokio::test]
async fn what_a_deleted_thread_held_is_in_no_byte_of_the_data_directory_after_a_compaction() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    // Few beside what is kept: an index of which much is deleted is merged by itself.
    let secrets: Vec<String> = (0..10)
        .map(|n| format!("entry {n} says {CANARY}{n} {}", "and more ".repeat(n * 50)))
        .collect();
    let kept: Vec<String> = (0..600).map(|n| format!("kept word{n}")).collect();
    make_thread(&server, &admin, "kept", &kept[..300]).await;
    make_thread(&server, &admin, "secret", &secrets).await;
    make_thread(&server, &admin, "also kept", &kept[300..]).await;
    fetch_prepared(&server, &admin).await;
    let data = server.data.path().join("data");
    assert!(holding(CANARY, &data).contains(&"t-acme.prepared.zst".to_owned()));
    // What a build before has left holds it too.
    let former = data.join("tenants/t-acme.prepared.gz");
    std::fs::write(&former, crate::limits::gzip(CANARY.as_bytes())).unwrap();
    assert!(holding(CANARY, &data).contains(&"t-acme.prepared.gz".to_owned()));
    server
        .send(Method::DELETE, "/api/threads/secret", &admin, json!({}))
        .await
        .expect(200);
    server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    // Fetched, it is made to its end: the compaction that has it made waits for it no more than we.
    fetch_prepared(&server, &admin).await;
    assert_eq!(holding(CANARY, &data), [""; 0]);
    // What was not erased is still found.
    let found = server
        .get("/api/threads/search?q=word77", &admin)
        .await
        .expect(200);
    assert!(found.to_string().contains("word77"), "{found}");
}

#[tokio::test]
async fn after_a_compaction_a_file_for_new_replicas_is_made_that_nobody_has_asked_for() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    for clock in 1..=2 {
        let op = json!({"scope": "sketch", "resourceId": "drawing", "actor": "a", "clock": clock,
            "payload": {"replaces": true}});
        push(&server, &admin, json!({"clientId": "laptop", "ops": [op]})).await;
    }
    let page = server.get("/sync/pull", &admin).await.expect(200);
    assert_eq!(page["serverSeq"], 2);
    let prepared = server.data.path().join("data/tenants/t-acme.prepared.zst");
    assert!(!prepared.exists());
    let done = server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    assert_eq!(done["dropped"], 1);
    eventually("prepared", async || prepared.exists()).await;
}

/// Bytes of what is live: the keys, payloads and hashes of the ops that a fresh log would need, and
/// the cells of the view that they fold to; without SQLite's pages, indexes and full-text words.
fn live_bytes(data: &Path) -> u64 {
    let directory = DataDirectory::open(data).unwrap();
    let file = directory.tenant_file(&TenantId::new("acme").unwrap());
    let file = TenantFile::open(&file, &syncline_store::FileOptions::default()).unwrap();
    let page = syncline_store::PageLimit {
        ops: usize::MAX >> 1,
        bytes: usize::MAX >> 1,
    };
    let mut ops = 0;
    file.visit_ops_after(syncline_model::ServerSeq::ZERO, page, |op| {
        let key = op.scope.len() + op.resource.len() + op.actor.len() + 8;
        ops += (key + op.payload.map_or(0, str::len) + 16 + 16) as u64;
        Ok(())
    })
    .unwrap();
    ops + file.dump_view().unwrap().len() as u64
}

fn disk_bytes(data: &Path) -> u64 {
    let tenants = std::fs::read_dir(data.join("tenants")).unwrap();
    tenants
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_string_lossy().contains(".prepared."))
        .map(|path| path.metadata().unwrap().len())
        .sum()
}

#[tokio::test]
async fn a_compacted_log_takes_at_most_twice_its_live_data_on_the_disk() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let data = server.data.path().join("data");
    // Five hundred drawings of a kilobyte, each drawn anew twenty times, and a thread.
    for round in 0..20_u64 {
        let ops: Vec<Value> = (0..500_u64)
            .map(|n| {
                json!({"scope": "sketch", "resourceId": format!("drawing-{n}"), "actor": "a",
                    "clock": round * 500 + n + 1,
                    "payload": {"replaces": true, "text": format!("{round} {}", "x".repeat(1_000))}})
            })
            .collect();
        push(&server, &admin, json!({"clientId": "laptop", "ops": ops})).await;
    }
    let texts: Vec<String> = (0..200)
        .map(|n| format!("entry {n} {}", "lorem ipsum dolor ".repeat(20)))
        .collect();
    make_thread(&server, &admin, "thread", &texts).await;
    let before = disk_bytes(&data);
    // The only client has applied the whole log.
    let page = server.get("/sync/pull?limit=1", &admin).await.expect(200);
    assert_eq!(page["hasMore"], true);
    let done = server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    assert!(done["bytes_after"].as_u64() < done["bytes_before"].as_u64());
    let (live, disk) = (live_bytes(&data), disk_bytes(&data));
    assert!(
        disk <= 2 * live,
        "{disk} bytes on the disk, before {before}, of {live} live"
    );
    assert!(before > 4 * disk, "{before} {disk}");
}

#[tokio::test]
async fn a_compacted_list_takes_at_most_twice_its_live_data_on_the_disk() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let data = server.data.path().join("data");
    // Two thousand items of a line, each edited three times.
    for push_number in 0..16_u64 {
        let (round, first) = (push_number / 4, push_number % 4 * 500);
        let ops: Vec<Value> = (first..first + 500)
            .map(|n| {
                let text = format!("item {n}, as its list has had it in round {round}");
                let payload = match round {
                    0 => json!({"type": "insert", "itemId": format!("01890a5d-ac96-774b-bcce-b302099a{n:04}"),
                        "payload": {"text": text, "done": false, "note": "", "pos": format!("b{n:04}1")}}),
                    _ => json!({"type": "update", "itemId": format!("01890a5d-ac96-774b-bcce-b302099a{n:04}"),
                        "payload": {"text": text}}),
                };
                json!({"scope": "list", "resourceId": "01890a5d-ac96-774b-bcce-b302099a8057", "actor": "a",
                    "clock": round * 2_000 + n + 1, "payload": payload})
            })
            .collect();
        push(&server, &admin, json!({"clientId": "laptop", "ops": ops})).await;
    }
    let page = server.get("/sync/pull?limit=1", &admin).await.expect(200);
    assert_eq!(page["hasMore"], true);
    let done = server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    assert_eq!(done["dropped"], 4_000);
    let (live, disk) = (live_bytes(&data), disk_bytes(&data));
    assert!(disk <= 2 * live, "{disk} bytes on the disk, of {live} live");
}
