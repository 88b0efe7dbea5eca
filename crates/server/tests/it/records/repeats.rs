//! Requests that come again, and the queue of a client with a database of its own.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_store::control::Rights;

use super::{App, LEDGER, ask, served};
use crate::support::Reply;

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
async fn a_long_queue_is_judged_in_its_order() {
    let (server, writer) = served().await;
    let write = |action: &str, at: usize| json!({"entity": "notes", "id": "a", "action": action, "values": {"text": at.to_string()}});
    let transactions = (0..500).map(|at| {
        let action = if at == 0 { "create" } else { "update" };
        json!({"write_id": format!("w{at}"), "writes": [write(action, at)]})
    });
    let queue = json!({"transactions": transactions.collect::<Vec<_>>()});
    let answer = ask(&server, Method::POST, "/api/writes", &writer, Some(queue));
    let answer = answer.await.expect(200);
    let results = answer["results"].as_array().unwrap();
    let places: Vec<_> = results
        .iter()
        .map(|result| result["seq"].as_u64())
        .collect();
    assert_eq!(places, (2..502).map(Some).collect::<Vec<_>>());
    let note = ask(&server, Method::GET, "/api/notes/a", &writer, None).await;
    assert_eq!(note.expect(200)["text"], "499");
}

#[tokio::test]
async fn what_builds_on_a_refused_write_of_its_queue_is_refused_with_it() {
    let (server, writer) = served().await;
    let write = |name: &str, after: &[&str], text: &str| {
        let made =
            json!({"entity": "notes", "id": name, "action": "create", "values": {"text": text}});
        json!({"write_id": name, "after": after, "writes": [made]})
    };
    let long = "x".repeat(21);
    let post = async |transactions: Value| {
        let queue = json!({ "transactions": transactions });
        let answer = ask(&server, Method::POST, "/api/writes", &writer, Some(queue));
        let answer = answer.await.expect(200);
        let results = answer["results"].as_array().unwrap().iter();
        let results = results.map(|result| match result["error"]["code"].as_str() {
            None => result["status"].as_str().unwrap().to_owned(),
            Some(code) => code.to_owned(),
        });
        results.collect::<Vec<_>>()
    };
    let under = "depends_on_refused";
    let all = json!([
        write("bad", &[], &long),
        write("good", &[], "b"),
        write("child", &["good", "bad"], "a"),
        write("grandchild", &["child"], "c"),
        write("apart", &["good"], "d"),
    ]);
    let judged = post(all.clone()).await;
    assert_eq!(
        judged,
        ["validation_failed", "accepted", under, under, "accepted"]
    );
    assert_eq!(
        post(all).await,
        judged,
        "they are answered as the first time"
    );
    let alone = json!([write("child", &[], "a")]);
    assert_eq!(post(alone).await, [under], "it is refused for good");
    let later = json!([
        write("later", &["bad"], "e"),
        write("on-top", &["good"], "f")
    ]);
    assert_eq!(
        post(later).await,
        [under, "accepted"],
        "in a request of their own too"
    );
    let notes = ask(&server, Method::GET, "/api/notes", &writer, None).await;
    let notes = notes.expect(200);
    let ids: Vec<_> = notes
        .as_array()
        .unwrap()
        .iter()
        .map(|note| &note["id"])
        .collect();
    assert_eq!(ids, ["apart", "good", "on-top"]);
}

#[tokio::test]
async fn what_builds_on_a_write_that_is_not_known_is_judged_anew_when_that_has_come() {
    let (server, writer) = served().await;
    let made = |id: &str| json!([{"entity": "notes", "id": id, "action": "create", "values": {"text": id}}]);
    let late = json!({"write_id": "late", "after": ["first"], "writes": made("b")});
    let first = json!({"write_id": "first", "writes": made("a")});
    let post = async |transactions: Value| {
        let queue = json!({ "transactions": transactions });
        let answer = ask(&server, Method::POST, "/api/writes", &writer, Some(queue));
        answer.await.expect(200)["results"][0].clone()
    };
    let refused = post(json!([late, first])).await;
    assert_eq!(refused["error"]["code"], "depends_on_refused");
    assert_eq!(post(json!([late])).await["status"], "accepted");
    let nameless = json!({"transactions": [{"write_id": "x", "after": [""], "writes": made("c")}]});
    ask(
        &server,
        Method::POST,
        "/api/writes",
        &writer,
        Some(nameless),
    )
    .await
    .refused(422, "invalid_field");
}

#[tokio::test]
async fn a_write_can_be_asked_for_by_its_name() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let write = |id: &str, action: &str, values: Value| json!({"entity": "people", "id": id, "action": action, "values": values});
    let ask = async |token: &str, name: &str| app.get(token, &format!("/api/writes/{name}")).await;
    ask(&ada, "good").await.refused(404, "not_found");
    let sent = [
        ("good", write("p", "create", json!({"name": "one"}))),
        ("bad", write("p", "create", json!({"name": "two"}))),
    ];
    let answered = app.writes(&ada, &sent).await;
    assert_eq!(ask(&ada, "good").await.expect(200), answered[0]);
    assert_eq!(ask(&ada, "bad").await.expect(200), answered[1]);
    assert_eq!(answered[1]["error"]["code"], "already_exists");
    let other = app.token("other");
    ask(&other, "good").await.refused(404, "not_found");

    app.delete(&ada, "/api/people/p").await;
    let again = app.writes(&ada, &sent).await;
    assert_eq!(again[1], answered[1], "what was refused stays refused");
    assert_eq!(
        (&again[0]["txid"], &again[0]["rows"]),
        (&answered[0]["txid"], &json!([null]))
    );
}

