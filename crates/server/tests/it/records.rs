//! One document is a backend: its own paths, and the queue of clients with a database of their own.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_store::control::Rights;

use crate::support::{Reply, TestServer, start};

/// A document of one entity.
pub(crate) fn document() -> Value {
    let note = json!({"$ref": "#/components/schemas/Note"});
    let content = |schema: &Value| json!({"application/json": {"schema": schema}});
    let answer = |schema: &Value| json!({"200": {"description": "", "content": content(schema)}});
    let sent = json!({"content": content(&note)});
    json!({
        "openapi": "3.1.0",
        "info": {"title": "notes", "version": "1"},
        "paths": {
            "/api/notes": {
                "get": {"responses": answer(&json!({"type": "array", "items": note}))},
                "post": {"requestBody": sent, "responses": answer(&note)},
            },
            "/api/notes/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": true,
                    "schema": {"type": "string"}}],
                "get": {"responses": answer(&note)},
                "patch": {"requestBody": sent, "responses": answer(&note)},
                "put": {"requestBody": sent, "responses": answer(&note)},
                "delete": {"responses": {"204": {"description": ""}}},
            },
        },
        "components": {"schemas": {"Note": {
            "type": "object",
            "required": ["id", "text"],
            "properties": {
                "id": {"type": "string"},
                "text": {"type": "string", "maxLength": 20},
                "done": {"type": "boolean"},
                "place": {"type": ["integer", "null"], "format": "int32"},
                "secret": {"type": "string", "x-owner-only": true},
                "here": {"type": "string", "x-sync-exclude": true},
            },
        }}},
    })
}

/// A server whose tenant `acme` has the document, and a token that may write.
async fn served() -> (TestServer, String) {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let applied = ask(
        &server,
        Method::PUT,
        "/api/schema",
        &admin,
        Some(document()),
    )
    .await;
    let applied = applied.expect(200);
    assert_eq!(applied["changes"][0]["kind"], "add-entity");
    let writer = server.token("acme", Rights::Sync);
    (server, writer)
}

