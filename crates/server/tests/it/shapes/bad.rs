//! What is not answered, and how that is told.

use reqwest::{Method, StatusCode};
use serde_json::json;
use syncline_server::Deletes;
use syncline_store::control::Rights;

use super::{shapes, shapes_with};

const MISSING: &str = "Table \"public\".\"x\" does not exist. If the table name contains capitals or \
         special characters you must quote it.";

/// What is asked, the parameter at fault, and what is said of it.
const CASES: &[(&str, &str, &str)] = &[
    ("table=x&offset=-1", "table", MISSING),
    ("offset=-1", "table", "can't be blank"),
    ("table=threads", "offset", "can't be blank"),
    ("table=threads&offset=10", "offset", "has invalid format"),
    ("table=threads&offset=1_2_3", "offset", "has invalid format"),
    (
        "table=threads&offset=1_2%20",
        "offset",
        "has invalid format",
    ),
    (
        "table=threads&offset=0_0",
        "handle",
        "can't be blank when offset != -1",
    ),
    (
        "table=threads&offset=-1&live",
        "live",
        "can't be true when offset == -1",
    ),
    (
        "table=threads&offset=now&live=true",
        "live",
        "can't be true when offset is 'now'",
    ),
    (
        "table=threads&offset=-1&live_sse=true",
        "live_sse",
        "can't be true unless live is also true",
    ),
    (
        "table=threads&offset=-1&params[a]=1",
        "params",
        "Parameters can only use numbers as keys",
    ),
    (
        "table=threads&offset=-1&params[2]=1",
        "params",
        "Parameters must be numbered sequentially, starting from 1",
    ),
    (
        "table=threads&offset=-1&where=1%20x%201",
        "where",
        "At location 17: syntax error at or near \"x\"",
    ),
    (
        "table=threads&offset=-1&where=name",
        "where",
        "At location 15: WHERE clause must return a boolean",
    ),
    (
        "table=threads&offset=-1&where=thread_id%20IN%20(SELECT%201)",
        "where",
        "At location 29: subqueries are not supported in shapes",
    ),
    (
        "table=threads&offset=-1&where=created_at::timestamptz%20AT%20TIME%20ZONE%20'Europe/Berlin'%20IS%20NULL",
        "where",
        "At location 52: this time zone is not supported: only UTC and offsets are",
    ),
    (
        "table=threads&offset=-1&where=timezone($1,created_at::timestamptz)%20IS%20NULL&params[1]=Europe/Berlin",
        "where",
        "At location 24: this time zone is not supported: only UTC and offsets are",
    ),
    (
        "table=threads&offset=-1&columns=name",
        "columns",
        "Must include all primary key columns, missing: thread_id",
    ),
    (
        "table=threads&offset=-1&columns=thread_id,nope",
        "columns",
        "The following columns are not found on the table: nope",
    ),
    (
        "table=threads&offset=-1&replica=half",
        "replica",
        "is invalid",
    ),
    (
        "table=threads;drop&offset=-1",
        "table",
        "Invalid table name: syntax error at or near \";\"",
    ),
    (
        "table=%22a%22.%22b%22.%22c%22&offset=-1",
        "table",
        "Invalid table name: syntax error at or near \".\"",
    ),
    (
        "table=%22%22&offset=-1",
        "table",
        "Invalid table name: zero-length delimited identifier",
    ),
    (
        "table=main.threads&offset=-1",
        "table",
        "Table \"main\".\"threads\" does not exist. If the table name contains capitals or special characters you must quote it.",
    ),
];

#[tokio::test]
async fn bad_parameters_are_told_each_with_what_is_wrong() {
    let s = shapes().await;
    for &(query, parameter, expected) in CASES {
        let reply = s.ask(query).await;
        let body = reply.expect(400);
        assert_eq!(body["message"], "Invalid request", "{query}");
        assert_eq!(body["errors"], json!({parameter: [expected]}), "{query}");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("surrogate-control"), "no-store");
    }
}

#[tokio::test]
async fn what_is_slipped_into_a_parameter_is_never_run() {
    let s = shapes().await;
    for injection in [
        "'; DROP TABLE threads; --",
        "threads\" UNION SELECT 1 --",
        "\u{0}",
        "🦀",
    ] {
        for parameter in [
            "table",
            "where",
            "columns",
            "handle",
            "offset",
            "params[1]",
            "subset__order_by",
        ] {
            let mut query = vec![("table", "threads"), ("offset", "-1")];
            query.retain(|(name, _)| *name != parameter);
            query.push((parameter, injection));
            let url = reqwest::Url::parse_with_params(&s.server.url("/v1/shape"), &query).unwrap();
            let request = s.server.client.get(url).bearer_auth(&s.token);
            let reply = crate::support::Reply::of(request).await;
            assert!(
                reply.status.as_u16() < 500,
                "{parameter} {injection}: {}",
                reply.text
            );
        }
    }
    assert_eq!(s.ask("table=threads&offset=-1").await.status, 200);
}

