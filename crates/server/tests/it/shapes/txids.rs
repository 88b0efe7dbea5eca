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
async fn a_row_that_one_op_makes_and_deletes_is_told_by_what_every_reader_has() {
    let s = shapes().await;
    s.apply(&document(), "").await;
    let note = json!({"id": "1", "text": "milk"});
    s.server
        .post("/api/notes", &s.token, note)
        .await
        .expect(201);
    let mut early = s.follow("table=notes").await;
    let both = |id: &str| {
        let write = |action: &str| json!({"entity": "notes", "id": id, "action": action});
        let mut made = write("create");
        made["values"] = json!({"text": "milk"});
        json!([made, write("delete")])
    };
    let queue = json!({"transactions": [
        {"write_id": "w1", "writes": both("2")},
        {"write_id": "w2", "writes": [{"entity": "notes", "id": "1", "action": "delete"}]},
    ]});
    let told = s.server.post("/api/writes", &s.token, queue).await;
    let told = told.expect(200);
    let of = |n: usize| {
        let result = &told["results"][n];
        (
            result["txid"].as_u64().unwrap(),
            result["seq"].as_u64().unwrap(),
        )
    };
    let ((nothing, at), (gone, gone_at)) = (of(0), of(1));
    assert!(nothing < at, "{told}");
    assert!(has_seen(&early, nothing), "{told}");
    assert_eq!(gone, gone_at, "what was there is told to be gone");
    early.catch_up().await;
    assert!(has_seen(&early, gone));
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

#[tokio::test]
async fn a_value_that_lost_is_told_to_the_readers_of_its_row_by_the_write_s_own_txid() {
    let s = shapes().await;
    s.apply(&document(), "").await;
    for id in ["1", "2"] {
        let made = json!({"id": id, "text": "milk"});
        let made = s.server.post("/api/notes", &s.token, made).await;
        made.expect(201);
    }
    let mut readers = [
        s.follow("table=notes").await,
        s.follow("table=notes&replica=full").await,
        s.follow("table=notes&columns=id,done").await,
        s.follow("table=notes&where=text%20%3D%20'milk'").await,
    ];
    let mut elsewhere = s.follow("table=notes&where=id%20%3D%20'2'").await;
    let lost = json!({"text": "oats", "_base": {"text": "bread"}});
    let (txid, seq) = s.change("1", lost).await;
    assert_eq!(txid, seq);
    for reader in &mut readers {
        let told = reader.catch_up().await;
        assert_eq!(told.len(), 1, "{told:?}");
        let headers = &told[0]["headers"];
        assert_eq!(headers["operation"], "update");
        assert_eq!(
            (&headers["txids"], &headers["last"]),
            (&json!([txid]), &json!(true))
        );
        assert_eq!(told[0]["value"]["id"], "1");
        assert_ne!(told[0]["value"]["text"], "oats");
    }
    let value = &readers[0].messages.last().unwrap()["value"];
    assert!(value.get("text").is_none(), "{value}");
    assert_eq!(elsewhere.catch_up().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_queue_over_several_entities_names_a_txid_for_each_row() {
    let s = shapes().await;
    let mut all = document();
    let more = all
        .to_string()
        .replace("notes", "tasks")
        .replace("Note", "Task");
    let more: Value = serde_json::from_str(&more).unwrap();
    for part in ["/paths", "/components/schemas"] {
        let more = more.pointer(part).unwrap().as_object().unwrap().clone();
        let all = all.pointer_mut(part).unwrap().as_object_mut().unwrap();
        all.extend(more);
    }
    s.apply(&all, "").await;
    let queue = async |name: &str, writes: Value| {
        let sent = json!({"transactions": [{"write_id": name, "writes": writes}]});
        let sent = s.server.post("/api/writes", &s.token, sent).await;
        sent.expect(200)["results"][0].clone()
    };
    let write = |entity: &str, action: &str, text: &str| json!({"entity": entity, "id": "1", "action": action, "values": {"text": text}});
    let mut notes = s.follow("table=notes").await;
    let mut tasks = s.follow("table=tasks").await;
    let texts = ["a", "b", "b"];
    for (n, text) in texts.into_iter().enumerate() {
        let action = if n == 0 { "create" } else { "update" };
        // Of the last one the task changes alone.
        let writes = json!([
            write("notes", action, text),
            write("tasks", action, &n.to_string())
        ]);
        let result = queue(&format!("w{n}"), writes).await;
        let txids: Vec<_> = result["txids"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::as_u64)
            .collect();
        let [of_note, of_task] = txids[..] else {
            panic!("{result}")
        };
        notes.catch_up().await;
        tasks.catch_up().await;
        assert!(has_seen(&notes, of_note.unwrap()), "{result}");
        assert!(has_seen(&tasks, of_task.unwrap()), "{result}");
        assert_eq!(of_task, result["txid"].as_u64());
        assert_eq!(of_note == of_task, n < 2, "{result}");
    }
}
