//! The programs that are measured, as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

/// A server of ours, or the empty one; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// `host:port`.
    pub address: String,
    /// From spawn to the line that says it is ready.
    pub start: Duration,
}

impl Server {
    /// Starts `syncline serve` on `data`, with tokens.
    pub(crate) fn syncline(data: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(syncline()?);
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--auth",
                "token",
                "--data",
            ])
            .arg(data);
        Self::start(command)
    }

    /// Starts the empty handler.
    pub(crate) fn empty() -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--empty-handler");
        Self::start(command)
    }

    fn start(mut command: Command) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("no server")?;
        let mut line = String::new();
        let output = child.stdout.take().context("the server has no output")?;
        BufReader::new(output).read_line(&mut line)?;
        let start = begun.elapsed();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.context("the server did not start")?.to_owned();
        Ok(Self {
            child,
            address,
            start,
        })
    }

    /// The resident memory in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line
            .and_then(|line| line.split_whitespace().next())
            .context("no VmRSS")?;
        Ok(kib.parse::<u64>()? * 1024)
    }
}

impl Server {
    /// Waits until it has nothing to do: it has used no time of a processor for a while.
    pub(crate) fn wait_until_quiet(&self) -> anyhow::Result<()> {
        const WHILE: Duration = Duration::from_millis(50);
        let path = format!("/proc/{}/stat", self.child.id());
        let used = || -> anyhow::Result<Vec<String>> {
            let stat = std::fs::read_to_string(&path)?;
            let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
            // Those of the process in user and in system mode, in hundredths of a second.
            Ok(fields
                .split_whitespace()
                .skip(11)
                .take(2)
                .map(str::to_owned)
                .collect())
        };
        let mut before = used()?;
        loop {
            std::thread::sleep(WHILE);
            let now = used()?;
            if now == before {
                return Ok(());
            }
            before = now;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            let _ = self.child.wait();
        }
    }
}

/// The binary, built beside this one.
pub(crate) fn syncline() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("syncline");
    ensure!(
        path.exists(),
        "there is no {}; build it first: cargo build --release",
        path.display()
    );
    Ok(path)
}

/// A replica's home: its own data, configuration and state directories.
#[derive(Debug)]
pub(crate) struct Home {
    pub directory: tempfile::TempDir,
    endpoint: String,
    token_file: PathBuf,
}

impl Home {
    pub(crate) fn new(server: &Server, token: &str) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let token_file = directory.path().join("token");
        std::fs::write(&token_file, token)?;
        Ok(Self {
            endpoint: format!("http://{}", server.address),
            directory,
            token_file,
        })
    }

    /// The same home, its server now being this one.
    pub(crate) fn moved_to(self, server: &Server) -> Self {
        Self {
            endpoint: format!("http://{}", server.address),
            ..self
        }
    }

    /// The program with this home's environment.
    pub(crate) fn syncline(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(syncline()?);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.directory.path())
            .env("SYNCLINE_ENDPOINT", &self.endpoint)
            .arg("--token-file")
            .arg(&self.token_file)
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs the program to its end; gives what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.syncline(arguments)?.output()?;
        ensure!(
            output.status.success(),
            "syncline {arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// Makes a token for a tenant of the data directory.
pub(crate) fn token(data: &Path, tenant: &str) -> anyhow::Result<String> {
    token_with("sync", data, tenant)
}

/// Makes a token of an admin of a tenant.
pub(crate) fn admin_token(data: &Path, tenant: &str) -> anyhow::Result<String> {
    token_with("admin", data, tenant)
}

fn token_with(right: &str, data: &Path, tenant: &str) -> anyhow::Result<String> {
    let output = Command::new(syncline()?)
        .args(["token", "create", "--json", "--right", right])
        .args(["--tenant", tenant, "--user", "bench", "--data"])
        .arg(data)
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let made: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(made["token"]
        .as_str()
        .context("no token was printed")?
        .to_owned())
}
