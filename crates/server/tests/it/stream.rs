use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use syncline_model::Timestamp;
use syncline_protocol::{PullPage, StreamMessage, StreamParser};
use syncline_store::control::Rights;
use tokio::time::timeout;

use crate::support::{PATIENCE, TestServer, now, push_of, start, start_with};

/// An open stream, and what has come of it.
struct Stream {
    response: Response,
    parser: StreamParser,
    raw: Vec<u8>,
}

impl Stream {
    async fn open(server: &TestServer, path: &str, token: &str) -> Self {
        let response = server
            .request(Method::GET, path, token)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            parser: StreamParser::new(1 << 20),
            raw: Vec::new(),
        }
    }

    /// The next event and its id; none when the stream has ended.
    async fn next(&mut self) -> Option<(PullPage, String)> {
        loop {
            if let Some(event) = self.parser.next_event() {
                let event = event.unwrap();
                let id = event.id.clone();
                let StreamMessage::Page { body, .. } = event.into() else {
                    panic!("an event that carries no page");
                };
                return Some((PullPage::decode(&body).unwrap(), id));
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("nothing came").ok().flatten()?;
            self.raw.extend_from_slice(&chunk);
            self.parser.push(&chunk);
        }
    }

    async fn places(&mut self) -> Vec<u64> {
        let (page, _) = self.next().await.expect("the stream has ended");
        page.ops.iter().map(|op| op.seq.get()).collect()
    }

    async fn ends(&mut self) {
        assert!(self.next().await.is_none(), "the stream goes on");
    }
}

fn in_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_millis(now().as_millis() + seconds * 1000).unwrap()
}

#[tokio::test]
async fn a_stream_sends_what_is_there_and_then_each_op_as_it_comes() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=2))
        .await
        .expect(200);
    let mut stream = Stream::open(&server, "/sync/stream", &token).await;
    assert_eq!(stream.places().await, [1, 2]);
    for clock in 3..=5 {
        server
            .post("/sync/push", &token, push_of("a", [clock]))
            .await
            .expect(200);
        assert_eq!(stream.places().await, [clock]);
    }
}

#[tokio::test]
async fn a_stream_is_taken_up_at_the_last_event() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=2))
        .await
        .expect(200);
    let (_, id) = Stream::open(&server, "/sync/stream", &token)
        .await
        .next()
        .await
        .unwrap();
    server
        .post("/sync/push", &token, push_of("a", 3..=4))
        .await
        .expect(200);

    let request = server.request(Method::GET, "/sync/stream", &token);
    let response = request.header("last-event-id", &id).send().await.unwrap();
    let mut again = Stream {
        response,
        parser: StreamParser::new(1 << 20),
        raw: Vec::new(),
    };
    assert_eq!(again.places().await, [3, 4]);

    let forged = format!("2-{}", "0".repeat(32));
    let request = server.request(Method::GET, "/sync/stream", &token);
    let refused = crate::support::Reply::of(request.header("last-event-id", forged)).await;
    refused.refused(409, "log_diverged");
    let request = server.request(Method::GET, "/sync/stream", &token);
    let refused = crate::support::Reply::of(request.header("last-event-id", "nonsense")).await;
    refused.refused(400, "bad_request");
}

#[tokio::test]
async fn a_page_is_sent_in_bounded_parts() {
    let server = start_with(|config| config.limits.page_ops = 2).await;
    let token = server.token("acme", Rights::Sync);
    server
        .post("/sync/push", &token, push_of("a", 1..=5))
        .await
        .expect(200);
    let mut stream = Stream::open(&server, "/sync/stream", &token).await;
    assert_eq!(stream.places().await, [1, 2]);
    assert_eq!(stream.places().await, [3, 4]);
    assert_eq!(stream.places().await, [5]);
}

#[tokio::test]
async fn a_page_that_a_stream_cannot_carry_is_hinted_at_and_ends_it() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let op =
        "{\"scope\":\"n\",\"resourceId\":\"r\",\"actor\":\"a\",\"clock\":1,\"payload\":[\r\n1]}";
    let body = format!("{{\"clientId\":\"c\",\"ops\":[{op}]}}");
    server
        .post_bytes("/sync/push", &token, body)
        .await
        .expect(200);
    let response = server
        .request(Method::GET, "/sync/stream", &token)
        .send()
        .await
        .unwrap();
    let text = timeout(PATIENCE, response.text())
        .await
        .expect("the stream goes on")
        .unwrap();
    assert_eq!(text, ":\n\nevent: pull\ndata: {}\n\n");
    let page = server.get("/sync/pull", &token).await;
    assert!(page.text.contains("[\r\n1]"), "{}", page.text);
}

