//! Watching what agents leave, and importing it as it grows: on a thread of its own, since all of it waits
//! for the disk.
//!
//! The system tells which files have changed; those are read on a moment later. What it does not tell of
//! (links, network disks, a queue that ran over) a look at everything finds, which comes rarely.

mod due;
mod places;
mod state;
mod worker;

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use serde_json::Value;
use syncline_capture::hook::Spool;
use syncline_replica::Replica;
use tokio::sync::Notify;

use crate::record::InForce;
use state::State;
use worker::Worker;

/// The most changed files that are remembered; of more, everything is looked at.
const CHANGED_MAX: usize = 4096;

/// The watching of a daemon.
#[derive(Debug)]
pub(crate) struct Watch {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the watching thread and others tell each other.
#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Pending>,
    woken: Condvar,
    state: Mutex<State>,
    /// Told once the watching thread has ended, however that came.
    ended: Notify,
}

/// What there is to do for the watching thread.
#[derive(Debug, Default)]
struct Pending {
    changed: BTreeSet<PathBuf>,
    /// Whether it is not known of all files that they have changed.
    lost: bool,
    spooled: bool,
    configured: bool,
    stop: bool,
}

impl Watch {
    /// Starts to watch by the settings in force.
    pub(crate) fn start(replica: Replica, spool: Spool, captured: InForce) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Worker::new(replica, spool, captured, Arc::clone(&shared));
        Self::spawn(shared, move || worker.run())
    }

    fn spawn(shared: Arc<Shared>, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let end = End(Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                let _end = end;
                work();
            })?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// A watching whose thread panics at once.
    #[cfg(test)]
    pub(crate) fn that_panics() -> Self {
        let watch = Self::spawn(Arc::default(), || panic!("a test has asked for it"));
        watch.expect("a thread can be made")
    }

    /// Waits until the watching has ended: before it is stopped, it does so by a fault alone.
    pub(crate) async fn ended(&self) {
        self.shared.ended.notified().await;
    }

    /// Has the settings in force read again.
    pub(crate) fn configure(&self) {
        self.shared.tell(|pending| pending.configured = true);
    }

    /// Has the events taken that wait.
    pub(crate) fn take_spool(&self) {
        self.shared.tell(|pending| pending.spooled = true);
    }

    /// What is captured, and how that went.
    pub(crate) fn status(&self) -> Value {
        let state = lock(&self.shared.state);
        serde_json::to_value(&*state).expect("a state is plain data")
    }

    /// Ends the watching, behind the write under way.
    pub(crate) fn stop(&self) {
        self.shared.tell(|pending| pending.stop = true);
        let thread = lock(&self.thread).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the watching of agents has panicked");
        }
    }
}

/// Tells that the watching thread has ended, also where it panics.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.ended.notify_one();
    }
}

impl Shared {
    fn tell(&self, what: impl FnOnce(&mut Pending)) {
        what(&mut lock(&self.pending));
        self.woken.notify_one();
    }

    /// Notes that files have changed.
    fn changed(&self, paths: Vec<PathBuf>) {
        self.tell(|pending| {
            pending.changed.extend(paths);
            if pending.changed.len() > CHANGED_MAX {
                pending.changed.clear();
                pending.lost = true;
            }
        });
    }

    /// Waits until there is something to do, or it is `until`.
    fn wait(&self, until: Instant) -> Pending {
        let mut pending = lock(&self.pending);
        loop {
            let now = Instant::now();
            if pending.is_any() || now >= until {
                let stop = pending.stop;
                let taken = std::mem::take(&mut *pending);
                // It stays so, however often it is asked.
                pending.stop = stop;
                return taken;
            }
            let waited = self.woken.wait_timeout(pending, until - now);
            pending = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn is_stopped(&self) -> bool {
        lock(&self.pending).stop
    }
}

impl Pending {
    fn is_any(&self) -> bool {
        let flags = self.lost || self.spooled || self.configured || self.stop;
        flags || !self.changed.is_empty()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
