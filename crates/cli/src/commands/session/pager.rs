//! Long output, page by page where a person watches.

use std::io::{BufWriter, Write};
use std::process::{Child, Command, Stdio};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::signals;

/// The pager where `PAGER` names none: colours pass, and what fits on a screen is just printed.
const DEFAULT: &str = "less -R -F";

/// Whether output may go through a pager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// Where a person is at the terminal.
    Wanted,
    Never,
}

/// Writes what `text` writes, through the user's pager where a person watches.
pub(super) fn print(
    context: &Context,
    paging: Paging,
    text: impl FnOnce(&mut dyn Write) -> Outcome,
) -> Outcome {
    let Some(mut child) = start(context, paging)? else {
        let mut outcome = Ok(());
        context.output.write(|out| {
            outcome = text(out);
            Ok(())
        })?;
        return outcome;
    };
    let input = child.stdin.take().expect("the pager's input is a pipe");
    let mut out = BufWriter::new(input);
    let outcome = text(&mut out).and_then(|()| out.flush().map_err(Failure::output));
    // The pager ends its reading here, and when the person leaves it.
    drop(out);
    child.wait().map_err(|error| {
        Failure::new("pager_failed", "could not wait for the pager to end").because(error)
    })?;
    outcome
}

fn start(context: &Context, paging: Paging) -> Result<Option<Child>, Failure> {
    let person = context.environment.terminals.stdout && context.environment.terminals.stdin;
    if paging == Paging::Never || !person || context.output.format() == Format::Json {
        return Ok(None);
    }
    let chosen = context.environment.text("PAGER")?.unwrap_or(DEFAULT);
    let mut words = chosen.split_whitespace();
    let Some(program) = words.next().filter(|program| *program != "cat") else {
        return Ok(None);
    };
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped());
    match command.spawn() {
        Ok(child) => {
            // Ctrl-C is the pager's while it runs: this process ends when the pager does.
            let runtime = signals::runtime()?;
            let _context = runtime.enter();
            drop(signals::shutdown()?);
            Ok(Some(child))
        }
        Err(error) => {
            if chosen != DEFAULT {
                context.output.warn(format_args!(
                    "could not start the pager {chosen:?}: {error}"
                ));
            }
            Ok(None)
        }
    }
}
