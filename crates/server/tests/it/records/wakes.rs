//! Who waits hears of what they may see from now on.

use reqwest::Method;
use serde_json::{Value, json};
use syncline_model::schema::Role;
use syncline_store::control::Rights;

use super::{App, LEDGER};
use crate::support::{PATIENCE, Reply, start_with};

/// An account that `olga` owns, with one booking, and `vi` as a viewer; the token of each.
async fn shared() -> (App, String, String) {
    let server = start_with(|config| config.shapes.long_poll = PATIENCE).await;
    let app = App { server };
    app.apply(LEDGER).await;
    let olga = app.member("olga", Role::Editor);
    app.shares(&olga, "olga", "one", "owner").await;
    app.shares(&olga, "vi", "one", "viewer").await;
    let booking = json!({"id": "b", "text": "first", "margin": "m"});
    app.post(&olga, "/api/accounts/one/bookings", booking)
        .await
        .expect(201);
    let vi = app.token("vi");
    (app, olga, vi)
}

impl App {
    async fn shape(&self, token: &str, query: &str) -> Reply {
        let path = format!("/v1/shape?table=bookings&{query}");
        Reply::of(self.server.request(Method::GET, &path, token)).await
    }

    /// The sight and the place that a pull of everything leads to.
    async fn pulled(&self, token: &str) -> (String, String) {
        let page = self.server.get("/sync/pull", token).await.expect(200);
        let cursor = &page["cursor"];
        let place = format!(
            "since={}&mark={}",
            cursor["serverSeq"],
            cursor["mark"].as_str().unwrap()
        );
        (page["sight"].as_str().unwrap().to_owned(), place)
    }
}

#[tokio::test]
async fn a_reader_who_waits_for_a_shape_learns_at_once_that_a_membership_has_changed() {
    let (app, olga, vi) = shared().await;
    let first = app.shape(&vi, "offset=-1").await;
    assert_eq!(first.expect(200).as_array().unwrap().len(), 2);
    let (handle, offset) = (
        first.header("electric-handle"),
        first.header("electric-offset"),
    );
    let next = format!("handle={handle}&offset={offset}&live=true");
    let live = app.shape(&vi, &next);
    let taken = async { app.delete(&olga, "/api/memberships/vi-one").await };
    let both = async { tokio::join!(live, taken) };
    let (reply, taken) = tokio::time::timeout(PATIENCE / 2, both).await.unwrap();
    assert_eq!((reply.status.as_u16(), taken.status.as_u16()), (409, 204));
    let control = &reply.json()[0]["headers"]["control"];
    assert_eq!(control, "must-refetch");
    let anew = app.shape(&vi, "offset=-1").await.expect(200);
    let rows = anew.as_array().unwrap().iter();
    let rows: Vec<&Value> = rows.filter(|row| row.get("key").is_some()).collect();
    assert_eq!(rows, [] as [&Value; 0], "the rows have left");
}

#[tokio::test]
async fn a_shape_that_showed_everything_shows_nothing_more_once_a_column_is_for_some() {
    let server = start_with(|config| config.shapes.long_poll = PATIENCE).await;
    let app = App { server };
    let restrictions = "      read_permissions:
        viewer: [open]
        editor: [open, diary]
        owner: [open, diary, pay]
";
    assert!(LEDGER.contains(restrictions));
    app.apply(&LEDGER.replace(restrictions, "")).await;
    let (ada, olga) = (
        app.member("ada", Role::Editor),
        app.member("olga", Role::Owner),
    );
    let person = json!({"id": "p", "name": "Pat", "salary": "before"});
    app.post(&olga, "/api/people", person).await.expect(201);
    let shape = async |query: &str| {
        let path = format!("/v1/shape?table=people&{query}");
        Reply::of(app.server.request(Method::GET, &path, &ada)).await
    };
    let first = shape("offset=-1").await;
    assert!(first.text.contains("before"));
    let handle = first.header("electric-handle");
    let next = format!(
        "handle={handle}&offset={}&live=true",
        first.header("electric-offset")
    );
    let caught_up = shape(&next.replace("&live=true", "")).await;
    let next = format!(
        "handle={handle}&offset={}&live=true",
        caught_up.header("electric-offset")
    );
    let changed = async {
        let admin = app.server.token("acme", Rights::Admin);
        let path = "/api/schema?allow=change-access";
        let request = app.server.request(Method::PUT, path, &admin);
        Reply::of(request.body(LEDGER)).await.expect(200);
        let raise = json!({"salary": "CANARY"});
        app.patch(&olga, "/api/people/p", raise).await.expect(200);
    };
    let both = async { tokio::join!(shape(&next), changed) };
    let (reply, ()) = tokio::time::timeout(PATIENCE / 2, both).await.unwrap();
    assert!(!reply.text.contains("CANARY"), "{}", reply.text);
    assert_eq!(reply.status.as_u16(), 409);
    let anew = shape("offset=-1").await;
    assert!(anew.text.contains("Pat") && !anew.text.contains("CANARY"));
}

