//! What sync has cost: bytes and calls, for `status`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that all calls of one sync add to.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    calls: AtomicU64,
    sent_bytes: AtomicU64,
    received_bytes: AtomicU64,
}

/// Calls made and bytes of bodies moved since sync was started; bodies are counted expanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrafficCount {
    /// Streams are counted too.
    pub calls: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
}

impl Traffic {
    /// Counts a call with a body of this size.
    pub(crate) fn count_sent(&self, body_bytes: usize) {
        self.calls.fetch_add(1, Relaxed);
        self.sent_bytes.fetch_add(body_bytes as u64, Relaxed);
    }

    /// Counts a part of an answer.
    pub(crate) fn count_received(&self, bytes: usize) {
        self.received_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn count(&self) -> TrafficCount {
        TrafficCount {
            calls: self.calls.load(Relaxed),
            sent_bytes: self.sent_bytes.load(Relaxed),
            received_bytes: self.received_bytes.load(Relaxed),
        }
    }
}
