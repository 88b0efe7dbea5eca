//! The fold of scope `session`.

use std::borrow::Cow;

use super::merge::{Merge, Merged, is_unplaced, place_by_result};
use super::ops::{Delete, Patch, SessionOp};
use super::precedence::Standing;
use super::tables::{CONTENTS, PARTS, SESSIONS, STAMP, TOOLS, USAGE, blank, cell, place};
use super::{Change, Part, SessionId, Usage, snapshot, words};
use crate::planted::{Defect, is_planted};
use crate::{Folded, OpKey, Payload, Place, Row, Rows, SkipReason, Timestamp, Value};

/// What stands in place of the kind of a part that its agent took back.
pub(super) const REMOVED: &str = "removed";

/// Folds one op of a session.
pub fn fold<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    _: Place,
) -> Result<Folded, R::Error> {
    let op = SessionOp::read(payload);
    let Some(op) = op.filter(|_| SessionId::of_resource(&key.resource).is_some()) else {
        return Ok(Folded::Skipped(SkipReason::Unreadable));
    };
    let session = Value::from(key.resource.as_str());
    match op {
        // Of several deletes the last one makes the tombstone: it has erased the others.
        SessionOp::Delete(op) => {
            delete(rows, session, op)?;
            Ok(Folded::Deleted)
        }
        SessionOp::Patch(_) if is_deleted(rows, &session)? => Ok(Folded::AfterDelete),
        SessionOp::Patch(patch) => {
            let standing = Standing::of(key, patch.precedence());
            Folding::new(rows, session, standing).patch(*patch)?;
            Ok(Folded::Applied)
        }
    }
}

/// Whether a resource of this scope is a session that was deleted, with the payloads of all its ops.
pub fn is_erased<R: Rows>(rows: &mut R, resource: &str) -> Result<bool, R::Error> {
    is_deleted(rows, &Value::from(resource))
}

fn is_deleted<R: Rows>(rows: &mut R, session: &Value) -> Result<bool, R::Error> {
    let row = rows.get(&SESSIONS, std::slice::from_ref(session))?;
    Ok(row.is_some_and(|row| is_tombstone(&row)))
}

pub(super) fn is_tombstone(row: &Row) -> bool {
    *cell(&SESSIONS, row, "deleted_at") != Value::Null
}

/// Leaves the tombstone, made of the delete alone: a log whose earlier payloads are erased folds to
/// the same row.
fn delete<R: Rows>(rows: &mut R, session: Value, op: Delete) -> Result<(), R::Error> {
    let id = session.as_text().unwrap_or_default();
    for table in CONTENTS {
        rows.clear(table, id)?;
    }
    rows.put(&SESSIONS, tombstone(session, op.at))
}

pub(super) fn tombstone(session: Value, at: Timestamp) -> Row {
    let mut row = blank(&SESSIONS, &[session]);
    row[place(&SESSIONS, "deleted_at")] = Value::Integer(at.as_millis());
    row
}

/// The key of a part's row.
pub(super) fn part_key(session: &Value, part: &Part<'_>) -> [Value; 4] {
    let (owner, id) = match (&*part.tool_id, &*part.message_id) {
        ("", "") => ("session", ""),
        ("", message) => ("message", message),
        (tool, _) => ("tool", tool),
    };
    [
        session.clone(),
        Value::from(owner),
        Value::from(id),
        Value::from(&*part.id),
    ]
}

/// The cells of a part between its key and its stamp.
pub(super) fn part_cells(part: &Part<'_>) -> [Value; 5] {
    let text = |text: &Option<Cow<'_, str>>| Value::from(text.as_deref().map(Value::from));
    let kept = |value| if part.removed { Value::Null } else { value };
    let kind = if part.removed { REMOVED } else { &*part.kind };
    [
        Value::from(kind),
        Value::Integer(part.order),
        Value::Integer(part.continues.into()),
        kept(text(&part.media_type)),
        kept(text(&part.reference)),
    ]
}

/// The key of what a tool has given, or of the first piece of it.
fn output_key(session: &Value, tool: &Value) -> [Value; 4] {
    [
        session.clone(),
        Value::from("tool"),
        tool.clone(),
        Value::from(words::TOOL_OUTPUT),
    ]
}

fn begins_with(part: &Row, text: &str) -> bool {
    let whole = part.last().and_then(Value::as_text);
    whole.is_some_and(|whole| whole.starts_with(text))
}

