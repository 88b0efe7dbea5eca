//! What an operator sets of shapes.

use std::time::Duration;

/// How shapes are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapeSettings {
    /// Bytes after which an answer ends; the row that reaches them is its last.
    pub chunk_bytes: usize,
    /// Bytes of a subset at most: it is one answer, and held whole.
    pub subset_bytes: usize,
    /// How long a live request waits for a change.
    pub long_poll: Duration,
    /// How long a stream of events lasts.
    pub stream: Duration,
    /// The silence after which a stream says that it is alive.
    pub keep_alive: Duration,
    /// How long caches may keep an answer that is neither first nor live, and show it while they ask
    /// for a newer one.
    pub cache_max_age: Duration,
    pub cache_stale_age: Duration,
    /// Whether clients may delete shapes.
    pub deletes: Deletes,
    /// Shapes of one tenant at most. For another one, those go that were asked for longest ago, of who
    /// has most of them made.
    pub shapes_max: usize,
    /// Requests that may be open at once, of readers that begin and of those that go on.
    pub initial_requests_max: usize,
    pub existing_requests_max: usize,
}

/// Whether clients may delete shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletes {
    Refused,
    Allowed,
}

impl Default for ShapeSettings {
    fn default() -> Self {
        Self {
            chunk_bytes: 10 << 20,
            subset_bytes: 64 << 20,
            long_poll: Duration::from_secs(20),
            stream: Duration::from_secs(60),
            keep_alive: Duration::from_secs(21),
            cache_max_age: Duration::from_secs(60),
            cache_stale_age: Duration::from_secs(300),
            deletes: Deletes::Refused,
            shapes_max: 50_000,
            initial_requests_max: 300,
            existing_requests_max: 50_000,
        }
    }
}
