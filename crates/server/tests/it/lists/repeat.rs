//! Every write can be sent again.

use reqwest::Method;
use serde_json::json;
use syncline_store::control::Rights;

use super::lists;
use crate::support::{Reply, start_on};

const KEY: (&str, &str) = ("idempotency-key", "7f0c");
const OTHER: (&str, &str) = ("idempotency-key", "7f0d");

#[tokio::test]
async fn a_request_with_the_same_key_makes_one_thing_whatever_became_of_it() {
    let lists = lists().await;
    let make =
        |title: &'static str| lists.with(KEY, Method::POST, "/api/lists", json!({"title": title}));
    let first = make("plans").await.expect(201);
    let id = first["list_id"].as_str().unwrap().to_owned();
    let head = lists.head().await;
    assert_eq!(make("plans").await.expect(201), first);
    assert_eq!(lists.head().await, head);

    let items = format!("/api/lists/{id}/items");
    let add = || lists.with(OTHER, Method::POST, &items, json!({"text": "one"}));
    let one = add().await.expect(201);
    let path = format!("{items}/{}", one["id"].as_str().unwrap());
    lists
        .patch(&path, json!({"text": "other"}))
        .await
        .expect(200);
    assert_eq!(add().await.expect(201)["text"], "other");
    lists.delete(&path).await.expect(200);
    add().await.expect(201);
    assert!(lists.ids(&id).await.is_empty());

    lists.delete(&format!("/api/lists/{id}")).await.expect(200);
    assert_eq!(make("plans").await.expect(201)["deleted"], true);
    add().await.expect(201);
    assert_eq!(lists.list_ids("").await, ["l", "m"]);
}

#[tokio::test]
async fn a_request_that_names_the_id_of_what_it_makes_can_be_sent_again() {
    let lists = lists().await;
    let make = |body| lists.with(KEY, Method::POST, "/api/lists", body);
    let list = json!({"title": "plans", "list_id": "own"});
    let first = make(list.clone()).await.expect(201);
    assert_eq!(first["list_id"], "own");
    let items = "/api/lists/own/items";
    let add = |body| lists.with(OTHER, Method::POST, items, body);
    let item = json!({"text": "one", "item_id": "first"});
    let made = add(item.clone()).await.expect(201);
    assert_eq!(made["id"], "first");

    let head = lists.head().await;
    assert_eq!(make(list.clone()).await.expect(201)["list_id"], "own");
    assert_eq!(add(item.clone()).await.expect(201), made);
    for other in [
        json!({"title": "plans", "list_id": "another"}),
        json!({"title": "other", "list_id": "own"}),
        json!({"title": "plans"}),
    ] {
        make(other).await.refused(409, "key_conflict");
    }
    for other in [
        json!({"text": "one", "item_id": "second"}),
        json!({"text": "two", "item_id": "first"}),
        json!({"text": "one"}),
    ] {
        add(other).await.refused(409, "key_conflict");
    }
    // Without the key it is another request.
    lists
        .post("/api/lists", list)
        .await
        .refused(422, "invalid_field");
    lists.post(items, item).await.refused(422, "invalid_field");
    assert_eq!(lists.head().await, head);
}

#[tokio::test]
async fn a_key_is_of_one_request_whatever_route_another_takes() {
    let lists = lists().await;
    let items = "/api/lists/l/items";
    let item = json!({"text": "one"});
    let made = lists.with(KEY, Method::POST, items, item.clone()).await;
    let made = made.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("{items}/{made}");
    let head = lists.head().await;
    for (method, path, body) in [
        (Method::POST, "/api/lists", json!({"title": "one"})),
        (Method::POST, "/api/lists/m/items", item.clone()),
        (Method::PATCH, "/api/lists/l", json!({"title": "one"})),
        (Method::DELETE, "/api/lists/l", json!({})),
        (Method::PATCH, &path, item.clone()),
        (Method::DELETE, &path, json!({})),
        (Method::POST, &format!("{path}/move"), json!({"to": "m"})),
    ] {
        let other = lists.with(KEY, method, path, body).await;
        other.refused(409, "key_conflict");
    }
    lists
        .with(OTHER, Method::DELETE, "/api/lists/m", json!({}))
        .await
        .expect(200);
    let after = lists.head().await;
    assert_ne!(after, head);
    let list = json!({"title": "one"});
    let other = lists.with(OTHER, Method::POST, "/api/lists", list).await;
    other.refused(409, "key_conflict");
    assert_eq!(lists.head().await, after);
}

