//! Fresh replicas: from pages of the log, and from the prepared file.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use syncline_model::thread::{Create, ThreadOp};
use syncline_model::{Epoch, Mark, Op, TenantId};
use syncline_store::control::DataDirectory;
use syncline_store::{Durability, FileOptions, TenantFile};

use super::Bench;
use crate::bare::{self, Sync, Tables};
use crate::http::{Connection, head};
use crate::input::{self, EntryRow};
use crate::measure::{Bar, Row};
use crate::program::{Home, Server, token};

/// Rows that the limit inserts in one transaction: more make it no faster.
const BATCH: usize = 50_000;

/// A replica that was there before a million entries pulls and applies them page by page.
pub(crate) fn pages(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let count = bench.scaled(1_000_000, 5000);
    let entries: Vec<_> = (1..=count)
        .map(|place| input::entry(1, place, 200))
        .collect();
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let directory = tempfile::tempdir()?;
        let bare = directory.path().join("bare");
        let limit = bare::insert_entries(&bare, Sync::Normal, &entries, BATCH, Tables::LogAndView)?;
        runs.push((pull_pages(&entries)?, limit));
    }
    let limit = "bare SQLite inserting into the same tables and index, 50,000 a transaction";
    Ok(vec![Row::new(
        "pull fresh, entries 200 B",
        "ops/s",
        limit,
        Bar::AtLeast(0.5),
        &runs,
    )])
}

fn pull_pages(entries: &[(Op, EntryRow)]) -> anyhow::Result<f64> {
    let data = tempfile::tempdir()?;
    let token = token(data.path(), "bench")?;
    let first = first_op(&entries[0].0)?;
    fill(data.path(), [&first].into_iter())?;
    let server = Server::syncline(data.path())?;
    let home = Home::new(&server, &token)?;
    // The replica adopts the log while it holds one op, so that the rest comes page by page.
    home.run(&["sync", "now"])?;
    drop(server);
    fill(data.path(), entries.iter().map(|(op, _)| op))?;
    let server = Server::syncline(data.path())?;
    let home = home.moved_to(&server);
    let begun = Instant::now();
    home.run(&["sync", "now"])?;
    let seconds = begun.elapsed().as_secs_f64();
    expect_synced(&home, entries.len() as u64 + 1)?;
    Ok(entries.len() as f64 / seconds)
}

/// A fresh replica takes the prepared file.
pub(crate) fn file(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let count = bench.scaled(1_000_000, 5000);
    let data = tempfile::tempdir()?;
    let token = token(data.path(), "bench")?;
    fill(
        data.path(),
        (1..=count).map(|place| input::entry(1, place, 200).0),
    )?;
    let server = Server::syncline(data.path())?;
    // The first request has the file made; what is measured is taking it.
    fetch(&server, &token)?;
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let limit = {
            let directory = tempfile::tempdir()?;
            let begun = Instant::now();
            let body = fetch(&server, &token)?;
            bare::unpack_to(&directory.path().join("file"), &body)?;
            begun.elapsed().as_secs_f64()
        };
        let home = Home::new(&server, &token)?;
        let begun = Instant::now();
        home.run(&["sync", "now"])?;
        runs.push((begun.elapsed().as_secs_f64(), limit));
        expect_synced(&home, count)?;
    }
    let limit = "fetching, decompressing and syncing the file";
    Ok(vec![Row::new(
        "fresh replica from the file",
        "s",
        limit,
        Bar::AtMost(2.0),
        &runs,
    )])
}

fn fetch(server: &Server, token: &str) -> anyhow::Result<Vec<u8>> {
    let head = head(
        "GET",
        "/sync/bootstrap?clientId=bench-file",
        &server.address,
        token,
    );
    let head = format!("{head}accept: application/vnd.sqlite3\r\naccept-encoding: zstd\r\n");
    let answer = Connection::open(&server.address)?.call(&head, b"")?;
    ensure!(answer.status == 200, "bootstrap answered {}", answer.status);
    Ok(answer.body)
}

pub(super) fn expect_synced(home: &Home, ops: u64) -> anyhow::Result<()> {
    let status: serde_json::Value = serde_json::from_str(&home.run(&["status", "--json"])?)?;
    let at = status["cursor"]["server_seq"]
        .as_u64()
        .context("status has no cursor")?;
    ensure!(at == ops, "the replica is at {at}, not at {ops}");
    Ok(())
}

fn first_op(like: &Op) -> anyhow::Result<Op> {
    let create = ThreadOp::Create(Create {
        project: "bench1".into(),
        key: "thread-0".into(),
        generation: 0,
        name: "first".into(),
        at: syncline_model::Timestamp::from_millis(0)?,
    });
    let mut op = like.clone();
    op.key.actor = syncline_model::ActorId::new("bench-first")?;
    op.payload = create.payload()?;
    Ok(op)
}

/// Appends the ops to the log of tenant `bench`, while no server runs.
pub(super) fn fill<O: std::borrow::Borrow<Op>>(
    data: &Path,
    ops: impl Iterator<Item = O>,
) -> anyhow::Result<()> {
    let directory = DataDirectory::open(data)?;
    let path = directory.tenant_file(&TenantId::new("bench")?);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let options = FileOptions {
        vfs: None,
        durability: Durability::Normal,
    };
    let start = || {
        (
            Epoch::new(uuid::Uuid::from_u128(7 << 76)),
            Mark::origin([7; 16]),
        )
    };
    let mut file = TenantFile::open_or_create(&path, &options, start)?;
    let mut ops = ops.peekable();
    while ops.peek().is_some() {
        let mut batch = file.begin()?;
        for op in ops.by_ref().take(10_000) {
            let op: &Op = op.borrow();
            batch.append(&op.key, Some(&op.payload), op.payload.hash())?;
        }
        batch.commit()?;
    }
    Ok(())
}
