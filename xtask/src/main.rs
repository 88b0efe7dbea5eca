//! One entry for every chore of the repository: `cargo xtask <chore>`.
//!
//! It depends on no crate of the workspace, so that it builds in seconds and checks a tree that does
//! not compile. It never changes a committed file but by `codegen`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "chores talk to the person who runs them"
)]

mod ci;
mod codegen;
mod deny;
mod failure;
mod needs;
mod node;
mod programs;
mod repository;
mod steps;
mod suite;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::repository::Repository;

#[derive(Parser)]
#[command(
    name = "xtask",
    bin_name = "cargo xtask",
    about = "Every chore of the repository."
)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Checks what is needed, then builds and runs every test of the workspace.
    Test {
        /// Given to the test runner; with any, the doc tests are left out.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Runs everything that a change must pass, and stops at the first failure.
    Ci {
        /// The steps to run; all of them if none is named.
        #[arg(value_enum)]
        steps: Vec<ci::Step>,
    },
    /// Checks the rules of the tree that neither rustfmt nor clippy knows.
    Tidy,
    /// Runs seeded worlds of the simulator, in release mode.
    Sim(programs::Seeds),
    /// Runs the benchmarks, in release mode.
    Bench(programs::Bench),
    /// Writes the files that the binary generates of itself.
    Codegen {
        /// Changes nothing, and fails if a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure::report(&failure));
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<(), Failure> {
    let repository = Repository::read()?;
    match chore {
        Chore::Test { arguments } => suite::run(&repository, &arguments),
        Chore::Ci { steps } => ci::run(&repository, &steps),
        Chore::Tidy => tidy::run(&repository),
        Chore::Sim(seeds) => programs::simulate(&repository, &seeds),
        Chore::Bench(bench) => programs::measure(&repository, &bench),
        Chore::Codegen { check: false } => codegen::write(&repository),
        Chore::Codegen { check: true } => codegen::check(&repository),
    }
}
