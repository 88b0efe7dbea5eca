//! What a person, or the agent that works for them, is told when a command fails.
//!
//! Every failure has a stable code, says what was attempted, why it failed, in what state the
//! user's data is, and what to type next.

use std::borrow::Cow;
use std::error::Error;
use std::process::ExitCode;

use serde::Serialize;
use syncline_store::StoreError;

use crate::file_limit::refused_beyond;

/// The end of a command: done, or a failure.
pub(crate) type Outcome = Result<(), Failure>;

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure(Box<Kind>);

#[derive(Debug)]
enum Kind {
    /// To be told to the user.
    Told(Told),
    /// The report that the command printed has said it.
    Reported,
    /// Who read our output has gone; nothing is left to do or to say.
    ReaderGone,
}

/// One of several causes.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Line {
    text: String,
    source: Option<Box<Line>>,
}

#[derive(Debug)]
struct Told {
    code: &'static str,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    candidates: Vec<String>,
    state: Option<String>,
    fixes: Vec<String>,
    /// The bound to the size of files that was met, in bytes.
    file_bytes_max: Option<u64>,
    exit: u8,
}

const EXIT_FAILED: u8 = 1;
const EXIT_USAGE: u8 = 2;
/// What is told of something that the log here does not hold, or no more.
const ABSENT: [&str; 6] = [
    "entry_unknown",
    "item_unknown",
    "list_removed",
    "list_unknown",
    "session_unknown",
    "thread_unknown",
];
const RAISE_THE_LIMIT: &str = "ulimit -f unlimited in the shell that starts it, which may need root; for a service, \
                               LimitFSIZE=infinity in its unit";

impl Failure {
    /// A command that could not be done: exit code 1.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self::told(code, message.into(), EXIT_FAILED)
    }

    /// A command that was not well put: exit code 2.
    pub(crate) fn usage(code: &'static str, message: impl Into<String>) -> Self {
        Self::told(code, message.into(), EXIT_USAGE)
    }

    /// A command whose printed report says what is wrong: exit code 1, and not a word more.
    pub(crate) fn reported() -> Self {
        Self(Box::new(Kind::Reported))
    }

    /// Standard output could not be written.
    pub(crate) fn output(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self(Box::new(Kind::ReaderGone));
        }
        Self::new("output_failed", "could not write to standard output").because(error)
    }

    fn told(code: &'static str, message: String, exit: u8) -> Self {
        Self(Box::new(Kind::Told(Told {
            code,
            message,
            source: None,
            candidates: Vec::new(),
            state: None,
            fixes: Vec::new(),
            file_bytes_max: None,
            exit,
        })))
    }

    fn change(mut self, change: impl FnOnce(&mut Told)) -> Self {
        if let Kind::Told(told) = &mut *self.0 {
            change(told);
        }
        self
    }

    /// Adds the error that caused it.
    #[must_use]
    pub(crate) fn because(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let source = source.into();
        self.change(|told| {
            told.file_bytes_max = refused_beyond(&*source);
            told.source = Some(source);
        })
    }

    /// Adds several causes, each told on a line of its own.
    #[must_use]
    pub(crate) fn because_of(self, lines: Vec<String>) -> Self {
        let chain = lines.into_iter().rev().fold(None, |source, text| {
            let source = source.map(Box::new);
            Some(Line { text, source })
        });
        match chain {
            Some(chain) => self.because(chain),
            None => self,
        }
    }

    /// Adds one of the things that the user may have meant.
    #[must_use]
    pub(crate) fn candidate(self, candidate: impl Into<String>) -> Self {
        let candidate = candidate.into();
        self.change(|told| told.candidates.push(candidate))
    }

    /// Adds the state that the user's data is in.
    #[must_use]
    pub(crate) fn state(self, state: impl Into<String>) -> Self {
        let state = state.into();
        self.change(|told| told.state = Some(state))
    }

    /// Adds a command to type next, or a step to take.
    #[must_use]
    pub(crate) fn fix(self, fix: impl Into<String>) -> Self {
        let fix = fix.into();
        self.change(|told| told.fixes.push(fix))
    }

    /// The failure of a command that has met a log that was lost: what is not in it may well be there, and making
    /// it anew would make a second one.
    #[must_use]
    pub(crate) fn without_log(self) -> Self {
        self.change(|told| {
            if ABSENT.contains(&told.code) {
                told.code = "not_fetched";
                told.message.push_str(", for all that is here");
                told.state =
                    Some("nothing was changed; what the server has is not here".to_owned());
                told.fixes = vec!["syncline sync".to_owned()];
            }
        })
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match &*self.0 {
            Kind::Told(told) => ExitCode::from(told.exit),
            Kind::Reported => ExitCode::from(EXIT_FAILED),
            Kind::ReaderGone => ExitCode::SUCCESS,
        }
    }

    /// What to show: nothing if it has been said, or if nobody listens.
    pub(crate) fn report(&self) -> Option<Report<'_>> {
        let Kind::Told(told) = &*self.0 else {
            return None;
        };
        let mut next = told.source.as_deref().map(|error| error as &dyn Error);
        let mut causes: Vec<String> = Vec::new();
        while let Some(error) = next {
            let cause = error.to_string();
            // A transparent wrapper says the same words twice.
            if causes.last() != Some(&cause) {
                causes.push(cause);
            }
            next = error.source();
        }
        if let Some(bytes) = told.file_bytes_max {
            causes.push(format!("no file may grow beyond {bytes} bytes here"));
            return Some(Report {
                code: "file_limit",
                message: &told.message,
                causes,
                candidates: &told.candidates,
                state: told.state.as_deref(),
                fix: Cow::Owned(vec![RAISE_THE_LIMIT.to_owned()]),
            });
        }
        Some(Report {
            code: told.code,
            message: &told.message,
            causes,
            candidates: &told.candidates,
            state: told.state.as_deref(),
            fix: Cow::Borrowed(&told.fixes),
        })
    }
}

/// Whether what went wrong is that a file of ours can't be read any more.
pub(crate) fn is_damaged(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(StoreError::Damaged { .. }) = error.downcast_ref() {
            return true;
        }
        next = error.source();
    }
    false
}

/// A failure in the form in which it is shown; as JSON below the key `error`.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) code: &'static str,
    pub(crate) message: &'a str,
    pub(crate) causes: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub(crate) candidates: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'a str>,
    pub(crate) fix: Cow<'a, [String]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not read the page")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn every_cause_is_told_once_and_in_order() {
        let failure = Failure::new("x", "could not sync")
            .because(Outer(std::io::Error::other("connection reset")))
            .state("kept")
            .fix("syncline sync");
        let report = failure.report().unwrap();
        assert_eq!(
            report.causes,
            ["could not read the page", "connection reset"]
        );
        assert_eq!(*report.fix, ["syncline sync"]);
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let gone = Failure::output(std::io::ErrorKind::BrokenPipe.into());
        assert!(gone.report().is_none());
        assert_eq!(
            format!("{:?}", gone.exit_code()),
            format!("{:?}", ExitCode::SUCCESS)
        );
        let full = Failure::output(std::io::ErrorKind::StorageFull.into());
        assert_eq!(full.report().unwrap().code, "output_failed");
    }
}
