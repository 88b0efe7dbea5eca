//! Taking the words of erased texts out of the full-text indexes, in steps.
//!
//! A row that is deleted leaves its words in the index: they go when the index is merged. That is
//! worth its writes only where something was erased, which the ops tell that stay in its place.

use rusqlite::Connection;
use syncline_model::tables;

use super::Stepped;
use crate::file::StoreError;
use crate::tenant::TenantFile;

/// How many ops are looked at for each one that a step would judge: only whether they are erased.
const LOOKED_AT_FACTOR: usize = 8;

/// A search for erased ops, and then a merge of the indexes, between steps.
#[derive(Debug)]
pub struct Forgetting {
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Ops after this place are to be looked at.
    Looking {
        after: i64,
    },
    /// The index of the searched table with this number is to be merged.
    Merging {
        table: usize,
        begun: Begun,
    },
    Done,
}

/// Whether all parts of an index were marked to become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    NotYet,
    Yes,
}

impl Forgetting {
    pub fn begin() -> Self {
        Self {
            phase: Phase::Looking { after: 0 },
        }
    }
}

impl TenantFile {
    /// Looks at ops, or merges up to `count` pages of an index. Does nothing to the indexes where no
    /// op is erased.
    pub fn forget_step(
        &mut self,
        run: &mut Forgetting,
        count: usize,
    ) -> Result<Stepped, StoreError> {
        let connection = &self.connection;
        run.phase = match run.phase {
            Phase::Looking { after } => look(connection, after, count * LOOKED_AT_FACTOR)?,
            Phase::Merging { table, begun } => merge(connection, table, begun, count)?,
            Phase::Done => Phase::Done,
        };
        Ok(match run.phase {
            Phase::Done => Stepped::Done,
            Phase::Looking { .. } | Phase::Merging { .. } => Stepped::More,
        })
    }
}

fn look(connection: &Connection, after: i64, count: usize) -> Result<Phase, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT max(server_seq), max(erased) FROM (SELECT server_seq, payload IS NULL AS erased \
         FROM ops WHERE server_seq > ? ORDER BY server_seq LIMIT ?)",
    )?;
    let (last, erased): (Option<i64>, Option<bool>) =
        statement.query_row((after, count as i64), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(match (last, erased) {
        (None, _) => Phase::Done,
        (Some(_), Some(true)) => Phase::Merging {
            table: 0,
            begun: Begun::NotYet,
        },
        (Some(after), _) => Phase::Looking { after },
    })
}

fn merge(
    connection: &Connection,
    table: usize,
    begun: Begun,
    count: usize,
) -> Result<Phase, StoreError> {
    let mut searched = tables().filter(|table| table.searched.is_some());
    let Some(name) = searched.nth(table).map(|table| table.name) else {
        return Ok(Phase::Done);
    };
    let count = count as i64;
    // A negative number marks all parts of the index to become one; positive ones go on with that.
    let pages = match begun {
        Begun::NotYet => -count,
        Begun::Yes => count,
    };
    let before = connection.total_changes();
    let sql = format!("INSERT INTO {name}_fts ({name}_fts, rank) VALUES ('merge', ?)");
    connection.execute(&sql, [pages])?;
    // The insert itself counts as one change: there was nothing to merge.
    let is_merged = connection.total_changes() - before < 2;
    Ok(if is_merged {
        Phase::Merging {
            table: table + 1,
            begun: Begun::NotYet,
        }
    } else {
        Phase::Merging {
            table,
            begun: Begun::Yes,
        }
    })
}
