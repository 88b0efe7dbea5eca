//! What a document declares of its operations, as it is answered; and what lists take in a query.

use reqwest::Method;
use serde_json::json;
use syncline_model::schema::LIST_TESTS;

use super::{App, document};

#[tokio::test]
async fn a_success_has_the_status_that_the_document_says() {
    let mut declared = document();
    let paths = &mut declared["paths"];
    let created = paths["/api/notes"]["post"]["responses"]["201"].clone();
    paths["/api/notes"]["post"]["responses"] = json!({"200": created});
    paths["/api/notes/{id}"]["delete"]["responses"] = json!({"200": {"description": ""}});
    let app = App::of(&declared.to_string()).await;
    let ada = app.token("ada");
    let note = json!({"id": "a", "text": "one"});
    let made = app.post(&ada, "/api/notes", note).await.expect(200);
    assert_eq!(made["text"], "one");
    let gone = app.delete(&ada, "/api/notes/a").await;
    assert!(!gone.header("syncline-txid").is_empty());
    assert_eq!(gone.expect(200), json!(null));
}

#[tokio::test]
async fn what_a_client_says_and_no_record_takes_is_told_to_be_ignored() {
    let mut declared = document();
    let properties = &mut declared["components"]["schemas"]["Note"]["properties"];
    let time = json!({"type": "string", "format": "date-time", "readOnly": true});
    properties["created_at"] = time.clone();
    properties["updated_at"] = time;
    let app = App::of(&declared.to_string()).await;
    let ada = app.token("ada");
    let old = "2001-01-01T00:00:00Z";
    let note = json!({"id": "a", "text": "one", "created_at": old, "here": "mine"});
    let made = app.post(&ada, "/api/notes", note).await;
    assert_eq!(made.header("syncline-ignored"), "created_at, here");
    let mut row = made.expect(201);
    assert_ne!(row["created_at"], old);
    // A row that is sent back as it was says nothing that is not so.
    row.as_object_mut()
        .unwrap()
        .retain(|name, _| name != "txid" && name != "_role");
    let same = app
        .send(&ada, Method::PUT, "/api/notes/a", row.clone())
        .await;
    assert_eq!(same.header("syncline-ignored"), "");
    same.expect(200);
    row["text"] = json!("two");
    row["created_at"] = json!(old);
    row["updated_at"] = json!(old);
    let put = app.send(&ada, Method::PUT, "/api/notes/a", row).await;
    assert_eq!(put.header("syncline-ignored"), "created_at, updated_at");
    put.expect(200);
    let several = json!([{"text": "b"}, {"text": "c", "updated_at": old}]);
    let made = app.post(&ada, "/api/notes", several).await;
    assert_eq!(made.header("syncline-ignored"), "updated_at");
    made.expect(201);
    let write = |action: &str, id: &str, values: serde_json::Value| json!({"entity": "notes", "id": id, "action": action, "values": values});
    let queue = json!({"transactions": [
        {"write_id": "w1", "writes": [
            write("create", "q", json!({"text": "d", "created_at": old, "updated_at": null})),
            write("update", "a", json!({"text": "three"})),
        ]},
        {"write_id": "w2", "writes": [write("update", "a", json!({"updated_at": old}))]},
    ]});
    // Told again where it is sent again.
    for _ in 0..2 {
        let told = app
            .post(&ada, "/api/writes", queue.clone())
            .await
            .expect(200);
        let ignored = [0, 1].map(|n| told["results"][n]["ignored"].clone());
        assert_eq!(
            ignored,
            [
                json!([["created_at", "updated_at"], []]),
                json!([["updated_at"]])
            ],
            "{told}"
        );
    }
}

#[tokio::test]
async fn every_test_of_a_list_is_taken() {
    let app = App::of(&document().to_string()).await;
    let ada = app.token("ada");
    for test in LIST_TESTS {
        let path = format!("/api/notes?done__{test}=true");
        app.get(&ada, &path).await.expect(200);
    }
}

