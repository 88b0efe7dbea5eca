//! A disk that is full, or fails.

use serde_json::{Value, json};
use syncline_simdisk::{Disk, Fault, Process, Verb};
use syncline_store::control::Rights;

use crate::support::{Reply, TestServer, eventually, push_of, start_with};

/// A server whose tenant files are on a simulated disk.
struct Machine {
    server: TestServer,
    disk: Disk,
    process: Process,
    token: String,
}

async fn machine() -> Machine {
    let disk = Disk::new(3);
    let process = disk.process("");
    let vfs = process.vfs_name().to_owned();
    let server = start_with(|config| config.vfs = Some(vfs)).await;
    let token = server.token("acme", Rights::Sync);
    Machine {
        server,
        disk,
        process,
        token,
    }
}

fn large(actor: &str) -> Value {
    let mut push = push_of(actor, 1..=3);
    push["ops"][2]["payload"] = json!("x".repeat(300_000));
    push
}

#[tokio::test]
async fn a_full_disk_is_507_keeps_nothing_and_passes_without_a_restart() {
    let m = machine().await;
    m.server
        .post("/sync/push", &m.token, push_of("a", [1]))
        .await
        .expect(200);
    m.disk.set_quota("", m.disk.used("") + 50_000);
    let reply = m.server.post("/sync/push", &m.token, large("b")).await;
    reply.refused(507, "storage_full");
    assert!(reply.header("retry-after").parse::<u64>().unwrap() > 0);
    let page = m.server.get("/sync/pull", &m.token).await.expect(200);
    assert_eq!(
        page["serverSeq"], 1,
        "reads go on, and nothing of the push is there"
    );
    assert_eq!(storage(&m).await, ["full", "full"]);
    let metrics = m.server.metrics().await;
    assert!(metrics.contains("syncline_storage_full 1"), "{metrics}");

    m.disk.lift_quota("");
    let answer = m
        .server
        .post("/sync/push", &m.token, large("b"))
        .await
        .expect(200);
    assert_eq!(answer["serverSeq"], 4);
    assert_eq!(storage(&m).await, ["ok", "ok"]);
}

#[tokio::test]
async fn a_log_that_a_full_disk_keeps_from_being_opened_is_told_as_any_write() {
    let m = machine().await;
    m.disk.set_quota("", m.disk.used(""));
    let push = || m.server.post("/sync/push", &m.token, push_of("a", [1]));
    push().await.refused(507, "storage_full");
    assert_eq!(storage(&m).await, ["full", "full"]);
    m.disk.lift_quota("");
    push().await.expect(200);
    assert_eq!(storage(&m).await, ["ok", "ok"]);
}

/// What `/health` and `/ready` say of the disk.
async fn storage(m: &Machine) -> [String; 2] {
    let ask = async |path: &str| {
        let reply = Reply::of(m.server.client.get(m.server.url(path))).await;
        reply.expect(200)["storage"].as_str().unwrap().to_owned()
    };
    [ask("/health").await, ask("/ready").await]
}

#[tokio::test]
async fn a_read_that_fails_says_so_and_the_next_one_goes_on() {
    let m = machine().await;
    for clock in [1, 2] {
        let push = push_of("a", [clock]);
        m.server
            .post("/sync/push", &m.token, push)
            .await
            .expect(200);
        if clock == 1 {
            // What it has read is old after the second push.
            m.server.get("/api/threads", &m.token).await.expect(200);
        }
    }
    m.process.arm(Fault::failure_at(Verb::Read, 1));
    let reply = m.server.get("/api/threads", &m.token).await;
    let error = reply.refused(503, "unavailable");
    let message = error["error"]["message"].as_str().unwrap();
    assert_eq!(message, "the log could not be read; ask again");
    assert!(!reply.header("retry-after").is_empty());
    m.server.get("/api/threads", &m.token).await.expect(200);
}

#[tokio::test]
async fn a_sync_that_fails_acknowledges_nothing_and_the_next_push_goes_on() {
    let m = machine().await;
    m.server
        .post("/sync/push", &m.token, push_of("a", [1]))
        .await
        .expect(200);
    m.process.arm(Fault::failure_at(Verb::Sync, 1));
    let reply = m
        .server
        .post("/sync/push", &m.token, push_of("a", [2]))
        .await;
    reply.refused(503, "unavailable");
    assert!(!reply.header("retry-after").is_empty());
    assert_eq!(storage(&m).await, ["failing", "failing"]);

    m.server
        .post("/sync/push", &m.token, push_of("a", 2..=3))
        .await
        .expect(200);
    assert_eq!(storage(&m).await, ["ok", "ok"]);
    let page = m.server.get("/sync/pull", &m.token).await.expect(200);
    let clocks: Vec<_> = page["ops"]
        .as_array()
        .unwrap()
        .iter()
        .map(|op| op["clock"].clone())
        .collect();
    assert_eq!(clocks, [1, 2, 3], "each op is there once");
    let metrics = m.server.metrics().await;
    assert!(
        metrics.contains("syncline_commit_failures_total 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_disk_is_well_again_also_where_all_that_comes_is_there_already() {
    let m = machine().await;
    let push = async |clock| {
        let pushed = push_of("a", [clock]);
        m.server.post("/sync/push", &m.token, pushed).await
    };
    push(1).await.expect(200);
    m.process.arm(Fault::failure_at(Verb::Sync, 1));
    push(2).await.refused(503, "unavailable");
    assert_eq!(storage(&m).await, ["failing", "failing"]);
    let answer = push(1).await.expect(200);
    assert_eq!(answer["results"][0]["status"], "duplicate", "{answer}");
    assert_eq!(storage(&m).await, ["ok", "ok"]);
}

#[tokio::test]
async fn a_log_that_can_not_be_opened_to_be_written_to_is_a_failing_disk() {
    let server = start_with(|_| {}).await;
    let token = server.token("acme", Rights::Sync);
    let tenants = server.data.path().join("data/tenants");
    let in_its_place = tenants.join("t-acme.db-wal");
    std::fs::create_dir_all(&in_its_place).unwrap();
    let push = || server.post("/sync/push", &token, push_of("a", [1]));
    push().await.refused(503, "unavailable");
    let health = async || {
        let reply = Reply::of(server.client.get(server.url("/health"))).await;
        reply.expect(200)["storage"].as_str().unwrap().to_owned()
    };
    assert_eq!(health().await, "failing");
    std::fs::remove_dir(&in_its_place).unwrap();
    push().await.expect(200);
    assert_eq!(health().await, "ok");
}

#[tokio::test]
async fn what_many_small_writes_leave_in_the_write_ahead_log_goes_into_the_file() {
    let server = start_with(|_| {}).await;
    let token = server.token("acme", Rights::Sync);
    let push = async |clocks: std::ops::RangeInclusive<u64>| {
        for clock in clocks {
            let pushed = server
                .post("/sync/push", &token, push_of("a", [clock]))
                .await;
            pushed.expect(200);
        }
    };
    push(1..=1).await;
    let file = server.data.path().join("data/tenants/t-acme.db");
    let size = || std::fs::metadata(&file).unwrap().len();
    let before = size();
    // A few hundred kilobytes of ops.
    push(2..=600).await;
    eventually("a checkpoint", async || size() > before).await;
}
