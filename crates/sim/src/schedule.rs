//! What is to happen, in the order of its time.

use std::collections::BTreeMap;

/// Events to come. Those of one moment come in the order in which they were set.
#[derive(Debug)]
pub(crate) struct Schedule<E> {
    /// Milliseconds since the world's beginning.
    now: u64,
    set: u64,
    events: BTreeMap<(u64, u64), E>,
}

impl<E> Schedule<E> {
    pub(crate) fn new() -> Self {
        Self {
            now: 0,
            set: 0,
            events: BTreeMap::new(),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// Sets an event for `delay` milliseconds from now.
    pub(crate) fn set(&mut self, delay: u64, event: E) {
        self.set += 1;
        self.events.insert((self.now + delay, self.set), event);
    }

    /// Goes on to the next event.
    pub(crate) fn next(&mut self) -> Option<E> {
        let ((at, _), event) = self.events.pop_first()?;
        self.now = at;
        Some(event)
    }

    /// The events to come.
    pub(crate) fn events(&self) -> impl Iterator<Item = &E> {
        self.events.values()
    }

    /// Takes back the events that `is_meant` for.
    pub(crate) fn forget(&mut self, is_meant: impl Fn(&E) -> bool) {
        self.events.retain(|_, event| !is_meant(event));
    }
}
