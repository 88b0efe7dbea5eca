//! Those who wait until everything is synced.

use tokio::time::{Instant, sleep_until};

use crate::inbox::Waiter;

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