async fn ask(
    server: &TestServer,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Reply {
    let mut request = server
        .client
        .request(method, server.url(path))
        .bearer_auth(token);
    if let Some(body) = body {
        request = request.body(body.to_string());
    }
    Reply::of(request).await
}

#[tokio::test]
async fn a_document_gives_a_tenant_paths_that_no_other_has() {
    let (server, writer) = served().await;
    let note = json!({"id": "a", "text": "one"});
    let made = ask(&server, Method::POST, "/api/notes", &writer, Some(note)).await;
    assert_eq!(made.header("syncline-txid"), "2");
    let made = made.expect(201);
    assert_eq!(
        (&made["text"], &made["txid"], &made["_role"]),
        (&json!("one"), &json!(2), &json!("editor"))
    );
    ask(&server, Method::PUT, "/api/notes", &writer, None)
        .await
        .refused(405, "method_not_allowed");
    let other = server.token("other", Rights::Sync);
    ask(&server, Method::GET, "/api/notes", &other, None)
        .await
        .refused(404, "not_found");
    let reader = server.token("acme", Rights::Read);
    ask(&server, Method::GET, "/api/notes", &reader, None)
        .await
        .expect(200);
    let note = json!({"text": "x"});
    ask(&server, Method::POST, "/api/notes", &reader, Some(note))
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn a_record_is_changed_put_in_place_of_and_deleted() {
    let (server, writer) = served().await;
    let at = "/api/notes/a";
    let send = async |method, body| ask(&server, method, at, &writer, body).await;
    let note = json!({"id": "a", "text": "one"});
    ask(&server, Method::POST, "/api/notes", &writer, Some(note))
        .await
        .expect(201);
    let changed = json!({"done": true, "place": 5, "new_word": [1]});
    let changed = send(Method::PATCH, Some(changed)).await.expect(200);
    assert_eq!(
        (&changed["done"], &changed["place"]),
        (&json!(true), &json!(5))
    );
    assert_eq!(changed["new_word"], json!([1]), "an unknown field is kept");

    let less = send(Method::PUT, Some(json!({"text": "two"}))).await;
    let less = less.refused(422, "validation_failed");
    let field = &less["error"]["details"]["fields"][0];
    assert_eq!(
        (&field["field"], &field["code"]),
        (&json!("done"), &json!("required")),
        "what can't be emptied must be named"
    );
    let put = json!({"text": "two", "done": false});
    let put = send(Method::PUT, Some(put)).await.expect(200);
    assert_eq!((&put["text"], &put["place"]), (&json!("two"), &Value::Null));
    assert_eq!(put["new_word"], json!([1]), "an unknown field is kept");

    let gone = send(Method::DELETE, None).await;
    assert_eq!(
        (gone.status.as_u16(), gone.header("syncline-txid")),
        (204, "5")
    );
    send(Method::GET, None).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_list_is_narrowed_ordered_and_paged() {
    let (server, writer) = served().await;
    let notes: Vec<_> = (0..7)
        .map(|n| json!({"id": format!("n{n}"), "text": format!("t{}", n % 3), "place": n}))
        .collect();
    ask(
        &server,
        Method::POST,
        "/api/notes",
        &writer,
        Some(json!(notes)),
    )
    .await
    .expect(201);
    let ids = async |query: &str| {
        let listed = ask(
            &server,
            Method::GET,
            &format!("/api/notes?{query}"),
            &writer,
            None,
        )
        .await
        .expect(200);
        let ids = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids("text=t1").await, "n1 n4");
    assert_eq!(ids("place__gte=5").await, "n5 n6");
    assert_eq!(ids("id__in=n2,n6&order=-place").await, "n6 n2");
    assert_eq!(ids("order=text,-place&limit=3").await, "n6 n3 n0");
    let page = ask(
        &server,
        Method::GET,
        "/api/notes?order=-place&limit=4",
        &writer,
        None,
    )
    .await;
    let cursor = page.header("syncline-next-cursor").to_owned();
    assert_eq!(
        ids(&format!("order=-place&limit=4&cursor={cursor}")).await,
        "n2 n1 n0"
    );
    for query in [
        "nothing=1",
        "place=x",
        "place__near=1",
        "limit=0",
        "cursor=zz",
        "order=nothing",
    ] {
        let path = format!("/api/notes?{query}");
        ask(&server, Method::GET, &path, &writer, None)
            .await
            .refused(422, "invalid_field");
    }
}

#[tokio::test]
async fn what_breaks_the_document_is_refused_field_by_field_and_nothing_is_written() {
    let (server, writer) = served().await;
    let both =
        json!([{"id": "a", "text": "fits"}, {"id": "b", "text": "x".repeat(21), "place": "no"}]);
    let refused = ask(&server, Method::POST, "/api/notes", &writer, Some(both)).await;
    let error = refused.refused(422, "validation_failed");
    assert_eq!(error["error"]["details"]["write"], 1);
    let fields: Vec<_> = error["error"]["details"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["field"].clone())
        .collect();
    assert_eq!(fields, ["place", "text"]);
    ask(&server, Method::GET, "/api/notes/a", &writer, None)
        .await
        .refused(404, "not_found");

    let owners = json!({"id": "c", "text": "x", "secret": "s"});
    ask(&server, Method::POST, "/api/notes", &writer, Some(owners))
        .await
        .refused(403, "forbidden_field");
    let here = json!({"id": "d", "text": "x", "here": "mine"});
    let made = ask(&server, Method::POST, "/api/notes", &writer, Some(here))
        .await
        .expect(201);
    assert_eq!(made.get("here"), None);
    ask(
        &server,
        Method::POST,
        "/api/notes",
        &writer,
        Some(json!("text")),
    )
    .await
    .refused(422, "invalid_field");
}

#[tokio::test]
async fn a_request_that_is_sent_again_is_done_once() {
    let (server, writer) = served().await;
    let post = async |text: &str| {
        let request = server
            .client
            .post(server.url("/api/notes"))
            .bearer_auth(&writer);
        let body = json!({"text": text}).to_string();
        Reply::of(request.header("idempotency-key", "k").body(body)).await
    };
    let first = post("one").await.expect(201);
    assert_eq!(post("one").await.expect(201), first);
    post("two").await.refused(409, "key_conflict");
    let all = ask(&server, Method::GET, "/api/notes", &writer, None)
        .await
        .expect(200);
    assert_eq!(all.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_queue_is_judged_write_by_write_and_answered_alike_when_it_comes_again() {
    let (server, writer) = served().await;
    let write = |id: &str, action: &str, values: Value| json!({"entity": "notes", "id": id, "action": action, "values": values});
    let queue = json!({"transactions": [
        {"write_id": "w1", "writes": [write("a", "create", json!({"text": "one"})), write("b", "create", json!({"text": "two"}))]},
        {"write_id": "w2", "writes": [write("c", "create", json!({}))]},
        {"write_id": "w3", "writes": [write("a", "update", json!({"text": "three"}))]},
    ]});
    let post = async || {
        ask(
            &server,
            Method::POST,
            "/api/writes",
            &writer,
            Some(queue.clone()),
        )
        .await
        .expect(200)
    };
    let first = post().await;
    let results = first["results"].as_array().unwrap();
    let status: Vec<_> = results
        .iter()
        .map(|result| result["status"].as_str().unwrap())
        .collect();
    assert_eq!(status, ["accepted", "rejected", "accepted"]);
    assert_eq!(
        (&results[0]["seq"], &results[2]["seq"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(results[1]["error"]["details"]["fields"][0]["field"], "text");
    let again = post().await;
    for (one, other) in results.iter().zip(again["results"].as_array().unwrap()) {
        assert_eq!(
            (&one["status"], &one["seq"]),
            (&other["status"], &other["seq"])
        );
    }
    let twice = json!({"transactions": [{"write_id": "x", "writes": []}]});
    ask(&server, Method::POST, "/api/writes", &writer, Some(twice))
        .await
        .refused(422, "invalid_field");
}

#[tokio::test]
async fn a_schema_that_takes_something_away_needs_leave() {
    let (server, writer) = served().await;
    let admin = server.token("acme", Rights::Admin);
    let mut less = document();
    less["components"]["schemas"]["Note"]["properties"]
        .as_object_mut()
        .unwrap()
        .remove("done");
    let compared = ask(
        &server,
        Method::POST,
        "/api/schema/diff",
        &writer,
        Some(less.clone()),
    )
    .await
    .expect(200);
    assert_eq!(compared["changes"][0]["kind"], "drop-field");
    ask(
        &server,
        Method::PUT,
        "/api/schema",
        &writer,
        Some(less.clone()),
    )
    .await
    .refused(403, "forbidden");
    let refused = ask(
        &server,
        Method::PUT,
        "/api/schema",
        &admin,
        Some(less.clone()),
    )
    .await;
    refused.refused(409, "breaking_schema");
    ask(
        &server,
        Method::PUT,
        "/api/schema?allow=drop-field",
        &admin,
        Some(less),
    )
    .await
    .expect(200);
    let broken = json!({"openapi": "9.0.0"});
    let error = ask(&server, Method::PUT, "/api/schema", &admin, Some(broken)).await;
    let error = error.refused(422, "validation_failed");
    assert!(
        error["error"]["details"]["diagnostics"][0]["line"].is_u64(),
        "{error}"
    );
}