#[tokio::test]
async fn a_credential_is_a_bearer_token_or_a_parameter() {
    let s = shapes().await;
    let ask = |path: String| crate::support::Reply::of(s.server.client.get(s.server.url(&path)));
    for path in ["/v1/shape", "/v1/shape/", "/v1//shape", "/v1/%73hape"] {
        let query = "table=threads&offset=-1";
        let refused = ask(format!("{path}?{query}")).await;
        let body = refused.expect(401);
        assert_eq!(
            body["message"], "Unauthorized - Invalid API secret",
            "{path}"
        );
        assert_eq!(refused.header("access-control-allow-origin"), "*");
        let wrong = ask(format!("{path}?{query}&secret=wrong")).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        for name in ["secret", "api_secret"] {
            let taken = ask(format!("{path}?{query}&{name}={}", s.token)).await;
            assert_eq!(taken.status, 200, "{path} {name}");
        }
    }
    let asked = s
        .server
        .client
        .request(Method::OPTIONS, s.server.url("/v1/shape"));
    let asked = asked.header(
        "access-control-request-headers",
        "authorization,if-none-match,x-other",
    );
    let preflight = crate::support::Reply::of(asked.header("origin", "https://app.example")).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-headers"),
        "authorization,if-none-match"
    );
    assert_eq!(
        preflight.header("access-control-allow-origin"),
        "https://app.example"
    );
    assert_eq!(preflight.header("access-control-max-age"), "86400");
    assert_eq!(
        ask("/v1/health".to_owned()).await.expect(200),
        json!({"status": "active"})
    );
}

#[tokio::test]
async fn a_shape_of_another_tenant_is_none_here() {
    let s = shapes().await;
    s.thread("secret", "p").await;
    let follower = s.follow("table=threads").await;
    let other = s.server.token("other", Rights::Sync);
    let path = format!("/v1/shape?{}", follower.next());
    let refused = s.server.get(&path, &other).await;
    let body = refused.expect(409);
    assert_eq!(body, json!([{"headers": {"control": "must-refetch"}}]));
    assert_ne!(refused.header("electric-handle"), follower.handle);
    let own = s
        .server
        .get("/v1/shape?table=threads&offset=-1", &other)
        .await;
    assert!(!own.text.contains("secret"));
}

#[tokio::test]
async fn a_handle_that_is_not_the_shapes_is_told_the_one_that_is() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    for query in [
        "table=threads&offset=0_0&handle=unknown".to_owned(),
        format!("table=entries&offset=0_0&handle={}", follower.handle),
        format!(
            "table=threads&where=true&offset=0_0&handle={}",
            follower.handle
        ),
    ] {
        let reply = s.ask(&query).await;
        reply.expect(409);
        let handle = reply.header("electric-handle");
        assert!(!handle.is_empty());
        let kept = reply.header("cache-control");
        assert_eq!(kept, "private, max-age=60, must-revalidate");
    }
    let beyond = format!("table=threads&offset=999999_0&handle={}", follower.handle);
    let s2 =
        shapes_with(|config| config.shapes.long_poll = std::time::Duration::from_millis(20)).await;
    s2.thread("one", "p").await;
    let mut there = s2.follow("table=threads").await;
    there.catch_up().await;
    let reply = s2
        .ask(&beyond.replace(&follower.handle, &there.handle))
        .await;
    assert_eq!(
        reply.expect(400)["errors"]["offset"][0],
        "out of bounds for this shape"
    );
}

#[tokio::test]
async fn a_chunk_that_no_snapshot_has_is_answered_at_once() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let far = format!(
        "table=threads&offset=0_18446744073709551615&handle={}",
        follower.handle
    );
    let answered = s.ask(&far).await.status.as_u16();
    assert!((200..500).contains(&answered), "{answered}");
}

#[tokio::test]
async fn shapes_are_deleted_where_that_is_allowed() {
    let s = shapes().await;
    let path = "/v1/shape?table=threads";
    let delete = |s: &super::Shapes, path: &str| {
        crate::support::Reply::of(s.server.request(Method::DELETE, path, &s.token))
    };
    let refused = delete(&s, path).await;
    assert_eq!(
        refused.expect(405),
        json!({"message": "DELETE not allowed"})
    );
    let s = shapes_with(|config| config.shapes.deletes = Deletes::Allowed).await;
    assert_eq!(
        delete(&s, path).await.expect(404),
        json!({"message": "No existing shape found"})
    );
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let deleted = delete(&s, path).await;
    assert_eq!(deleted.status, 202);
    assert_eq!(deleted.header("cache-control"), "no-cache");
    let told = s.ask(&follower.next()).await;
    told.expect(409);
    assert_ne!(told.header("electric-handle"), follower.handle);
}

#[tokio::test]
async fn a_url_may_hold_a_long_condition() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let names: Vec<_> = (0..1_000)
        .map(|n| format!("'{n:036}'"))
        .chain(["'one'".to_owned()])
        .collect();
    let condition = format!("name%20IN%20({})", names.join(","));
    let query = format!("table=threads&offset=-1&where={condition}");
    assert_eq!(s.ask(&query).await.expect(200)[0]["value"]["name"], "one");
}
