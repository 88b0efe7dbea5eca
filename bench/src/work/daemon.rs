//! A daemon that has captured what there was, and waits: what it weighs, and what it does.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::Bench;
use super::hook::program;
use super::sessions::multiply;
use crate::measure::{Bar, Row};

/// How long the first import may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// What it may weigh, in megabytes, and do, in percent of a core.
const LIMIT_MB: f64 = 30.0;
const LIMIT_PERCENT: f64 = 0.1;

/// Resident memory after a first import, and time of processors while nothing happens.
pub(crate) fn idle(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let bytes = bench.scaled(60_000_000, 3_000_000);
    let wait = Duration::from_secs(bench.scaled(30, 3));
    let (mut resident, mut used) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let home = tempfile::tempdir()?;
        multiply(&home.path().join(".claude/projects"), bytes)?;
        let daemon = Daemon(program(home.path())?.arg("daemon").spawn()?);
        daemon.wait_until_captured(home.path())?;
        resident.push((daemon.resident_mb()?, LIMIT_MB));
        let before = daemon.busy()?;
        std::thread::sleep(wait);
        let busy = daemon.busy()?.saturating_sub(before);
        let percent = busy.as_secs_f64() / wait.as_secs_f64() * 100.0;
        used.push((percent, LIMIT_PERCENT));
    }
    let most = Bar::AtMost(1.0);
    Ok(vec![
        Row::new("daemon idle", "MB", "30 MB", most, &resident),
        Row::new("daemon idle", "% of a core", "0.1 %", most, &used),
    ])
}

/// A daemon, killed when dropped.
struct Daemon(Child);

impl Daemon {
    /// Waits until it has read something, and does nothing more.
    fn wait_until_captured(&self, home: &Path) -> anyhow::Result<()> {
        const WHILE: Duration = Duration::from_secs(1);
        let replica = home.join(".local/share/syncline/profiles/default");
        let begun = Instant::now();
        let mut before = (Duration::ZERO, 0);
        loop {
            ensure!(begun.elapsed() < PATIENCE, "the daemon read on and on");
            std::thread::sleep(WHILE);
            // What was written last is beside the file, until there is more of it.
            let files = ["local.db", "local.db-wal"].map(|name| replica.join(name));
            let lengths = files.map(|path| std::fs::metadata(path).map_or(0, |file| file.len()));
            let log = lengths.iter().sum();
            let now = (self.busy()?, log);
            let is_quiet = now.0.saturating_sub(before.0) < WHILE / 100;
            if is_quiet && log > 100_000 && log == before.1 {
                return Ok(());
            }
            before = now;
        }
    }

    /// The time of processors that it has used.
    fn busy(&self) -> anyhow::Result<Duration> {
        let mut nanoseconds = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            // A thread may end meanwhile.
            let Ok(stat) = std::fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let spent = stat
                .split_whitespace()
                .next()
                .context("no time in schedstat")?;
            nanoseconds += spent.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    fn resident_mb(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        Ok(kib.context("no VmRSS")?.parse::<f64>()? * 1024.0 / 1_000_000.0)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.0.kill().is_ok() {
            let _ = self.0.wait();
        }
    }
}
