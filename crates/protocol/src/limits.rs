//! The named bounds of requests, answers and waits.

use std::time::Duration;

use syncline_model::limits::{PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX};

/// The last place that a log can have: the largest whole number that every JSON reader holds
/// exactly. A request that names a higher one is malformed.
pub const SERVER_SEQ_MAX: u64 = (1 << 53) - 1;

/// What a server takes and gives at most; each is a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Ops in one push. A client sends [`PUSH_OPS`]; the rest is room for others.
    pub push_ops: usize,
    /// Bytes of a body as sent, compressed or not.
    pub body_bytes: usize,
    /// Bytes of a body once expanded: what a small compressed body can make a server hold.
    pub expanded_bytes: usize,
    /// Bytes of one op's payload.
    pub payload_bytes: usize,
    /// Arrays and objects within one another in one op's payload.
    pub payload_depth: usize,
    /// Ops of a page where the request names no `limit`.
    pub page_ops: usize,
    /// Ops of a page at most; a higher `limit` is lowered to this.
    pub page_ops_max: usize,
    /// Bytes of payload after which a page ends. The op that passes it is still in the page, so that
    /// any op can be fetched.
    pub page_bytes: usize,
    /// The time after which a stream that has nothing to say sends a heartbeat.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            push_ops: 5_000,
            body_bytes: 16 << 20,
            expanded_bytes: 64 << 20,
            payload_bytes: PAYLOAD_BYTES_MAX,
            payload_depth: PAYLOAD_DEPTH_MAX,
            page_ops: 1_000,
            page_ops_max: 10_000,
            page_bytes: 4 << 20,
            heartbeat: Duration::from_secs(15),
        }
    }
}

impl Limits {
    /// The ops of a page for which this `limit` is asked.
    pub fn page_ops_for(&self, asked: Option<usize>) -> usize {
        asked
            .unwrap_or(self.page_ops)
            .clamp(1, self.page_ops_max.max(1))
    }
}

/// Ops that a client puts into one push: enough that the commit's fsync is shared by many, few
/// enough that a lost answer costs little.
pub const PUSH_OPS: usize = 1_000;
/// Bytes of payload that a client puts into one push; a single op may be larger.
pub const PUSH_BYTES: usize = 2 << 20;
/// Ops that a client asks for in a page while it fetches a whole log.
pub const FETCH_OPS: usize = 10_000;
/// Bytes of an answer that a client reads: a page of [`Limits::page_bytes`], its last op, and the
/// keys of as many ops as a page can have.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;
/// The time without a byte after which a client takes a stream for dead: two heartbeats and a
/// generous delay.
pub const STREAM_SILENCE_MAX: Duration = Duration::from_secs(45);
/// Ops by which the server's log must be ahead for the prepared file to be worth its fetching.
pub const PREPARED_FILE_FROM: u64 = 5_000;
