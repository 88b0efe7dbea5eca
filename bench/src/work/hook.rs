//! The hook that agents call: how long they wait for it, without a daemon and with one.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Bench;
use crate::measure::{Bar, Row, median, quantile};
use crate::program::syncline;

const PATIENCE: Duration = Duration::from_secs(20);
/// What a hook may take, in milliseconds.
const LIMIT_MS: f64 = 15.0;
/// What no call of it may take, in milliseconds.
const WORST_MS: f64 = 50.0;

/// `hook run`, from spawn to exit, beside a process that does nothing.
pub(crate) fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let calls = bench.scaled(500, 20);
    let (mut away, mut away_beside, mut away_worst) = (Vec::new(), Vec::new(), Vec::new());
    let (mut present, mut present_worst) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let home = tempfile::tempdir()?;
        let body = home.path().join("body.json");
        std::fs::write(&body, BODY)?;
        let mut bare = Vec::new();
        let mut spooled = Vec::new();
        for _ in 0..calls {
            bare.push(milliseconds(&mut Command::new("/bin/true"))?);
            spooled.push(milliseconds(&mut hook(home.path(), &body)?)?);
        }
        let daemon = Daemon::start(home.path())?;
        let mut taken = Vec::new();
        for _ in 0..calls {
            taken.push(milliseconds(&mut hook(home.path(), &body)?)?);
        }
        drop(daemon);
        away_worst.push((quantile(spooled.clone(), 0.99), WORST_MS));
        present_worst.push((quantile(taken.clone(), 0.99), WORST_MS));
        let spooled = median(spooled);
        away.push((spooled, LIMIT_MS));
        away_beside.push((spooled, median(bare)));
        present.push((median(taken), LIMIT_MS));
    }
    let most = Bar::AtMost(1.0);
    let nothing = "the start of a process that does nothing";
    Ok(vec![
        Row::new("hook run, no daemon", "ms", "15 ms", most, &away),
        Row::new("hook run, no daemon, p99", "ms", "50 ms", most, &away_worst),
        Row::new(
            "hook run, beside /bin/true",
            "ms",
            nothing,
            Bar::None,
            &away_beside,
        ),
        Row::new("hook run, daemon", "ms", "15 ms", most, &present),
        Row::new("hook run, daemon, p99", "ms", "50 ms", most, &present_worst),
    ])
}

const BODY: &str = r#"{"session_id":"00893aaf-19fa-41d2-8238-13269b9b3ca0","transcript_path":"/nowhere/projects/p/00893aaf-19fa-41d2-8238-13269b9b3ca0.jsonl","cwd":"/nowhere","permission_mode":"default","hook_event_name":"UserPromptSubmit","prompt":"Write a function to calculate the factorial of a number"}"#;

fn hook(home: &Path, body: &Path) -> anyhow::Result<Command> {
    let mut command = program(home)?;
    command.args(["hook", "run", "claude-code", "UserPromptSubmit"]);
    command.stdin(File::open(body)?);
    Ok(command)
}

pub(super) fn program(home: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(syncline()?);
    command
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Ok(command)
}

fn milliseconds(command: &mut Command) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let status = command.status()?;
    let spent = begun.elapsed();
    ensure!(status.success(), "{command:?} failed");
    Ok(spent.as_secs_f64() * 1000.0)
}

/// A daemon that has taken all events, and is stopped when dropped.
struct Daemon(Child);

impl Daemon {
    fn start(home: &Path) -> anyhow::Result<Self> {
        let daemon = Self(program(home)?.arg("daemon").spawn()?);
        let spool = home.join(".local/share/syncline/profiles/default/spool");
        let begun = Instant::now();
        while std::fs::read_dir(&spool)?.next().is_some() {
            ensure!(
                begun.elapsed() < PATIENCE,
                "the daemon did not take the events"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
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
