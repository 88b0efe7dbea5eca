use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use crate::context::Context;
use crate::doctor::{CHECKS, Finding, Repairs, State};
use crate::failure::{Failure, Outcome};
use crate::output::{Colour, Style, printable};
use crate::wording::counted;

/// Look for what is wrong, and say what to do about it
///
/// Reads only, unless --fix is given. Tokens and what you wrote are never shown, so the report can be
/// pasted into a question. Exit code 1 if a check failed.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Put right what needs no decision of yours
    #[arg(long)]
    fix: bool,
}

#[derive(Serialize)]
struct Report {
    version: &'static str,
    ok: bool,
    checks: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    name: &'static str,
    state: State,
    message: String,
    fix: Option<String>,
    repaired: bool,
}

pub(crate) fn run(args: &DoctorArgs, context: &Context) -> Outcome {
    let repairs = if args.fix {
        Repairs::Made
    } else {
        Repairs::Offered
    };
    let checks = CHECKS.iter().map(|check| {
        let Finding {
            state,
            message,
            fix,
            repaired,
            ..
        } = check.run(context, repairs);
        Line {
            name: check.name,
            state,
            message,
            fix,
            repaired,
        }
    });
    let mut checks: Vec<Line> = checks.collect();
    name_each_failure_once(&mut checks);
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        ok: checks.iter().all(|line| line.state != State::Failed),
        checks,
    };
    context
        .output
        .data(&report, |out| print(&report, out, context.output.colour()))?;
    if report.ok {
        Ok(())
    } else {
        Err(Failure::reported())
    }
}

/// A check that fails for the reason of an earlier one could not look at what it is for.
fn name_each_failure_once(checks: &mut [Line]) {
    for later in 1..checks.len() {
        let (before, rest) = checks.split_at_mut(later);
        let line = &mut rest[0];
        let same =
            |earlier: &&Line| earlier.state == State::Failed && earlier.message == line.message;
        if line.state == State::Failed
            && let Some(first) = before.iter().find(same)
        {
            line.message = format!("not looked at: see {}", first.name);
            line.state = State::Skipped;
            line.fix = None;
        }
    }
}

fn print(report: &Report, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
    writeln!(out, "syncline {}", report.version)?;
    for line in &report.checks {
        let (style, mark) = match line.state {
            State::Ok => (Style::Good, "ok"),
            State::Warning => (Style::Warning, "warning"),
            State::Failed => (Style::Bad, "failed"),
            State::Skipped => (Style::Faint, "skipped"),
        };
        let mark = colour.paint(style, format!("{mark:<7}"));
        let message = printable(&line.message);
        writeln!(out, "{mark}  {:<16}  {message}", line.name)?;
        if let (Some(fix), true) = (&line.fix, line.state != State::Ok) {
            writeln!(out, "{:27}fix: {}", "", printable(fix))?;
        }
    }
    let count = |state| {
        report
            .checks
            .iter()
            .filter(|line| line.state == state)
            .count() as u64
    };
    writeln!(
        out,
        "{} checks: {} failed, {}",
        report.checks.len(),
        count(State::Failed),
        counted(count(State::Warning), "warning")
    )
}