#[tokio::test]
async fn a_cursor_is_of_its_order_alone() {
    let app = App::of(&document().to_string()).await;
    let ada = app.token("ada");
    let notes: Vec<_> = (0..4)
        .map(|n| json!({"id": format!("n{n}"), "text": "t", "place": 9 - n}))
        .collect();
    app.post(&ada, "/api/notes", json!(notes)).await.expect(201);
    let first = app.get(&ada, "/api/notes?order=-place&limit=1").await;
    let cursor = first.header("syncline-next-cursor").to_owned();
    for order in ["order=place&", "order=-text&", ""] {
        let path = format!("/api/notes?{order}cursor={cursor}");
        let refused = app.get(&ada, &path).await.refused(422, "invalid_field");
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.contains("ordered by `-place`"), "{message}");
    }
    let path = format!("/api/notes?order=-place&cursor={cursor}");
    let rest = app.get(&ada, &path).await.expect(200);
    assert_eq!(rest[0]["id"], "n1");
}

#[tokio::test]
async fn a_list_holds_what_is_one_of_its_elements() {
    let mut declared = document();
    let properties = &mut declared["components"]["schemas"]["Note"]["properties"];
    properties["tags"] = json!({"type": "array", "items": {}});
    properties["any"] = json!({});
    let app = App::of(&declared.to_string()).await;
    let ada = app.token("ada");
    let notes = json!([
        {"id": "a", "text": "a", "tags": ["red", "Banana"], "any": "Banana"},
        {"id": "b", "text": "b", "tags": ["nan", 7, true], "any": {"nan": 1}},
        {"id": "c", "text": "c", "tags": []},
        {"id": "d", "text": "d"},
    ]);
    app.post(&ada, "/api/notes", notes).await.expect(201);
    for (query, expected) in [
        ("tags__contains=nan", "b"),
        ("tags__contains=banana", "a"),
        ("tags__contains=7", "b"),
        ("tags__contains=true", "b"),
        ("tags__contains=[", ""),
        ("any__contains=nan", "a"),
        ("text__contains=C", "c"),
    ] {
        let listed = app
            .get(&ada, &format!("/api/notes?{query}"))
            .await
            .expect(200);
        let ids = listed.as_array().unwrap().iter();
        let ids: Vec<_> = ids.map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(ids.join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn a_whole_number_names_a_record_as_a_number_and_as_a_text() {
    let mut declared = document();
    let whole = json!({"type": "integer"});
    declared["components"]["schemas"]["Note"]["properties"]["id"] = whole.clone();
    declared["paths"]["/api/notes/{id}"]["parameters"][0]["schema"] = whole;
    let app = App::of(&declared.to_string()).await;
    let ada = app.token("ada");
    let write = |id, action: &str, values| json!({"entity": "notes", "id": id, "action": action, "values": values});
    let results = app
        .writes(
            &ada,
            &[
                ("w1", write(json!(7), "create", json!({"text": "a"}))),
                (
                    "w2",
                    write(json!("8"), "create", json!({"id": "8", "text": "b"})),
                ),
                (
                    "w3",
                    write(json!("7"), "update", json!({"id": "7", "text": "c"})),
                ),
                (
                    "w4",
                    write(json!(8), "update", json!({"id": 8, "text": "d"})),
                ),
            ],
        )
        .await;
    for (result, row) in results.iter().zip([(7, "a"), (8, "b"), (7, "c"), (8, "d")]) {
        assert_eq!(result["status"], "accepted", "{result}");
        assert_eq!(result["rows"][0]["id"], row.0);
    }
    let other = write(json!(7), "update", json!({"id": "8"}));
    let results = app.writes(&ada, &[("w5", other)]).await;
    assert_eq!(results[0]["error"]["code"], "validation_failed");
    let half = json!({"transactions": [{"write_id": "w6", "writes": [write(json!(7.5), "delete", json!({}))]}]});
    let refused = app.send(&ada, Method::POST, "/api/writes", half).await;
    assert!(refused.text.contains("a text or a whole number"));
}
