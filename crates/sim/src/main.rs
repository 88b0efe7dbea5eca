//! Runs seeded worlds, and says which seed broke a promise and how to see it again.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people at a terminal"
)]

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use syncline_model::planted::Defect;
use syncline_sim::{
    Happening, Report, Tally, defect_named, first_seed_that_finds, run_many, run_traced,
};

/// Worlds run side by side by default.
const THREADS: usize = 2;

/// Simulates worlds of replicas and a server, each from one number.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many worlds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Plants a defect.
    #[arg(long, value_parser = parse_defect)]
    defect: Option<Defect>,
    /// Plants each defect in turn, and prints the first seed that finds it.
    #[arg(long, conflicts_with_all = ["defect", "trace"])]
    defects: bool,
    /// Prints the history of each world, and what the code in it logs.
    #[arg(long)]
    trace: bool,
    /// Prints how often each kind of trouble has struck.
    #[arg(long)]
    coverage: bool,
    #[arg(long, default_value_t = THREADS)]
    threads: usize,
}

fn parse_defect(name: &str) -> Result<Defect, String> {
    defect_named(name).ok_or_else(|| format!("one of {:?}", Defect::ALL))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.defects {
        return find_defects(&arguments);
    }
    if arguments.trace {
        return trace(&arguments);
    }
    let started = Instant::now();
    let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds);
    let report = run_many(seeds, arguments.threads, arguments.defect);
    let seconds = started.elapsed().as_secs_f64();
    let rate = report.histories as f64 / seconds;
    println!(
        "{} histories in {seconds:.1} s, {rate:.1} a second",
        report.histories
    );
    if arguments.coverage {
        print_coverage(&report);
    }
    match report.failure {
        None => ExitCode::SUCCESS,
        Some(failure) => {
            println!("seed {} failed: {}", failure.seed, failure.violation);
            println!("see it again: {}", replay(failure.seed, arguments.defect));
            ExitCode::FAILURE
        }
    }
}

fn replay(seed: u64, defect: Option<Defect>) -> String {
    let defect = defect
        .map(|defect| format!(" --defect {defect:?}"))
        .unwrap_or_default();
    format!("cargo run --release -p syncline-sim -- --seeds 1 --from {seed}{defect} --trace")
}

fn print_coverage(report: &Report) {
    let Tally {
        reported,
        acknowledged,
        excused,
    } = report.tally;
    println!("{reported} ops reported as written, {acknowledged} acknowledged, {excused} excused");
    for happening in Happening::ALL {
        println!("{:>8} {happening:?}", report.coverage.of(*happening));
    }
}

fn trace(arguments: &Arguments) -> ExitCode {
    tracing_subscriber::fmt()
        .without_time()
        .with_env_filter("debug")
        .init();
    let mut code = ExitCode::SUCCESS;
    for seed in arguments.from..arguments.from.saturating_add(arguments.seeds) {
        let sink = Box::new(|line: &str| println!("{line}"));
        let outcome = run_traced(seed, arguments.defect, sink);
        println!("seed {seed}: digest {:016x}", outcome.digest);
        if let Some(violation) = outcome.violation {
            println!("seed {seed} failed: {violation}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn find_defects(arguments: &Arguments) -> ExitCode {
    let mut missed = 0;
    println!("| defect | first seed | what was seen |\n|---|---|---|");
    for defect in Defect::ALL {
        let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds);
        match first_seed_that_finds(defect, seeds, arguments.threads) {
            Some(found) => println!("| {defect:?} | {} | {} |", found.seed, found.violation),
            None => {
                missed += 1;
                println!("| {defect:?} | none | |");
            }
        }
    }
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
