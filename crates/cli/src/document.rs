//! The OpenAPI document that a command is about: where it is read from, and what it says.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use syncline_client::{fetch_text, told_address};
use syncline_codegen::{DOCUMENT_BYTES_MAX, Diagnostic, Resolution, Severity, resolve_for};
use syncline_server::OwnPaths;

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// How many notes on what was left out are told one by one.
const NOTES_MAX: usize = 20;

/// How long the document's server has.
const PATIENCE: Duration = Duration::from_secs(30);

/// The place of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Url(String),
    Stdin,
}

/// What a command gives under `--json` of a document that it can't use.
#[derive(Serialize)]
struct Refused<'a> {
    document: &'a str,
    diagnostics: &'a [Diagnostic],
}

impl Source {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
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
    pub(crate) fn read(&self) -> Result<String, Failure> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            let failure = Failure::new("document_unreadable", format!("could not read {self}"));
            self.nearer(failure.because(error))
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

    /// A failure to read it, with what brings its user nearer to a document.
    fn nearer(&self, failure: Failure) -> Failure {
        match self {
            Self::Url(url) => failure
                .fix(format!(
                    "curl --fail --output openapi.json {}",
                    told_address(url)
                ))
                .fix(
                    "where it asks for a login, save the document so with yours, and name the file",
                ),
            Self::File(_) => failure.fix(
                "name the document's file, or its address, which begins with http:// or https://",
            ),
            Self::Stdin => failure,
        }
    }
}

impl Source {
    /// Reads the document, tells what there is to say of it, and gives what it means. One with errors
    /// is a failure; `left` is the state that the command leaves things in.
    pub(crate) fn resolve(&self, context: &Context, left: &str) -> Result<Resolution, Failure> {
        let resolution = resolve(&self.read()?);
        tell(&resolution.diagnostics, self, context);
        self.sound(resolution, left)
    }

    /// The same, with the text, for a command whose data under `--json` holds the diagnostics.
    pub(crate) fn resolve_with_text(
        &self,
        context: &Context,
        left: &str,
    ) -> Result<(String, Resolution), Failure> {
        let text = self.read()?;
        let resolution = self.resolve_text(&text, context, left)?;
        Ok((text, resolution))
    }

    /// The same of a text that was read before.
    pub(crate) fn resolve_text(
        &self,
        text: &str,
        context: &Context,
        left: &str,
    ) -> Result<Resolution, Failure> {
        let resolution = resolve(text);
        if !context.globals.json {
            tell(&resolution.diagnostics, self, context);
        } else if resolution.has_errors() {
            self.give(&resolution.diagnostics, context)?;
        }
        self.sound(resolution, left)
    }

    /// Says, of a document that is refused, what stands in the way beside what was told when it was resolved.
    pub(crate) fn tell_refused(
        &self,
        told: &[Diagnostic],
        beside: &[Diagnostic],
        context: &Context,
    ) -> Outcome {
        if context.globals.json {
            return self.give(&[told, beside].concat(), context);
        }
        tell(beside, self, context);
        Ok(())
    }

    /// Says what a command found in a document beside what was told when it was resolved, unless its data holds that.
    pub(crate) fn tell_beside(&self, beside: &[Diagnostic], context: &Context) {
        if !context.globals.json {
            tell(beside, self, context);
        }
    }

    /// Prints what there is to say of a document that is refused: there will be no other data.
    fn give(&self, diagnostics: &[Diagnostic], context: &Context) -> Outcome {
        context.output.json(&Refused {
            document: &self.argument(),
            diagnostics,
        })
    }

    /// What a document means whose diagnostics have been told, unless there are errors among them.
    fn sound(&self, resolution: Resolution, left: &str) -> Result<Resolution, Failure> {
        if !resolution.has_errors() {
            return Ok(resolution);
        }
        let message = format!("{self} can't be used as it stands; {left}");
        Err(Failure::new("document_invalid", message)
            .fix("mend the errors above, and run the command again")
            .fix(format!("syncline schema check {}", self.argument())))
    }

    /// As it is typed again, but for what may be secret.
    pub(crate) fn argument(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Url(url) => told_address(url),
            Self::Stdin => "-".to_owned(),
        }
    }
}

/// A document without records is of no use to anybody who asks for them.
pub(crate) fn no_entities(source: &Source) -> Failure {
    let message = format!("{source} has no entity: no path holds records");
    Failure::new("no_entities", message)
        .fix("give the document paths such as /api/contacts and /api/contacts/{id}")
}

/// What a document means to a server of this version.
pub(crate) fn resolve(text: &str) -> Resolution {
    let own = OwnPaths::of_this_version();
    resolve_for(text, &|path| own.hiding(path))
}

/// Says what the document's author should know.
fn tell(diagnostics: &[Diagnostic], source: &Source, context: &Context) {
    let name = source.to_string();
    let (notes, others): (Vec<_>, Vec<_>) = diagnostics
        .iter()
        .partition(|one| one.severity == Severity::Info);
    for diagnostic in others.iter().chain(notes.iter().take(NOTES_MAX)) {
        context.output.note(diagnostic.placed(&name));
    }
    if notes.len() > NOTES_MAX {
        let more = notes.len() - NOTES_MAX;
        context.output.note(format_args!(
            "… and {more} more notes; `syncline schema check` gives them all"
        ));
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
            Self::Url(url) => formatter.write_str(&told_address(url)),
            Self::Stdin => formatter.write_str("standard input"),
        }
    }
}
