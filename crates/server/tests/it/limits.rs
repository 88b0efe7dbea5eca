use std::io::{Read, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use reqwest::Method;
use syncline_server::{Rate, RateLimits};
use syncline_store::control::Rights;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, Reply, push_of, start, start_with};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

#[tokio::test]
async fn bodies_are_bounded_as_sent_and_as_expanded() {
    let server = start_with(|config| {
        config.limits.body_bytes = 10_000;
        config.limits.expanded_bytes = 100_000;
    })
    .await;
    let token = server.token("acme", Rights::Sync);
    let reply = server
        .post_bytes("/sync/push", &token, vec![b' '; 10_001])
        .await;
    reply.refused(413, "payload_too_large");

    // Ten megabytes in ten kilobytes.
    let bomb = gzip(&vec![b' '; 8_000_000]);
    assert!(bomb.len() < 10_000);
    let request = server
        .request(Method::POST, "/sync/push", &token)
        .header("content-encoding", "gzip")
        .body(bomb);
    Reply::of(request).await.refused(413, "payload_too_large");
    let request = server
        .request(Method::POST, "/sync/push", &token)
        .header("content-encoding", "zstd")
        .body("x");
    Reply::of(request)
        .await
        .refused(415, "unsupported_media_type");
    server
        .post("/sync/push", &token, push_of("a", [1]))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_push_has_a_bound_of_ops() {
    let server = start_with(|config| config.limits.push_ops = 3).await;
    let token = server.token("acme", Rights::Sync);
    let reply = server.post("/sync/push", &token, push_of("a", 1..=4)).await;
    reply.refused(413, "payload_too_large");
    server
        .post("/sync/push", &token, push_of("a", 1..=3))
        .await
        .expect(200);
}

#[tokio::test]
async fn a_payload_that_is_too_large_or_too_deep_is_rejected_alone() {
    let server = start_with(|config| config.limits.payload_bytes = 1_000).await;
    let token = server.token("acme", Rights::Sync);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let large = format!("\"{}\"", "x".repeat(1_000));
    for payload in [deep, large] {
        let body = format!(
            r#"{{"clientId":"c","ops":[{{"scope":"n","resourceId":"r","actor":"a","clock":1,"payload":{payload}}}]}}"#
        );
        let answer = server
            .post_bytes("/sync/push", &token, body)
            .await
            .expect(200);
        assert_eq!(answer["results"][0]["error"]["code"], "too_large");
    }
}

#[tokio::test]
async fn a_length_that_lies_costs_the_liar_alone() {
    let server = start().await;
    let token = server.token("acme", Rights::Sync);
    let head = |length: usize| {
        format!(
            "POST /sync/push HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\n\r\n",
            server.address
        )
    };
    // More is promised than is sent.
    let mut short = TcpStream::connect(server.address).await.unwrap();
    short.write_all(head(5_000).as_bytes()).await.unwrap();
    short.write_all(b"{\"clientId\":").await.unwrap();
    short.shutdown().await.unwrap();
    let mut answer = String::new();
    short.read_to_string(&mut answer).await.unwrap();
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");

    // More is sent than is promised: the rest is no part of the body.
    let body = push_of("a", [1]).to_string();
    let mut long = TcpStream::connect(server.address).await.unwrap();
    long.write_all(head(body.len()).as_bytes()).await.unwrap();
    long.write_all(format!("{body}garbage\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = vec![0; 12];
    long.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200");

    // More is promised than is taken.
    let mut huge = TcpStream::connect(server.address).await.unwrap();
    huge.write_all(head(1 << 40).as_bytes()).await.unwrap();
    huge.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
    server
        .post("/sync/push", &token, push_of("a", [2]))
        .await
        .expect(200);
}

#[tokio::test]
async fn failed_authentication_is_limited_and_a_good_token_still_passes() {
    let server = start_with(|config| {
        config.rate_limits.failed_authentication = Some(Rate {
            burst: 3,
            per: Duration::from_secs(600),
        });
    })
    .await;
    let good = server.token("acme", Rights::Read);
    for _ in 0..3 {
        let refused = server.get("/api/whoami", "sl_wrong").await;
        refused.refused(401, "unauthorized");
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
    }
    let refused = server.get("/api/whoami", "sl_wrong").await;
    refused.refused(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=200).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit-limit"), "3");
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    server.get("/api/whoami", &good).await.expect(200);
}

#[tokio::test]
async fn requests_are_limited_by_user_where_that_is_set() {
    let server = start_with(|config| {
        config.rate_limits = RateLimits {
            requests: Some(Rate {
                burst: 2,
                per: Duration::from_secs(600),
            }),
            ..RateLimits::default()
        };
    })
    .await;
    let (a, b) = (
        server.token("a", Rights::Read),
        server.token("b", Rights::Read),
    );
    let first = server.get("/api/whoami", &a).await;
    assert_eq!(
        (first.status.as_u16(), first.header("ratelimit-remaining")),
        (200, "1")
    );
    server.get("/api/whoami", &a).await.expect(200);
    let refused = server.get("/api/whoami", &a).await;
    refused.refused(429, "rate_limited");
    assert!(!refused.header("retry-after").is_empty());
    server.get("/api/whoami", &b).await.expect(200);
    let open = Reply::of(server.client.get(server.url("/health"))).await;
    open.expect(200);
}

/// A connection that asks whether the server is there, and stays open.
struct Asking(TcpStream);

impl Asking {
    async fn at(server: &crate::support::TestServer) -> Self {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let host = server.address;
        let request = format!("GET /ready HTTP/1.1\r\nhost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self(stream)
    }

    /// Whether the answer begins within this time.
    async fn is_answered(&mut self, within: Duration) -> bool {
        let mut begun = [0; 15];
        let answer = tokio::time::timeout(within, self.0.read_exact(&mut begun)).await;
        answer.is_ok_and(|read| read.is_ok() && begun == *b"HTTP/1.1 200 OK")
    }
}

#[tokio::test]
async fn connections_beyond_their_bound_wait_until_one_ends() {
    let server = start_with(|config| config.connections_max = 2).await;
    let mut first = Asking::at(&server).await;
    let mut second = Asking::at(&server).await;
    assert!(first.is_answered(PATIENCE).await && second.is_answered(PATIENCE).await);
    let mut third = Asking::at(&server).await;
    let mut fourth = Asking::at(&server).await;
    // None that comes in vain is answered, however long it is waited for.
    assert!(!third.is_answered(Duration::from_millis(300)).await);
    drop(first);
    assert!(third.is_answered(PATIENCE).await);
    drop((second, third));
    assert!(fourth.is_answered(PATIENCE).await);
    drop(fourth);
    server.stop().await;
}
