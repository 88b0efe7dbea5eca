//! Compaction: of a log in which nearly every op is covered by a later one.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::ensure;
use syncline_model::TenantId;
use syncline_store::control::DataDirectory;

use super::Bench;
use super::pull::{expect_synced, fill};
use crate::bare;
use crate::http::{Connection, head};
use crate::input;
use crate::measure::{Bar, Row};
use crate::program::{Home, Server, admin_token};

/// Ops of a push while a log is compacted.
const BATCH: usize = 100;
/// How many of them a client has ready: it ends early where it has made them all.
const PUSHES: u64 = 4000;

/// A server compacts the log, alone and while others push.
pub(crate) fn covered(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let count = bench.scaled(1_000_000, 5000);
    let source = tempfile::tempdir()?;
    fill(source.path(), input::item_changes(count))?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let compacted = Copied::of(source.path())?;
        let seconds = compacted.compact()?;
        let bare = Copied::of(source.path())?;
        let limit = bare::delete_others(&bare.log()?, &compacted.log()?)?;
        alone.push((seconds, limit));
        beside.push(Copied::of(source.path())?.push_beside()?);
    }
    Ok(vec![
        Row::new(
            "compact, covered ops",
            "s",
            "bare SQLite deleting the same ops, and VACUUM INTO the rest",
            Bar::AtMost(2.0),
            &alone,
        ),
        Row::new(
            "push 200 B ×100 while compacting",
            "ops/s",
            "the same pushes to the same log for as long, when it is compacted",
            Bar::AtLeast(0.5),
            &beside,
        ),
    ])
}

/// A new replica starts behind ten million ops, once what is live is all that the log holds.
pub(crate) fn long_life(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    /// What "in seconds" means of a start.
    const SECONDS: f64 = 10.0;
    let count = bench.scaled(10_000_000, 5000);
    let (data, fresh) = (tempfile::tempdir()?, tempfile::tempdir()?);
    fill(data.path(), input::item_changes(count))?;
    fill(fresh.path(), input::live_item_changes(count))?;
    let token = admin_token(data.path(), "bench")?;
    let server = Server::syncline(data.path())?;
    compact(&server, &token)?;
    let sizes = (file_size(data.path())?, file_size(fresh.path())?);
    let mut starts = Vec::new();
    for _ in 0..bench.runs {
        let home = Home::new(&server, &token)?;
        let begun = Instant::now();
        home.run(&["sync", "now"])?;
        starts.push((begun.elapsed().as_secs_f64(), SECONDS));
        expect_synced(&home, count)?;
    }
    Ok(vec![
        Row::new(
            "new replica behind 10,000,000 ops",
            "s",
            "ten seconds",
            Bar::AtMost(1.0),
            &starts,
        ),
        Row::new(
            "log of 10,000,000 ops, compacted",
            "MB",
            "a log into which the live ops alone were written",
            Bar::AtMost(2.0),
            &[sizes],
        ),
    ])
}

/// The bytes of the log and what lies beside it, in MB.
fn file_size(data: &Path) -> anyhow::Result<f64> {
    let log = DataDirectory::open(data)?.tenant_file(&TenantId::new("bench")?);
    let ahead = log.with_extension("db-wal");
    let bytes = std::fs::metadata(&log)?.len()
        + match std::fs::metadata(&ahead) {
            Ok(ahead) => ahead.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error.into()),
        };
    Ok(bytes as f64 / 1e6)
}

/// A data directory that is another one's copy, and its server.
struct Copied {
    directory: tempfile::TempDir,
}

impl Copied {
    fn of(source: &Path) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        bare::copy_all(source, directory.path())?;
        Ok(Self { directory })
    }

    fn log(&self) -> anyhow::Result<PathBuf> {
        let directory = DataDirectory::open(self.directory.path())?;
        Ok(directory.tenant_file(&TenantId::new("bench")?))
    }

    /// Has the log compacted; gives the seconds.
    fn compact(&self) -> anyhow::Result<f64> {
        let token = admin_token(self.directory.path(), "bench")?;
        let server = Server::syncline(self.directory.path())?;
        compact(&server, &token)
    }

    /// Pushes while the log is compacted, and as long afterwards; gives ops a second of both.
    fn push_beside(&self) -> anyhow::Result<(f64, f64)> {
        let token = admin_token(self.directory.path(), "bench")?;
        let server = Server::syncline(self.directory.path())?;
        // Made before the clock begins: that takes as long as half of a compaction.
        let pushes = Pushes::new(1);
        let ended = AtomicBool::new(false);
        let is_ended = |_: Instant| ended.load(Ordering::SeqCst);
        let (seconds, rate) = std::thread::scope(|scope| {
            let pusher = scope.spawn(|| pushes.send(&server, &token, is_ended));
            let seconds = compact(&server, &token);
            ended.store(true, Ordering::SeqCst);
            (seconds, pusher.join().expect("the pusher does not panic"))
        });
        let seconds = seconds?;
        drop(pushes);
        let is_over = |begun: Instant| begun.elapsed().as_secs_f64() >= seconds;
        let usual = Pushes::new(2).send(&server, &token, is_over)?;
        Ok((rate?, usual))
    }
}

/// Has the server compact the log; gives the seconds until the file has shrunk.
fn compact(server: &Server, token: &str) -> anyhow::Result<f64> {
    let look = head("GET", "/api/admin/tenants", &server.address, token);
    let head = head("POST", "/api/admin/compact", &server.address, token);
    let mut connection = Connection::open(&server.address)?;
    // The first to ask for anything has the log opened, which is no part of a compaction.
    let opened = connection.call(&look, &[])?.status;
    ensure!(opened == 200, "tenants answered {opened}");
    let begun = Instant::now();
    let answer = connection.call(&head, br#"{"retention_seconds":0}"#)?;
    let text = String::from_utf8_lossy(&answer.body);
    ensure!(
        answer.status == 200,
        "compact answered {}: {text}",
        answer.status
    );
    Ok(begun.elapsed().as_secs_f64())
}

/// What a client pushes.
struct Pushes {
    bodies: Vec<Vec<u8>>,
}

impl Pushes {
    fn new(run: u64) -> Self {
        let ops = input::opaque(run, PUSHES * BATCH as u64, 200);
        let client = format!("bench-{run}");
        let bodies = ops
            .chunks(BATCH)
            .map(|ops| input::push_body(&client, ops))
            .collect();
        Self { bodies }
    }

    /// Pushes one batch after the other until it is to end; gives ops a second.
    fn send(
        &self,
        server: &Server,
        token: &str,
        is_over: impl Fn(Instant) -> bool,
    ) -> anyhow::Result<f64> {
        let head = head("POST", "/sync/push", &server.address, token);
        let mut connection = Connection::open(&server.address)?;
        let (begun, mut pushed) = (Instant::now(), 0);
        for body in &self.bodies {
            let answer = connection.call(&head, body)?;
            ensure!(answer.status == 200, "push answered {}", answer.status);
            pushed += BATCH;
            if is_over(begun) {
                break;
            }
        }
        Ok(pushed as f64 / begun.elapsed().as_secs_f64())
    }
}
