//! The list crates of others, measured by a program of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::changes::{KINDS, Workload};

/// The figures of one crate.
#[derive(Debug, Deserialize)]
pub(super) struct Peer {
    name: String,
    /// In the order of the workload's kinds.
    kinds: Vec<Rates>,
    pub(super) load_seconds: f64,
    pub(super) bytes: f64,
}

/// Changes a second.
#[derive(Debug, Deserialize)]
struct Rates {
    local: f64,
    remote: f64,
}

/// All of them, measured once.
#[derive(Debug)]
pub(super) struct Peers(pub(super) Vec<Peer>);

impl Peer {
    /// Says what it has measured, for who wants to know which one is the fastest.
    fn tell(&self) {
        let rates = KINDS.iter().zip(&self.kinds);
        let rates: Vec<_> = rates
            .map(|(name, rates)| format!("{name} {:.0}/{:.0}", rates.local, rates.remote))
            .collect();
        eprintln!(
            "  {}: {} changes/s local/remote, load {:.1} ms, {:.0} kB",
            self.name,
            rates.join(", "),
            self.load_seconds * 1e3,
            self.bytes / 1e3
        );
    }
}

impl Peers {
    /// Runs the program on the workload.
    pub(super) fn measure(program: &Path, workload: &Workload) -> anyhow::Result<Self> {
        let file = tempfile::NamedTempFile::new()?;
        serde_json::to_writer(&file, workload)?;
        let output = Command::new(program).arg(file.path()).output();
        let output = output.with_context(|| format!("could not run {}", program.display()))?;
        ensure!(
            output.status.success(),
            "{} failed: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        let peers: Vec<Peer> = serde_json::from_slice(&output.stdout)?;
        peers.iter().for_each(Peer::tell);
        Ok(Self(peers))
    }

    /// The rate of the one that makes changes of this kind fastest.
    pub(super) fn fastest_local(&self, kind: usize) -> f64 {
        let rates = self.0.iter().map(|peer| peer.kinds[kind].local);
        rates.fold(0.0, f64::max)
    }

    /// The rate of the one that applies changes of this kind fastest.
    pub(super) fn fastest_remote(&self, kind: usize) -> f64 {
        let rates = self.0.iter().map(|peer| peer.kinds[kind].remote);
        rates.fold(0.0, f64::max)
    }

    /// The seconds of the one that loads fastest but one.
    pub(super) fn second_load(&self) -> f64 {
        second(self.0.iter().map(|peer| peer.load_seconds))
    }

    /// The bytes of the one that is smallest but one.
    pub(super) fn second_bytes(&self) -> f64 {
        second(self.0.iter().map(|peer| peer.bytes))
    }
}

/// The lowest but one.
fn second(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(1).copied().unwrap_or(f64::NAN)
}
