//! The `txid` of a write is one that every reader of its row's shapes has, or is told.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Follower, Shapes, shapes};
use crate::records::document;
use crate::support::Reply;

impl Shapes {
    /// Changes a note, and gives the `txid` and the place that are answered.
    async fn change(&self, id: &str, values: Value) -> (u64, u64) {
        let path = format!("/api/notes/{id}");
        let request = self.server.request(Method::PATCH, &path, &self.token);
        let reply = Reply::of(request.json(&values)).await;
        let txid = reply.expect(200)["txid"].as_u64().unwrap();
        assert_eq!(reply.header("syncline-txid"), txid.to_string());
        (txid, reply.header("syncline-seq").parse().unwrap())
    }
}

/// Whether a reader has seen a transaction, as clients tell it: by a change, or in a snapshot.
fn has_seen(follower: &Follower<'_>, txid: u64) -> bool {
    follower.messages.iter().any(|message| {
        let headers = &message["headers"];
        let named = headers["txids"].as_array().into_iter().flatten();
        let mut named = named.filter_map(Value::as_u64);
        let xmin = headers["xmin"]
            .as_str()
            .map(|text| text.parse::<u64>().unwrap());
        named.any(|seen| seen == txid) || xmin.is_some_and(|xmin| txid < xmin)
    })
}

#[tokio::test]
async fn a_write_that_changes_nothing_names_the_last_change_of_its_row() {
    let s = shapes().await;
    s.apply(&document(), "").await;
    for id in ["1", "2"] {
        let made = json!({"id": id, "text": "milk"});
        let made = s.server.post("/api/notes", &s.token, made).await;
        made.expect(201);
    }
    let mut early = s.follow("table=notes").await;
    // Of rows that shapes have only begun with, as of such that have changed before them.
    for n in 0..3 {
        for id in ["1", "2"] {
            for nothing in [
                json!({}),
                json!({"text": "milk"}),
                json!({"text": "oats", "_base": {"text": "bread"}}),
                json!({"no such field": n}),
            ] {
                let (txid, seq) = s.change(id, nothing.clone()).await;
                assert!(txid < seq, "{nothing}: {txid} at {seq}");
                early.catch_up().await;
                assert!(has_seen(&early, txid), "{nothing} of {id}: {txid}");
                let late = s.follow("table=notes&columns=id,text").await;
                assert!(has_seen(&late, txid), "{nothing} of {id}: {txid}");
            }
        }
        let (txid, seq) = s.change("1", json!({"place": n})).await;
        assert_eq!(txid, seq, "what changes something is told itself");
        assert!(!has_seen(&early, txid));
        early.catch_up().await;
        assert!(has_seen(&early, txid));
    }
}

#[tokio::test]
async fn a_queue_names_the_last_change_of_all_its_rows() {
    let s = shapes().await;
    s.apply(&document(), "").await;
    let queue = async |name: &str, writes: Value| {
        let sent = json!({"transactions": [{"write_id": name, "writes": writes}]});
        let sent = s.server.post("/api/writes", &s.token, sent).await;
        let result = &sent.expect(200)["results"][0];
        let path = format!("/api/writes/{name}");
        let told = s.server.get(&path, &s.token).await.expect(200);
        assert_eq!(told["seq"], result["seq"]);
        assert!(told["txid"].as_u64() <= result["txid"].as_u64(), "{told}");
        (
            result["txid"].as_u64().unwrap(),
            result["seq"].as_u64().unwrap(),
        )
    };
    let write = |id: &str, action: &str, text: &str| json!({"entity": "notes", "id": id, "action": action, "values": {"text": text}});
    queue(
        "made",
        json!([write("1", "create", "a"), write("2", "create", "b")]),
    )
    .await;
    let mut follower = s.follow("table=notes").await;
    let (txid, seq) = queue(
        "half",
        json!([write("1", "update", "c"), write("2", "update", "b")]),
    )
    .await;
    assert_eq!(txid, seq, "one of them has changed");
    let (txid, seq) = queue(
        "none",
        json!([write("2", "update", "b"), write("1", "update", "c")]),
    )
    .await;
    assert!(txid < seq);
    follower.catch_up().await;
    assert!(has_seen(&follower, txid));
}