#[tokio::test]
async fn a_key_that_comes_again_with_another_wish_is_refused_and_nothing_is_lost_in_silence() {
    let lists = lists().await;
    let make = |body| lists.with(KEY, Method::POST, "/api/lists", body);
    make(json!({"title": "plans"})).await.expect(201);
    let items = "/api/lists/l/items";
    let add = |body| lists.with(OTHER, Method::POST, items, body);
    let first = add(json!({"text": "one"})).await.expect(201);
    let path = format!("{items}/{}", first["id"].as_str().unwrap());
    lists.delete(&path).await.expect(200);
    let head = lists.head().await;
    for other in [
        json!({"title": "other"}),
        json!({"title": "plans", "position": "start"}),
    ] {
        make(other).await.refused(409, "key_conflict");
    }
    for other in [
        json!({"text": "two"}),
        json!({"text": "one", "done": true}),
        json!({"text": "one", "note": "n"}),
    ] {
        add(other).await.refused(409, "key_conflict");
    }
    assert_eq!(lists.head().await, head);
    // The same wish, in other words.
    let again = add(json!({"note": "", "done": false, "text": "one"})).await;
    assert_eq!(again.expect(201)["id"], first["id"]);
}

#[tokio::test]
async fn a_key_is_its_users_and_outlives_the_server() {
    let lists = lists().await;
    let text = json!({"text": "one"});
    let items = "/api/lists/l/items";
    let made = lists.with(KEY, Method::POST, items, text.clone()).await;
    let made = made.expect(201)["id"].clone();
    let token = lists.token.clone();
    let data = lists.server.stop().await;
    let server = start_on(data, |_| {}).await;
    let again = server
        .request(Method::POST, "/api/lists/l/items", &token)
        .header(KEY.0, KEY.1)
        .json(&text);
    assert_eq!(Reply::of(again).await.expect(201)["id"], made);
    let seen = server.get("/api/lists/l", &token).await.expect(200);
    assert_eq!(seen["items"].as_array().unwrap().len(), 4);
    let other = server.token("umbrella", Rights::Sync);
    server
        .get("/api/lists/l", &other)
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_write_whose_wish_is_fulfilled_goes_well_and_writes_nothing() {
    let lists = lists().await;
    let item = "/api/lists/l/items/x";
    for (method, path, body) in [
        (
            Method::PATCH,
            item.to_owned(),
            json!({"text": "t", "done": true, "note": "n"}),
        ),
        (Method::POST, format!("{item}/move"), json!({"after": "y"})),
        (
            Method::POST,
            format!("{item}/move"),
            json!({"position": "end"}),
        ),
        (Method::POST, format!("{item}/move"), json!({"to": "m"})),
        (Method::DELETE, "/api/lists/l/items/y".to_owned(), json!({})),
        (
            Method::POST,
            "/api/lists/l/items/y/restore".to_owned(),
            json!({}),
        ),
        (
            Method::PATCH,
            "/api/lists/l".to_owned(),
            json!({"title": "t", "position": "end"}),
        ),
        (Method::DELETE, "/api/lists/l".to_owned(), json!({})),
        (Method::POST, "/api/lists/l/restore".to_owned(), json!({})),
    ] {
        let read = if path.contains("items") {
            path.trim_end_matches("/move")
                .trim_end_matches("/restore")
                .to_owned()
        } else {
            "/api/lists/l".to_owned()
        };
        let tag = lists.get(&read).await.header("etag").to_owned();
        let tag = if tag.is_empty() { "*".to_owned() } else { tag };
        let before = lists.head().await;
        let send = || lists.with(("if-match", &tag), method.clone(), &path, body.clone());
        let first = send().await.expect(200);
        let after = lists.head().await;
        assert_ne!(before, after, "{method} {path} {body}");
        // The tag is that of before: a client that has not heard the answer knows no other.
        let again = send().await.expect(200);
        assert_eq!(again, first, "{method} {path} {body}");
        assert_eq!(lists.head().await, after, "{method} {path} {body}");
    }
}
