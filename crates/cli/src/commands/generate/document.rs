//! Where the document is read from.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use syncline_client::fetch_text;
use syncline_codegen::DOCUMENT_BYTES_MAX;

use crate::failure::Failure;

/// How long the document's server has.
const PATIENCE: Duration = Duration::from_secs(30);

/// The place of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    File(PathBuf),
    Url(String),
    Stdin,
}

impl Source {
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        match text {
            "-" => Ok(Self::Stdin),
            "" => Err(Failure::usage("document_missing", "no document is named")),
            url if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Self::Url(url.to_owned()))
            }
            path => Ok(Self::File(path.into())),
        }
    }

    /// The text, whole.
    pub(super) fn read(&self) -> Result<String, Failure> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            Failure::new("document_unreadable", format!("could not read {self}")).because(error)
        };
        match self {
            Self::Url(url) => {
                fetch_text(url, DOCUMENT_BYTES_MAX, PATIENCE).map_err(|error| failed(error.into()))
            }
            Self::File(path) => File::open(path)
                .and_then(read_bounded)
                .map_err(|error| failed(error.into())),
            Self::Stdin => read_bounded(io::stdin()).map_err(|error| failed(error.into())),
        }
    }
}

/// Reads one byte beyond the limit at most: the resolver says that it is too much.
fn read_bounded(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(DOCUMENT_BYTES_MAX as u64 + 1)
        .read_to_string(&mut text)?;
    Ok(text)
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Url(url) => formatter.write_str(url),
            Self::Stdin => formatter.write_str("standard input"),
        }
    }
}
