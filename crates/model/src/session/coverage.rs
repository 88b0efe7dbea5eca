//! Which ops of a session its rows still need.

use super::fold::{is_tombstone, part_key, tombstone};
use super::merge::{Merged, named};
use super::ops::{Patch, SessionOp};
use super::snapshot;
use super::tables::{PARTS, SESSIONS, STAMP, USAGE, stamps};
use super::{Change, SessionId};
use crate::compaction::Coverage;
use crate::planted::{Defect, is_planted};
use crate::{OpKey, OpVersion, Payload, Rows, Value};

/// Says whether the rows of a session still need one of its ops: those that win a field or a part of
/// something, and those whose snapshot of a response is the one that counts. Of a deleted session,
/// the delete.
pub fn coverage<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<Coverage, R::Error> {
    let op = SessionOp::read(payload);
    let Some(op) = op.filter(|_| SessionId::of_resource(&key.resource).is_some()) else {
        return Ok(Coverage::Needed);
    };
    // What says more than is read here may mean more to a newer version.
    if !is_read_whole(payload, &op) {
        return Ok(Coverage::Needed);
    }
    let session = Value::from(key.resource.as_str());
    let row = rows.get(&SESSIONS, std::slice::from_ref(&session))?;
    let dead = row.filter(is_tombstone);
    let needed = match (op, dead) {
        (SessionOp::Delete(op), Some(row)) => row == tombstone(session, op.at),
        // A delete whose session is not deleted can't be; if it is, it is not this function's to lose.
        (SessionOp::Delete(_), None) => true,
        (SessionOp::Patch(_), Some(_)) => false,
        (SessionOp::Patch(patch), None) => {
            let version = OpVersion {
                clock: key.clock,
                actor: key.actor.clone(),
            };
            let mut asked = Asked {
                rows,
                session,
                version,
            };
            asked.wins_a_part(*patch)?
        }
    };
    Ok(if needed {
        Coverage::Needed
    } else {
        Coverage::Covered
    })
}

/// Whether writing the op again gives all that the payload says.
fn is_read_whole(payload: &Payload, op: &SessionOp<'_>) -> bool {
    let said = payload.read::<serde_json::Value>();
    let read = op.payload().map(|read| read.read::<serde_json::Value>());
    matches!((said, read), (Ok(said), Ok(Ok(read))) if said == read)
}

/// An op that is asked about.
struct Asked<'r, R> {
    rows: &'r mut R,
    session: Value,
    version: OpVersion,
}

impl<R: Rows> Asked<'_, R> {
    fn wins_a_part(&mut self, patch: Patch<'_>) -> Result<bool, R::Error> {
        let forgets = is_planted(Defect::CoverageForgetsParts);
        let fields = [
            (Merged::Session, vec![patch.session.into_cells()]),
            (Merged::Message, all(patch.messages, |p| p.into_cells())),
            (Merged::Tool, all(patch.tools, |p| p.into_cells())),
            (Merged::Error, all(patch.errors, |p| p.into_cells())),
            (
                Merged::Compaction,
                all(patch.compactions, |p| p.into_cells()),
            ),
            (Merged::Link, all(patch.links, |p| p.into_cells())),
        ];
        for (kind, patches) in fields {
            for (below, changes) in patches {
                if self.holds_a_field(kind, below, &changes)? {
                    return Ok(true);
                }
            }
        }
        for part in patch.parts {
            let row = self.rows.get(&PARTS, &part_key(&self.session, &part))?;
            let ours = |row: &crate::Row| {
                let [_, clock, actor] = &row[STAMP] else {
                    return false;
                };
                *clock == Value::Integer(self.version.clock.get() as i64)
                    && *actor == self.version.actor.as_str().into()
            };
            if row.is_none_or(|row| ours(&row)) && !forgets {
                return Ok(true);
            }
        }
        for usage in patch.usage {
            let row = self
                .rows
                .get(&USAGE, &snapshot::usage_key(&self.session, &usage))?;
            let copied = usage.copied;
            let cells = snapshot::cells(usage);
            if copied || row.is_none_or(|row| row[2..14] == cells[..12]) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn holds_a_field(
        &mut self,
        kind: Merged,
        below: Vec<Value>,
        changes: &[Change<Value>],
    ) -> Result<bool, R::Error> {
        let named = named(changes);
        if named == 0 {
            return Ok(false);
        }
        let key: Vec<Value> = std::iter::once(self.session.clone()).chain(below).collect();
        let row = self.rows.get(kind.table(), &key)?;
        Ok(row.is_none_or(|row| stamps(&row).holds(named, &self.version)))
    }
}

fn all<P, C>(patches: Vec<P>, cells: impl Fn(P) -> C) -> Vec<C> {
    patches.into_iter().map(cells).collect()
}
