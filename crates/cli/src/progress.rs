//! How far a long command is, for a person who watches.

use std::io::Write;
use std::time::{Duration, Instant};

use syncline_model::ServerSeq;
use syncline_server::admin::{OrderProgress, OrderWait};

use crate::context::Context;

/// What is done sooner needs no progress.
const QUIET: Duration = Duration::from_secs(1);
const BAR_COLUMNS: u64 = 30;

/// A line on standard error that is written over; nothing at all where nobody watches.
#[derive(Debug)]
pub(crate) struct Progress {
    watched: bool,
    begun: Instant,
    shown: bool,
}

impl Progress {
    /// The progress of what began at `begun`.
    pub(crate) fn new(context: &Context, begun: Instant) -> Self {
        Self {
            watched: context.environment.terminals.stderr,
            begun,
            shown: false,
        }
    }

    /// Shows that `done` of `whole` is done.
    pub(crate) fn show(&mut self, done: u64, whole: Option<u64>) {
        self.write(|elapsed| bar(done, whole, elapsed));
    }

    /// Shows what an order to a server waits for.
    pub(crate) fn show_order(&mut self, wait: OrderWait) {
        self.write(|elapsed| match wait {
            OrderWait::ToBeTaken => "waiting for the server".to_owned(),
            OrderWait::Behind => "waiting for the server, which is at another order".to_owned(),
            OrderWait::Taken(OrderProgress { floor, .. }) if floor == ServerSeq::ZERO => {
                "the server is at it".to_owned()
            }
            OrderWait::Taken(OrderProgress { reached, floor, .. }) => {
                bar(reached.get(), Some(floor.get()), elapsed)
            }
        });
    }

    fn write(&mut self, line: impl FnOnce(Duration) -> String) {
        let elapsed = self.begun.elapsed();
        if !self.watched || elapsed < QUIET {
            return;
        }
        self.shown = true;
        // A terminal that has gone away sees no progress.
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{}", line(elapsed));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

fn bar(done: u64, whole: Option<u64>, elapsed: Duration) -> String {
    let Some(whole) = whole.filter(|whole| *whole > 0) else {
        return format!("{done} done");
    };
    let done = done.min(whole);
    let filled = (u128::from(done) * u128::from(BAR_COLUMNS) / u128::from(whole)) as usize;
    let left = elapsed.as_secs_f64() * (whole - done) as f64 / done.max(1) as f64;
    format!(
        "[{}{}] {:3} %, {left:.0} s left",
        "#".repeat(filled),
        ".".repeat(BAR_COLUMNS as usize - filled),
        u128::from(done) * 100 / u128::from(whole)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_and_tells_what_is_left() {
        let second = Duration::from_secs(1);
        assert_eq!(
            bar(1, Some(4), second),
            "[#######.......................]  25 %, 3 s left"
        );
        assert_eq!(
            bar(u64::MAX, Some(u64::MAX), second).matches('#').count(),
            30
        );
        assert_eq!(bar(7, None, second), "7 done");
        assert_eq!(bar(0, Some(0), second), "0 done");
    }
}
