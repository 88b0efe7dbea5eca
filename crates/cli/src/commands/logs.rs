mod follow;

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limit::at_least_one;
use crate::logging::{self, LogLine};
use crate::output::Format;

use follow::Follower;

/// Show what the daemon and other commands logged
///
/// Logs are JSON lines, a file per day, kept for 30 days; --json prints them as they are.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// Go on with new lines until Ctrl-C
    #[arg(short, long)]
    follow: bool,
    /// Show the last N lines
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = at_least_one::<usize>)]
    lines: usize,
}

pub(crate) fn run(args: &LogsArgs, context: &Context) -> Outcome {
    let dir = context.paths()?.log_dir;
    let unreadable = |error: io::Error| {
        let message = format!("could not read the logs in {}", dir.display());
        Failure::new("logs_unreadable", message)
            .because(error)
            .fix("syncline doctor")
    };
    // Taken before the last lines are read: a line written meanwhile is not lost.
    let mut follower = Follower::at_end(&dir).map_err(unreadable)?;
    let lines = last_lines(&dir, args.lines, &follower).map_err(unreadable)?;
    if lines.is_empty() && !args.follow {
        context
            .output
            .note(format_args!("nothing is logged in {}", dir.display()));
    }
    let format = context.output.format();
    context.output.write(|out| print(out, format, &lines))?;
    if !args.follow {
        return Ok(());
    }
    loop {
        let lines = follower.wait().map_err(unreadable)?;
        context.output.write(|out| print(out, format, &lines))?;
    }
}

fn print<'a>(
    out: &mut dyn Write,
    format: Format,
    lines: impl IntoIterator<Item = &'a String>,
) -> io::Result<()> {
    for line in lines {
        match format {
            Format::Json => writeln!(out, "{line}")?,
            Format::Text => writeln!(out, "{}", LogLine::read(line))?,
        }
    }
    Ok(())
}

/// The last `count` lines before the place where `follower` goes on, over as many days as it takes.
fn last_lines(dir: &Path, count: usize, follower: &Follower) -> io::Result<VecDeque<String>> {
    let mut lines = VecDeque::new();
    for (_, path) in logging::files(dir)?.iter().rev() {
        if lines.len() >= count {
            break;
        }
        let mut last = VecDeque::new();
        let file = std::fs::File::open(path)?;
        for line in BufReader::new(follower.before(path, file)).lines() {
            if last.len() == count - lines.len() {
                last.pop_front();
            }
            last.push_back(line?);
        }
        last.append(&mut lines);
        lines = last;
    }
    Ok(lines)
}
