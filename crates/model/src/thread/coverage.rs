//! Which ops of a thread its rows still need.

use super::fold::{Thread, entry_or_thread, stamp, stamp_of};
use super::ops::ThreadOp;
use super::{LINKS, TAGS, THREADS, ThreadId};
use crate::compaction::{Coverage, has_only};
use crate::{OpKey, OpVersion, Payload, Rows, Timestamp, Value};

/// The fields of every payload of this scope that this version reads.
const FIELDS: [&str; 14] = [
    "type",
    "entryId",
    "author",
    "content",
    "project",
    "key",
    "generation",
    "name",
    "status",
    "tag",
    "target",
    "note",
    "present",
    "at",
];

/// Says whether the rows of a thread still need one of its ops.
///
/// Entries always: they are what a thread is. Of the other ops, those that win a field, a tag or a
/// link, and those from which the thread's times may have come. Of a deleted thread, the delete.
pub fn coverage<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<Coverage, R::Error> {
    coverage_by(rows, key, payload, gave_time)
}

/// As [`coverage`], of an op that the log lacks: that a time of the thread is the op's own tells nothing
/// then, as two ops may be of the same moment.
pub(crate) fn coverage_of_absent<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<Coverage, R::Error> {
    coverage_by(rows, key, payload, |_, _| false)
}

fn coverage_by<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    gave_time: fn(&Thread, Timestamp) -> bool,
) -> Result<Coverage, R::Error> {
    let Some(op) = ThreadOp::read(payload) else {
        return Ok(Coverage::Needed);
    };
    if ThreadId::of_resource(&key.resource).is_none() {
        return Ok(Coverage::Needed);
    }
    let id = Value::from(key.resource.as_str());
    let thread = rows.get(&THREADS, &[id])?.map(Thread::from_row);
    let version = OpVersion {
        clock: key.clock,
        actor: key.actor.clone(),
    };
    let needed = match &thread {
        Some(thread) if thread.is_deleted() => made_tombstone(thread, &op),
        _ => wins_a_part(rows, key, thread.as_ref(), &version, op, gave_time)?,
    };
    Ok(if needed || !has_only(payload, &FIELDS, &[]) {
        Coverage::Needed
    } else {
        Coverage::Covered
    })
}

fn wins_a_part<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    thread: Option<&Thread>,
    version: &OpVersion,
    op: ThreadOp<'_>,
    gave_time: fn(&Thread, Timestamp) -> bool,
) -> Result<bool, R::Error> {
    Ok(match op {
        // A delete whose thread is not deleted can't be; if it is, it is not this function's to lose.
        ThreadOp::Entry(_) | ThreadOp::Delete(_) => true,
        ThreadOp::Create(op) => thread.is_none_or(|thread| {
            let versions = thread.versions();
            let named = versions.name.as_ref() == Some(version)
                || versions.project.as_ref() == Some(version);
            // The first of all creates gave the row these; of several like it, all stay.
            let made = thread.key.as_deref() == Some(&*op.key)
                && thread.home_project.as_deref() == Some(&*op.project)
                && thread.generation == op.generation as i64
                && thread.created_at == op.at.to_string();
            named || made || gave_time(thread, op.at)
        }),
        ThreadOp::Update(op) => thread.is_none_or(|thread| {
            let versions = thread.versions();
            let won = [
                (op.name.is_some(), versions.name),
                (op.project.is_some(), versions.project),
                (op.status.is_some(), versions.status),
            ];
            won.into_iter()
                .any(|(set, last)| set && last.as_ref() == Some(version))
                || gave_time(thread, op.at)
        }),
        ThreadOp::Tag(op) => {
            let row_key = [
                Value::from(key.resource.as_str()),
                entry_or_thread(op.entry_id),
                Value::Text(op.tag.into_owned()),
            ];
            let row = rows.get(&TAGS, &row_key)?;
            row.is_none_or(|row| stamp(&row[4..6]) == stamp_of(version))
        }
        ThreadOp::Link(op) => {
            let row_key = [
                Value::from(key.resource.as_str()),
                entry_or_thread(op.entry_id),
                Value::Text(op.target.to_string()),
            ];
            let row = rows.get(&LINKS, &row_key)?;
            row.is_none_or(|row| stamp(&row[5..7]) == stamp_of(version))
        }
    })
}

/// Whether one of the thread's times may be this op's.
fn gave_time(thread: &Thread, at: Timestamp) -> bool {
    let at = at.to_string();
    thread.updated_at == at || thread.created_at == at
}

/// Whether the op is the delete that made the tombstone, or one just like it.
fn made_tombstone(thread: &Thread, op: &ThreadOp<'_>) -> bool {
    let ThreadOp::Delete(op) = op else {
        return false;
    };
    thread.key.as_deref() == Some(&*op.key)
        && thread.home_project.as_deref() == Some(&*op.project)
        && thread.generation == op.generation as i64
        && thread.created_at == op.at.to_string()
}