/// A stream of the bookings that has told all that there is, so that its reader is waiting.
async fn waiting(app: &App, token: &str) -> reqwest::Response {
    let first = app.shape(token, "offset=-1").await;
    let handle = first.header("electric-handle");
    let at = |reply: &Reply| format!("handle={handle}&offset={}", reply.header("electric-offset"));
    let caught_up = app.shape(token, &at(&first)).await;
    let path = format!(
        "/v1/shape?table=bookings&{}&live=true&live_sse=true",
        at(&caught_up)
    );
    let request = app.server.request(Method::GET, &path, token);
    let mut stream = request.send().await.unwrap();
    let told = stream.chunk().await.unwrap().unwrap();
    assert!(told.starts_with(b"data: {\"headers\":{\"control\":\"up-to-date\""));
    stream
}

#[tokio::test]
async fn a_stream_of_a_shape_ends_at_once_with_the_membership_or_schema_that_it_was_by() {
    let server = start_with(|config| {
        config.shapes.keep_alive = PATIENCE * 4;
        config.shapes.stream = PATIENCE * 4;
    })
    .await;
    let app = App { server };
    app.apply(LEDGER).await;
    let olga = app.member("olga", Role::Editor);
    app.shares(&olga, "olga", "one", "owner").await;
    app.shares(&olga, "vi", "one", "viewer").await;
    let vi = app.token("vi");
    let ends = async |mut stream: reqwest::Response| {
        let end = async { while stream.chunk().await.unwrap().is_some() {} };
        tokio::time::timeout(PATIENCE, end).await.is_ok()
    };
    let stream = waiting(&app, &vi).await;
    let owner = json!({"role": "owner"});
    app.patch(&olga, "/api/memberships/vi-one", owner)
        .await
        .expect(200);
    assert!(ends(stream).await, "another role is another shape");
    let stream = waiting(&app, &vi).await;
    let more = LEDGER.replacen(
        "text: { type: string }",
        "text: { type: string }\n        more: { type: string }",
        1,
    );
    app.apply(&more).await;
    assert!(ends(stream).await, "another schema is another table");
}

#[tokio::test]
async fn a_stream_ends_when_what_its_reader_sees_is_another_thing() {
    let (app, olga, vi) = shared().await;
    let (sight, place) = app.pulled(&vi).await;
    let path = format!("/sync/stream?{place}&sight={sight}");
    let open = async || {
        let stream = app.server.request(Method::GET, &path, &vi).send();
        let stream = stream.await.unwrap();
        assert_eq!(stream.status(), 200);
        stream
    };
    let ends = async |mut stream: reqwest::Response| {
        let end = async { while stream.chunk().await.unwrap().is_some() {} };
        tokio::time::timeout(PATIENCE, end).await.unwrap();
        app.server
            .get(&path, &vi)
            .await
            .refused(410, "rebuild_required");
    };
    let stream = open().await;
    let owner = json!({"role": "owner"});
    app.patch(&olga, "/api/memberships/vi-one", owner)
        .await
        .expect(200);
    ends(stream).await;
}

#[tokio::test]
async fn a_stream_ends_when_its_readers_role_in_the_tenant_is_another() {
    let (app, olga, _) = shared().await;
    for named in [true, false] {
        let user = format!("user-{named}");
        let token = app.member(&user, Role::Owner);
        let (sight, place) = app.pulled(&token).await;
        let sight = if named {
            format!("&sight={sight}")
        } else {
            String::new()
        };
        let path = format!("/sync/stream?{place}{sight}");
        let mut stream = app
            .server
            .request(Method::GET, &path, &token)
            .send()
            .await
            .unwrap();
        app.member(&user, Role::Viewer);
        let end = async { while stream.chunk().await.unwrap().is_some() {} };
        tokio::time::timeout(PATIENCE, end).await.unwrap();
    }
    app.get(&olga, "/api/people").await.expect(200);
}