fn position_of(part: &Row) -> Option<i64> {
    cell(&PARTS, part, "position").as_integer()
}

/// The text of a part.
pub(super) fn part_text(part: Part<'_>) -> Value {
    if part.removed {
        return Value::from("");
    }
    Value::Text(part.text.into_owned())
}

/// One op on its way into the rows of its session.
struct Folding<'r, R> {
    rows: &'r mut R,
    session: Value,
    standing: Standing,
    wrote: bool,
    /// What the op adds to counts of the session, by their columns.
    counts: Vec<(&'static str, i64)>,
}

impl<'r, R: Rows> Folding<'r, R> {
    fn new(rows: &'r mut R, session: Value, standing: Standing) -> Self {
        Self {
            rows,
            session,
            standing,
            wrote: false,
            counts: Vec::new(),
        }
    }

    fn patch(&mut self, patch: Patch<'_>) -> Result<(), R::Error> {
        for message in patch.messages {
            let (key, changes) = message.into_cells();
            self.merge(Merged::Message, key, changes)?;
        }
        for tool in patch.tools {
            let (key, changes) = tool.into_cells();
            self.merge(Merged::Tool, key, changes)?;
        }
        for error in patch.errors {
            let (key, changes) = error.into_cells();
            self.merge(Merged::Error, key, changes)?;
        }
        for compaction in patch.compactions {
            let (key, changes) = compaction.into_cells();
            self.merge(Merged::Compaction, key, changes)?;
        }
        for link in patch.links {
            let (key, changes) = link.into_cells();
            self.merge(Merged::Link, key, changes)?;
        }
        for part in patch.parts {
            self.part(part)?;
        }
        for usage in patch.usage {
            self.usage(usage)?;
        }
        let (key, changes) = patch.session.into_cells();
        self.merge(Merged::Session, key, changes)?;
        self.finish()
    }

    fn merge(
        &mut self,
        kind: Merged,
        below: Vec<Value>,
        changes: Vec<Change<Value>>,
    ) -> Result<(), R::Error> {
        let key: Vec<Value> = std::iter::once(self.session.clone()).chain(below).collect();
        let merge = kind.merge(self.rows, &key, changes, &self.standing)?;
        let Some(mut merge) = merge else {
            return Ok(());
        };
        self.wrote = true;
        if kind == Merged::Tool && is_unplaced(&merge.after) {
            let output = output_key(&key[0], &key[1]);
            let stands = |output: Option<&Row>| output.and_then(position_of);
            let result = self.rows.look(&PARTS, &output, stands)?;
            place_by_result(&mut merge.after, result);
        }
        let gone = kind.counts(
            merge
                .before
                .as_ref()
                .filter(|_| !is_planted(Defect::CountsGrow)),
        );
        let come = kind.counts(Some(&merge.after));
        self.counts.extend(gone.iter().map(|name| (*name, -1)));
        self.counts.extend(come.iter().map(|name| (*name, 1)));
        self.make_found(kind, &merge)?;
        self.rows.put(kind.table(), merge.after)
    }

    /// Writes the text of a field that is to be found beside the parts. There is such a row once the
    /// field was written, whatever it holds. An error that the call's output begins with is found there.
    fn make_found(&mut self, kind: Merged, merge: &Merge) -> Result<(), R::Error> {
        let (field, owner) = match kind {
            Merged::Session => ("title", "title"),
            Merged::Tool => ("error", "tool_error"),
            Merged::Error => ("message", "error"),
            Merged::Compaction => ("summary", "compaction"),
            Merged::Message | Merged::Link => return Ok(()),
        };
        let table = kind.table();
        let at = place(table, field);
        if merge.won >> (at - table.key_columns) & 1 == 0 {
            return Ok(());
        }
        let id = merge.after[1..table.key_columns].first();
        let mut row = vec![
            self.session.clone(),
            Value::from(owner),
            id.cloned().unwrap_or_else(|| Value::from("")),
            Value::from(""),
            Value::from(owner),
            Value::Integer(0),
            Value::Integer(0),
            Value::Null,
            Value::Null,
        ];
        row.extend(self.stamp());
        let mut text = merge.after[at].as_text().unwrap_or_default();
        if kind == Merged::Tool && !text.is_empty() {
            let output = output_key(&row[0], &row[2]);
            let tells =
                |output: Option<&Row>| output.is_some_and(|output| begins_with(output, text));
            if self.rows.look(&PARTS, &output, tells)? {
                text = "";
            }
        }
        row.push(Value::from(text));
        self.rows.put(&PARTS, row)
    }

