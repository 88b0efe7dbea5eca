//! The second pass of a run: tombstones of which nothing is left but the ops that made them.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, OptionalExtension, params_from_iter};
use syncline_model::compaction::{Coverage, Tombstones, tombstones};
use syncline_model::planted::{Defect, is_planted};
use syncline_model::{OpVersion, Payload, Row, ServerSeq, Value};

use super::{Dropped, coverage_of, unfolded};
use crate::file::StoreError;
use crate::lists::shows_any;
use crate::schema::sql_of;
use crate::tenant::read::{logged, raw};
use crate::view::{Layer, View, cells, read_row};

/// One step over the rows of one table after a key.
pub(super) struct Step<'a> {
    pub connection: &'a Connection,
    pub table: usize,
    pub after: &'a [Value],
    pub floor: ServerSeq,
    pub count: usize,
}

/// Where the next step begins: a table's number and a key.
type Next = (usize, Vec<Value>);

/// What one step leaves to the next: the lowest clock of the last resource's ops that stay whatever is
/// collected, which are those at and above the floor, and those that are not understood whole. There
/// may be a million of them, and none leaves the log before the run has ended: the next step looks at
/// what came since.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// A scope and a resource.
    of: (&'static str, String),
    lowest_clock: i64,
    /// The log's last place when that was looked up.
    head: i64,
}

/// By place: the index of keys would have SQLite go through all of the resource's.
const SINCE: &str =
    "SELECT min(clock) FROM ops WHERE server_seq > ? AND +resource_id = ? AND scope = ?";

