//! Texts and files, as a command is given them; `-` is standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::context::Context;
use crate::failure::Failure;

/// No checklist that people keep is longer.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why an input can't be used.
#[derive(Debug, thiserror::Error)]
enum InputError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("it has more than {BYTES_MAX} bytes")]
    TooLarge,
    #[error("it is not UTF-8 text")]
    NotText(#[from] std::string::FromUtf8Error),
}

/// The text that `argument` is; `-` reads it from standard input, less one line break at its end.
pub(super) fn text(argument: &str, context: &Context) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = standard_input(context, "Reading the text")?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// The lines of standard input, less the blank ones.
pub(super) fn lines(context: &Context) -> Result<Vec<String>, Failure> {
    let text = standard_input(context, "Reading items, one a line")?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// The whole of a file, or of standard input.
pub(super) fn file(path: &Path, context: &Context) -> Result<String, Failure> {
    if path == Path::new("-") {
        return standard_input(context, "Reading a checklist");
    }
    let read = File::open(path).map_err(InputError::from).and_then(read);
    read.map_err(|error| unusable(error, &path.display().to_string()))
}

fn standard_input(context: &Context, what: &str) -> Result<String, Failure> {
    if context.environment.terminals.stdin {
        context
            .output
            .note(format_args!("{what}; end it with Ctrl-D."));
    }
    read(io::stdin().lock()).map_err(|error| unusable(error, "standard input"))
}

fn read(from: impl Read) -> Result<String, InputError> {
    let mut bytes = Vec::new();
    from.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(InputError::TooLarge);
    }
    Ok(String::from_utf8(bytes)?)
}

fn unusable(error: InputError, name: &str) -> Failure {
    let code = match error {
        InputError::Read(_) => "file_unreadable",
        InputError::TooLarge | InputError::NotText(_) => "file_invalid",
    };
    Failure::new(code, format!("could not read {name}"))
        .because(error)
        .state("nothing was changed")
        .fix("name a text file that you may read, or `-` for standard input")
}
