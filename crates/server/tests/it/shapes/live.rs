//! Waiting for changes: long polls and streams of events.

use std::time::Duration;

use serde_json::{Value, json};

use super::evolving::with;
use super::{Shapes, shapes, shapes_with};
use crate::support::{PATIENCE, Reply};

#[tokio::test]
async fn a_long_poll_is_answered_by_the_change_that_it_waits_for() {
    let s = shapes_with(|config| config.shapes.long_poll = PATIENCE).await;
    let one = s.thread("one", "p").await;
    let follower = s.follow("table=threads&where=name%20=%20%27uno%27").await;
    let next = format!("{}&live=true&cursor=", follower.next());
    let live = s.ask(&next);
    let write = async {
        // Some that don't concern it, then one that does.
        s.thread("two", "p").await;
        s.rename(&one, "eins").await;
        s.rename(&one, "uno").await;
    };
    let (reply, ()) = tokio::time::timeout(PATIENCE, async { tokio::join!(live, write) })
        .await
        .unwrap();
    let messages = reply.expect(200);
    assert_eq!(messages[0]["headers"]["operation"], "insert");
    assert_eq!(messages[0]["value"]["name"], "uno");
    assert_eq!(messages[1]["headers"]["control"], "up-to-date");
    assert!(reply.headers.contains_key("electric-cursor"));
    assert!(!reply.headers.contains_key("electric-schema"));
    assert_eq!(
        reply.header("cache-control"),
        "private, max-age=5, stale-while-revalidate=5"
    );
    assert_eq!(reply.header("electric-has-data"), "true");
}

#[tokio::test]
async fn a_long_poll_without_a_change_ends_with_how_far_the_log_is() {
    let s = shapes_with(|config| config.shapes.long_poll = Duration::from_millis(30)).await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads&where=name%20=%20%27none%27").await;
    s.thread("two", "p").await;
    let reply = s.ask(&format!("{}&live=true", follower.next())).await;
    let messages = reply.expect(200);
    assert_eq!(messages.as_array().unwrap().len(), 1);
    assert_eq!(messages[0]["headers"]["control"], "up-to-date");
    assert_eq!(
        messages[0]["headers"]["global_last_seen_lsn"],
        s.head().await.to_string()
    );
    assert_eq!(reply.header("electric-offset"), follower.offset);
    assert_eq!(reply.header("electric-has-data"), "false");
}

#[tokio::test]
async fn a_deleted_shape_ends_the_wait_for_it() {
    let s = shapes_with(|config| {
        config.shapes.long_poll = PATIENCE;
        config.shapes.deletes = syncline_server::Deletes::Allowed;
    })
    .await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let live = format!("{}&live=true", follower.next());
    let delete = async {
        let path = "/v1/shape?table=threads";
        let request = s.server.request(reqwest::Method::DELETE, path, &s.token);
        crate::support::Reply::of(request).await
    };
    let (live, deleted) = tokio::join!(s.ask(&live), delete);
    assert_eq!(deleted.status, 202);
    live.expect(409);
}

#[tokio::test]
async fn a_place_that_is_not_there_is_waited_for_no_longer_than_the_shape_lasts() {
    let s = shapes_with(|config| {
        config.shapes.long_poll = PATIENCE * 4;
        config.shapes.deletes = syncline_server::Deletes::Allowed;
    })
    .await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let handle = &follower.handle;
    let beyond = format!("table=threads&handle={handle}&offset=999_inf&live=true");
    let delete = async {
        let path = "/v1/shape?table=threads";
        let request = s.server.request(reqwest::Method::DELETE, path, &s.token);
        crate::support::Reply::of(request).await
    };
    let both = async { tokio::join!(s.ask(&beyond), delete) };
    let (beyond, deleted) = tokio::time::timeout(PATIENCE, both).await.unwrap();
    assert_eq!(deleted.status, 202);
    beyond.expect(409);
}

