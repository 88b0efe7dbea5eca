//! Dropping at once what is nearly all of a log: first it is found out, in steps, which ops stay; then
//! those are written anew into the emptied table.
//!
//! To take a row out of a table and its index costs as much for the last of a hundred as for the first,
//! and each step leaves the pages that it has touched in the write-ahead log. To empty a table takes no
//! more than giving its pages back.
//!
//! What is written into pages that the same transaction has freed doesn't fill all of them, and SQLite
//! leaves the rest as it was. So the file is owed to be written anew.

use rusqlite::Connection;
use syncline_model::ServerSeq;

use super::ops::{Fate, Memory, Step, end_below};
use super::{Compaction, Dropped, Phase};
use crate::file::StoreError;
use crate::tenant::Outbox;
use crate::tenant::upkeep::owe_rewrite;

/// Of so many ops one may stay, where the others are dropped at once; of one, all may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneIn(pub u64);

/// How many ops may stay, and how many clocks be remembered of those that go: they are written in one
/// transaction.
const KEPT_MAX: u64 = 65_536;
/// Bytes of the payloads of what stays: they are in memory once.
const KEPT_BYTES_MAX: usize = 32 << 20;

/// What is known so far of the ops below a floor. An op that is covered stays so, whatever is written
/// until all of them are known.
#[derive(Debug)]
pub(super) struct Survey {
    stays: OneIn,
    after: i64,
    judged: u64,
    dropped: Dropped,
    kept: Vec<i64>,
    kept_bytes: usize,
}

/// What a step of a survey has come to.
pub(super) enum Surveyed {
    More,
    /// Too much stays: nothing was dropped, and every op is to be judged in the step that drops it.
    NotWorthIt,
    Dropped {
        judged: u64,
        ops: Dropped,
    },
}

impl Survey {
    pub(super) fn begin(stays: OneIn) -> Self {
        Self {
            stays,
            after: 0,
            judged: 0,
            dropped: Dropped::default(),
            kept: Vec::new(),
            kept_bytes: 0,
        }
    }

    /// The place up to which ops were judged.
    pub(super) fn after(&self) -> i64 {
        self.after
    }

    /// Judges the ops of one step, or drops what is to go where none is left to judge; `head` is the
    /// log's last place.
    pub(super) fn step(
        &mut self,
        step: &Step<'_>,
        head: ServerSeq,
        memory: &mut Memory,
        outbox: &(impl Outbox + ?Sized),
    ) -> Result<Surveyed, StoreError> {
        let judged = step.judge(memory, outbox, |op, fate| match fate {
            Fate::Goes => self.dropped.note(&op.key),
            Fate::Stays => {
                self.kept.push(op.seq.get() as i64);
                let payload = op.payload.as_ref();
                let bytes = payload.map_or(0, |payload| payload.as_str().len());
                self.kept_bytes += bytes;
            }
        })?;
        self.judged += judged.ops;
        self.after = judged.last.unwrap_or(self.after);
        if !self.may_be_worth_it(step.floor, head) {
            return Ok(Surveyed::NotWorthIt);
        }
        if judged.last.is_some() {
            return Ok(Surveyed::More);
        }
        // Where this fails, the run begins anew.
        let whole = std::mem::replace(self, Self::begin(self.stays));
        whole.carry_out(step.connection, step.floor)
    }

    /// Whether few enough ops stay, of as many as there may be, for it to be worth to go on.
    fn may_be_worth_it(&self, floor: ServerSeq, head: ServerSeq) -> bool {
        let above = (head.get() + 1).saturating_sub(floor.get());
        let kept = self.kept.len() as u64 + above;
        let left = floor.get().saturating_sub(self.after as u64 + 1);
        kept * self.stays.0.saturating_sub(1) <= self.dropped.ops + left
            && kept <= KEPT_MAX
            && self.dropped.clocks() as u64 <= KEPT_MAX
            && self.kept_bytes <= KEPT_BYTES_MAX
    }

    /// Leaves in the log what stays.
    fn carry_out(self, connection: &Connection, floor: ServerSeq) -> Result<Surveyed, StoreError> {
        let end = end_below(floor);
        let bytes_above: i64 = connection.query_row(
            "SELECT coalesce(sum(octet_length(payload)), 0) FROM ops WHERE server_seq >= ?",
            [end],
            |row| row.get(0),
        )?;
        let is_much = self.kept_bytes + bytes_above as usize > KEPT_BYTES_MAX;
        if self.dropped.ops == 0 || is_much {
            return Ok(Surveyed::NotWorthIt);
        }
        connection.execute_batch("CREATE TEMP TABLE kept_ops AS SELECT * FROM main.ops LIMIT 0")?;
        let mut keep = connection
            .prepare("INSERT INTO temp.kept_ops SELECT * FROM main.ops WHERE server_seq = ?")?;
        for seq in &self.kept {
            keep.execute([seq])?;
        }
        drop(keep);
        connection.execute(
            "INSERT INTO temp.kept_ops SELECT * FROM main.ops WHERE server_seq >= ?",
            [end],
        )?;
        // Without a condition SQLite gives the table's pages back, and looks for no row of it.
        let had = connection.execute("DELETE FROM main.ops", [])?;
        let has = connection.execute(
            "INSERT INTO main.ops SELECT * FROM temp.kept_ops ORDER BY server_seq",
            [],
        )?;
        connection.execute_batch("DROP TABLE temp.kept_ops")?;
        owe_rewrite(connection)?;
        if had as u64 != has as u64 + self.dropped.ops {
            return Err(StoreError::damaged("its log has changed below the floor"));
        }
        Ok(Surveyed::Dropped {
            judged: self.judged,
            ops: self.dropped,
        })
    }
}

impl Compaction {
    /// The place up to which ops were looked at: ahead of [`Compaction::reached`] while it is found out
    /// what is to go. It falls back to the start where too much stays for that to go at once.
    pub fn looked_at(&self) -> ServerSeq {
        match &self.phase {
            Phase::Survey(survey) => ServerSeq(survey.after as u64),
            Phase::Ops { .. } | Phase::Rows { .. } | Phase::Requests(_) | Phase::Done => {
                self.reached()
            }
        }
    }
}

/// Gives back the memory of the table in which a survey has held what stays: SQLite keeps it until it
/// is told to keep such tables elsewhere.
pub(super) fn give_memory_back(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "temp_store", "FILE")?;
    Ok(connection.pragma_update(None, "temp_store", "MEMORY")?)
}
