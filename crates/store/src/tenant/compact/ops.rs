//! The first pass of a run: ops that no row needs.

use std::collections::HashMap;

use rusqlite::Connection;
use syncline_model::compaction::{Coverage, replaces};
use syncline_model::planted::{Defect, is_planted};
use syncline_model::{ActorId, LoggedOp, Payload, ResourceId, Scope, ServerSeq};

use super::judging::{Judging, KnownRows};
use super::{Dropped, coverage_of, unfolded};
use crate::file::StoreError;
use crate::tenant::Outbox;
use crate::tenant::read::{RawOp, logged, logged_as, raw};
use crate::view::{Layer, View};

/// Resources whose last replacing op is remembered between steps; past this, all are forgotten and
/// looked up again as they come.
const REPLACING_MAX: usize = 10_000;

/// What one step leaves to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The place of the last op that replaces all before it, of each resource that was asked for.
    replacing: HashMap<(String, String), Option<i64>>,
    rows: KnownRows,
}

impl Memory {
    /// Notes that a step has written no row of the view, and forgets what has grown too large.
    pub(super) fn end_step(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.replacing.len() > REPLACING_MAX {
            self.replacing.clear();
        }
        self.rows.end(connection)
    }
}

/// A scope and an actor: those of the next op are mostly the same.
#[derive(Default)]
struct Names(Option<(Scope, ActorId)>);

impl Names {
    /// An op of the log, with these names where it has the same.
    fn logged(&mut self, raw: &RawOp<'_>) -> Result<LoggedOp, StoreError> {
        if let Some((scope, actor)) = &self.0
            && scope.as_str() == raw.scope
            && actor.as_str() == raw.actor
        {
            return logged_as(raw, scope.clone(), actor.clone());
        }
        let op = logged(raw)?;
        self.0 = Some((op.key.scope.clone(), op.key.actor.clone()));
        Ok(op)
    }
}

/// One step over the ops after a place and below the floor.
pub(super) struct Step<'a> {
    pub connection: &'a Connection,
    pub after: i64,
    pub floor: ServerSeq,
    pub count: usize,
}

/// The first place that a run up to `floor` does not judge.
pub(super) fn end_below(floor: ServerSeq) -> i64 {
    floor.get() as i64 + i64::from(is_planted(Defect::DropAtFloor))
}

/// What a step has looked at.
pub(super) struct Judged {
    pub ops: u64,
    /// The last place judged; none: no op is left.
    pub last: Option<i64>,
}

/// What becomes of an op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Goes,
    Stays,
}

impl Step<'_> {
    /// Drops the ops that are covered.
    pub(super) fn run(
        &self,
        memory: &mut Memory,
        outbox: &(impl Outbox + ?Sized),
        dropped: &mut Dropped,
    ) -> Result<Judged, StoreError> {
        let mut runs = Runs::default();
        let judged = self.judge(memory, outbox, |op, fate| match fate {
            Fate::Goes => {
                runs.add(op.seq.get() as i64);
                dropped.note(&op.key);
            }
            Fate::Stays => runs.end(),
        })?;
        runs.delete(self.connection)?;
        Ok(judged)
    }

    /// Says of each op in turn what is to become of it.
    pub(super) fn judge(
        &self,
        memory: &mut Memory,
        outbox: &(impl Outbox + ?Sized),
        mut see: impl FnMut(&LoggedOp, Fate),
    ) -> Result<Judged, StoreError> {
        let unfolded = unfolded(self.connection)?;
        memory.rows.begin(self.connection)?;
        let mut view = View::new(self.connection, Layer::Confirmed);
        let mut names = Names::default();
        let mut pending = Pending::begin(self.connection, outbox)?;
        let mut judged = Judged { ops: 0, last: None };
        let mut statement = self.connection.prepare_cached(
            "SELECT server_seq, scope, resource_id, actor, clock, payload, payload_hash FROM ops \
             WHERE server_seq > ? AND server_seq < ? ORDER BY server_seq LIMIT ?",
        )?;
        let end = end_below(self.floor);
        let mut rows = statement.query((self.after, end, self.count as i64))?;
        while let Some(row) = rows.next()? {
            let op = names.logged(&raw(row)?)?;
            let seq = op.seq.get() as i64;
            judged.ops += 1;
            judged.last = Some(seq);
            let covered = !unfolded.contains(&seq)
                && self.is_covered(&mut view, &op, memory)? != is_planted(Defect::DropTheCovering)
                && !pending.has(self.connection, &op, outbox)?;
            see(&op, if covered { Fate::Goes } else { Fate::Stays });
        }
        Ok(judged)
    }

    fn is_covered(
        &self,
        view: &mut View<'_>,
        op: &LoggedOp,
        memory: &mut Memory,
    ) -> Result<bool, StoreError> {
        let known = &mut memory.rows;
        let mut rows = Judging { view, known };
        match coverage_of(&mut rows, &op.key, op.payload.as_ref())? {
            Coverage::Covered => Ok(true),
            Coverage::Needed => Ok(false),
            Coverage::Opaque => {
                let key = (
                    op.key.scope.as_str().to_owned(),
                    op.key.resource.as_str().to_owned(),
                );
                let last = match memory.replacing.get(&key) {
                    Some(last) => *last,
                    None => {
                        let last = last_replacing(self.connection, &key.0, &key.1)?;
                        memory.replacing.insert(key, last);
                        last
                    }
                };
                Ok(last.is_some_and(|last| (op.seq.get() as i64) < last))
            }
        }
    }
}

