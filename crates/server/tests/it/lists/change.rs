//! Each route does what it says, and what it writes is ops.

use reqwest::Method;
use serde_json::{Value, json};

use super::lists;

#[tokio::test]
async fn a_list_shows_its_items_in_order_and_each_in_full() {
    let lists = lists().await;
    lists
        .patch(
            "/api/lists/l/items/y",
            json!({"text": "milk", "done": true, "note": "oat"}),
        )
        .await
        .expect(200);
    let body = lists.get("/api/lists/l").await.expect(200);
    let item = |id: &str, text: &str, done: bool, note: &str| json!({"id": id, "text": text, "done": done, "note": note, "state": "acknowledged"});
    let expected = json!({
        "list_id": "l", "title": "groceries", "next_cursor": null, "items": [
            item("x", "text of x", false, ""),
            item("y", "milk", true, "oat"),
            item("z", "text of z", false, ""),
        ],
    });
    assert_eq!(body, expected);
    let one = lists.get("/api/lists/l/items/y").await.expect(200);
    assert_eq!(one, item("y", "milk", true, "oat"));
}

#[tokio::test]
async fn items_and_lists_stand_where_they_were_put() {
    let lists = lists().await;
    let to = |body| lists.post("/api/lists/l/items/x/move", body);
    to(json!({"after": "y"})).await.expect(200);
    assert_eq!(lists.ids("l").await, ["y", "x", "z"]);
    to(json!({"position": "end"})).await.expect(200);
    assert_eq!(lists.ids("l").await, ["y", "z", "x"]);
    to(json!({"before": "y"})).await.expect(200);
    assert_eq!(lists.ids("l").await, ["x", "y", "z"]);
    to(json!({"to": "m"})).await.expect(200);
    assert_eq!(lists.ids("l").await, ["y", "z"]);
    assert_eq!(lists.ids("m").await, ["x"]);
    let new = json!({"item_id": "w", "text": "w", "before": "x"});
    lists.post("/api/lists/m/items", new).await.expect(201);
    assert_eq!(lists.ids("m").await, ["w", "x"]);
    let new = json!({"list_id": "n", "title": "n", "position": "start"});
    lists.post("/api/lists", new).await.expect(201);
    let last = json!({"after": "m"});
    lists.patch("/api/lists/n", last).await.expect(200);
    assert_eq!(lists.list_ids("").await, ["l", "m", "n"]);
}

#[tokio::test]
async fn what_was_removed_is_gone_and_comes_back_whole() {
    let lists = lists().await;
    lists.delete("/api/lists/l/items/x").await.expect(200);
    assert_eq!(lists.ids("l").await, ["y", "z"]);
    let gone = lists.get("/api/lists/l/items/x").await;
    let gone = gone.refused(404, "not_found");
    assert_eq!(gone["error"]["details"]["reason"], "item_removed");
    let restore = "/api/lists/l/items/x/restore";
    lists.post(restore, json!({})).await.expect(200);
    assert_eq!(lists.ids("l").await, ["x", "y", "z"]);

    let deleted = lists.delete("/api/lists/l").await.expect(200);
    assert_eq!(deleted["deleted"], true);
    assert_eq!(lists.list_ids("").await, ["m"]);
    assert_eq!(lists.list_ids("?deleted=true").await, ["l", "m"]);
    let gone = lists.get("/api/lists/l").await.refused(404, "not_found");
    assert_eq!(gone["error"]["details"]["reason"], "list_removed");
    let restored = lists.post("/api/lists/l/restore", json!({})).await;
    assert_eq!(restored.expect(200)["item_count"], 3);
    assert_eq!(lists.ids("l").await, ["x", "y", "z"]);
}

#[tokio::test]
async fn what_is_written_is_ops_of_the_servers_actor() {
    let lists = lists().await;
    lists
        .patch("/api/lists/l/items/x", json!({"done": true}))
        .await
        .expect(200);
    let pulled = lists.get("/sync/pull").await.expect(200);
    let ops = pulled["ops"].as_array().unwrap();
    let last = ops.last().unwrap();
    assert_eq!(
        (&last["scope"], &last["resourceId"]),
        (&json!("list"), &json!("l"))
    );
    assert_eq!(
        last["payload"],
        json!({"type": "update", "itemId": "x", "payload": {"done": true}})
    );
    assert!(ops.iter().all(|op| op["actor"] == last["actor"]));
    assert!(ops.iter().filter(|op| op["scope"] == "registry").count() == 2);
}