#[tokio::test]
async fn silence_is_broken_by_heartbeats() {
    let server = start_with(|config| config.limits.heartbeat = Duration::from_millis(20)).await;
    let token = server.token("acme", Rights::Read);
    let mut stream = Stream::open(&server, "/sync/stream", &token).await;
    while stream.raw.len() < 3 * ":\n\n".len() {
        let chunk = timeout(PATIENCE, stream.response.chunk()).await.unwrap();
        stream.raw.extend_from_slice(&chunk.unwrap().unwrap());
    }
    assert!(stream.raw.starts_with(b":\n\n:\n\n:\n\n"));
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let server = start().await;
    let short = server.issue("acme", Rights::Read, Some(in_seconds(1))).text;
    let sync = server.token("acme", Rights::Sync);
    let mut stream = Stream::open(&server, "/sync/stream", &short).await;
    server
        .post("/sync/push", &sync, push_of("a", [1]))
        .await
        .expect(200);
    assert_eq!(stream.places().await, [1]);
    stream.ends().await;
    assert!(now() >= in_seconds(0), "time passes");
    server
        .get("/sync/stream", &short)
        .await
        .refused(401, "unauthorized");
}

#[tokio::test]
async fn a_stream_ends_when_its_token_is_revoked_by_another_process_or_over_http() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let first = server.issue("acme", Rights::Read, None);
    let second = server.issue("acme", Rights::Read, None);
    let mut streams = [
        Stream::open(&server, "/sync/stream", &first.text).await,
        Stream::open(&server, "/sync/stream", &second.text).await,
    ];
    server.revoke(first.id);
    streams[0].ends().await;
    let path = format!("/api/tokens/{}", second.id);
    let revoked = server.request(Method::DELETE, &path, &admin);
    crate::support::Reply::of(revoked).await.expect(200);
    streams[1].ends().await;
}

#[tokio::test]
async fn a_revoked_token_gets_no_op_that_came_after() {
    let server = start().await;
    let sync = server.token("acme", Rights::Sync);
    let reader = server.issue("acme", Rights::Read, None);
    let mut stream = Stream::open(&server, "/sync/stream", &reader.text).await;
    server.revoke(reader.id);
    server
        .post("/sync/push", &sync, push_of("a", [1]))
        .await
        .expect(200);
    stream.ends().await;
}

#[tokio::test]
async fn a_reset_ends_the_stream_and_the_next_one_is_told_why() {
    let server = start().await;
    let admin = server.token("acme", Rights::Admin);
    let pushed = server
        .post("/sync/push", &admin, push_of("a", [1]))
        .await
        .expect(200);
    let epoch = pushed["epoch"].as_str().unwrap();
    let path = format!("/sync/stream?epoch={epoch}");
    let mut stream = Stream::open(&server, &path, &admin).await;
    assert_eq!(stream.places().await, [1]);
    let reset = server
        .request(Method::POST, "/sync/reset", &admin)
        .header("if-match", format!("\"{epoch}\""))
        .json(&serde_json::json!({"confirm": "acme"}));
    crate::support::Reply::of(reset).await.expect(200);
    stream.ends().await;
    server
        .get(&path, &admin)
        .await
        .refused(409, "epoch_changed");
}

#[tokio::test]
async fn open_streams_end_when_the_server_stops() {
    let server = start().await;
    let token = server.token("acme", Rights::Read);
    let mut stream = Stream::open(&server, "/sync/stream", &token).await;
    let stopping = tokio::spawn(server.stop());
    stream.ends().await;
    timeout(PATIENCE, stopping)
        .await
        .expect("the server did not stop")
        .unwrap();
}

#[tokio::test]
async fn another_tenants_ops_wake_nobody() {
    let server = start().await;
    let (a, b) = (
        server.token("a", Rights::Sync),
        server.token("b", Rights::Sync),
    );
    let mut stream = Stream::open(&server, "/sync/stream", &a).await;
    server
        .post("/sync/push", &b, push_of("canary", 1..=3))
        .await
        .expect(200);
    server
        .post("/sync/push", &a, push_of("own", [1]))
        .await
        .expect(200);
    assert_eq!(stream.places().await, [1]);
    assert!(!String::from_utf8_lossy(&stream.raw).contains("canary"));
}
