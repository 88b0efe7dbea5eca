//! `/api/admin`, and compaction beside traffic.

mod bytes;
mod expiry;

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use syncline_store::control::Rights;

use crate::reset::reset;
use crate::support::{PATIENCE, Reply, TestServer, now, start, start_with};

/// Ops of a custom scope that each replace all before them.
fn replacing(clocks: impl IntoIterator<Item = u64>) -> Value {
    let ops: Vec<Value> = clocks
        .into_iter()
        .map(|clock| {
            json!({"scope": "sketch", "resourceId": "one", "actor": "a", "clock": clock,
                "payload": {"replaces": true, "text": "x".repeat(1_000)}})
        })
        .collect();
    json!({"clientId": "laptop", "ops": ops})
}

async fn push(server: &TestServer, token: &str, body: Value) -> Value {
    server.post("/sync/push", token, body).await.expect(200)
}

async fn pull(server: &TestServer, token: &str, query: &str) -> crate::support::Reply {
    server.get(&format!("/sync/pull?{query}"), token).await
}

fn without_retention() -> Value {
    json!({"retention_seconds": 0})
}

/// Goes on once another millisecond has begun: who has moved in this one is not idle for longer than none.
fn in_a_later_millisecond() {
    let moved = now();
    while now() <= moved {
        std::hint::spin_loop();
    }
}

#[tokio::test]
async fn a_log_is_compacted_while_it_is_served_and_its_file_shrinks() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    for from in (1..=4_000).step_by(1_000) {
        push(&server, &admin, replacing(from..from + 1_000)).await;
    }
    let before = server.get("/api/admin/tenants", &admin).await.expect(200);
    assert_eq!(before["tenants"][0]["ops"], 4_000);
    let page = pull(&server, &admin, "limit=10").await.expect(200);
    let done = server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    assert_eq!(
        (&done["dropped"], &done["floor"]),
        (&json!(3_999), &json!(4_000))
    );
    let bytes = |value: &Value| value.as_u64().unwrap();
    assert!(
        bytes(&done["bytes_after"]) * 5 < bytes(&done["bytes_before"]),
        "{done}"
    );
    let after = server.get("/api/admin/tenants", &admin).await.expect(200);
    assert_eq!(after["tenants"][0]["ops"], 1);
    assert_eq!(after["tenants"][0]["floor"], 4_000);
    // What is kept is served, also to who begins; who was below the floor begins anew.
    let whole = pull(&server, &admin, "since=0").await.expect(200);
    assert_eq!(whole["ops"].as_array().unwrap().len(), 1);
    let cursor = &page["cursor"];
    let query = format!(
        "since={}&mark={}",
        cursor["serverSeq"],
        cursor["mark"].as_str().unwrap()
    );
    pull(&server, &admin, &query)
        .await
        .refused(410, "rebuild_required");
    // A dropped key is still taken, and the log goes on.
    let again = push(&server, &admin, replacing([7])).await;
    assert_eq!(again["results"][0]["status"], "duplicate");
    let next = push(&server, &admin, replacing([4_001])).await;
    assert_eq!(next["results"][0]["serverSeq"], 4_001);
}

#[tokio::test]
async fn a_live_client_holds_the_floor_until_it_is_expired() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=10)).await;
    let page = pull(&server, &admin, "limit=4").await.expect(200);
    let cursor = page["cursor"].clone();
    let mut body = replacing([11]);
    body["clientId"] = "sleeper".into();
    body["cursor"] = cursor;
    push(&server, &admin, body).await;
    let done = server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    assert_eq!((&done["floor"], &done["dropped"]), (&json!(4), &json!(3)));
    let clients = server.get("/api/admin/clients", &admin).await.expect(200);
    let sleeper = clients["clients"]
        .as_array()
        .unwrap()
        .iter()
        .find(|client| client["client_id"] == "sleeper")
        .unwrap()
        .clone();
    assert_eq!(
        (&sleeper["state"], &sleeper["lag"]),
        (&json!("lagging"), &json!(7))
    );
    // What is kept for a week has no need of anybody to hold it.
    let tenants = server.get("/api/admin/tenants", &admin).await.expect(200);
    assert_eq!(tenants["tenants"][0]["held_by"], Value::Null);
    let expired = server
        .post("/api/admin/expire", &admin, json!({"idle_seconds": 0}))
        .await
        .expect(200);
    // With it who has pushed, and has not said where it is.
    assert_eq!(expired["expired"], 2);
    let done = server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    assert_eq!((&done["floor"], &done["dropped"]), (&json!(11), &json!(7)));
}

