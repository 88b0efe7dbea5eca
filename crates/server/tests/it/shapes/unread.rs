//! Clients that open a shape and never read what they are sent.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use syncline_server::ServeConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::evolving::with;
use super::{Follower, Shapes, shapes_with};
use crate::support::{PATIENCE, eventually};

/// Rows that are there when the clients come, rows that are written then, and rows of one write.
const ROWS_BEFORE: usize = 15_000;
const ROWS: usize = 20_000;
const ROWS_AT_ONCE: usize = 500;
/// The body of a row; as a message it is twice as much.
const BODY_BYTES: usize = 200;
/// Clients of each kind that read nothing.
const UNREAD: usize = 20;
/// Bytes of an answer: what one that nobody takes holds of the log at most.
const CHUNK_BYTES: usize = 2 << 20;
/// What all those clients may have the server hold together: of a stream or a poll an answer, which those
/// at one place share, and of a snapshot a piece. All that they are owed is ten times as much.
const HELD_MAX: u64 = 64 << 20;
/// Bytes of a client's own buffer.
const RECEIVED: u32 = 4 << 10;

/// Says that a process is one in which nothing else runs, so that its memory is what one test holds.
const ALONE: &str = "SYNCLINE_TEST_ALONE";

async fn notes(configure: impl FnOnce(&mut ServeConfig)) -> Shapes {
    let s = shapes_with(|config| {
        config.shapes.chunk_bytes = CHUNK_BYTES;
        configure(config);
    })
    .await;
    s.apply(&with(&["body"]), "").await;
    s
}

async fn fill(s: &Shapes, rows: std::ops::Range<usize>) {
    let rows: Vec<_> = rows.collect();
    for some in rows.chunks(ROWS_AT_ONCE) {
        let note = |n: &usize| {
            let body = format!("{n:0>BODY_BYTES$}");
            json!({"id": format!("n{n}"), "text": "t", "body": body})
        };
        let notes: Value = some.iter().map(note).collect();
        s.server
            .post("/api/notes", &s.token, notes)
            .await
            .expect(201);
    }
}

/// A client that asks, and takes nothing of the answer.
async fn unread(s: &Shapes, query: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(RECEIVED).unwrap();
    let mut stream = socket.connect(s.server.address).await.unwrap();
    let head = format!(
        "GET /v1/shape?{query} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        s.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Such clients: of streams, of polls that are behind, and of snapshots.
async fn unread_of(s: &Shapes, follower: &Follower<'_>, behind: &str) -> Vec<TcpStream> {
    let queries = [
        format!("{}&live=true&live_sse=true", follower.next()),
        format!("{behind}&live=true"),
        // A shape of its own, which begins with all the rows that are there.
        "table=notes&where=true&offset=-1".to_owned(),
    ];
    let mut clients = Vec::new();
    for query in &queries {
        for _ in 0..UNREAD {
            clients.push(unread(s, query).await);
        }
    }
    clients
}

/// Bytes of memory that this process has; none where the system does not say.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes = line.trim().strip_suffix("kB")?.trim();
    kilobytes.parse::<u64>().ok().map(|count| count << 10)
}

async fn connections(s: &Shapes) -> usize {
    let metrics = s.server.metrics().await;
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("syncline_connections "));
    line.unwrap().parse().unwrap()
}

/// Runs a test of this binary in a process of its own.
#[allow(clippy::print_stdout, reason = "it says what the process has said")]
fn alone(name: &str) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "yes")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{told}\n{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(told.contains("1 passed"), "{told}");
    print!("{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_holds_little_of_memory_and_nobody_up() {
    if std::env::var_os(ALONE).is_none() {
        return alone("shapes::unread::who_never_reads_holds_little_of_memory_and_nobody_up");
    }
    let s = notes(|config| {
        // They stay to the end, which waits for them as long as this and no longer.
        config.write_wait = Duration::from_secs(24 * 3_600);
        config.shapes.stream = Duration::from_secs(24 * 3_600);
        config.drain = Duration::from_secs(1);
    })
    .await;
    fill(&s, 0..1).await;
    let behind = s.follow("table=notes").await.next();
    fill(&s, 1..ROWS_BEFORE).await;
    let mut follower = s.follow("table=notes").await;
    let before = resident();
    let clients = unread_of(&s, &follower, &behind).await;
    eventually("all are there", async || {
        connections(&s).await > clients.len()
    })
    .await;
    fill(&s, ROWS_BEFORE..ROWS_BEFORE + ROWS).await;
    // The system's own buffers have taken the answers of the others, whose connections may be let go of.
    assert!(connections(&s).await > UNREAD, "streams are still there");
    let held = resident()
        .zip(before)
        .map(|(now, before)| now.saturating_sub(before));
    println!(
        "{} clients that read nothing: {held:?} bytes more",
        clients.len()
    );
    // Others are served.
    let live = format!("{}&live=true", follower.next());
    let told = tokio::time::timeout(PATIENCE, s.ask(&live)).await.unwrap();
    assert!(told.expect(200).as_array().unwrap().len() > ROWS_AT_ONCE);
    follower.catch_up().await;
    assert_eq!(follower.rows().len(), ROWS_BEFORE + ROWS);
    assert!(held.is_none_or(|held| held < HELD_MAX), "{held:?}");
    drop(follower);
    let stopped = tokio::time::timeout(PATIENCE, s.server.stop()).await;
    stopped.expect("the server stops though they do not read");
}

#[tokio::test]
async fn who_never_reads_is_let_go_of() {
    let s = notes(|config| {
        config.write_wait = Duration::from_secs(3);
        // An answer that the system's own buffers hold is sent, as far as a server can tell.
        config.shapes.chunk_bytes = CHUNK_BYTES * 8;
    })
    .await;
    fill(&s, 0..1).await;
    let behind = s.follow("table=notes").await.next();
    let follower = s.follow("table=notes").await;
    fill(&s, 1..ROWS_BEFORE).await;
    let before = connections(&s).await;
    let clients = unread_of(&s, &follower, &behind).await;
    eventually("none is left", async || connections(&s).await <= before).await;
    drop(clients);
    assert_eq!(s.follow("table=notes").await.rows().len(), ROWS_BEFORE);
}
