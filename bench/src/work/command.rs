//! The command that writes, beside a daemon: how long it takes, and how long until its entry shows on
//! another machine's replica.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rusqlite::{Connection, OpenFlags};

use super::Bench;
use crate::bare::Commits;
use crate::measure::{Bar, Row, median};
use crate::program::{Home, Server, syncline, token};

const PATIENCE: Duration = Duration::from_secs(20);
/// How often the reader's file is looked at: rarely enough to leave the processor to the work.
const LOOK_EVERY: Duration = Duration::from_micros(200);

/// `thread push`: from spawn to exit, and from spawn to its row in the other machine's view.
pub(crate) fn thread_push(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let writes = bench.scaled(300, 10);
    let (mut exits, mut arrivals) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let directory = tempfile::tempdir()?;
        let mut commits = Commits::open(directory.path())?;
        let pair = Pair::new()?;
        let (mut starts, mut exit, mut arrival) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..writes {
            commits.make_one()?;
            starts.push(start_seconds()?);
            exit.push(pair.push(2 * n)?.as_secs_f64());
            arrival.push(pair.push_and_see(2 * n + 1)?.as_secs_f64());
        }
        let full = commits.full_seconds();
        let path = median(starts) + 2.0 * full + commits.normal_seconds();
        exits.push((median(exit) * 1000.0, 10.0 + full * 1000.0));
        arrivals.push((median(arrival) * 1000.0, path * 1000.0 + 3.0));
    }
    Ok(vec![
        Row::new(
            "thread push, spawn to exit",
            "ms",
            "10 ms and its fsync",
            Bar::AtMost(1.0),
            &exits,
        ),
        Row::new(
            "thread push to visible, median",
            "ms",
            "the start of a process and the three commits on its path, plus 3 ms",
            Bar::AtMost(1.0),
            &arrivals,
        ),
    ])
}

/// The seconds of a command that does nothing.
fn start_seconds() -> anyhow::Result<f64> {
    let mut command = Command::new(syncline()?);
    command.arg("--version").stdout(Stdio::null());
    let begun = Instant::now();
    command.status()?;
    Ok(begun.elapsed().as_secs_f64())
}

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

/// Two machines, each with its daemon.
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

    /// Pushes an entry; gives the time from the command's spawn to its exit.
    fn push(&self, n: u64) -> anyhow::Result<Duration> {
        let text = text(n);
        let begun = Instant::now();
        self.writer.run(&["thread", "push", "bench/live", &text])?;
        let exited = begun.elapsed();
        // The next one begins on a machine at rest.
        self.wait_for(&text)?;
        Ok(exited)
    }

    /// Pushes an entry; gives the time from the command's spawn until the other machine shows it.
    fn push_and_see(&self, n: u64) -> anyhow::Result<Duration> {
        let text = text(n);
        let begun = Instant::now();
        let mut child = self
            .writer
            .syncline(&["thread", "push", "bench/live", &text])?
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.wait_for(&text)?;
        let seen = begun.elapsed();
        child.wait()?;
        Ok(seen)
    }

    fn wait_for(&self, text: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !self.shows(text)? {
            ensure!(begun.elapsed() < PATIENCE, "the entry did not arrive");
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    fn shows(&self, text: &str) -> anyhow::Result<bool> {
        let mut statement = self
            .view
            .prepare_cached("SELECT content FROM entries ORDER BY id DESC LIMIT 1")?;
        let last: String = statement.query_row([], |row| row.get(0))?;
        Ok(last == text)
    }
}

fn text(n: u64) -> String {
    format!("entry number {n}")
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
