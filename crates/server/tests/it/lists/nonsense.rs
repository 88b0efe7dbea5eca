//! What can't be: a stable code, what to do, and nothing changed.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::limits::{ITEM_NOTE_CHARS_MAX, ITEM_TEXT_CHARS_MAX};

use super::{Lists, lists};

const ITEM: &str = "/api/lists/l/items/x";
const MOVE: &str = "/api/lists/l/items/x/move";
const ITEMS: &str = "/api/lists/l/items";

async fn furnished() -> Lists {
    let lists = lists().await;
    for id in ["elsewhere", "gone"] {
        let item = json!({"item_id": id, "text": id});
        lists.post("/api/lists/m/items", item).await.expect(201);
    }
    lists.delete("/api/lists/m/items/gone").await.expect(200);
    let moved = json!({"item_id": "moved", "text": "t"});
    lists.post(ITEMS, moved).await.expect(201);
    let to = json!({"to": "m"});
    lists
        .post("/api/lists/l/items/moved/move", to)
        .await
        .expect(200);
    let removed = json!({"list_id": "removed", "title": "removed"});
    lists.post("/api/lists", removed).await.expect(201);
    lists.delete("/api/lists/removed").await.expect(200);
    lists
}

/// A request, and the status and reason of its refusal; LONG stands for a text that is a character too long.
const REFUSED: &str = r#"
POST /api/lists/l/items/x/move {"before":"x"} 422 move_beside_itself
POST /api/lists/l/items/x/move {"after":"x"} 422 move_beside_itself
POST /api/lists/l/items/x/move {"after":"elsewhere"} 422 item_unknown
POST /api/lists/l/items/x/move {"to":"m","after":"y"} 422 item_unknown
POST /api/lists/l/items/x/move {"to":"m","after":"gone"} 422 item_removed
POST /api/lists/l/items/x/move {"after":"moved"} 422 item_in_other_list
POST /api/lists/l/items/x/move {"after":""} 422 item_unknown
POST /api/lists/l/items/x/move {"to":"nowhere"} 404 list_unknown
POST /api/lists/l/items/x/move {"to":"removed"} 404 list_removed
PATCH /api/lists/l/items/x {"text":""} 422 text_empty
PATCH /api/lists/l/items/x {"text":"\u0020\n\t"} 422 text_empty
PATCH /api/lists/l/items/x {"text":"LONG"} 413 text_too_long
PATCH /api/lists/l/items/x {"note":"LONG"} 413 text_too_long
PATCH /api/lists/l/items/x {"text":"a\u0007"} 422 text_control_character
PATCH /api/lists/l/items/x {"note":"a\u0000"} 422 text_control_character
PATCH /api/lists/l/items/q {"text":"t"} 404 item_unknown
PATCH /api/lists/l/items/elsewhere {"text":"t"} 404 item_unknown
PATCH /api/lists/l/items/moved {"text":"t"} 404 item_in_other_list
PATCH /api/lists/m/items/gone {"text":"t"} 404 item_removed
POST /api/lists/m/items/q/restore {} 404 item_unknown
PATCH /api/lists/l {"title":"a\nb"} 422 text_control_character
PATCH /api/lists/l {"title":""} 422 text_empty
PATCH /api/lists/l {"before":"l"} 422 move_beside_itself
PATCH /api/lists/l {"before":"nowhere"} 422 list_unknown
PATCH /api/lists/l {"after":"removed"} 422 list_removed
PATCH /api/lists/removed {"title":"t"} 404 list_removed
PATCH /api/lists/nowhere {"title":"t"} 404 list_unknown
DELETE /api/lists/nowhere {} 404 list_unknown
POST /api/lists/nowhere/restore {} 404 list_unknown
POST /api/lists {"title":"t","list_id":"l"} 422 list_exists
POST /api/lists {"title":"t","list_id":"removed"} 422 list_exists
POST /api/lists/l/items {"text":"t","item_id":"x"} 422 item_exists
POST /api/lists/l/items {"text":"LONG"} 413 text_too_long
POST /api/lists/removed/items {"text":"t"} 404 list_removed
"#;

#[tokio::test]
async fn what_cant_be_is_refused_with_its_reason_and_changes_nothing() {
    let lists = furnished().await;
    let long = "x".repeat(ITEM_TEXT_CHARS_MAX + 1);
    let (before, shown) = (lists.head().await, lists.get("/api/lists/l").await.text);
    for case in REFUSED.trim().lines() {
        let words: Vec<_> = case.split(' ').collect();
        let [method, path, body, status, reason] = words[..] else {
            panic!("{case} is no case")
        };
        let body = body.replace("LONG", &long);
        let body: Value = serde_json::from_str(&body).unwrap();
        let method: Method = method.parse().unwrap();
        let reply = lists.server.send(method, path, &lists.token, body).await;
        let (status, code) = match status {
            "404" => (404, "not_found"),
            "413" => (413, "payload_too_large"),
            _ => (422, "invalid_field"),
        };
        assert_eq!(reply.status.as_u16(), status, "{case}: {}", reply.text);
        let refused = reply.refused(status, code);
        assert_eq!(refused["error"]["details"]["reason"], reason, "{case}");
        if reason == "move_beside_itself" {
            let field = refused["error"]["details"]["field"].as_str();
            assert!(case.contains(field.unwrap()), "{case}: {field:?}");
        }
    }
    assert_eq!(lists.head().await, before);
    assert_eq!(lists.get("/api/lists/l").await.text, shown);
}

