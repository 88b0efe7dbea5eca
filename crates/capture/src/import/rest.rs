//! How long something must not have been written to until nothing more is waited for that would tell where its session
//! takes place.

use syncline_model::Timestamp;
use syncline_model::session::{Change, Piece};

use crate::facts::Fact;

/// Longer than a person or a model thinks.
const REST_MS: u64 = 3_600_000;

/// Whether what was written to last then, in milliseconds since 1970, has been at rest for as long.
pub(super) fn has_rested(written: i64, now: Timestamp) -> bool {
    now.as_millis().abs_diff(written) >= REST_MS
}

/// The latest time that facts name: of a session in a database, where others are written to all the time.
pub(super) fn last_time_of(facts: &[Fact]) -> Option<Timestamp> {
    let times = facts.iter().flat_map(|fact| match &fact.piece {
        Piece::Session(patch) => [&patch.started_at, &patch.updated_at].map(set),
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
