//! The simulator and the benchmarks, which are programs of their own, built for speed.

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
}

/// Runs the simulator.
pub(crate) fn simulate(repository: &Repository, seeds: &Seeds) -> Result<(), Failure> {
    steps::run(&mut simulator(repository, seeds))
}

/// Runs the benchmarks.
pub(crate) fn measure(repository: &Repository, bench: &Bench) -> Result<(), Failure> {
    steps::run(&mut benchmarks(repository, bench))
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
    command
}

fn released(repository: &Repository, package: &str) -> Command {
    let mut command = repository.cargo();
    command.args(["run", "--release", "--locked", "--package", package, "--"]);
    command
}