impl Step<'_> {
    /// Gives where to go on, and how many rows were collected.
    pub(super) fn run(
        &self,
        memory: &mut Memory,
        dropped: &mut Dropped,
    ) -> Result<(Option<Next>, u64), StoreError> {
        let Some(of) = tombstones().nth(self.table) else {
            return Ok((None, 0));
        };
        let rows = self.rows(of)?;
        let mut view = View::new(self.connection, Layer::Confirmed);
        let mut collected = 0;
        let skipped = unfolded(self.connection)?;
        let head = self.head()?;
        for row in &rows {
            let Some(stamps) = (of.stamps)(row) else {
                continue;
            };
            let resource = row[0].as_text().unwrap_or_default();
            if memory.of.0 != of.scope || memory.of.1 != resource {
                let not_read = self.lowest_clock_not_read(of, resource, &skipped)?;
                *memory = Memory {
                    of: (of.scope, resource.to_owned()),
                    lowest_clock: not_read.min(self.lowest_clock_above(of.scope, resource)?),
                    head,
                };
            } else if memory.head < head {
                let since = self.lowest_clock_since(memory)?;
                memory.lowest_clock = memory.lowest_clock.min(since);
                memory.head = head;
            }
            self.connection.execute_batch("SAVEPOINT collect")?;
            let ops = self.collect(of, row, (&stamps, memory.lowest_clock), &mut view)?;
            match ops {
                Some(ops) if ops.iter().all(|op| !skipped.contains(&op.seq)) => {
                    self.connection.execute_batch("RELEASE collect")?;
                    collected += 1;
                    for op in ops {
                        dropped.note_parts(of.scope, op.resource(row), &op.actor, op.clock);
                    }
                }
                Some(_) | None => {
                    view.forget();
                    self.connection
                        .execute_batch("ROLLBACK TO collect; RELEASE collect")?;
                }
            }
        }
        let next = match rows.last() {
            Some(row) if rows.len() == self.count => {
                (self.table, row[..of.table.key_columns].to_vec())
            }
            Some(_) | None => (self.table + 1, Vec::new()),
        };
        Ok((Some(next), collected))
    }

    fn rows(&self, of: &'static Tombstones) -> Result<Vec<Row>, StoreError> {
        let sql = sql_of(of.table);
        let limit = Value::Integer(self.count as i64);
        let (text, mut holes) = if self.after.is_empty() {
            (&sql.select_first, Vec::new())
        } else {
            (&sql.select_after, self.after.to_vec())
        };
        holes.push(limit);
        let mut statement = self.connection.prepare_cached(text)?;
        let rows = statement.query_map(params_from_iter(cells(&holes)), |row| {
            read_row(row, of.table)
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Removes a row and the ops that made it; none where something still needs one of them.
    fn collect(
        &self,
        of: &'static Tombstones,
        row: &Row,
        (stamps, lowest_clock_later): (&[OpVersion], i64),
        view: &mut View<'_>,
    ) -> Result<Option<Vec<Winner>>, StoreError> {
        if let Some(list) = (of.list)(row)
            && shows_any(self.connection, &list)?
        {
            return Ok(None);
        }
        let resource = row[0].as_text().unwrap_or_default();
        let mut winners: Vec<Winner> = Vec::new();
        for stamp in stamps {
            let Some(winner) = self.winner(of.scope, resource, stamp)? else {
                return Ok(None);
            };
            if winner.seq >= self.floor.get() as i64 && !is_planted(Defect::CollectAboveFloor) {
                return Ok(None);
            }
            if winners.iter().all(|known| known.seq != winner.seq) {
                winners.push(winner);
            }
        }
        let highest = winners.iter().map(|winner| winner.clock).max().unwrap_or(0);
        // What stays must fold onto the absent row as it has onto the tombstone.
        let is_late = lowest_clock_later <= highest;
        if winners.is_empty() || is_late && !is_planted(Defect::CollectAboveFloor) {
            return Ok(None);
        }
        view.remove(of.table, &row[..of.table.key_columns])?;
        for winner in &winners {
            if !self.is_free(winner.seq, view)? {
                return Ok(None);
            }
            self.connection
                .prepare_cached("DELETE FROM ops WHERE server_seq = ?")?
                .execute([winner.seq])?;
        }
        if is_planted(Defect::ForgetCollectedClock) {
            return Ok(Some(winners));
        }
        self.connection
            .prepare_cached(
                "INSERT INTO collected (scope, resource_id, clock) VALUES (?, ?, ?) \
                 ON CONFLICT (scope, resource_id) DO UPDATE SET clock = max(clock, excluded.clock)",
            )?
            .execute((of.scope, resource, highest))?;
        Ok(Some(winners))
    }

    fn winner(
        &self,
        scope: &str,
        resource: &str,
        stamp: &OpVersion,
    ) -> Result<Option<Winner>, StoreError> {
        let seq = self
            .connection
            .prepare_cached(
                "SELECT server_seq FROM ops \
                 WHERE resource_id = ? AND actor = ? AND clock = ? AND scope = ?",
            )?
            .query_row(
                (
                    resource,
                    stamp.actor.as_str(),
                    stamp.clock.get() as i64,
                    scope,
                ),
                |row| row.get(0),
            )
            .optional()?;
        Ok(seq.map(|seq| Winner {
            seq,
            actor: stamp.actor.as_str().to_owned(),
            clock: stamp.clock.get() as i64,
        }))
    }

    /// The lowest clock of the resource's ops at and above the floor.
    fn lowest_clock_above(&self, scope: &str, resource: &str) -> Result<i64, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT min(clock) FROM ops WHERE resource_id = ? AND scope = ? AND server_seq >= ?",
        )?;
        let lowest: Option<i64> =
            statement.query_row((resource, scope, self.floor.get() as i64), |row| row.get(0))?;
        Ok(lowest.unwrap_or(i64::MAX))
    }

    /// The lowest clock of the remembered resource's ops above the place where its memory ends.
    fn lowest_clock_since(&self, memory: &Memory) -> Result<i64, StoreError> {
        let (scope, resource) = &memory.of;
        let mut statement = self.connection.prepare_cached(SINCE)?;
        let lowest: Option<i64> =
            statement.query_row((memory.head, resource, scope), |row| row.get(0))?;
        Ok(lowest.unwrap_or(i64::MAX))
    }

    /// The last place of the log.
    fn head(&self) -> Result<i64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT coalesce(max(server_seq), 0) FROM ops")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// The lowest clock of the resource's ops below the floor that this version doesn't understand
    /// whole. They are not covered by what wins over them, since a newer version may read more.
    fn lowest_clock_not_read(
        &self,
        of: &'static Tombstones,
        resource: &str,
        unfolded: &HashSet<i64>,
    ) -> Result<i64, StoreError> {
        let mut lowest = i64::MAX;
        let mut statement = self.connection.prepare_cached(
            "SELECT server_seq, clock, payload FROM ops \
             WHERE resource_id = ? AND scope = ? AND server_seq < ?",
        )?;
        let mut rows = statement.query((resource, of.scope, self.floor.get() as i64))?;
        while let Some(row) = rows.next()? {
            let (seq, clock): (i64, i64) = (row.get(0)?, row.get(1)?);
            // One without a payload was erased: nobody folds it.
            let Some(text) = row.get::<_, Option<String>>(2)? else {
                continue;
            };
            let payload = Payload::stored(text);
            let is_read = !unfolded.contains(&seq)
                && catch_unwind(AssertUnwindSafe(|| of.reads(&payload))).unwrap_or(false);
            if !is_read {
                lowest = lowest.min(clock);
            }
        }
        Ok(lowest)
    }

    /// Whether nothing else needs the op, now that the row is gone.
    fn is_free(&self, seq: i64, view: &mut View<'_>) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT server_seq, scope, resource_id, actor, clock, payload, payload_hash FROM ops \
             WHERE server_seq = ?",
        )?;
        let mut rows = statement.query([seq])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let op = logged(&raw(row)?)?;
        Ok(coverage_of(view, &op.key, op.payload.as_ref())? == Coverage::Covered)
    }
}

/// Counts tombstones that were collected, for those who are fetching the log meanwhile.
pub(super) fn count(connection: &Connection, collected: u64) -> Result<(), StoreError> {
    if collected > 0 {
        connection
            .prepare_cached("UPDATE collections SET made = made + ?")?
            .execute([collected as i64])?;
    }
    Ok(())
}

/// An op that won a part of a tombstone.
struct Winner {
    seq: i64,
    actor: String,
    clock: i64,
}

impl Winner {
    fn resource<'a>(&self, row: &'a Row) -> &'a str {
        row[0].as_text().unwrap_or_default()
    }
}
