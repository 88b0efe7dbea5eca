//! Telling readers what has changed.
//!
//! A subscription gathers: whoever looks rarely gets one set of what changed meanwhile, so nothing
//! queues up and a slow reader holds nobody.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use syncline_store::ResourceKey;

/// The most resources that a subscription names one by one; above it, everything counts as changed.
/// A reader that must look at so many is as well off to look again at all.
pub const CHANGES_NAMED_MAX: usize = 1024;

/// What has changed since a subscription was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// These resources.
    Named(BTreeSet<ResourceKey>),
    /// Too much to name, or it is not known what: another process wrote, or the tenant file was
    /// exchanged.
    Unknown,
}

/// One reader's view of what changes. Dropped, it is over.
#[derive(Debug)]
pub struct Subscription {
    mailbox: Arc<Mailbox>,
}

/// Who is to be told. Handles of one replica in one process share it.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    mailboxes: Mutex<Vec<Weak<Mailbox>>>,
}

struct Mailbox {
    gathered: Mutex<Option<Changes>>,
    arrived: Condvar,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

impl Subscription {
    /// Takes what has changed; none: nothing has.
    pub fn take(&self) -> Option<Changes> {
        lock(&self.mailbox.gathered).take()
    }

    /// Waits until something changes, `timeout` at most.
    pub fn wait(&self, timeout: Duration) -> Option<Changes> {
        let gathered = lock(&self.mailbox.gathered);
        let (mut gathered, _) = self
            .mailbox
            .arrived
            .wait_timeout_while(gathered, timeout, |changes| changes.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        gathered.take()
    }
}

impl Subscribers {
    /// Makes a subscription; `wake` is called, on the writer's thread, whenever it gains something.
    pub(crate) fn subscribe(&self, wake: impl Fn() + Send + Sync + 'static) -> Subscription {
        let mailbox = Arc::new(Mailbox {
            gathered: Mutex::new(None),
            arrived: Condvar::new(),
            wake: Box::new(wake),
        });
        lock(&self.mailboxes).push(Arc::downgrade(&mailbox));
        Subscription { mailbox }
    }

    /// Tells every subscription.
    pub(crate) fn tell(&self, changes: &Changes) {
        if matches!(changes, Changes::Named(named) if named.is_empty()) {
            return;
        }
        let mut told = Vec::new();
        lock(&self.mailboxes).retain(|mailbox| {
            let mailbox = mailbox.upgrade();
            told.extend(mailbox.clone());
            mailbox.is_some()
        });
        for mailbox in told {
            let mut gathered = lock(&mailbox.gathered);
            *gathered = Some(gather(gathered.take(), changes));
            drop(gathered);
            mailbox.arrived.notify_all();
            (mailbox.wake)();
        }
    }
}

fn gather(old: Option<Changes>, new: &Changes) -> Changes {
    match (old, new) {
        (None, new) => bounded(new.clone()),
        (Some(Changes::Unknown), _) | (_, Changes::Unknown) => Changes::Unknown,
        (Some(Changes::Named(mut old)), Changes::Named(new)) => {
            old.extend(new.iter().cloned());
            bounded(Changes::Named(old))
        }
    }
}

fn bounded(changes: Changes) -> Changes {
    match changes {
        Changes::Named(named) if named.len() > CHANGES_NAMED_MAX => Changes::Unknown,
        Changes::Named(_) | Changes::Unknown => changes,
    }
}

/// A panic elsewhere leaves these plain values whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use syncline_model::{ResourceId, Scope};

    use super::*;

    fn named(ids: impl IntoIterator<Item = usize>) -> Changes {
        let resource = |id: usize| (Scope::thread(), ResourceId::new(id.to_string()).unwrap());
        Changes::Named(ids.into_iter().map(resource).collect())
    }

    #[test]
    fn changes_gather_until_they_are_taken() {
        let subscribers = Subscribers::default();
        let woken = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&woken);
        let subscription = subscribers.subscribe(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(subscription.take(), None);
        subscribers.tell(&named([1]));
        subscribers.tell(&named([2, 1]));
        assert_eq!(subscription.take(), Some(named([1, 2])));
        assert_eq!(subscription.take(), None);
        assert_eq!(woken.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn too_many_to_name_become_unknown() {
        let subscribers = Subscribers::default();
        let subscription = subscribers.subscribe(|| {});
        subscribers.tell(&named(0..CHANGES_NAMED_MAX));
        subscribers.tell(&named([CHANGES_NAMED_MAX]));
        assert_eq!(subscription.take(), Some(Changes::Unknown));
    }

    #[test]
    fn nothing_changed_wakes_nobody() {
        let subscribers = Subscribers::default();
        let subscription = subscribers.subscribe(|| {});
        subscribers.tell(&named([]));
        assert_eq!(subscription.wait(Duration::from_millis(1)), None);
    }

    #[test]
    fn a_dropped_subscription_is_forgotten() {
        let subscribers = Subscribers::default();
        drop(subscribers.subscribe(|| {}));
        subscribers.tell(&Changes::Unknown);
        assert!(lock(&subscribers.mailboxes).is_empty());
    }

    #[test]
    fn a_waiting_reader_is_woken() {
        let subscribers = Arc::new(Subscribers::default());
        let subscription = subscribers.subscribe(|| {});
        let writer = Arc::clone(&subscribers);
        let thread = std::thread::spawn(move || writer.tell(&named([1])));
        assert_eq!(subscription.wait(Duration::from_secs(20)), Some(named([1])));
        thread.join().unwrap();
    }
}
