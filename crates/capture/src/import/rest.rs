//! How long something must not have been written to until nothing more is waited for that would tell where its session
//! takes place.

use std::time::SystemTime;

use syncline_model::Timestamp;
use syncline_model::session::{Change, Piece};

use crate::facts::Fact;

/// Longer than a person or a model thinks.
const REST_MS: i64 = 3_600_000;

/// Whether a file that was written to last then, as far as its file system tells, has been at rest for as long. One of a
/// time to come is: a clock has been set back since, and whoever writes to it gives it a time of now.
pub(super) fn has_rested(written: Option<SystemTime>, now: Timestamp) -> bool {
    let since = written.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    let written = since.map_or(0, |since| since.as_millis() as i64);
    now.as_millis().abs_diff(written) >= REST_MS as u64
}

/// Whether facts of a session in a database, where others are written to all the time, tell that nothing was added to
/// it for as long. That it was begun long ago doesn't, nor does a time to come, which tells nothing of now.
pub(super) fn tell_rest(facts: &[Fact], now: Timestamp) -> bool {
    let begun = facts.iter().filter_map(|fact| match &fact.piece {
        Piece::Session(patch) => set(&patch.started_at),
        _ => None,
    });
    let (begun, last) = (begun.max(), last_time_of(facts));
    let last = last.filter(|last| begun.is_none_or(|begun| *last > begun));
    last.is_some_and(|last| now.as_millis().saturating_sub(last.as_millis()) >= REST_MS)
}

/// The latest time that facts name.
fn last_time_of(facts: &[Fact]) -> Option<Timestamp> {
    let times = facts.iter().flat_map(|fact| match &fact.piece {
        Piece::Session(patch) => [set(&patch.updated_at), None],
        Piece::Message(patch) => [&patch.at, &patch.completed_at].map(set),
        Piece::Tool(patch) => [&patch.at, &patch.completed_at].map(set),
        Piece::Error(patch) => [set(&patch.at), None],
        Piece::Compaction(patch) => [set(&patch.at), None],
        Piece::Usage(usage) => [usage.at, None],
        Piece::Part(_) | Piece::Link(_) => [None, None],
    });
    times.flatten().max()
}

fn set(time: &Change<Timestamp>) -> Option<Timestamp> {
    match time {
        Change::Set(at) => Some(*at),
        Change::Keep | Change::Clear => None,
    }
}
