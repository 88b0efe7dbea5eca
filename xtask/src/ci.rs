//! Everything that a change must pass, in the order in which it fails soonest.

use std::process::Command;

use clap::ValueEnum;

use crate::failure::Failure;
use crate::programs::{self, Bench, Seeds};
use crate::repository::Repository;
use crate::steps::{Steps, say};
use crate::{deny, needs, suite, tidy};

/// How many worlds CI simulates in release mode, beside those of the tests.
const SEEDS: u64 = 400;

/// The part of each benchmark that CI runs: enough to see that it works, too little to time.
const BENCH_SIZE: f64 = 0.01;

/// One check of CI.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Step {
    /// The formatting of every file.
    Format,
    /// The rules of the tree.
    Tidy,
    /// Every lint, a warning being an error.
    Clippy,
    /// Licences, sources and bans of dependencies.
    Deny,
    /// The README's command for the tests.
    Test,
    /// The links of the API documentation.
    Docs,
    /// Every example.
    Examples,
    /// The README's first command, checking itself.
    Demo,
    /// Worlds of the simulator.
    Sim,
    /// Every benchmark, at a hundredth of its size.
    Bench,
}

/// Runs the steps named, or all, and stops at the first that fails.
pub(crate) fn run(repository: &Repository, named: &[Step]) -> Result<(), Failure> {
    let chosen = if named.is_empty() {
        Step::value_variants()
    } else {
        named
    };
    let mut steps = Steps::default();
    suite::forget_counts(repository)?;
    steps.time("needs", "what the build asks of this machine", || {
        needs::check(repository)
    })?;
    for step in chosen {
        step.run(repository, &mut steps)?;
    }
    steps.print();
    if let Some(counts) = suite::counts(repository) {
        say(counts);
    }
    Ok(())
}

impl Step {
    fn run(self, repository: &Repository, steps: &mut Steps) -> Result<(), Failure> {
        let cargo = |words: &[&str]| {
            let mut command = repository.cargo();
            command.args(words);
            command
        };
        match self {
            Self::Format => steps.run("format", &mut cargo(&["fmt", "--all", "--check"])),
            Self::Tidy => steps.time("tidy", "the rules of the tree", || tidy::run(repository)),
            Self::Clippy => steps.run("clippy", &mut clippy(repository)),
            Self::Deny => deny::check(repository, steps),
            Self::Test => steps.run("test", &mut cargo(&["xtask", "test"])),
            Self::Docs => steps.run("docs", &mut docs(repository)),
            Self::Examples => examples(repository, steps),
            Self::Demo => {
                let mut demo = cargo(&["run", "--release", "--", "demo", "--once"]);
                steps.run("demo", built_sooner(&mut demo))
            }
            Self::Sim => {
                let seeds = Seeds {
                    seeds: SEEDS,
                    from: 0,
                };
                let mut simulator = programs::simulator(repository, &seeds);
                steps.run("sim", built_sooner(&mut simulator))
            }
            Self::Bench => {
                let bench = Bench {
                    json: false,
                    size: BENCH_SIZE,
                    only: None,
                };
                let mut benchmarks = programs::benchmarks(repository, &bench);
                steps.run("bench", built_sooner(&mut benchmarks))
            }
        }
    }
}

/// Leaves out the last optimisation of a release, which takes its time and is of no use to what is only
/// to be seen to work.
fn built_sooner(command: &mut Command) -> &mut Command {
    command.env("CARGO_PROFILE_RELEASE_LTO", "off")
}

fn clippy(repository: &Repository) -> Command {
    let mut command = repository.cargo();
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]);
    command
}

fn docs(repository: &Repository) -> Command {
    let mut command = repository.cargo();
    command.args(["doc", "--workspace", "--no-deps", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Runs each example that cargo knows of, so that none is forgotten.
fn examples(repository: &Repository, steps: &mut Steps) -> Result<(), Failure> {
    for package in &repository.packages {
        for example in &package.examples {
            let mut command = repository.cargo();
            command.args([
                "run",
                "--locked",
                "--package",
                &package.name,
                "--example",
                example,
            ]);
            steps.run("example", &mut command)?;
        }
    }
    Ok(())
}
