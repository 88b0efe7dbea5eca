mod coded;

use std::sync::mpsc::channel;

use std::path::Path;

use syncline_replica::RealHost;

use super::*;
use crate::scripted::{Reaction, Scripted, answer};

fn get(path: &'static str) -> Call {
    Call {
        method: Method::Get,
        path,
        query: String::new(),
        accept: "application/json",
        body: None,
        save_to: None,
        answer_bytes_max: 1000,
    }
}

fn transport(server: &Scripted, token: Option<&str>) -> Transport {
    to(server.endpoint.clone(), token)
}

fn to(endpoint: Endpoint, token: Option<&str>) -> Transport {
    to_coded(endpoint, token, Coding::Plain)
}

fn to_coded(endpoint: Endpoint, token: Option<&str>, coding: Coding) -> Transport {
    let remote = Remote {
        endpoint,
        token: token.map(|text| text.parse().unwrap()),
        delivery: crate::Delivery::Live {
            interval: Duration::from_secs(30),
        },
    };
    Transport::with_coding(&remote, Arc::new(RealHost::new()), Arc::default(), coding).unwrap()
}

fn bytes(answer: &Answer) -> &[u8] {
    match &answer.body {
        AnswerBody::Bytes(bytes) => bytes,
        AnswerBody::Saved => panic!("it was to be taken into memory"),
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

#[test]
fn a_call_carries_query_body_and_token_and_brings_the_answer_whole() {
    let server = Scripted::start(|_| {
        let head = "503 Busy\r\ncontent-type: Application/JSON; charset=utf-8\r\nretry-after: 7";
        Reaction::Answer(answer(head, b"{\"a\":1}"))
    });
    let transport = transport(&server, Some("slc_x"));
    let request = Call {
        method: Method::Post,
        query: "clientId=a%20b%26c".to_owned(),
        body: Some(b"[]".to_vec()),
        ..get("sync/push")
    };
    let answer = run(transport.call(request)).unwrap();
    assert_eq!((answer.status, bytes(&answer)), (503, &b"{\"a\":1}"[..]));
    assert_eq!(answer.media_type.as_deref(), Some("application/json"));
    assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
    let seen = server.seen.recv().unwrap();
    assert_eq!(seen.line, "POST /sync/push?clientId=a%20b%26c HTTP/1.1");
    assert_eq!(seen.header("authorization"), Some("Bearer slc_x"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.body, b"[]");
    let count = transport.traffic.count();
    assert_eq!(
        (count.calls, count.sent_bytes, count.received_bytes),
        (1, 2, 7)
    );
}

#[test]
fn calls_share_a_connection() {
    let server = Scripted::start(|_| Reaction::Answer(answer("200 OK", b"{}")));
    let transport = transport(&server, None);
    run(async {
        for _ in 0..3 {
            transport.call(get("health")).await.unwrap();
        }
    });
    assert!((0..3).all(|_| server.seen.recv().unwrap().connection == 0));
}

#[test]
fn an_answer_cut_at_any_byte_is_an_error_and_never_half_an_answer() {
    let whole = answer("200 OK", b"{\"results\":[]}");
    for end in 0..whole.len() {
        let part = whole[..end].to_vec();
        let server = Scripted::start(move |_| Reaction::Cut(part.clone()));
        let error = run(transport(&server, None).call(get("x"))).unwrap_err();
        assert!(
            matches!(error, TransportError::Cut(_)),
            "cut at {end}: {error:?}"
        );
    }
}

#[test]
fn an_answer_over_the_limit_is_not_taken() {
    let server = Scripted::start(|seen| {
        if seen.line.contains("told") {
            Reaction::Answer(answer("200 OK", &[b' '; 1001]))
        } else {
            let mut bytes = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
            bytes.extend([b' '; 1001]);
            Reaction::Cut(bytes)
        }
    });
    let transport = transport(&server, None);
    for path in ["told", "untold"] {
        let error = run(transport.clone().call(get(path))).unwrap_err();
        assert!(
            matches!(error, TransportError::TooLarge { bytes_max: 1000 }),
            "{path}"
        );
    }
}

#[test]
fn a_redirect_is_told_and_the_token_not_sent_on() {
    let other = Scripted::start(|_| Reaction::Answer(answer("200 OK", b"{}")));
    let location = other.endpoint.to_string();
    let head = format!("308 Moved\r\nlocation: {location}");
    let server = Scripted::start(move |_| Reaction::Answer(answer(&head, b"")));
    let error = run(transport(&server, Some("slc_x")).call(get("x"))).unwrap_err();
    assert!(matches!(error, TransportError::Redirected { location: to } if to == location));
    assert!(other.seen.try_recv().is_err());
}

#[test]
fn no_server_is_a_connection_error_without_the_query() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(listener);
    let transport = to(endpoint, None);
    let request = Call {
        query: "clientId=hush".to_owned(),
        ..get("x")
    };
    let error = run(transport.call(request)).unwrap_err();
    assert!(matches!(error, TransportError::Connect(_)));
    assert!(!format!("{error:?}").contains("hush"));
}

#[test]
fn a_stream_brings_bytes_as_they_come_and_then_its_end() {
    let (write, chunks) = channel();
    let mut chunks = Some(chunks);
    let server = Scripted::start(move |_| Reaction::Dribble(chunks.take().unwrap()));
    let transport = transport(&server, None);
    run(async {
        write
            .send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec())
            .unwrap();
        let opened = transport
            .open_stream(get("sync/stream"), Duration::from_secs(20))
            .await;
        let Opened::Open(mut stream) = opened.unwrap() else {
            panic!("it was answered 200")
        };
        write.send(b": beat\n".to_vec()).unwrap();
        assert_eq!(stream.chunk().await.unwrap(), &b": beat\n"[..]);
        write.send(b"data: 1\n\n".to_vec()).unwrap();
        assert_eq!(stream.chunk().await.unwrap(), &b"data: 1\n\n"[..]);
        drop(write);
        let over = stream.chunk().await.unwrap_err();
        assert!(matches!(over, TransportError::StreamOver));
    });
}

#[test]
fn a_stream_that_falls_silent_is_dead_however_often_it_is_looked_at() {
    let (write, chunks) = channel();
    let mut chunks = Some(chunks);
    let server = Scripted::start(move |_| Reaction::Dribble(chunks.take().unwrap()));
    write
        .send(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec())
        .unwrap();
    run(async {
        let transport = transport(&server, None);
        let opened = transport
            .open_stream(get("sync/stream"), Duration::from_millis(50))
            .await;
        let Opened::Open(mut stream) = opened.unwrap() else {
            panic!("it was answered 200")
        };
        let looked = Duration::from_millis(1);
        let dead = async {
            loop {
                if let Ok(chunk) = timeout(looked, stream.chunk()).await {
                    return chunk;
                }
            }
        };
        let dead = timeout(Duration::from_secs(20), dead)
            .await
            .expect("it ends by itself");
        assert!(matches!(dead, Err(TransportError::TimedOut)));
    });
    drop(write);
}

#[test]
fn a_refused_stream_brings_the_whole_refusal() {
    let server = Scripted::start(|_| Reaction::Answer(answer("409 Conflict", b"{\"error\":{}}")));
    let opened = run(transport(&server, None).open_stream(get("s"), Duration::from_secs(1)));
    let Opened::Refused(refusal) = opened.unwrap() else {
        panic!("it was refused")
    };
    assert_eq!(
        (refusal.status, bytes(&refusal)),
        (409, &b"{\"error\":{}}"[..])
    );
}

/// Fetches a prepared file from a server that answers with these bytes.
fn fetch(reaction: Vec<u8>, path: &Path) -> Result<Answer, TransportError> {
    let server = Scripted::start(move |_| Reaction::Cut(reaction.clone()));
    let call = Call {
        save_to: Some(path.to_owned()),
        ..get("sync/bootstrap")
    };
    run(transport(&server, None).call(call))
}

#[test]
fn a_prepared_file_goes_to_the_disk_whatever_its_size() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.db");
    let content: Vec<u8> = (0..1_000_000_u32).map(|byte| byte as u8).collect();
    let head = format!("200 OK\r\ncontent-type: {PREPARED_FILE_TYPE}");
    let fetched = fetch(answer(&head, &content), &path).unwrap();
    assert_eq!(fetched.body, AnswerBody::Saved);
    assert!(std::fs::read(&path).unwrap() == content);
}

#[test]
fn a_prepared_file_that_is_cut_is_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.db");
    let head = format!("200 OK\r\ncontent-type: {PREPARED_FILE_TYPE}");
    let mut whole = answer(&head, &[7; 100_000]);
    whole.pop();
    assert!(matches!(fetch(whole, &path), Err(TransportError::Cut(_))));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn an_answer_that_is_no_prepared_file_is_taken_into_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.db");
    for head in [
        "200 OK\r\ncontent-type: application/json".to_owned(),
        format!("503 Busy\r\ncontent-type: {PREPARED_FILE_TYPE}"),
    ] {
        let fetched = fetch(answer(&head, b"{}"), &path).unwrap();
        assert_eq!(bytes(&fetched), b"{}");
    }
    assert!(!path.exists());
}

#[test]
fn a_coding_that_was_not_asked_for_is_told() {
    let server = Scripted::start(|_| {
        Reaction::Answer(answer("200 OK\r\ncontent-encoding: gzip", b"\x1f\x8b"))
    });
    let error = run(transport(&server, None).call(get("x"))).unwrap_err();
    assert!(matches!(error, TransportError::Coding { coding } if coding == "gzip"));
}
