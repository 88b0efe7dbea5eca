//! The order of what is in a session.

use crate::Timestamp;

/// How many places a millisecond has.
const PLACES: i64 = 1 << 10;

/// The order key of a thing that stands after `previous` in its transcript and was said at `at`.
///
/// Keys ascend along a file, whatever its times do, and are made of times, so that things from two
/// sources stand as they came about. One file gives the same keys on every machine.
pub fn order_after(previous: Option<i64>, at: Option<Timestamp>) -> i64 {
    let earliest = previous.map_or(i64::MIN, |previous| previous.saturating_add(1));
    let by_time = at.map_or(0, |at| order_of_millis(at.as_millis()));
    by_time.max(earliest)
}

/// The order key of something of which no more is known than its time, in milliseconds.
pub(super) fn order_of_millis(millis: i64) -> i64 {
    millis.saturating_mul(PLACES)
}