#[tokio::test]
async fn an_idempotency_key_is_the_name_of_a_write() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let send = async |method: Method, path: &str, body: Value| {
        let request = app.server.request(method, path, &ada);
        Reply::of(request.header("idempotency-key", "k").json(&body)).await
    };
    let person = json!({"id": "p", "name": "one"});
    let made = send(Method::POST, "/api/people", person.clone()).await;
    let place = made.header("syncline-seq").to_owned();
    let told = app.get(&ada, "/api/writes/k").await.expect(200);
    assert_eq!(
        (&told["status"], &told["seq"].to_string()),
        (&json!("accepted"), &place)
    );
    let same =
        json!({"entity": "people", "id": "p", "action": "create", "values": {"name": "one"}});
    let through_queue = app.writes(&ada, &[("k", same)]).await;
    assert_eq!(through_queue[0]["seq"], told["seq"]);
    send(Method::PATCH, "/api/people/p", json!({"name": "x"}))
        .await
        .refused(409, "key_conflict");
    send(
        Method::POST,
        "/api/people",
        json!({"id": "q", "name": "one"}),
    )
    .await
    .refused(409, "key_conflict");
    let stale = app.server.request(Method::DELETE, "/api/people/p", &ada);
    let stale = stale
        .header("idempotency-key", "d")
        .header("if-match", "\"x\"");
    Reply::of(stale).await.refused(412, "precondition_failed");
    let gone = app.server.request(Method::DELETE, "/api/people/p", &ada);
    let gone = Reply::of(gone.header("idempotency-key", "d")).await;
    assert_eq!(gone.status, 204, "a stale request was not judged");
    let again = app.server.request(Method::DELETE, "/api/people/p", &ada);
    let again = Reply::of(again.header("idempotency-key", "d")).await;
    assert_eq!(
        (again.status, again.header("syncline-seq")),
        (gone.status, gone.header("syncline-seq"))
    );
}

#[tokio::test]
async fn a_name_is_of_one_method_and_one_path() {
    let app = App::of(LEDGER).await;
    let ada = app.member("ada", Role::Editor);
    for account in ["one", "two"] {
        app.shares(&ada, "ada", account, "owner").await;
    }
    app.post(&ada, "/api/people", json!({"id": "p", "name": "one"}))
        .await
        .expect(201);
    let booking = json!({"id": "b", "text": "first"});
    app.post(&ada, "/api/accounts/one/bookings", booking)
        .await
        .expect(201);
    let send = async |method: Method, path: &str, name: &str, body: Value| {
        let request = app.server.request(method, path, &ada);
        Reply::of(request.header("idempotency-key", name).json(&body)).await
    };
    let body = json!({"name": "two"});
    let person = "/api/people/p";
    let first = send(Method::PATCH, person, "k", body.clone()).await;
    let place = first.header("syncline-seq").to_owned();
    send(Method::PUT, person, "k", body.clone())
        .await
        .refused(409, "key_conflict");
    let again = send(Method::PATCH, person, "k", body.clone()).await;
    assert_eq!(again.header("syncline-seq"), place);

    let whole = send(Method::PUT, person, "w", body.clone()).await;
    let place = whole.header("syncline-seq").to_owned();
    send(Method::PATCH, person, "w", body.clone())
        .await
        .refused(409, "key_conflict");
    let again = send(Method::PUT, person, "w", body).await;
    assert_eq!(again.header("syncline-seq"), place);

    let text = json!({"text": "two"});
    let under = |account: &str| format!("/api/accounts/{account}/bookings/b");
    send(Method::PATCH, &under("one"), "b", text.clone())
        .await
        .expect(200);
    send(Method::PATCH, &under("two"), "b", text)
        .await
        .refused(409, "key_conflict");
}

#[tokio::test]
async fn a_write_whose_op_was_compacted_is_known_by_what_every_reader_has() {
    let (server, writer) = served().await;
    let write = |name: &str, action: &str, text: &str| {
        let write =
            json!({"entity": "notes", "id": "a", "action": action, "values": {"text": text}});
        json!({"transactions": [{"write_id": name, "writes": [write]}]})
    };
    let post = async |body: Value| {
        let answer = ask(&server, Method::POST, "/api/writes", &writer, Some(body));
        answer.await.expect(200)["results"][0].clone()
    };
    post(write("made", "create", "one")).await;
    post(write("covered", "update", "two")).await;
    post(write("last", "update", "three")).await;
    let admin = server.token("acme", Rights::Admin);
    let now = json!({"retention_seconds": 0});
    let compacted = server.post("/api/admin/compact", &admin, now).await;
    let floor = compacted.expect(200)["floor"].clone();
    let again = post(write("covered", "update", "two")).await;
    assert_eq!(
        (&again["status"], &again["seq"], &again["txid"]),
        (&json!("accepted"), &Value::Null, &floor),
        "{again}"
    );
    let path = "/api/writes/covered";
    let shown = ask(&server, Method::GET, path, &writer, None).await;
    assert_eq!(shown.expect(200)["txid"], floor);
}
