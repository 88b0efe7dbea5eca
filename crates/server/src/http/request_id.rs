//! The id under which a request is found in the log.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::random::random;

/// 16 hexadecimal digits: a count that begins at random with each start of the server, mixed so that
/// neighbours don't look alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn next() -> Self {
        static COUNT: OnceLock<AtomicU64> = OnceLock::new();
        let count = COUNT.get_or_init(|| AtomicU64::new(u64::from_ne_bytes(random())));
        Self(format!("{:016x}", mixed(count.fetch_add(1, Relaxed))))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The finalizer of SplitMix64: a permutation of all numbers.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