#[tokio::test]
async fn the_longest_texts_are_taken() {
    let lists = furnished().await;
    let (text, note) = (
        "é".repeat(ITEM_TEXT_CHARS_MAX),
        "é".repeat(ITEM_NOTE_CHARS_MAX),
    );
    let body = json!({"text": text, "note": note});
    let item = lists.patch(ITEM, body).await.expect(200);
    assert_eq!((&item["text"], &item["note"]), (&json!(text), &json!(note)));
}

#[tokio::test]
async fn a_request_that_says_nothing_or_too_much_is_refused() {
    let lists = furnished().await;
    let before = lists.head().await;
    for (method, path, body) in [
        (Method::POST, MOVE, json!({})),
        (Method::POST, MOVE, json!({"before": "y", "after": "z"})),
        (
            Method::POST,
            MOVE,
            json!({"before": "y", "position": "end"}),
        ),
        // A position is where something stands as people say it, never a key.
        (Method::POST, MOVE, json!({"position": "a0V"})),
        (Method::POST, MOVE, json!({"position": 7})),
        (Method::PATCH, ITEM, json!({})),
        (Method::PATCH, ITEM, json!({"done": "yes"})),
        (Method::PATCH, "/api/lists/l", json!({})),
        (Method::POST, "/api/lists", json!({})),
        (
            Method::POST,
            "/api/lists",
            json!({"title": "t", "list_id": ""}),
        ),
        (
            Method::POST,
            "/api/lists",
            json!({"title": "t", "list_id": "a\u{1}"}),
        ),
        (Method::POST, ITEMS, json!({"done": true})),
        (
            Method::POST,
            ITEMS,
            json!({"text": "t", "item_id": "i".repeat(257)}),
        ),
        // A field that nobody reads is one that its sender means.
        (
            Method::POST,
            "/api/lists",
            json!({"title": "t", "listId": "x"}),
        ),
        (
            Method::PATCH,
            "/api/lists/l",
            json!({"title": "t", "tenant": "t2"}),
        ),
        (Method::POST, ITEMS, json!({"text": "t", "itemId": "x"})),
        (Method::PATCH, ITEM, json!({"text": "t", "checked": true})),
        (Method::POST, MOVE, json!({"position": "end", "list": "m"})),
    ] {
        let reply = lists.server.send(method, path, &lists.token, body).await;
        reply.refused(422, "invalid_field");
    }
    let key = ("idempotency-key", "");
    let make = json!({"title": "t"});
    let reply = lists.with(key, Method::POST, "/api/lists", make).await;
    reply.refused(422, "invalid_field");
    assert_eq!(lists.head().await, before);
}

#[tokio::test]
async fn an_item_that_was_moved_is_told_where_it_is() {
    let lists = lists().await;
    lists.post(MOVE, json!({"to": "m"})).await.expect(200);
    let told = lists.get(ITEM).await.refused(404, "not_found");
    assert_eq!(told["error"]["details"]["reason"], "item_in_other_list");
    assert_eq!(told["error"]["details"]["list_id"], "m");
    let there = "/api/lists/m/items/x";
    lists.patch(there, json!({"done": true})).await.expect(200);
    lists
        .post("/api/lists/m/items/x/move", json!({"to": "l"}))
        .await
        .expect(200);
    assert_eq!(lists.get(ITEM).await.expect(200)["done"], true);
}

#[tokio::test]
async fn ops_that_no_list_can_be_made_of_leave_the_lists_as_they_are() {
    let lists = lists().await;
    let shown = lists.get("/api/lists/l").await.text;
    let op = |clock: u64, payload: Value| json!({"scope": "list", "resourceId": "l", "actor": "odd", "clock": clock, "payload": payload});
    let insert = |position: Value| {
        json!({"type": "insert", "itemId": "odd",
            "payload": {"text": "t", "done": false, "note": "", "pos": position}})
    };
    let unreadable = [
        insert(json!("a0")),
        insert(json!("")),
        insert(json!("!")),
        insert(json!(7)),
        json!({"type": "move", "itemId": "x", "payload": {"pos": "é"}}),
        json!({"type": "none", "itemId": "x"}),
        json!({"type": "update", "itemId": "", "payload": {"done": true}}),
        json!(7),
    ];
    let ops: Vec<_> = (1..)
        .zip(unreadable)
        .map(|(n, payload)| op(n, payload))
        .collect();
    let push = json!({"clientId": "odd", "ops": ops});
    lists.post("/sync/push", push).await.expect(200);
    assert_eq!(lists.get("/api/lists/l").await.text, shown);

    let before = lists.head().await;
    let change = json!({"type": "update", "itemId": "x", "payload": {"text": "poisoned"}});
    let late = json!({"clientId": "odd", "ops": [op(1 << 63, change)]});
    let answer = lists.post("/sync/push", late).await.expect(200);
    let result = &answer["results"][0];
    assert_eq!(result["status"], "rejected", "{answer}");
    assert_eq!(result["error"]["code"], "clock_lead", "{answer}");
    assert_eq!(lists.head().await, before);
    assert_eq!(lists.get("/api/lists/l").await.text, shown);
    lists
        .patch(ITEM, json!({"text": "as ever"}))
        .await
        .expect(200);
}