    /// Has an error be found once, by itself or in the output of its call, whichever was told first.
    fn find_error_once(&mut self, output: &Row) -> Result<(), R::Error> {
        let (session, tool) = (output[0].clone(), output[2].clone());
        let owner = Value::from("tool_error");
        let found = [session.clone(), owner, tool.clone(), Value::from("")];
        let Some(mut found) = self.rows.get(&PARTS, &found)? else {
            return Ok(());
        };
        let error = |row: Option<&Row>| row.map(|row| cell(&TOOLS, row, "error").clone());
        let error = self.rows.look(&TOOLS, &[session, tool], error)?;
        let error = error.as_ref().and_then(Value::as_text).unwrap_or_default();
        let text = if begins_with(output, error) {
            ""
        } else {
            error
        };
        let last = found.last_mut().expect("a row has columns");
        if *last == Value::from(text) {
            return Ok(());
        }
        *last = Value::from(text);
        self.rows.put(&PARTS, found)
    }

    /// Has a call whose own line is not there stand where its output does, whichever was told first.
    fn place_call(&mut self, output: &Row) -> Result<(), R::Error> {
        let key = [output[0].clone(), output[2].clone()];
        let unplaced = |call: Option<&Row>| call.filter(|call| is_unplaced(call)).cloned();
        let Some(mut call) = self.rows.look(&TOOLS, &key, unplaced)? else {
            return Ok(());
        };
        place_by_result(&mut call, position_of(output));
        self.rows.put(&TOOLS, call)
    }

    fn stamp(&self) -> [Value; 3] {
        let Standing { rank, version } = &self.standing;
        [
            Value::Integer(*rank),
            Value::Integer(version.clock.get() as i64),
            Value::from(version.actor.as_str()),
        ]
    }

    fn part(&mut self, part: Part<'_>) -> Result<(), R::Error> {
        let key = part_key(&self.session, &part);
        let old = self.rows.get(&PARTS, &key)?;
        let is_new = old.is_none();
        let stamp = self.stamp();
        let later = |row: &Row| row[STAMP] > stamp[..];
        if old.is_some_and(|row| later(&row)) && !is_planted(Defect::PartByArrival) {
            return Ok(());
        }
        self.wrote = true;
        let mut row = Vec::with_capacity(PARTS.columns.len());
        row.extend(key);
        row.extend(part_cells(&part));
        row.extend(stamp);
        row.push(part_text(part));
        if row[..4] == output_key(&row[0], &row[2]) {
            self.find_error_once(&row)?;
            self.place_call(&row)?;
        }
        if is_new {
            self.rows.insert(&PARTS, row).map(|_| ())
        } else {
            self.rows.put(&PARTS, row)
        }
    }

    fn usage(&mut self, usage: Usage<'_>) -> Result<(), R::Error> {
        let key = snapshot::usage_key(&self.session, &usage);
        let old = self.rows.get(&USAGE, &key)?;
        let given = key.into_iter().chain(snapshot::cells(usage)).collect();
        let Some(row) = snapshot::greater(old.clone(), given) else {
            return Ok(());
        };
        self.wrote = true;
        for (row, sign) in [(old.as_ref(), -1), (Some(&row), 1)] {
            let sums = row.into_iter().flat_map(snapshot::sums);
            self.counts
                .extend(sums.map(|(name, sum)| (name, sum * sign)));
        }
        self.rows.put(&USAGE, row)
    }

    /// Sees to it that what was written has a session, and that its counts are right.
    fn finish(&mut self) -> Result<(), R::Error> {
        if !self.wrote {
            return Ok(());
        }
        let key = std::slice::from_ref(&self.session);
        let old = self.rows.get(&SESSIONS, key)?;
        let changes = old.is_none() || !self.counts.is_empty();
        let mut row = old.unwrap_or_else(|| blank(&SESSIONS, key));
        for (name, change) in self.counts.drain(..) {
            if let Value::Integer(count) = &mut row[place(&SESSIONS, name)] {
                // Sums of numbers that no one can have meant come round alike in any order.
                *count = count.wrapping_add(change);
            }
        }
        if changes {
            self.rows.put(&SESSIONS, row)?;
        }
        Ok(())
    }
}
