//! Shapes of an application's entities while its document changes.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_store::control::Rights;

use super::{Shapes, column, shapes, shapes_with};
use crate::records::document;
use crate::support::{PATIENCE, Reply};

/// A document of notes with these properties beside `id` and `text`.
pub(super) fn with(more: &[&str]) -> Value {
    let mut properties = json!({"id": {"type": "string"}, "text": {"type": "string"}});
    for name in more {
        properties[*name] = json!({"type": "string"});
    }
    let mut document = document();
    document["components"]["schemas"]["Note"]["properties"] = properties;
    document
}

impl Shapes {
    pub(super) async fn apply(&self, document: &Value, allow: &str) {
        let admin = self.server.token("acme", Rights::Admin);
        let path = format!("/api/schema{allow}");
        let request = self.server.request(Method::PUT, &path, &admin);
        Reply::of(request.json(document)).await.expect(200);
    }

    async fn create(&self, values: Value) {
        let made = self.server.post("/api/notes", &self.token, values).await;
        made.expect(201);
    }
}

#[tokio::test]
async fn values_that_records_held_before_their_field_was_declared_are_in_its_shapes() {
    let s = shapes().await;
    s.apply(&with(&["place"]), "").await;
    s.create(json!({"id": "1", "text": "a", "urgency": "high", "place": "here"}))
        .await;
    let all = s.follow("table=notes").await;
    assert_eq!(column(&all, "text"), ["a"]);
    s.apply(&with(&["place", "urgency"]), "").await;
    let all = s.follow("table=notes").await;
    assert_eq!(column(&all, "urgency"), ["high"]);
    let high = s.follow("table=notes&where=urgency='high'").await;
    assert_eq!(column(&high, "id"), ["1"]);
    // And those of one that was dropped, and is given back.
    s.apply(&with(&["urgency"]), "?allow=drop-field").await;
    let all = s.follow("table=notes").await;
    assert_eq!(column(&all, "place"), ["null"]);
    s.apply(&with(&["place", "urgency"]), "").await;
    let all = s.follow("table=notes").await;
    assert_eq!(column(&all, "place"), ["here"]);
}

#[tokio::test]
async fn an_entity_hides_the_view_of_its_name_while_it_stands() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let mut view = s.follow("table=threads").await;
    assert_eq!(column(&view, "name"), ["one"]);
    let threads = document().to_string().replace("/api/notes", "/app/threads");
    s.apply(&serde_json::from_str(&threads).unwrap(), "").await;
    // Who follows the view begins anew, with the entity's rows and columns.
    s.ask(&view.next()).await.expect(409);
    let thread = json!({"id": "t", "text": "of the application"});
    let made = s.server.post("/app/threads", &s.token, thread).await;
    made.expect(201);
    let entity = s.follow("table=threads").await;
    assert_eq!(column(&entity, "text"), ["of the application"]);
    let unknown = s.ask("table=threads&offset=-1&where=project='p'").await;
    unknown.expect(400);
    // The threads themselves are where they were.
    let listed = s.server.get("/api/threads", &s.token).await.expect(200);
    assert_eq!(listed["threads"][0]["name"], "one");
    s.apply(&document(), "?allow=drop-entity").await;
    s.ask(&entity.next()).await.expect(409);
    view = s.follow("table=threads").await;
    assert_eq!(column(&view, "name"), ["one"]);
}

#[tokio::test]
async fn a_field_that_may_be_left_out_from_now_on_leaves_shapes_as_they_are() {
    let s = shapes().await;
    let mut document = with(&["place"]);
    s.apply(&document, "").await;
    s.create(json!({"id": "1", "text": "a", "place": "here"}))
        .await;
    let mut some = s.follow("table=notes&columns=id,place").await;
    document["components"]["schemas"]["Note"]["required"] = json!(["id"]);
    s.apply(&document, "").await;
    s.ask(&some.next()).await.expect(200);
    s.create(json!({"id": "2", "place": "there"})).await;
    assert_eq!(some.catch_up().await.len(), 1);
}

#[tokio::test]
async fn no_column_is_told_as_not_null_that_older_records_lack() {
    let s = shapes().await;
    s.apply(&with(&[]), "").await;
    s.create(json!({"id": "1", "text": "a"})).await;
    let mut document = with(&[]);
    let note = &mut document["components"]["schemas"]["Note"];
    note["properties"]["state"] = json!({"type": "string", "default": "open"});
    note["required"] = json!(["id", "text", "state"]);
    s.apply(&document, "").await;
    let first = s.ask("table=notes&offset=-1").await;
    assert_eq!(first.expect(200)[0]["value"]["state"], Value::Null);
    let told: Value = serde_json::from_str(first.header("electric-schema")).unwrap();
    assert_eq!(told["id"]["not_null"], true);
    assert_eq!(told["state"]["not_null"], Value::Null);
    // Nor one that has to be given from now on.
    let mut document = with(&["place"]);
    s.apply(&document, "?allow=drop-field").await;
    document["components"]["schemas"]["Note"]["required"] = json!(["id", "text", "place"]);
    s.apply(&document, "?allow=tighten-field").await;
    let first = s.ask("table=notes&offset=-1").await;
    assert_eq!(first.expect(200)[0]["value"]["place"], Value::Null);
    let told: Value = serde_json::from_str(first.header("electric-schema")).unwrap();
    assert_eq!(told["place"]["not_null"], Value::Null);
}

#[tokio::test]
async fn who_reads_after_a_field_was_renamed_is_woken_by_each_change() {
    let s = shapes_with(|config| config.shapes.long_poll = PATIENCE * 4).await;
    let query = "table=notes&columns=id,text&where=text='open'";
    for (n, (names, allow)) in [(["a"], ""), (["z"], "?allow=drop-field")]
        .into_iter()
        .enumerate()
    {
        s.apply(&with(&names), allow).await;
        let follower = s.follow(query).await;
        let live = format!("{}&live=true", follower.next());
        let write = async {
            // One that the shape doesn't hold, then one that it does.
            for (text, id) in [("shut", "x"), ("open", "y")] {
                s.create(json!({"id": format!("{n}{id}"), "text": text}))
                    .await;
            }
        };
        let both = async { tokio::join!(s.ask(&live), write) };
        let (reply, ()) = tokio::time::timeout(PATIENCE, both).await.unwrap();
        assert_eq!(reply.expect(200)[0]["value"]["text"], "open");
    }
}
