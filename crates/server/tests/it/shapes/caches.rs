//! What caches between may keep, and what names an answer.

use reqwest::Method;

use super::{shapes, shapes_with};
use crate::support::{Reply, open_to_all};

#[tokio::test]
async fn answers_say_how_long_they_keep() {
    let s = shapes_with(open_to_all).await;
    s.thread("one", "p").await;
    let first = s.ask("table=threads&offset=-1").await;
    assert_eq!(
        first.header("cache-control"),
        "public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746"
    );
    let follower = s.follow("table=threads").await;
    let later = s.ask(&follower.next()).await;
    assert_eq!(
        later.header("cache-control"),
        "public, max-age=60, stale-while-revalidate=300"
    );
    let private = shapes().await;
    let first = private.ask("table=threads&offset=-1").await;
    assert!(
        first
            .header("cache-control")
            .starts_with("private, max-age=604800")
    );
    let vary: Vec<_> = first.headers.get_all("vary").iter().collect();
    assert!(
        vary.iter().any(|value| *value == "authorization"),
        "{vary:?}"
    );
    assert_eq!(
        first.header("content-type"),
        "application/json; charset=utf-8"
    );
    assert_eq!(
        first.header("access-control-allow-methods"),
        "GET, POST, HEAD, DELETE, OPTIONS"
    );
    assert!(
        first
            .header("access-control-expose-headers")
            .contains("electric-handle")
    );
    assert_eq!(first.header("timing-allow-origin"), "*");
    assert!(first.header("electric-server").starts_with("ElectricSQL/"));
}

#[tokio::test]
async fn who_has_an_answer_is_told_so_and_a_head_has_no_body() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let query = "/v1/shape?table=threads&offset=-1";
    let first = s.server.get(query, &s.token).await;
    let etag = first.header("etag").to_owned();
    let handle = first.header("electric-handle");
    assert_eq!(etag, format!("\"{handle}:-1:0_0\""));
    for known in [
        etag.clone(),
        etag.trim_matches('"').to_owned(),
        format!("\"x\", {etag}"),
    ] {
        let again = s
            .server
            .request(Method::GET, query, &s.token)
            .header("if-none-match", known);
        let again = Reply::of(again).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
        assert_eq!(again.header("electric-handle"), handle);
        assert_eq!(again.header("electric-offset"), "0_0");
        assert!(!again.headers.contains_key("electric-up-to-date"));
    }
    let head = Reply::of(s.server.request(Method::HEAD, query, &s.token)).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("cache-control"), "no-cache");
    assert_eq!(head.header("electric-handle"), handle);
    let follower = s.follow("table=threads").await;
    s.thread("two", "p").await;
    let path = format!("/v1/shape?{}", follower.next());
    let last = s.server.get(&path, &s.token).await;
    assert_eq!(last.header("electric-up-to-date"), "");
    let again = s.server.request(Method::GET, &path, &s.token);
    let again = Reply::of(again.header("if-none-match", last.header("etag"))).await;
    assert_eq!(
        (again.status.as_u16(), again.header("electric-up-to-date")),
        (304, "")
    );
    let follower = s.follow("table=threads").await;
    let idle = s.ask(&follower.next()).await;
    let etag = idle.header("etag").to_owned();
    let again = s.server.request(
        Method::GET,
        &format!("/v1/shape?{}", follower.next()),
        &s.token,
    );
    let again = Reply::of(again.header("if-none-match", etag)).await;
    assert_eq!(again.status, 200, "what holds nothing is never what it was");
}

#[tokio::test]
async fn an_answer_that_names_a_page_s_origin_is_kept_for_that_origin() {
    let s = shapes().await;
    let path = "/v1/shape?table=threads&offset=-1";
    let asked = s.server.request(reqwest::Method::GET, path, &s.token);
    let asked = asked.header("origin", "https://app.example");
    let answer = crate::support::Reply::of(asked).await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://app.example"
    );
    let mut vary = answer.headers.get_all("vary").iter();
    assert!(vary.any(|name| name == "origin"), "{:?}", answer.headers);
}