/// The place of the last op of a resource that replaces all before it.
fn last_replacing(
    connection: &Connection,
    scope: &str,
    resource: &str,
) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT server_seq, payload FROM ops WHERE resource_id = ? AND scope = ? \
         AND instr(payload, 'replaces') > 0",
    )?;
    let mut rows = statement.query((resource, scope))?;
    let mut last = None;
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        if last.is_none_or(|last| last < seq)
            && replaces(&Payload::stored(row.get::<_, String>(1)?))
        {
            last = Some(seq);
        }
    }
    Ok(last)
}

/// Which resources the outbox writes to, as far as was asked in this step.
struct Pending {
    known: HashMap<(Scope, ResourceId), bool>,
    /// Whether it writes to none: in a server's log nothing is ever pending.
    is_none: bool,
}

impl Pending {
    fn begin(connection: &Connection, outbox: &(impl Outbox + ?Sized)) -> Result<Self, StoreError> {
        let mut statement =
            connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM confirmed_rows)")?;
        let has_images: bool = statement.query_row([], |row| row.get(0))?;
        Ok(Self {
            known: HashMap::new(),
            is_none: !has_images && outbox.is_empty()?,
        })
    }

    /// Whether the outbox writes to any resource that this op has touched.
    fn has(
        &mut self,
        connection: &Connection,
        op: &LoggedOp,
        outbox: &(impl Outbox + ?Sized),
    ) -> Result<bool, StoreError> {
        if self.is_none {
            return Ok(false);
        }
        for (scope, resource) in syncline_model::touched(&op.key, op.payload.as_ref()) {
            if self.has_of(connection, &scope, &resource, outbox)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_of(
        &mut self,
        connection: &Connection,
        scope: &Scope,
        resource: &ResourceId,
        outbox: &(impl Outbox + ?Sized),
    ) -> Result<bool, StoreError> {
        let key = (scope.clone(), resource.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        // With an image beneath it a row is not a confirmed one, also once its op has left the
        // outbox and the row is still to be folded again.
        let mut statement = connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM confirmed_rows WHERE resource_id = ?)")?;
        let has_image: bool = statement.query_row([resource.as_str()], |row| row.get(0))?;
        let has = has_image || !outbox.of_resources(std::slice::from_ref(&key))?.is_empty();
        self.known.insert(key, has);
        Ok(has)
    }
}

/// Places to delete, as runs of ops that follow on each other.
#[derive(Default)]
struct Runs {
    runs: Vec<(i64, i64)>,
    is_open: bool,
}

impl Runs {
    fn add(&mut self, seq: i64) {
        match self.runs.last_mut() {
            Some((_, last)) if self.is_open => *last = seq,
            _ => self.runs.push((seq, seq)),
        }
        self.is_open = true;
    }

    fn end(&mut self) {
        self.is_open = false;
    }

    fn delete(&self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement =
            connection.prepare_cached("DELETE FROM ops WHERE server_seq BETWEEN ? AND ?")?;
        for run in &self.runs {
            statement.execute(*run)?;
        }
        Ok(())
    }
}
