//! Writing again whenever the document changes.

use std::time::Duration;

use crate::context::Context;
use crate::document::Source;
use crate::failure::{Failure, Outcome};
use crate::signals;

/// How often a file is looked at, and how often a URL is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const FETCH_EVERY: Duration = Duration::from_secs(5);

/// Calls `generate` now, and after each change of the document, until the process is asked to end. A
/// document that can't be used is told, and waited on.
pub(super) fn run(source: &Source, generate: impl Fn() -> Outcome, context: &Context) -> Outcome {
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
    runtime.block_on(async {
        let shutdown = signals::shutdown()?;
        tokio::pin!(shutdown);
        let mut seen: Option<String> = None;
        loop {
            match source.read() {
                Ok(text) if seen.as_ref() == Some(&text) => {}
                Ok(text) => {
                    seen = Some(text);
                    if let Err(failure) = generate() {
                        context.output.failure(&failure);
                    }
                }
                // An editor replaces a file by removing it first.
                Err(failure) if seen.is_some() => drop(failure),
                Err(failure) => return Err(failure),
            }
            tokio::select! {
                () = &mut shutdown => return Ok(()),
                () = tokio::time::sleep(every) => {}
            }
        }
    })
}
