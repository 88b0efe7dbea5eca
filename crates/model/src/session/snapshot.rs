//! Usage: of the snapshots of one response, the last within the transcript.
//!
//! Agents write what a response has used again and again while it grows, and copy it along. So the
//! greatest snapshot counts, by where it stands and then by its numbers: that is no matter of who
//! read which copy of a transcript first.

use std::borrow::Cow;

use super::Usage;
use super::fields::count_cell;
use crate::planted::{Defect, is_planted};
use crate::{Row, Value};

/// The key of the row of a response.
pub(super) fn usage_key(session: &Value, usage: &Usage<'_>) -> [Value; 2] {
    [session.clone(), Value::from(&*usage.id)]
}

/// The greater of the row that is there and another one; none if that is the first. What is known to
/// be a copy stays one.
pub(super) fn greater(old: Option<Row>, other: Row) -> Option<Row> {
    let Some(old) = old else {
        return Some(other);
    };
    let copied = (&old[COPIED]).max(&other[COPIED]).clone();
    let is_greater = is_planted(Defect::UsageByArrival) || other[..COPIED] > old[..COPIED];
    let mut row = if is_greater { other } else { old.clone() };
    row[COPIED] = copied;
    (row != old).then_some(row)
}

/// What a row adds to sums of its session, by their columns; nothing if it is a copy.
pub(super) fn sums(row: &Row) -> Vec<(&'static str, i64)> {
    if row[COPIED] == Value::Integer(1) && !is_planted(Defect::CopiesCount) {
        return Vec::new();
    }
    let cell = |place: usize| row[place].as_integer();
    let mut sums = vec![("response_count", 1)];
    let tokens = SUMMED.into_iter().zip(3..);
    sums.extend(tokens.map(|(name, place)| (name, cell(place).unwrap_or_default())));
    if let Some(cost) = cell(9) {
        sums.extend([("cost_nanos", cost), ("costed_count", 1)]);
    }
    sums
}

/// The sums of a session that its usage adds to, in the order of the cells.
const SUMMED: [&str; 6] = [
    "output_tokens",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
];

/// The place of the cell that is no part of the order.
const COPIED: usize = 14;

/// The snapshot's cells, in the order by which the greatest is found, and whether it is a copy.
pub(super) fn cells(usage: Usage<'_>) -> [Value; 13] {
    let text = |text: Option<Cow<'_, str>>| Value::from(text.map(Cow::into_owned));
    [
        Value::Integer(usage.order),
        count_cell(usage.output),
        count_cell(usage.input),
        count_cell(usage.cache_read),
        count_cell(usage.cache_write_5m),
        count_cell(usage.cache_write_1h),
        count_cell(usage.reasoning),
        usage.cost_nanos.map_or(Value::Null, count_cell),
        usage.at.map_or(Value::Null, |at| at.as_millis().into()),
        text(usage.model),
        text(usage.provider),
        text(usage.message_id),
        Value::Integer(usage.copied.into()),
    ]
}
