//! Which clients an admin's order lets go of: those that have been idle for as long as it says.

use serde_json::json;
use syncline_model::{ClientId, TenantId, Timestamp, UserId};
use syncline_store::control::{DataDirectory, Rights};
use syncline_store::{Contact, FileOptions, TenantFile};
use tempfile::TempDir;

use super::{push, replacing};
use crate::support::{TestServer, now, start, start_on};

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Notes, while no server runs, that `client` stood at the head so long ago and was not heard of since.
fn last_heard_of(data: &TempDir, client: &str, hours: i64) {
    let directory = DataDirectory::open(data.path().join("data")).unwrap();
    let path = directory.tenant_file(&TenantId::new("acme").unwrap());
    let mut file = TenantFile::open(&path, &FileOptions::default()).unwrap();
    let cursor = file.head().unwrap().cursor;
    let at = Timestamp::from_millis(now().as_millis() - hours * HOUR_MS).unwrap();
    let (client, user) = (ClientId::new(client).unwrap(), UserId::new("ada").unwrap());
    let batch = file.begin().unwrap();
    batch
        .record_client(&client, &user, Some(cursor), Contact::Push, at)
        .unwrap();
    batch.commit().unwrap();
}

/// The clients by their names, each with its state.
async fn states(server: &TestServer, admin: &str) -> Vec<(String, String)> {
    let body = server.get("/api/admin/clients", admin).await.expect(200);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let clients = body["clients"].as_array().unwrap().iter();
    let states = clients.map(|client| (text(&client["client_id"]), text(&client["state"])));
    states.collect()
}

#[tokio::test]
async fn only_clients_that_were_idle_for_so_long_are_expired() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=10)).await;
    let data = server.stop().await;
    last_heard_of(&data, "sleeper", 2);
    last_heard_of(&data, "waker", 0);
    let server = start_on(data, |_| {}).await;

    // Without a number of seconds it is as the server is set: thirty days.
    let idle = |seconds: i64| json!({"idle_seconds": seconds});
    for (order, expired) in [
        (json!({}), 0),
        (idle(3 * 3_600), 0),
        (idle(3_600), 1),
        (idle(3_600), 0),
    ] {
        let done = server.post("/api/admin/expire", &admin, order).await;
        assert_eq!(done.expect(200)["expired"], expired);
    }
    let is = |client: &str, state: &str| (client.to_owned(), state.to_owned());
    let found = states(&server, &admin).await;
    assert!(found.contains(&is("sleeper", "expired")), "{found:?}");
    assert!(found.contains(&is("waker", "live")), "{found:?}");
}

#[tokio::test]
async fn a_client_that_has_moved_just_now_is_not_expired() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=10)).await;
    let data = server.stop().await;
    last_heard_of(&data, "waker", 2);
    let server = start_on(data, |_| {}).await;
    let page = server.get("/sync/pull?limit=4", &admin).await.expect(200);
    let mark = page["cursor"]["mark"].as_str().unwrap();
    let moved = format!("/sync/pull?clientId=waker&since=4&mark={mark}");
    server.get(&moved, &admin).await.expect(200);
    let order = json!({"idle_seconds": 3_600});
    let done = server.post("/api/admin/expire", &admin, order).await;
    assert_eq!(done.expect(200)["expired"], 0);
}

#[tokio::test]
async fn a_time_that_is_none_expires_nobody() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=10)).await;
    let data = server.stop().await;
    last_heard_of(&data, "waker", 0);
    let server = start_on(data, |_| {}).await;
    for wrong in [json!(-1), json!(1.5), json!("0"), json!([])] {
        let order = json!({"idle_seconds": wrong});
        let reply = server.post("/api/admin/expire", &admin, order).await;
        assert!(reply.status.is_client_error(), "{}", reply.text);
    }
    // Also not one under a name that nobody knows, which would be as if nothing was said.
    for (route, order) in [
        ("expire", json!({"idle": "0s"})),
        ("expire", json!({"tenant": "umbrella"})),
        ("compact", json!({"retention": "0s"})),
        ("compact", json!({"tenant": "umbrella"})),
        ("compact", json!({"retention_seconds": "0s"})),
        ("compact", json!({"retention_seconds": -1})),
        ("compact", json!({"retention_seconds": 1.5})),
    ] {
        let path = format!("/api/admin/{route}");
        let reply = server.post(&path, &admin, order.clone()).await;
        reply.refused(422, "invalid_field");
    }
    // Longer than there were times.
    let order = json!({"idle_seconds": u64::MAX});
    let reply = server.post("/api/admin/expire", &admin, order).await;
    assert_eq!(reply.expect(200)["expired"], 0);
    let found = states(&server, &admin).await;
    let live = ("waker".to_owned(), "live".to_owned());
    assert!(found.contains(&live), "{found:?}");
}
