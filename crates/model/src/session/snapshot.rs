//! Usage: of the snapshots of one response, the last within the transcript.
//!
//! Agents write what a response has used again and again while it grows, and copy it along. So the
//! greatest snapshot counts, by where it stands and then by its numbers: that is no matter of who
//! read which copy of a transcript first.

use std::borrow::Cow;

use super::Usage;
use super::patches::count_cell;
use super::tables::USAGE;
use crate::planted::{Defect, is_planted};
use crate::{Row, Rows, Value};

/// The key of the row of a response.
pub(super) fn usage_key(session: &Value, usage: &Usage<'_>) -> [Value; 2] {
    [session.clone(), Value::from(&*usage.id)]
}

/// The row that a snapshot makes of the one that is there; none if it stays as it is.
pub(super) fn merge<R: Rows>(
    rows: &mut R,
    session: &Value,
    usage: Usage<'_>,
) -> Result<Option<Row>, R::Error> {
    let key = usage_key(session, &usage);
    let old = rows.get(&USAGE, &key)?;
    Ok(greater(old, key.into_iter().chain(cells(usage)).collect()))
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
