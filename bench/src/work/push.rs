//! Pushing: one client with large batches, and many with one op each.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use syncline_model::Op;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Bench;
use crate::bare::{self, Sync, Tables};
use crate::http::{Connection, head};
use crate::input;
use crate::measure::{Bar, Row};
use crate::program::{Server, token};

const BATCH: usize = 1000;
/// How many pushes the one client has out at once.
const IN_FLIGHT: usize = 2;

/// Batches of 1,000 ops of 200 bytes that nobody folds.
pub(crate) fn opaque(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let count = bench.scaled(300_000, 4000);
    let ops = input::opaque(1, count, 200);
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let directory = tempfile::tempdir()?;
        let limit = bare::insert_ops(&directory.path().join("bare"), Sync::Full, &ops, BATCH)?;
        runs.push((push_batches(&ops)?, limit));
    }
    let limit = "bare SQLite, same columns and index, FULL, 1,000 a transaction";
    Ok(vec![Row::new(
        "push 200 B ×1000",
        "ops/s",
        limit,
        Bar::AtLeast(0.5),
        &runs,
    )])
}

/// Batches of 1,000 thread entries of 1 KB, folded and indexed.
pub(crate) fn entries(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let count = bench.scaled(60_000, 2000);
    let entries: Vec<_> = (1..=count)
        .map(|place| input::entry(1, place, 1000))
        .collect();
    let ops: Vec<Op> = entries.iter().map(|(op, _)| op.clone()).collect();
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let directory = tempfile::tempdir()?;
        let bare = directory.path().join("bare");
        let limit = bare::insert_entries(&bare, Sync::Full, &entries, BATCH, Tables::View)?;
        runs.push((push_batches(&ops)?, limit));
    }
    let limit = "bare SQLite inserting them with the same full-text index, FULL";
    Ok(vec![Row::new(
        "push thread entries 1 KB ×1000",
        "ops/s",
        limit,
        Bar::AtLeast(0.5),
        &runs,
    )])
}

fn push_batches(ops: &[Op]) -> anyhow::Result<f64> {
    let directory = tempfile::tempdir()?;
    let token = token(directory.path(), "bench")?;
    let server = Server::syncline(directory.path())?;
    let head = head("POST", "/sync/push", &server.address, &token);
    let bodies: Vec<Vec<u8>> = ops
        .chunks(BATCH)
        .map(|chunk| input::push_body("bench", chunk))
        .collect();
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let senders: Vec<_> = (0..IN_FLIGHT)
            .map(|_| scope.spawn(|| send_all(&server.address, &head, &bodies, &next)))
            .collect();
        senders
            .into_iter()
            .try_for_each(|sender| sender.join().expect("a sender panicked"))
    })?;
    Ok(ops.len() as f64 / begun.elapsed().as_secs_f64())
}

fn send_all(
    address: &str,
    head: &str,
    bodies: &[Vec<u8>],
    next: &AtomicUsize,
) -> anyhow::Result<()> {
    let mut connection = Connection::open(address)?;
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let answer = connection.call(head, body)?;
        ensure!(answer.status == 200, "push answered {}", answer.status);
        let text = String::from_utf8(answer.body)?;
        ensure!(
            !text.contains("rejected"),
            "an op was refused: {}",
            &text[..400.min(text.len())]
        );
    }
    Ok(())
}

/// 100 clients of one tenant, one op at a time each.
pub(crate) fn many_clients(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let each = bench.scaled(1000, 20);
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let empty = Server::empty()?;
        let limit = drive(&empty, "none", each)?;
        drop(empty);
        let directory = tempfile::tempdir()?;
        let token = token(directory.path(), "bench")?;
        let server = Server::syncline(directory.path())?;
        runs.push((drive(&server, &token, each)?, limit));
    }
    let limit = "an empty handler that reads the same body, same driver";
    Ok(vec![Row::new(
        "push 100 clients × 1 op",
        "req/s",
        limit,
        Bar::AtLeast(0.5),
        &runs,
    )])
}

const CLIENTS: u64 = 100;

/// Requests a second of 100 connections, each sending one op after the other.
fn drive(server: &Server, token: &str, each: u64) -> anyhow::Result<f64> {
    let head = head("POST", "/sync/push", &server.address, token);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let begun = Instant::now();
    runtime.block_on(async {
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|client| {
                tokio::spawn(client_loop(
                    server.address.clone(),
                    head.clone(),
                    client,
                    each,
                ))
            })
            .collect();
        for client in clients {
            client.await??;
        }
        anyhow::Ok(())
    })?;
    Ok((CLIENTS * each) as f64 / begun.elapsed().as_secs_f64())
}

async fn client_loop(address: String, head: String, client: u64, each: u64) -> anyhow::Result<()> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0; 16 * 1024];
    for op in input::opaque(1000 + client, each, 200) {
        let body = input::push_body(&format!("client-{client}"), &[op]);
        let mut request = format!("{head}content-length: {}\r\n\r\n", body.len()).into_bytes();
        request.extend_from_slice(&body);
        stream.write_all(&request).await?;
        read_answer(&mut stream, &mut answer).await?;
    }
    Ok(())
}

/// Reads one answer of a stated length.
async fn read_answer(stream: &mut tokio::net::TcpStream, buffer: &mut [u8]) -> anyhow::Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the server closed the connection");
        filled += read;
        let bytes = &buffer[..filled];
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&bytes[..end])?;
        ensure!(head.starts_with("HTTP/1.1 200"), "answered {head}");
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .context("the answer states no length")?
            .trim()
            .parse()?;
        if filled >= end + 4 + length {
            return Ok(());
        }
    }
}
