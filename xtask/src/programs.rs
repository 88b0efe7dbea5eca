//! The simulator and the benchmarks, which are programs of their own, built for speed.

use std::env;
use std::path::Path;
use std::process::Command;

use clap::Args;

use crate::failure::Failure;
use crate::repository::Repository;
use crate::steps;

/// Which worlds to simulate: seeds `from` to `from + seeds - 1`.
#[derive(Debug, Args)]
pub(crate) struct Seeds {
    /// How many worlds to run.
    #[arg(long)]
    pub(crate) seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub(crate) from: u64,
}

/// How to run the benchmarks.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Prints rows of `{name, value, unit, limit, limit_value, ratio, bar, met}`.
    #[arg(long)]
    pub(crate) json: bool,
    /// The part of each workload's full size to run.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) size: f64,
    /// Measures only those whose name holds this text.
    #[arg(long)]
    pub(crate) only: Option<String>,
}

/// Runs the simulator.
pub(crate) fn simulate(repository: &Repository, seeds: &Seeds) -> Result<(), Failure> {
    steps::run(&mut simulator(repository, seeds))
}

/// Builds what they are compared with, and runs the benchmarks.
pub(crate) fn measure(repository: &Repository, bench: &Bench) -> Result<(), Failure> {
    let target = repository.target.join("peers");
    steps::run(&mut peers(repository, &target))?;
    let program = format!("release/syncline-bench-peers{}", env::consts::EXE_SUFFIX);
    let mut command = benchmarks(repository, bench);
    command.arg("--peers").arg(target.join(program));
    steps::run(&mut command)
}

/// The command that runs the simulator.
pub(crate) fn simulator(repository: &Repository, seeds: &Seeds) -> Command {
    let mut command = released(repository, "syncline-sim");
    command.args([
        "--seeds",
        &seeds.seeds.to_string(),
        "--from",
        &seeds.from.to_string(),
    ]);
    command
}

/// The command that runs the benchmarks.
pub(crate) fn benchmarks(repository: &Repository, bench: &Bench) -> Command {
    let mut command = released(repository, "syncline-bench");
    command.args(["--size", &bench.size.to_string()]);
    if bench.json {
        command.arg("--json");
    }
    if let Some(only) = &bench.only {
        command.args(["--only", only]);
    }
    command
}

/// The command that builds the program that measures the list crates of others: a workspace of its
/// own, so that nothing of it is in ours.
fn peers(repository: &Repository, target: &Path) -> Command {
    let mut command = repository.cargo();
    command.args(["build", "--release", "--locked", "--manifest-path"]);
    command.arg(repository.root.join("bench/peers/Cargo.toml"));
    command.arg("--target-dir").arg(target);
    command
}

fn released(repository: &Repository, package: &str) -> Command {
    let mut command = repository.cargo();
    command.args(["run", "--release", "--locked", "--package", package, "--"]);
    command
}
