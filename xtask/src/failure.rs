//! What makes a chore end early, and how that is told.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::{io, iter};

/// Why a chore did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The machine lacks something; each line says what, and how to get it.
    Needs(Vec<String>),
    /// A command could not be started.
    Start { command: String, source: io::Error },
    /// A command ran and said no.
    Exit { command: String, status: ExitStatus },
    /// A file of the tree could not be read or written.
    File { path: PathBuf, source: io::Error },
    /// `cargo metadata` answered something else than its own format.
    Metadata { source: serde_json::Error },
    /// Rules of the tree are broken; they have been printed.
    Untidy { findings: usize },
    /// Committed files are not what the binary generates.
    Stale { paths: Vec<String> },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Needs(lines) => write!(f, "this machine lacks:\n  {}", lines.join("\n  ")),
            Self::Start { command, .. } => write!(f, "could not start `{command}`"),
            Self::Exit { command, status } => write!(f, "`{command}` failed: {status}"),
            Self::File { path, .. } => write!(f, "could not read or write {}", path.display()),
            Self::Metadata { .. } => write!(f, "could not read the answer of `cargo metadata`"),
            Self::Untidy { findings } => {
                write!(f, "`cargo xtask tidy` failed: {findings} findings")
            }
            Self::Stale { paths } => write!(
                f,
                "these files are not what the binary generates; `cargo xtask codegen` writes them:\n  {}",
                paths.join("\n  ")
            ),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Start { source, .. } | Self::File { source, .. } => Some(source),
            Self::Metadata { source } => Some(source),
            Self::Needs(_) | Self::Exit { .. } | Self::Untidy { .. } | Self::Stale { .. } => None,
        }
    }
}

/// The failure and its causes, on one line each.
pub(crate) fn report(failure: &Failure) -> String {
    let causes = iter::successors(failure.source(), |&cause| cause.source());
    causes.fold(format!("error: {failure}"), |text, cause| {
        format!("{text}\n  because: {cause}")
    })
}