/// What is read first, a write on it, and what takes that back.
const WRITES: [(&str, &str, &str, Option<&str>); 6] = [
    (
        "/api/lists/l",
        "PATCH /api/lists/l",
        r#"{"title":"t"}"#,
        None,
    ),
    (
        "/api/lists/l",
        "DELETE /api/lists/l",
        "{}",
        Some("/api/lists/l/restore"),
    ),
    (
        "/api/lists/l",
        "POST /api/lists/l/items",
        r#"{"text":"t"}"#,
        None,
    ),
    (X, "PATCH /api/lists/l/items/x", r#"{"text":"t"}"#, None),
    (
        X,
        "POST /api/lists/l/items/x/move",
        r#"{"to":"m"}"#,
        Some("/api/lists/m/items/x/move"),
    ),
    (X, "DELETE /api/lists/l/items/x", "{}", None),
];
const X: &str = "/api/lists/l/items/x";

#[tokio::test]
async fn a_write_on_what_has_changed_since_is_refused_and_changes_nothing() {
    let lists = lists().await;
    for (read, write, body, back) in WRITES {
        let (method, path) = write.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let stale = lists.get(read).await.header("etag").to_owned();
        let note = json!({"note": format!("before {write}")});
        lists.patch(X, note).await.expect(200);
        let fresh = lists.get(read).await.header("etag").to_owned();
        assert_ne!(stale, fresh, "{write}");
        let before = lists.head().await;
        let on_stale = ("if-match", &*stale);
        let refused = lists
            .with(on_stale, method.clone(), path, body.clone())
            .await;
        let refused = refused.refused(412, "precondition_failed");
        assert_eq!(
            refused["error"]["details"]["etag"],
            fresh.as_str(),
            "{write}"
        );
        assert_eq!(lists.head().await, before, "{write}");
        let tags = format!("\"other\", {fresh}");
        let done = lists.with(("if-match", &tags), method, path, body).await;
        assert!(done.status.is_success(), "{write}: {}", done.text);
        if let Some(back) = back {
            lists.post(back, json!({"to": "l"})).await.expect(200);
        }
    }
}

#[tokio::test]
async fn an_if_match_is_a_star_or_tags_in_quotes() {
    let lists = lists().await;
    let add = async |tag| {
        let item = json!({"text": "t"});
        let header = ("if-match", tag);
        lists
            .with(header, Method::POST, "/api/lists/l/items", item)
            .await
    };
    add("*").await.expect(201);
    for malformed in ["x", "\"x", "W/\"x\""] {
        add(malformed).await.refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn pages_are_bounded_and_come_to_an_end() {
    let lists = lists().await;
    for n in 0..7 {
        let id = format!("i.{n}ü");
        let item = json!({"item_id": id, "text": "t"});
        lists.post("/api/lists/m/items", item).await.expect(201);
    }
    lists
        .post("/api/lists/l/items/x/move", json!({"to": "m"}))
        .await
        .expect(200);
    let (mut ids, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let path = format!("/api/lists/m?limit=4{cursor}");
        let page = lists.get(&path).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(!items.is_empty() && items.len() <= 4);
        ids.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        match page["next_cursor"].as_str() {
            None => break,
            Some(next) => cursor = format!("&cursor={}", next.replace('ü', "%C3%BC")),
        }
    }
    assert_eq!((pages, ids.len()), (2, 8));
    assert_eq!(ids, lists.ids("m").await);
    let first = lists.get("/api/lists?limit=1").await.expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        lists.list_ids(&format!("?limit=1&cursor={next}")).await,
        ["m"]
    );
    for query in [
        "limit=0",
        "limit=1001",
        "cursor=x",
        "limit=x",
        "cursor=a0.1.i",
    ] {
        lists
            .get(&format!("/api/lists/m?{query}"))
            .await
            .refused(422, "invalid_field");
    }
    for query in ["limit=501", "cursor=", "deleted=maybe"] {
        lists
            .get(&format!("/api/lists?{query}"))
            .await
            .refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn a_page_of_long_texts_ends_early() {
    let lists = lists().await;
    let long = "é".repeat(100_000);
    for _ in 0..12 {
        let item = json!({"text": long, "note": long});
        lists.post("/api/lists/m/items", item).await.expect(201);
    }
    let page = lists.get("/api/lists/m").await.expect(200);
    let count = page["items"].as_array().unwrap().len();
    assert_eq!(count, 11, "4 MiB of items of 400,000 bytes");
    let next = page["next_cursor"].as_str().unwrap();
    let rest = lists.get(&format!("/api/lists/m?cursor={next}")).await;
    assert_eq!(rest.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_has_the_lists_as_they_are_gets_nothing_again() {
    let lists = lists().await;
    for path in ["/api/lists", "/api/lists/l", "/api/lists/l/items/x"] {
        let tag = lists.get(path).await.header("etag").to_owned();
        let seen = || lists.with(("if-none-match", &tag), Method::GET, path, json!({}));
        let known = seen().await;
        assert_eq!(
            (known.status.as_u16(), &known.text[..]),
            (304, ""),
            "{path}"
        );
        assert_eq!(known.header("etag"), tag);
        let note = json!({"note": path});
        lists.patch("/api/lists/l/items/x", note).await.expect(200);
        let add = json!({"text": path});
        lists.post("/api/lists/l/items", add).await.expect(201);
        seen().await.expect(200);
    }
}

/// Its entry in the registry comes later, from who has it still.
#[tokio::test]
async fn a_list_made_again_around_a_late_item_shows_its_title_once_that_is_found() {
    let lists = lists().await;
    let push = async |scope: &str, resource: &str, clock: u64, payload: Value| {
        let op = json!({"scope": scope, "resourceId": resource, "actor": "a", "clock": clock,
            "payload": payload});
        let body = json!({"clientId": "laptop", "ops": [op]});
        let pushed = lists.post("/sync/push", body).await.expect(200);
        assert_eq!(pushed["results"][0]["status"], "accepted");
    };
    let pos = json!([{"digit": 1, "actor": "a"}]);
    let item = json!({"type": "insert", "itemId": "tent", "payload": {"text": "tent", "pos": pos}});
    push("list", "trip", 2, item).await;
    let restored = lists.post("/api/lists/trip/restore", json!({})).await;
    assert_eq!(restored.expect(200)["title"], "trip");
    let made =
        json!({"type": "createList", "listId": "trip", "payload": {"title": "Trip", "pos": pos}});
    push("registry", "registry", 1, made).await;
    let shown = lists.get("/api/lists/trip").await.expect(200);
    assert_eq!(shown["title"], "Trip");
    assert_eq!(shown["items"][0]["id"], "tent");
}
