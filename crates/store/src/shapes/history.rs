//! Reading a relation: its state at a place, and its changes after one.

use rusqlite::Connection;
use syncline_model::ServerSeq;

use crate::file::StoreError;
use crate::tenant::TenantFile;

/// A row of a relation's state.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotRow<'a> {
    /// The part of its key that tells it from the relation's others.
    pub key: &'a str,
    pub row: &'a str,
}

/// A row before and after an op. One that the op has erased has neither: whoever held it holds it no
/// more.
#[derive(Debug, Clone, Copy)]
pub struct HistoryRow<'a> {
    pub seq: ServerSeq,
    /// Its place among the rows that the op has changed.
    pub ordinal: u64,
    pub key: &'a str,
    pub before: Option<&'a str>,
    pub after: Option<&'a str>,
}

/// Whether to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    On,
    Enough,
}

/// A place in a relation's history: behind an op's row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct After {
    pub seq: ServerSeq,
    /// The rows of that op that were seen; all of them at most.
    pub rows: u64,
}

impl TenantFile {
    /// Shows the rows of a relation as they were at `start`, in the order of their keys, from behind
    /// `after`.
    pub fn visit_shape_state(
        &self,
        relation: i64,
        start: ServerSeq,
        after: Option<&str>,
        mut visit: impl FnMut(SnapshotRow<'_>) -> Result<Flow, StoreError>,
    ) -> Result<(), StoreError> {
        let connection = self.connection();
        let start = start.get() as i64;
        let is_still = !has_moved(connection, relation, start)?;
        let sql = if is_still { STATE_NOW } else { STATE_THEN };
        let mut statement = connection.prepare_cached(sql)?;
        let after = after.unwrap_or("");
        let mut rows = if is_still {
            statement.query((relation, after))?
        } else {
            statement.query((relation, after, start))?
        };
        while let Some(row) = rows.next()? {
            let (key, row) = (row.get_ref(0)?.as_str(), row.get_ref(1)?.as_str());
            let (Ok(key), Ok(row)) = (key, row) else {
                return Err(StoreError::damaged("a kept row of a shape is no text"));
            };
            if visit(SnapshotRow { key, row })? == Flow::Enough {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Shows the changes of a relation after a place, in their order.
    pub fn visit_shape_changes(
        &self,
        relation: i64,
        after: After,
        mut visit: impl FnMut(HistoryRow<'_>) -> Result<Flow, StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT server_seq, ordinal, row_key, row_before, row_after FROM shape_history \
             WHERE relation = ?1 AND (server_seq, ordinal) >= (?2, ?3) \
             ORDER BY server_seq, ordinal",
        )?;
        let rows_seen = i64::try_from(after.rows).unwrap_or(i64::MAX);
        let seq = i64::try_from(after.seq.get()).unwrap_or(i64::MAX);
        let mut rows = statement.query((relation, seq, rows_seen))?;
        let damaged = |_| StoreError::damaged("a kept row of a shape is no text");
        while let Some(row) = rows.next()? {
            let change = HistoryRow {
                seq: ServerSeq(row.get::<_, i64>(0)? as u64),
                ordinal: row.get::<_, i64>(1)? as u64,
                key: row.get_ref(2)?.as_str().map_err(damaged)?,
                before: row.get_ref(3)?.as_str_or_null().map_err(damaged)?,
                after: row.get_ref(4)?.as_str_or_null().map_err(damaged)?,
            };
            if visit(change)? == Flow::Enough {
                return Ok(());
            }
        }
        Ok(())
    }
}

const STATE_NOW: &str = "SELECT row_key, row FROM shape_rows \
     WHERE relation = ?1 AND row_key > ?2 ORDER BY row_key";

/// Rows that have not changed since, and the first images after the place of those that have.
const STATE_THEN: &str = "SELECT row_key, row FROM shape_rows AS r \
     WHERE relation = ?1 AND row_key > ?2 AND NOT EXISTS (SELECT 1 FROM shape_history AS h \
     WHERE h.relation = ?1 AND h.row_key = r.row_key AND h.server_seq > ?3) \
     UNION ALL SELECT row_key, row_before FROM shape_history AS h \
     WHERE relation = ?1 AND row_key > ?2 AND server_seq > ?3 AND row_before IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM shape_history AS e WHERE e.relation = ?1 \
     AND e.row_key = h.row_key AND e.server_seq > ?3 \
     AND (e.server_seq, e.ordinal) < (h.server_seq, h.ordinal)) ORDER BY 1";

fn has_moved(connection: &Connection, relation: i64, start: i64) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM shape_history WHERE relation = ? AND server_seq > ?)",
    )?;
    Ok(statement.query_row((relation, start), |row| row.get(0))?)
}
