//! TEXT, as a command is given it: the argument itself, or standard input where it is `-`.

use std::io::Read;

use syncline_model::thread::check_content;

use crate::context::Context;
use crate::failure::Failure;

/// What is longer can't be an entry: four bytes for each character that one may have.
const INPUT_BYTES_MAX: u64 = 4 * syncline_model::limits::CONTENT_CHARS_MAX as u64 + 2;

/// The text to write. One line break at the end of standard input is not part of it.
pub(super) fn read(argument: &str, context: &Context) -> Result<String, Failure> {
    let text = if argument == "-" {
        from_stdin(context)?
    } else {
        argument.to_owned()
    };
    check_content(&text).map_err(|error| {
        Failure::usage("content_invalid", "this can't be an entry")
            .because(error)
            .state("nothing was written")
    })?;
    Ok(text)
}

fn from_stdin(context: &Context) -> Result<String, Failure> {
    if context.environment.terminals.stdin {
        context
            .output
            .note("Reading the entry; end it with Ctrl-D.");
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin()
        .lock()
        .take(INPUT_BYTES_MAX)
        .read_to_end(&mut bytes);
    read.map_err(|error| {
        Failure::new("stdin_unreadable", "could not read standard input")
            .because(error)
            .state("nothing was written")
    })?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        Failure::usage("content_invalid", "standard input is not UTF-8 text")
            .because(error.utf8_error())
            .state("nothing was written")
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
