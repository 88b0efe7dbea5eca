//! Asking before something is gone for good.

use std::io::{BufRead, Write};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::printable;

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// Nobody is there to ask.
    NobodyAsked,
}

/// Asks `question` of the person at the terminal.
pub(crate) fn confirm(context: &Context, question: &str) -> Result<Answer, Failure> {
    let terminals = context.environment.terminals;
    if !terminals.stdin || !terminals.stderr {
        return Ok(Answer::NobodyAsked);
    }
    let mut talk = std::io::stderr().lock();
    // If the question can't be shown, the answer is no all the same.
    let _ = write!(talk, "{} [y/N] ", printable(question));
    let _ = talk.flush();
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| {
            Failure::new("stdin_unreadable", "could not read the answer").because(error)
        })?;
    Ok(match line.trim() {
        "y" | "Y" | "yes" => Answer::Yes,
        _ => Answer::No,
    })
}
