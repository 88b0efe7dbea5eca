//! From a write on one replica to its being visible on another, and the command that writes.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rusqlite::{Connection, OpenFlags};

use super::Bench;
use crate::bare::{Sync, commit_seconds};
use crate::measure::{Bar, Row, quantile};
use crate::program::{Home, Server, token};

const PATIENCE: Duration = Duration::from_secs(20);

/// A daemon that is stopped when dropped.
struct Daemon(Child);

impl Daemon {
    fn start(home: &Home) -> anyhow::Result<Self> {
        let mut command = home.syncline(&["daemon"])?;
        let daemon = Self(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?,
        );
        // A sync through the daemon shows that it is up and has its stream.
        home.run(&["sync", "now"])?;
        Ok(daemon)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            let _ = self.0.wait();
        }
    }
}

struct Pair {
    _data: tempfile::TempDir,
    _server: Server,
    writer: Home,
    _reader: Home,
    _daemons: [Daemon; 2],
    /// The reader's tenant file, looked at from outside.
    view: Connection,
}

impl Pair {
    fn new() -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let token = token(data.path(), "bench")?;
        let server = Server::syncline(data.path())?;
        let (writer, reader) = (Home::new(&server, &token)?, Home::new(&server, &token)?);
        writer.run(&["thread", "new", "live", "first", "--project", "bench"])?;
        let daemons = [Daemon::start(&writer)?, Daemon::start(&reader)?];
        let view = open_view(reader.directory.path())?;
        Ok(Self {
            _data: data,
            _server: server,
            writer,
            _reader: reader,
            _daemons: daemons,
            view,
        })
    }

    /// Writes an entry; gives when the command had written, and the time until the other replica
    /// showed the entry.
    fn write(&self, n: u64) -> anyhow::Result<Duration> {
        let text = format!("entry number {n}");
        let begun = Instant::now();
        let mut child = self
            .writer
            .syncline(&["thread", "push", "bench/live", &text])?
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        while !self.sees(&text)? {
            ensure!(begun.elapsed() < PATIENCE, "the entry did not arrive");
            std::hint::spin_loop();
        }
        let seen = begun.elapsed();
        child.wait()?;
        Ok(seen)
    }

    fn sees(&self, text: &str) -> anyhow::Result<bool> {
        let mut statement = self
            .view
            .prepare_cached("SELECT content FROM entries ORDER BY id DESC LIMIT 1")?;
        let last: String = statement.query_row([], |row| row.get(0))?;
        Ok(last == text)
    }
}

fn open_view(home: &Path) -> anyhow::Result<Connection> {
    let path = find_tenant_file(home)?.context("the reader has no tenant file")?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(path, flags)?)
}

fn find_tenant_file(directory: &Path) -> anyhow::Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find_tenant_file(&path)? {
                return Ok(Some(found));
            }
        } else if path.extension().is_some_and(|extension| extension == "db")
            && path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("tenant"))
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// From the write's commit on one replica to its row on the other.
pub(crate) fn latency(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let writes = bench.scaled(300, 10);
    let (mut middle, mut tail) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let directory = tempfile::tempdir()?;
        let full = commit_seconds(&directory.path().join("full"), Sync::Full, 200)?;
        let normal = commit_seconds(&directory.path().join("normal"), Sync::Normal, 200)?;
        let spawn = spawn_seconds(20)?;
        let pair = Pair::new()?;
        let seconds: Vec<f64> = (0..writes)
            .map(|n| Ok(pair.write(n)?.as_secs_f64()))
            .collect::<anyhow::Result<_>>()?;
        // On its path: the outbox's commit and the server's, both full, and the writer's and the
        // reader's tenant file; and the process that writes.
        let path_ms = (2.0 * full + 2.0 * normal + spawn) * 1000.0;
        let ms = |part| quantile(seconds.clone(), part) * 1000.0;
        middle.push((ms(0.5), path_ms + 3.0));
        tail.push((ms(0.99), path_ms + 15.0));
    }
    let limit = "the commits and the process start on its path, plus 3 ms";
    Ok(vec![
        Row::new(
            "write to visible, median",
            "ms",
            limit,
            Bar::AtMost(1.0),
            &middle,
        ),
        Row::new(
            "write to visible, p99",
            "ms",
            "the same, plus 15 ms",
            Bar::AtMost(1.0),
            &tail,
        ),
    ])
}

/// The median seconds of a command that does nothing.
fn spawn_seconds(count: usize) -> anyhow::Result<f64> {
    let seconds: Vec<f64> = (0..count)
        .map(|_| {
            let begun = Instant::now();
            let mut command = std::process::Command::new(crate::program::syncline()?);
            command.arg("--version").stdout(Stdio::null()).status()?;
            Ok(begun.elapsed().as_secs_f64())
        })
        .collect::<anyhow::Result<_>>()?;
    Ok(quantile(seconds, 0.5))
}

/// `thread push` from spawn to exit, beside a daemon.
pub(crate) fn thread_push(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let writes = bench.scaled(300, 10);
    let mut runs = Vec::new();
    for _ in 0..bench.runs {
        let directory = tempfile::tempdir()?;
        let full = commit_seconds(&directory.path().join("full"), Sync::Full, 200)?;
        let pair = Pair::new()?;
        let seconds: Vec<f64> = (0..writes)
            .map(|n| {
                let begun = Instant::now();
                pair.writer
                    .run(&["thread", "push", "bench/live", &format!("push number {n}")])?;
                Ok(begun.elapsed().as_secs_f64())
            })
            .collect::<anyhow::Result<_>>()?;
        runs.push((quantile(seconds, 0.5) * 1000.0, 10.0 + full * 1000.0));
    }
    let limit = "10 ms and its fsync";
    Ok(vec![Row::new(
        "thread push, spawn to exit",
        "ms",
        limit,
        Bar::AtMost(1.0),
        &runs,
    )])
}