#[tokio::test]
async fn within_the_retention_everything_stays() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=10)).await;
    let done = server
        .post("/api/admin/compact", &admin, json!({}))
        .await
        .expect(200);
    assert_eq!((&done["floor"], &done["dropped"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn where_nothing_goes_a_compaction_names_the_floor_that_the_log_has() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing([1])).await;
    let compacting = server.post("/api/admin/compact", &admin, without_retention());
    let done = compacting.await.expect(200);
    assert_eq!((&done["floor"], &done["dropped"]), (&json!(0), &json!(0)));
    let tenants = server.get("/api/admin/tenants", &admin).await.expect(200);
    assert_eq!(tenants["tenants"][0]["floor"], done["floor"]);
}

#[tokio::test]
async fn pushes_go_on_while_a_log_is_compacted() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    for from in (1..=3_000).step_by(1_000) {
        push(&server, &admin, replacing(from..from + 1_000)).await;
    }
    let compacting = server.post("/api/admin/compact", &admin, without_retention());
    let pushing = async {
        for clock in 3_001..=3_050 {
            let pushed = push(&server, &admin, replacing([clock])).await;
            assert_eq!(pushed["results"][0]["status"], "accepted");
        }
    };
    let (done, ()) = tokio::join!(compacting, pushing);
    assert!(done.expect(200)["dropped"].as_u64().unwrap() >= 2_999);
    let page = pull(&server, &admin, "since=0").await.expect(200);
    assert_eq!(page["serverSeq"], 3_050);
}

#[tokio::test]
async fn who_can_only_read_never_holds_the_floor() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let reader = server.token("acme", Rights::Read);
    push(&server, &admin, replacing(1..=10)).await;
    let page = pull(&server, &reader, "limit=4&clientId=reader")
        .await
        .expect(200);
    let cursor = &page["cursor"];
    let next = format!(
        "clientId=reader&limit=1&since={}&mark={}",
        cursor["serverSeq"],
        cursor["mark"].as_str().unwrap()
    );
    pull(&server, &reader, &next).await.expect(200);
    push(&server, &admin, replacing([11])).await;
    let done = server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    assert_eq!((&done["floor"], &done["dropped"]), (&json!(11), &json!(10)));
}

#[tokio::test]
async fn a_server_compacts_by_itself_what_has_much_to_drop() {
    let server = start_with(|config| {
        config.compaction.every = Some(Duration::from_millis(20));
        config.compaction.keep.retention = Duration::ZERO;
    })
    .await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=900)).await;
    compacted_to_one(&server, &admin).await;
}

/// Waits until the server has left a single op.
async fn compacted_to_one(server: &TestServer, admin: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let report = server.get("/api/admin/tenants", admin).await.expect(200);
        if report["tenants"][0]["ops"] == 1 {
            break;
        }
        assert!(Instant::now() < deadline, "never: {report}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_compacts_by_itself_past_a_client_below_the_floor() {
    let server = start_with(|config| {
        config.compaction.every = Some(Duration::from_millis(20));
        config.compaction.keep.retention = Duration::ZERO;
    })
    .await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=10)).await;
    let page = pull(&server, &admin, "limit=4").await.expect(200);
    let mark = page["cursor"]["mark"].as_str().unwrap();
    let drawer = format!("clientId=drawer&since=4&mark={mark}");
    pull(&server, &admin, &drawer).await.expect(200);
    push(&server, &admin, replacing([11])).await;
    in_a_later_millisecond();
    let nobody = json!({"retention_seconds": 0, "idle_seconds": 0});
    let done = server.post("/api/admin/compact", &admin, nobody).await;
    assert_eq!(done.expect(200)["floor"], 11);
    push(&server, &admin, replacing(12..=900)).await;
    compacted_to_one(&server, &admin).await;
}

#[tokio::test]
async fn a_log_that_was_reset_is_compacted_again_by_itself() {
    let server = start_with(|config| {
        config.compaction.every = Some(Duration::from_millis(20));
        config.compaction.keep.retention = Duration::ZERO;
    })
    .await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=900)).await;
    compacted_to_one(&server, &admin).await;
    let page = pull(&server, &admin, "since=0").await.expect(200);
    let epoch = format!("\"{}\"", page["epoch"].as_str().unwrap());
    reset(&server, &admin, Some(&epoch), "acme")
        .await
        .expect(200);
    push(&server, &admin, replacing(901..=1_500)).await;
    compacted_to_one(&server, &admin).await;
}

