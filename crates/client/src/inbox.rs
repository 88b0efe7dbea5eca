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
    pub(crate) wake: Option<Wake>,
    pub(crate) settings: Option<SyncSettings>,
    pub(crate) stop: Option<Stop>,
    pub(crate) waiters: Vec<Waiter>,
}

/// To look for work now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wake;

/// To end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop;

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
    fn is_empty(&self) -> bool {
        let Self {
            wake,
            settings,
            stop,
            waiters,
        } = self;
        wake.is_none() && settings.is_none() && stop.is_none() && waiters.is_empty()
    }
}