#[tokio::test]
async fn a_silent_stream_tells_how_far_other_tables_have_come() {
    let s = shapes_with(|config| config.shapes.keep_alive = Duration::from_millis(20)).await;
    s.thread("one", "p").await;
    let query = "table=threads&where=name%20=%20%27none%27";
    let follower = s.follow(query).await;
    let path = format!("/v1/shape?{}&live=true&live_sse=true", follower.next());
    let request = s.server.request(reqwest::Method::GET, &path, &s.token);
    let mut response = request.send().await.unwrap();
    let list = serde_json::json!({"list_id": "l", "title": "t"});
    s.server
        .post("/api/lists", &s.token, list)
        .await
        .expect(201);
    let told = format!("\"global_last_seen_lsn\":\"{}\"", s.head().await);
    let mut text = String::new();
    let read = async {
        while !text.contains(&told) || !text.ends_with(": keep-alive\n\n") {
            let bytes = response.chunk().await.unwrap();
            let bytes = bytes.expect("the stream has ended");
            text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
    assert_eq!(text.matches(&told).count(), 1, "once: {text}");
}

#[tokio::test]
async fn events_come_one_by_one_and_silence_is_filled() {
    let s = shapes_with(|config| config.shapes.keep_alive = Duration::from_millis(20)).await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let path = format!("/v1/shape?{}&live=true&live_sse=true", follower.next());
    let request = s.server.request(reqwest::Method::GET, &path, &s.token);
    let mut response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "private, max-age=59");
    let mut text = String::new();
    let mut has_written = false;
    let read = async {
        while !text.contains("\"two\"") || !text.contains(": keep-alive") {
            let bytes = response
                .chunk()
                .await
                .unwrap()
                .expect("the stream has ended");
            text.push_str(std::str::from_utf8(&bytes).unwrap());
            if text.contains(": keep-alive") && !has_written {
                has_written = true;
                s.thread("two", "p").await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
    let events: Vec<_> = text
        .split("\n\n")
        .filter(|event| event.starts_with("data: "))
        .collect();
    assert!(events[0].contains("\"control\":\"up-to-date\""), "{text}");
    assert!(events[1].contains("\"operation\":\"insert\""), "{text}");
    for event in events {
        let json = event.strip_prefix("data: ").unwrap();
        serde_json::from_str::<serde_json::Value>(json).unwrap();
    }
}

#[tokio::test]
async fn a_stream_tells_each_change_once_and_the_next_one_goes_on_behind_it() {
    let s = shapes().await;
    s.thread("one", "p").await;
    let mut follower = s.follow("table=threads").await;
    let path = format!("/v1/shape?{}&live=true&live_sse=true", follower.next());
    let request = s.server.request(reqwest::Method::GET, &path, &s.token);
    let mut response = request.send().await.unwrap();
    let mut text = String::new();
    for name in ["two", "three", "four"] {
        s.thread(name, "p").await;
        let named = format!("\"name\":\"{name}\"");
        let read = async {
            // What ends a batch comes behind all of it.
            while text
                .rfind(&named)
                .is_none_or(|at| !text[at..].contains("up-to-date"))
            {
                let bytes = response.chunk().await.unwrap();
                let bytes = bytes.expect("the stream has ended");
                text.push_str(std::str::from_utf8(&bytes).unwrap());
            }
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap();
        assert_eq!(text.matches(&named).count(), 1, "{text}");
    }
    assert_eq!(
        text.matches("\"operation\":\"insert\"").count(),
        3,
        "{text}"
    );
    // A reader that comes back where it was is told of what it lacks, once.
    drop(response);
    follower.catch_up().await;
    let path = format!("/v1/shape?{}&live=true&live_sse=true", follower.next());
    s.thread("five", "p").await;
    let request = s.server.request(reqwest::Method::GET, &path, &s.token);
    let reply = crate::support::Reply::of(request);
    let reply = tokio::time::timeout(PATIENCE, reply).await.unwrap();
    assert_eq!(reply.text.matches("\"name\":\"five\"").count(), 1);
    let made = reply.text.matches("\"operation\":\"insert\"").count();
    assert_eq!(made, 1, "{}", reply.text);
}

/// The client of such a stream takes the place of its head at once, and what it holds with the message that
/// it is up to date.
#[tokio::test]
async fn a_stream_of_many_parts_ends_each_batch_and_does_not_name_a_place_behind_it() {
    // Each part has one row and is full.
    let s = shapes_with(|config| config.shapes.chunk_bytes = 1).await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let next = format!("{}&live=true&live_sse=true", follower.next());
    for name in ["two", "three", "four"] {
        s.thread(name, "p").await;
    }
    let reply = tokio::time::timeout(PATIENCE, s.ask(&next)).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("electric-offset"), follower.offset);
    let told: Vec<_> = reply.text.split_terminator("\n\n").collect();
    let rows = told.iter().filter(|event| event.contains("insert"));
    assert_eq!(rows.count(), 3, "{}", reply.text);
    assert!(
        told.last().unwrap().contains("up-to-date"),
        "{}",
        reply.text
    );

    let mut follower = s.follow("table=threads").await;
    follower.catch_up().await;
    let path = format!("/v1/shape?{}&live=true&live_sse=true", follower.next());
    let request = s.server.request(reqwest::Method::GET, &path, &s.token);
    let mut response = request.send().await.unwrap();
    let offset = response.headers()["electric-offset"].to_str().unwrap();
    assert_eq!(offset, follower.offset);
    s.thread("five", "p").await;
    let mut text = String::new();
    let read = async {
        while text
            .find("\"five\"")
            .is_none_or(|at| !text[at..].contains("up-to-date"))
        {
            let bytes = response.chunk().await.unwrap();
            let bytes = bytes.expect("the stream has ended");
            text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
}

/// Writes notes of this text, all in one op.
async fn notes(s: &Shapes, text: &str, ids: &[&str]) {
    let note = |id: &&str| json!({"entity": "notes", "id": format!("{text} {id}"), "action": "create", "values": {"text": text}});
    let writes: Value = ids.iter().map(note).collect();
    let sent = json!({"transactions": [{"write_id": format!("{text} {ids:?}"), "writes": writes}]});
    let sent = s.server.post("/api/writes", &s.token, sent).await;
    let seq = sent.expect(200)["results"][0]["seq"].as_u64();
    assert_eq!(seq, Some(s.head().await), "one op");
}

/// The rows of an answer, by the last word of their keys.
fn rows_of(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let keys = reply.text.split("\"key\":\"").skip(1);
    let last = keys.map(|key| key.split("\\\"\"").next().unwrap());
    last.map(|key| key.rsplit(' ').next().unwrap().to_owned())
        .collect()
}

/// Nobody has waited for the filter when the op is told of, and who asks first stands within it next.
#[tokio::test]
async fn an_op_of_several_rows_is_told_whole_to_who_waits_first_after_it() {
    // Each part has one row and is full.
    let s = shapes_with(|config| {
        config.shapes.chunk_bytes = 1;
        config.shapes.long_poll = Duration::from_millis(30);
    })
    .await;
    s.apply(&with(&[]), "").await;
    for (text, live) in [
        ("polled", "live=true"),
        ("streamed", "live=true&live_sse=true"),
    ] {
        let query = format!("table=notes&where=text%20=%20%27{text}%27");
        let first = s.ask(&format!("{query}&offset=-1")).await;
        let handle = first.header("electric-handle");
        let ask = async |offset: &str| {
            let next = format!("{query}&handle={handle}&offset={offset}&{live}");
            tokio::time::timeout(PATIENCE, s.ask(&next)).await.unwrap()
        };
        let mut offset = "0_inf".to_owned();
        for ids in [&["1", "2", "3"][..], &["4"]] {
            notes(&s, text, ids).await;
            let place = s.head().await;
            let mut told = Vec::new();
            loop {
                let reply = ask(&offset).await;
                told.extend(rows_of(&reply));
                offset = reply.header("electric-offset").to_owned();
                if reply.text.contains("up-to-date") {
                    break;
                }
            }
            assert_eq!(told, ids, "{text}");
            if live.contains("sse") {
                // As the public client goes on from the `global_last_seen_lsn` of a stream.
                offset = format!("{place}_0");
            }
        }
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_time_and_with_the_server() {
    let s = shapes_with(|config| config.shapes.stream = Duration::from_millis(30)).await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let reply = s
        .ask(&format!("{}&live=true&live_sse=true", follower.next()))
        .await;
    assert!(
        reply
            .text
            .starts_with("data: {\"headers\":{\"control\":\"up-to-date\""),
        "{}",
        reply.text
    );
    let s = shapes().await;
    s.thread("one", "p").await;
    let follower = s.follow("table=threads").await;
    let path = format!("/v1/shape?{}&live=true", follower.next());
    let request = s.server.request(reqwest::Method::GET, &path, &s.token);
    let waiting = tokio::spawn(crate::support::Reply::of(request));
    let stopped = tokio::time::timeout(PATIENCE, s.server.stop()).await;
    assert!(stopped.is_ok());
    // Either it was waiting and is answered, or it came too late.
    let _ = waiting.await;
}

#[tokio::test]
async fn more_readers_than_may_be_are_asked_to_come_back() {
    let s = shapes_with(|config| {
        config.shapes.initial_requests_max = 0;
    })
    .await;
    let reply = s.ask("table=threads&offset=-1").await;
    let body = reply.expect(503);
    assert_eq!(body["code"], "concurrent_request_limit_exceeded");
    assert_eq!(reply.header("electric-internal-known-error"), "true");
    let seconds: u64 = reply.header("retry-after").parse().unwrap();
    assert!((5..=10).contains(&seconds));
}
