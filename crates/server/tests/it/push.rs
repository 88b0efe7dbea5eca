use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use syncline_store::control::Rights;

use crate::support::{Reply, op, push_of, start, start_on};

fn statuses(body: &Value) -> Vec<&str> {
    let results = body["results"].as_array().unwrap().iter();
    results
        .map(|result| result["status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn ops_take_places_in_order_and_repeats_are_duplicates() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let first = server
        .post("/sync/push", &token, push_of("a", 1..=3))
        .await
        .expect(200);
    assert_eq!(statuses(&first), ["accepted"; 3]);
    assert_eq!(first["serverSeq"], 3);
    assert_eq!(first["results"][1]["serverSeq"], 2);
    assert_eq!(first["results"][1]["clock"], 2);
    assert_eq!(first["results"][1]["scope"], "notes");

    let again = server
        .post("/sync/push", &token, push_of("a", 2..=4))
        .await
        .expect(200);
    assert_eq!(statuses(&again), ["duplicate", "duplicate", "accepted"]);
    assert_eq!(again["results"][0]["serverSeq"], 2);
    assert_eq!(again["epoch"], first["epoch"]);
}

#[tokio::test]
async fn an_op_that_breaks_a_rule_is_rejected_alone() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let mut bad = op("a", 2);
    bad["scope"] = json!("Not A Scope");
    let body = json!({"clientId": "c", "ops": [op("a", 1), bad, 7, op("a", 3)]});
    let answer = server.post("/sync/push", &token, body).await.expect(200);
    assert_eq!(
        statuses(&answer),
        ["accepted", "rejected", "rejected", "accepted"]
    );
    assert_eq!(answer["results"][1]["error"]["code"], "invalid_op");
    assert_eq!(answer["results"][3]["serverSeq"], 2);
}

#[tokio::test]
async fn many_clients_at_once_each_get_their_own_verdicts_and_no_place_twice() {
    let server = Arc::new(start().await);
    let token = server.token("acme", Rights::Sync);
    let pushes = (0..40).map(|client| {
        let (server, token) = (Arc::clone(&server), token.clone());
        tokio::spawn(async move {
            let mut places = Vec::new();
            for clock in 1..=5 {
                let push = push_of(&format!("a{client}"), [clock]);
                let answer = server.post("/sync/push", &token, push).await.expect(200);
                assert_eq!(statuses(&answer), ["accepted"]);
                places.push(answer["results"][0]["serverSeq"].as_u64().unwrap());
            }
            assert!(places.is_sorted());
            places
        })
    });
    let mut all = BTreeSet::new();
    for push in pushes.collect::<Vec<_>>() {
        for place in push.await.unwrap() {
            assert!(all.insert(place), "place {place} was given twice");
        }
    }
    assert_eq!(all, (1..=200).collect());
    let metrics = server.metrics().await;
    let count = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    assert_eq!(count("syncline_ops_total{verdict=\"accepted\"}"), 200.0);
    // Who waits together commits together.
    assert!(count("syncline_group_ops_count") < 200.0);
}

#[tokio::test]
async fn tenants_have_logs_of_their_own() {
    let server = start().await;
    let (a, b) = (
        server.token("a", Rights::Sync),
        server.token("b", Rights::Sync),
    );
    server
        .post("/sync/push", &a, push_of("x", 1..=2))
        .await
        .expect(200);
    let other = server
        .post("/sync/push", &b, push_of("x", 1..=1))
        .await
        .expect(200);
    assert_eq!(other["results"][0]["serverSeq"], 1);
    let page = server.get("/sync/pull", &b).await.expect(200);
    assert_eq!(page["ops"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let before = server
        .post("/sync/push", &token, push_of("a", 1..=3))
        .await
        .expect(200);
    let data = server.stop().await;
    let server = start_on(data, |_| {}).await;
    let again = server
        .post("/sync/push", &token, push_of("a", 1..=4))
        .await
        .expect(200);
    assert_eq!(
        statuses(&again),
        ["duplicate", "duplicate", "duplicate", "accepted"]
    );
    assert_eq!(again["epoch"], before["epoch"]);
}

#[tokio::test]
async fn a_stale_epoch_is_told_the_lineage_and_a_wrong_place_the_head() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=2))
        .await
        .expect(200);

    let mut push = push_of("a", [3]);
    push["epoch"] = json!("00000000-0000-4000-8000-000000000000");
    let refused = server.post("/sync/push", &token, push).await;
    let body = refused.refused(409, "epoch_changed");
    assert_eq!(
        body["error"]["details"]["lineage"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    for cursor in [
        json!({"serverSeq": 1, "mark": "0".repeat(32)}),
        json!({"serverSeq": 9, "mark": "0".repeat(32)}),
    ] {
        let mut push = push_of("a", [3]);
        push["cursor"] = cursor;
        let body = server
            .post("/sync/push", &token, push)
            .await
            .refused(409, "log_diverged");
        assert_eq!(body["error"]["details"]["serverSeq"], 2);
    }
    let page = server.get("/sync/pull", &token).await.expect(200);
    assert_eq!(
        page["serverSeq"], 2,
        "nothing of a refused push is in the log"
    );
}

#[tokio::test]
async fn a_compressed_push_is_read() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let body = push_of("a", 1..=50).to_string();
    let request = server
        .request(reqwest::Method::POST, "/sync/push", &token)
        .header("content-encoding", "gzip")
        .body(crate::limits::gzip(body.as_bytes()));
    let answer = Reply::of(request).await.expect(200);
    assert_eq!(answer["serverSeq"], 50);
}