/// What a client has said in a pull counts at once, not from the next write on.
#[tokio::test]
async fn a_client_that_has_only_pulled_holds_the_floor() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=10)).await;
    let page = pull(&server, &admin, "limit=4&clientId=new")
        .await
        .expect(200);
    let cursor = &page["cursor"];
    let next = format!(
        "clientId=new&limit=1&since={}&mark={}",
        cursor["serverSeq"],
        cursor["mark"].as_str().unwrap()
    );
    pull(&server, &admin, &next).await.expect(200);
    let done = server
        .post("/api/admin/compact", &admin, without_retention())
        .await
        .expect(200);
    assert_eq!((&done["floor"], &done["dropped"]), (&json!(4), &json!(3)));
}

#[tokio::test]
async fn a_client_below_the_floor_has_expired_and_bodies_and_parameters_are_what_a_route_takes() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    push(&server, &admin, replacing(1..=10)).await;
    let page = pull(&server, &admin, "limit=4").await.expect(200);
    let mark = page["cursor"]["mark"].as_str().unwrap();
    let next = format!("clientId=new&since=4&mark={mark}");
    pull(&server, &admin, &next).await.expect(200);
    in_a_later_millisecond();
    let nobody = json!({"retention_seconds": 0, "idle_seconds": 0});
    let done = server.post("/api/admin/compact", &admin, nobody).await;
    assert_eq!(done.expect(200)["floor"], 10);
    let clients = server.get("/api/admin/clients", &admin).await.expect(200);
    let states = clients["clients"].as_array().unwrap().iter();
    let states: Vec<_> = states.map(|client| client["state"].clone()).collect();
    assert_eq!(states, ["live", "expired"], "{clients}");
    let tenants = server.get("/api/admin/tenants", &admin).await.expect(200);
    assert_eq!(tenants["tenants"][0]["clients_live"], 1);
    // Nor does it hold the floor.
    push(&server, &admin, replacing(11..=20)).await;
    let compacting = server.post("/api/admin/compact", &admin, without_retention());
    assert_eq!(compacting.await.expect(200)["floor"], 20);

    for path in ["/api/admin/compact", "/api/admin/expire"] {
        let request = server.request(Method::POST, path, &admin);
        Reply::of(request).await.expect(200);
    }
    for path in [
        "/api/admin/clients?tenant=home",
        "/api/admin/tenants?tenant=home",
        "/api/lists?deletd=true",
        "/api/lists/l?limt=1",
    ] {
        let refused = server.get(path, &admin).await;
        refused.refused(422, "invalid_field");
    }
}

/// Who looks at the clients sees what they have said so far, however quiet the log is.
#[tokio::test]
async fn clients_are_shown_as_they_are_by_now() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    // It has said nothing of its place yet.
    push(&server, &admin, replacing(1..=10)).await;
    for (place, state, lag) in [(4, "lagging", 6), (10, "live", 0)] {
        let page = pull(&server, &admin, &format!("limit={place}")).await;
        let mark = page.expect(200)["cursor"]["mark"].clone();
        let next = format!("clientId=new&since={place}&mark={}", mark.as_str().unwrap());
        pull(&server, &admin, &next).await.expect(200);
        let clients = server.get("/api/admin/clients", &admin).await.expect(200);
        let [laptop, new] = &clients["clients"].as_array().unwrap()[..] else {
            panic!("two clients: {clients}")
        };
        assert_eq!((&new["state"], &new["lag"]), (&json!(state), &json!(lag)));
        assert_eq!(
            (&laptop["state"], &laptop["lag"]),
            (&json!("live"), &Value::Null)
        );
        let tenants = server.get("/api/admin/tenants", &admin).await.expect(200);
        assert_eq!(tenants["tenants"][0]["clients_live"], 2);
    }
    let all = json!({"idle_seconds": 0});
    let expired = server.post("/api/admin/expire", &admin, all).await;
    assert_eq!(expired.expect(200)["expired"], 2);
    let clients = server.get("/api/admin/clients", &admin).await.expect(200);
    for client in clients["clients"].as_array().unwrap() {
        assert_eq!(
            (&client["state"], &client["moved_at"]),
            (&json!("expired"), &Value::Null)
        );
    }
}
