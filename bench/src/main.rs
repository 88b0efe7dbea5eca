//! Measures Syncline beside the limits of the machine that it runs on: each figure and its limit in
//! one run, interleaved three times, as a ratio.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark talks to its reader"
)]

mod bare;
mod empty;
mod http;
mod input;
mod measure;
mod program;
mod work;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::measure::{Row, print_json, print_table};
use crate::work::Bench;

/// Measures Syncline beside the machine's own limits.
#[derive(Debug, Parser)]
struct Arguments {
    /// Prints the rows as JSON.
    #[arg(long)]
    json: bool,
    /// The part of the full size to run, 0.001 to 1.
    #[arg(long, default_value_t = 1.0)]
    size: f64,
    /// How often each figure and its limit are measured; the medians are shown.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Measures only those whose name holds this text.
    #[arg(long)]
    only: Option<String>,
    /// The program that measures the list crates of others: `bench/peers`, built for speed.
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Serves the empty handler that pushes are compared with, until it is killed.
    #[arg(long, hide = true)]
    empty_handler: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.empty_handler {
        return finish(empty::serve());
    }
    finish(run(&arguments))
}

fn finish(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    anyhow::ensure!(
        (0.001..=1.0).contains(&arguments.size),
        "--size must be 0.001 to 1"
    );
    let bench = Bench {
        size: arguments.size,
        runs: arguments.runs.max(1),
        peers: arguments.peers.clone(),
    };
    let mut rows: Vec<Row> = Vec::new();
    for (name, workload) in work::ALL {
        if arguments
            .only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        eprintln!("{name} …");
        rows.extend(workload(&bench)?);
    }
    if arguments.json {
        print_json(&rows)
    } else {
        print_table(&rows)
    }
}
