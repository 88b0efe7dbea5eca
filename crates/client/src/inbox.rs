//! What others ask of the sync thread.
//!
//! Wishes gather: however often a thread is woken while it is busy, it looks once.

use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::{SyncOutcome, SyncSettings};

/// The box that handles put wishes into, and the sync thread empties.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    wishes: Mutex<Wishes>,
    arrived: Notify,
}

/// What is wished for.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// To try now, whatever is being waited for.
    pub(crate) wake: Option<Wish>,
    /// To push what was written, unless something is being waited for.
    pub(crate) written: Option<Wish>,
    pub(crate) settings: Option<SyncSettings>,
    /// To end.
    pub(crate) stop: Option<Wish>,
    pub(crate) waiters: Vec<Waiter>,
}

/// Something is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish;

/// Somebody who waits until everything is synced.
#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) deadline: Instant,
    pub(crate) reply: SyncSender<SyncOutcome>,
}

impl Inbox {
    /// Adds a wish.
    pub(crate) fn wish(&self, add: impl FnOnce(&mut Wishes)) {
        add(&mut self.lock());
        self.arrived.notify_one();
    }

    /// The wishes of now, once there are any. May be dropped before it is done.
    pub(crate) async fn next(&self) -> Wishes {
        loop {
            let wishes = std::mem::take(&mut *self.lock());
            if !wishes.is_empty() {
                return wishes;
            }
            self.arrived.notified().await;
        }
    }

    /// A panic elsewhere leaves these plain values whole.
    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wishes {
    pub(crate) fn wake(&mut self) {
        self.wake = Some(Wish);
    }

    pub(crate) fn written(&mut self) {
        self.written = Some(Wish);
    }

    pub(crate) fn stop(&mut self) {
        self.stop = Some(Wish);
    }

    pub(crate) fn is_stop(&self) -> bool {
        self.stop.is_some()
    }

    pub(crate) fn is_written(&self) -> bool {
        self.written.is_some()
    }

    fn is_empty(&self) -> bool {
        let Self {
            wake,
            written,
            settings,
            stop,
            waiters,
        } = self;
        let nothing = [wake, written, stop].into_iter().all(Option::is_none);
        nothing && settings.is_none() && waiters.is_empty()
    }
}
