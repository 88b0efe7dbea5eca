//! The places that connections have.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many places as connections may be open at once.
#[derive(Debug)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    max: usize,
    /// Whether it was told that all are taken.
    is_told: bool,
}

impl Places {
    pub(super) fn of(max: usize) -> Self {
        let max = max.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(max)),
            max,
            is_told: false,
        }
    }

    /// A place for one more connection, as soon as there is one: who connects meanwhile waits in the queue of
    /// the listener, which the system bounds.
    pub(super) async fn next(&mut self) -> OwnedSemaphorePermit {
        // One that goes and one that comes by turns are told of once.
        if self.free.available_permits() > self.max / 2 {
            self.is_told = false;
        }
        let free = Arc::clone(&self.free);
        if let Ok(place) = Arc::clone(&free).try_acquire_owned() {
            return place;
        }
        if !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!(
                connections.max = self.max,
                "as many connections are open as may be: more wait until one ends, see --connections-max"
            );
        }
        free.acquire_owned().await.expect("it is never closed")
    }
}
