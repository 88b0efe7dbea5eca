//! What is printed: data to standard output, talk to standard error.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use crate::environment::Environment;
use crate::failure::{Failure, Outcome, Report};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    /// One JSON value, on one line.
    Json,
}

/// The two standard streams, and how to write to them.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    format: Format,
    data_colour: Colour,
    talk_colour: Colour,
    data_cells: Option<usize>,
}

/// Whether a stream takes colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    On,
    Off,
}

/// A meaning that colour underlines; nothing is said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Good,
    Warning,
    Bad,
    Strong,
    Faint,
}

impl Style {
    const fn start(self) -> &'static str {
        match self {
            Self::Good => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Bad => "\x1b[1;31m",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
        }
    }
}

impl Colour {
    pub(crate) fn paint(self, style: Style, text: impl Display) -> String {
        match self {
            Self::On => format!("{}{text}\x1b[0m", style.start()),
            Self::Off => text.to_string(),
        }
    }
}

impl Output {
    /// Colours where a person is at a terminal that takes them and `NO_COLOR` is not set.
    pub(crate) fn new(format: Format, environment: &Environment) -> Self {
        let wanted = environment.raw("NO_COLOR").is_none()
            && environment.raw("TERM").is_none_or(|term| term != "dumb");
        let colour = |terminal: bool| {
            if wanted && terminal {
                Colour::On
            } else {
                Colour::Off
            }
        };
        Self {
            format,
            data_colour: colour(environment.terminals.stdout),
            talk_colour: colour(environment.terminals.stderr),
            data_cells: environment.terminals.stdout_cells,
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// The colours of what goes to standard output.
    pub(crate) fn colour(&self) -> Colour {
        self.data_colour
    }

    /// How wide the terminal at standard output is, in cells; none: there is none, or it doesn't tell.
    pub(crate) fn width(&self) -> Option<usize> {
        self.data_cells
    }

    /// The colours of what goes to standard error.
    pub(crate) fn talk_colour(&self) -> Colour {
        self.talk_colour
    }

    /// Prints data as `value` under `--json`, else as `text` writes it.
    pub(crate) fn data<V: Serialize>(
        &self,
        value: &V,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Outcome {
        match self.format {
            Format::Json => self.json(value),
            Format::Text => self.write(text),
        }
    }

    /// Prints one JSON value on a line.
    pub(crate) fn json(&self, value: &impl Serialize) -> Outcome {
        self.write(|out| {
            serde_json::to_writer(&mut *out, value)?;
            out.write_all(b"\n")
        })
    }

    /// Writes to standard output through a buffer, and sees that all of it got there.
    pub(crate) fn write(&self, text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Outcome {
        let mut out = BufWriter::new(io::stdout().lock());
        text(&mut out)
            .and_then(|()| out.flush())
            .map_err(Failure::output)
    }

    /// Says something to the person; never data. What others have written may be in it.
    pub(crate) fn note(&self, text: impl Display) {
        self.say(printable(&text.to_string()));
    }

    /// Says what may surprise.
    pub(crate) fn warn(&self, text: impl Display) {
        let head = self.talk_colour.paint(Style::Warning, "warning:");
        self.say(format_args!("{head} {}", printable(&text.to_string())));
    }

    /// Says what is coloured already, or JSON. A closed standard error is no reason to fail.
    pub(crate) fn say(&self, text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// `text` as the head of an error.
    pub(crate) fn bad(&self, text: &str) -> String {
        self.talk_colour.paint(Style::Bad, text)
    }

    /// Shows why a command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        let Some(report) = failure.report() else {
            return;
        };
        match self.format {
            Format::Json => {
                let body = serde_json::json!({ "error": report });
                self.say(body);
            }
            Format::Text => self.say(self.render(&report)),
        }
    }

    fn render(&self, report: &Report<'_>) -> String {
        let head = format!("error[{}]:", report.code);
        let mut text = format!(
            "{} {}",
            self.talk_colour.paint(Style::Bad, head),
            printable(report.message)
        );
        let labelled = report
            .causes
            .iter()
            .map(|cause| ("cause:", cause.as_str()))
            .chain(report.candidates.iter().map(|one| ("maybe:", one.as_str())))
            .chain(report.state.map(|state| ("state:", state)))
            .chain(report.fix.iter().map(|fix| ("fix:", fix.as_str())));
        for (label, line) in labelled {
            let label = self.talk_colour.paint(Style::Strong, format!("{label:<6}"));
            text.push_str(&format!("\n  {label} {}", printable(line)));
        }
        text
    }
}

/// `text` without the characters by which stored text could drive the reader's terminal, or have it show
/// words in another order than they stand in; line breaks and tabs stay. JSON output needs none of this.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let reorders = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t') || reorders(c);
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    // A Windows line end is not worth a mark.
    let text = text.replace("\r\n", "\n");
    let shown = text
        .chars()
        .map(|c| if harmful(c) { '\u{fffd}' } else { c });
    Cow::Owned(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_text_cannot_drive_the_terminal() {
        assert_eq!(printable("a\tb\r\nc"), "a\tb\nc");
        assert_eq!(printable("\x1b]0;title\x07x"), "\u{fffd}]0;title\u{fffd}x");
        assert_eq!(
            printable("a\u{202e}b\u{2066}c\u{2069}d\u{200d}"),
            "a\u{fffd}b\u{fffd}c\u{fffd}d\u{200d}"
        );
        assert!(matches!(printable("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_error_tells_cause_state_and_the_next_command() {
        let output = Output {
            format: Format::Text,
            data_colour: Colour::Off,
            talk_colour: Colour::Off,
            data_cells: None,
        };
        let failure = Failure::new("endpoint_invalid", "could not set endpoint")
            .because(io::Error::other("no host"))
            .state("the configuration is unchanged")
            .fix("syncline config list");
        assert_eq!(
            output.render(&failure.report().unwrap()),
            "error[endpoint_invalid]: could not set endpoint\n  cause: no host\n  \
             state: the configuration is unchanged\n  fix:   syncline config list"
        );
    }
}
