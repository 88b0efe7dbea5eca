//! Those who wait until everything is synced.

use tokio::time::{Instant, sleep_until};

use super::Driver;
use crate::inbox::Waiter;
use crate::{Phase, SyncEnd};

/// Those who wait.
#[derive(Default)]
pub(super) struct Waiters {
    waiting: Vec<Waiting>,
}

/// One who waits.
pub(super) struct Waiting {
    pub(super) waiter: Waiter,
    /// The newest write that is waited for.
    pub(super) through: u64,
}

impl Waiters {
    pub(super) fn add(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
    }

    pub(super) fn take(&mut self) -> Vec<Waiting> {
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Is done when the first deadline has passed.
    pub(super) async fn deadline(&self) {
        match self
            .waiting
            .iter()
            .map(|waiting| waiting.waiter.deadline)
            .min()
        {
            Some(deadline) => sleep_until(Instant::from_std(deadline)).await,
            None => std::future::pending().await,
        }
    }
}

impl Driver {
    /// Answers those whose waiting is over.
    pub(super) fn answer_waiters(&mut self) {
        for Waiting { waiter, through } in self.waiters.take() {
            let end = match self.judge(through) {
                None if waiter.deadline <= std::time::Instant::now() => Some(SyncEnd::OutOfTime),
                judged => judged,
            };
            match end {
                None => self.waiters.add(Waiting { waiter, through }),
                Some(end) => {
                    self.count();
                    // Who asked may have gone.
                    let _ = waiter.reply.send(self.board.outcome(end));
                }
            }
        }
    }

    /// Whether everything written up to `through` is synced, or won't be for now; none: it may soon.
    fn judge(&mut self, through: u64) -> Option<SyncEnd> {
        let waits = self.replica().waits_through(through).unwrap_or(true);
        match (self.phase(), waits) {
            (Phase::Off | Phase::Stopped, _) => Some(SyncEnd::Off),
            (Phase::Live | Phase::Polling | Phase::Elsewhere, false) => Some(SyncEnd::Synced),
            // Pushes are held back while pulls go on.
            (Phase::Polling, true) => self.failure().map(SyncEnd::Failed),
            // Without a failure it finds its way back to the log after a pause.
            (Phase::BackingOff, _) => self.failure().map(SyncEnd::Failed),
            (Phase::OtherTenant | Phase::LoggedOut | Phase::Apart, _) => {
                Some(SyncEnd::Failed(self.failure().unwrap_or_default()))
            }
            (Phase::Live | Phase::Elsewhere, true)
            | (Phase::Introducing | Phase::Syncing | Phase::Recovering, _) => None,
        }
    }

    fn count(&mut self) {
        match self.replica().status() {
            Ok(status) => self.board.set_counts(&status),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not count ops"
                );
            }
        }
    }
}
