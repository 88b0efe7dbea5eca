//! Writes that are made on a state of the record, and readers that have it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{App, LEDGER, Role};
use crate::support::Reply;

impl App {
    async fn on_tag(
        &self,
        token: &str,
        method: Method,
        header: &str,
        tag: &str,
        body: Value,
    ) -> Reply {
        let request = self.server.request(method, "/api/people/p", token);
        Reply::of(request.header(header, tag).json(&body)).await
    }
}

#[tokio::test]
async fn a_write_on_an_older_state_is_refused_with_the_one_that_stands() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let person = json!({"id": "p", "name": "one"});
    let made = app.post(&ada, "/api/people", person).await;
    let first = made.header("etag").to_owned();
    made.expect(201);
    let shown = app.get(&ada, "/api/people/p").await;
    assert_eq!(
        shown.header("etag"),
        first,
        "what is shown is what was made"
    );
    let two = json!({"name": "two"});
    let two = app
        .on_tag(&ada, Method::PATCH, "if-match", &first, two)
        .await;
    let second = two.header("etag").to_owned();
    two.expect(200);
    assert_ne!(second, first);

    for (method, body) in [
        (Method::PATCH, json!({"name": "three"})),
        (Method::PUT, json!({"name": "three"})),
        (Method::DELETE, json!({})),
    ] {
        let stale = app.on_tag(&ada, method.clone(), "if-match", &first, body);
        let stale = stale.await.refused(412, "precondition_failed");
        let details = &stale["error"]["details"];
        assert_eq!(details["current"]["name"], "two", "{method}");
        assert_eq!(details["etag"], second, "{method}");
    }
    let unchanged = app.get(&ada, "/api/people/p").await;
    assert_eq!(
        unchanged.header("etag"),
        second,
        "a stale request never writes"
    );

    let any = format!("\"x\", {second}");
    let put = app.on_tag(&ada, Method::PUT, "if-match", &any, json!({"name": "four"}));
    assert_eq!(put.await.expect(200)["name"], "four");
    app.on_tag(&ada, Method::PATCH, "if-match", "four", json!({}))
        .await
        .refused(422, "invalid_field");
    let gone = app.on_tag(&ada, Method::DELETE, "if-match", "*", json!({}));
    assert_eq!(gone.await.status, 204);
}

#[tokio::test]
async fn a_record_that_is_put_stands_on_what_its_writer_has_seen() {
    let app = App::of(LEDGER).await;
    let ada = app.member("ada", Role::Editor);
    app.shares(&ada, "ada", "one", "owner").await;
    let all = "/api/accounts/one/bookings";
    let one = format!("{all}/b");
    let booking = json!({"id": "b", "text": "first"});
    app.post(&ada, all, booking).await.expect(201);
    let put = |text: &str, base: Value| {
        let body = json!({"account_id": "one", "text": text, "_base": base});
        app.send(&ada, Method::PUT, &one, body)
    };
    let seen = json!({"text": "first"});
    put("second", seen.clone()).await.expect(200);
    let late = put("late", seen).await.refused(409, "conflict");
    assert_eq!(
        late["error"]["details"]["conflicts"],
        json!({"text": {"base": "first", "mine": "late", "theirs": "second"}})
    );
    put("third", json!({"text": "second"})).await.expect(200);
    put("fourth", json!(1)).await.refused(422, "invalid_field");
}

#[tokio::test]
async fn who_has_a_record_is_told_so() {
    let app = App::of(LEDGER).await;
    let ada = app.token("ada");
    let person = json!({"id": "p", "name": "one", "diary": "d"});
    app.post(&ada, "/api/people", person).await.expect(201);
    let shown = app.get(&ada, "/api/people/p").await;
    let tag = shown.header("etag").to_owned();
    let ask = async |token: &str, tag: &str| {
        app.on_tag(token, Method::GET, "if-none-match", tag, json!(null))
            .await
    };
    let known = ask(&ada, &tag).await;
    assert_eq!((known.status.as_u16(), &*known.text), (304, ""));
    assert_eq!(known.header("etag"), tag);
    assert_eq!(ask(&ada, "\"x\"").await.status, 200);
    let viewer = app.member("vi", syncline_model::schema::Role::Viewer);
    assert_eq!(
        ask(&viewer, &tag).await.status,
        200,
        "another role sees another state"
    );
    let change = json!({"diary": "e"});
    let seen = app.get(&viewer, "/api/people/p").await;
    app.patch(&ada, "/api/people/p", change).await.expect(200);
    assert_eq!(ask(&ada, &tag).await.status, 200);
    assert_eq!(
        ask(&viewer, seen.header("etag")).await.status,
        304,
        "what a role may not read does not change its state"
    );
}
