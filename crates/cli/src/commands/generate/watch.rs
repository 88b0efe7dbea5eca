//! Writing again whenever the document changes.

use std::time::Duration;

use crate::context::Context;
use crate::document::Source;
use crate::failure::{Failure, Outcome};
use crate::signals;

/// How often a file is looked at, and how often a URL is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const FETCH_EVERY: Duration = Duration::from_secs(5);

/// How often in a row a document can't be read before that is told: an editor replaces a file by removing
/// it first.
const FAILURES_UNTOLD: u32 = 1;

/// Calls `generate` with the document's text now, and after each change of it, until the process is asked to
/// end. A document that can't be used, or read any more, is told once, and waited on.
pub(super) fn run(
    source: &Source,
    generate: impl Fn(&str) -> Outcome,
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
                        if let Err(failure) = generate(&text) {
                            context.output.failure(&failure);
                        }
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
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                () = tokio::time::sleep(every) => {}
            }
        }
    });
    runtime.shutdown_background();
    outcome
}
