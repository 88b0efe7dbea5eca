//! Writing again whenever the document changes.

use std::time::Duration;

use crate::context::Context;
use crate::document::Source;
use crate::failure::{Failure, Outcome};
use crate::signals;

/// How often a file is looked at, and how often a URL is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const FETCH_EVERY: Duration = Duration::from_secs(5);

/// How often a folder that could not be written is tried again: somebody must make room, or move what is in the way.
const RETRY_EVERY: Duration = Duration::from_secs(2);

/// How often in a row a document can't be read before that is told: an editor replaces a file by removing
/// it first.
const FAILURES_UNTOLD: u32 = 1;

/// Whether the folder was written, and then whether that was said.
type Writing = Result<Outcome, Failure>;

/// What a document gives, and is not in its folder yet.
struct Unwritten<C> {
    client: C,
    /// The code of the failure that was told last.
    told: Option<&'static str>,
}

impl<C> Unwritten<C> {
    fn new(client: C) -> Self {
        Self { client, told: None }
    }

    /// Tries to write it; gives what is to be tried again.
    fn written(mut self, write: impl Fn(&C) -> Writing, context: &Context) -> Option<Self> {
        let failure = match write(&self.client) {
            Ok(said) => {
                if let Err(failure) = said {
                    context.output.failure(&failure);
                }
                return None;
            }
            Err(failure) => failure,
        };
        let code = failure.report().map(|report| report.code);
        if self.told != code {
            self.told = code;
            context.output.failure(&failure);
            context.output.note(format_args!(
                "it is tried again every {} seconds, and at the next change",
                RETRY_EVERY.as_secs()
            ));
        }
        Some(self)
    }
}

/// Has what the document gives made and written now, and after each change of it, until the process is asked to
/// end. A document that can't be used, or read any more, is told once, and waited on; so is a folder that can't
/// be written, which is tried again.
pub(super) fn run<C>(
    source: &Source,
    make: impl Fn(&str) -> Result<C, Failure>,
    write: impl Fn(&C) -> Writing,
    context: &Context,
) -> Outcome {
    let every = match source {
        Source::File(_) => LOOK_EVERY,
        Source::Url(_) => FETCH_EVERY,
        Source::Stdin => {
            return Err(Failure::usage(
                "watch_stdin",
                "standard input is read once: name a file or a URL to watch",
            ));
        }
    };
    let runtime = signals::runtime()?;
    let outcome = runtime.block_on(async {
        let shutdown = signals::shutdown()?;
        tokio::pin!(shutdown);
        let mut seen: Option<String> = None;
        let mut failures = 0;
        let mut unwritten = None;
        loop {
            // A server may take long to answer, and the end must not wait for it.
            let reading = source.clone();
            let read = tokio::select! {
                () = &mut shutdown => return Ok(()),
                read = tokio::task::spawn_blocking(move || reading.read()) => {
                    read.expect("a reading does not panic")
                }
            };
            match read {
                Ok(text) => {
                    // Who was told that it is gone is told that it is back.
                    let is_back = failures > FAILURES_UNTOLD;
                    failures = 0;
                    if is_back || seen.as_ref() != Some(&text) {
                        unwritten = match make(&text) {
                            Ok(client) => Some(Unwritten::new(client)),
                            Err(failure) => {
                                context.output.failure(&failure);
                                None
                            }
                        };
                        seen = Some(text);
                    }
                }
                Err(failure) if seen.is_none() => return Err(failure),
                Err(failure) => {
                    if failures == FAILURES_UNTOLD {
                        context.output.failure(&failure);
                    }
                    failures += 1;
                }
            }
            unwritten = unwritten.and_then(|client: Unwritten<C>| client.written(&write, context));
            let pause = match unwritten {
                Some(_) => every.max(RETRY_EVERY),
                None => every,
            };
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    });
    runtime.shutdown_background();
    outcome
}
