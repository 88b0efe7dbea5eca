//! Making unreadable what was taken out of a file, in steps: words of erased texts go from the
//! full-text indexes, the file is written anew where that is owed, free pages go back to the system, and the write-ahead log is emptied.
//!
//! A row that is deleted leaves its words in the index: they go when the index is merged. That is
//! worth its writes only where something was erased.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use syncline_model::tables;

use super::Stepped;
use crate::file::StoreError;
use crate::tenant::{Owed, TenantFile};

/// How often it is tried to empty the write-ahead log, which a reader or another's checkpoint may be
/// in the way of; a try takes a few milliseconds then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmptyTries(pub u32);

/// How a write-ahead log was left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLeft {
    #[default]
    Empty,
    /// It holds what was dropped: others were in the way for too long, or have still to be waited for.
    Full,
}

/// A run over what is owed to a file, between its steps.
#[derive(Debug)]
pub struct Forgetting {
    phase: Phase,
    tries: EmptyTries,
    words: u64,
    traces: u64,
    rewrites: u64,
    log_left: LogLeft,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The index of the searched table with this number is to be merged.
    Merge {
        table: usize,
        begun: Begun,
    },
    /// The file is written anew, if that is owed.
    Rewrite,
    /// Free pages go back to the system.
    Shrink,
    /// The write-ahead log is emptied; so often it was tried.
    Empty(u32),
    Done,
}

/// Whether all parts of an index were marked to become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    NotYet,
    Yes,
}

impl Forgetting {
    /// A run over what is owed to `file` now.
    pub fn begin(file: &TenantFile, tries: EmptyTries) -> Result<Self, StoreError> {
        let owed = file.owed()?;
        let phase = if owed.words > 0 {
            Phase::Merge {
                table: 0,
                begun: Begun::NotYet,
            }
        } else {
            Phase::Rewrite
        };
        Ok(Self {
            phase,
            tries,
            words: owed.words,
            traces: owed.traces,
            rewrites: owed.rewrites,
            log_left: LogLeft::Full,
        })
    }

    /// Leaves it to a later run to write the file anew, which takes as much room as what stays.
    pub fn without_rewrite(mut self) -> Self {
        self.rewrites = 0;
        self
    }

    /// How the write-ahead log was left.
    pub fn log_left(&self) -> LogLeft {
        self.log_left
    }

    /// What the run has seen to, for [`TenantFile::settle_owed`]: nothing before it is done, or where
    /// others have kept the write-ahead log from being emptied.
    pub fn done(&self) -> Owed {
        match (self.phase, self.log_left) {
            (Phase::Done, LogLeft::Empty) => Owed {
                words: self.words,
                traces: self.traces,
                rewrites: self.rewrites,
            },
            (
                Phase::Merge { .. }
                | Phase::Rewrite
                | Phase::Shrink
                | Phase::Empty(_)
                | Phase::Done,
                _,
            ) => Owed::default(),
        }
    }
}

impl TenantFile {
    /// Merges, or gives back, up to `count` pages more, or tries once to empty the write-ahead log.
    pub fn forget_step(
        &mut self,
        run: &mut Forgetting,
        count: usize,
    ) -> Result<Stepped, StoreError> {
        run.phase = match run.phase {
            Phase::Merge { table, begun } => merge(&self.connection, table, begun, count)?,
            Phase::Rewrite => {
                if run.rewrites > 0 {
                    self.rewrite()?;
                }
                Phase::Shrink
            }
            Phase::Shrink => match self.shrink_step(count.try_into().unwrap_or(u32::MAX))? {
                0 => Phase::Empty(0),
                _ => Phase::Shrink,
            },
            Phase::Empty(tries) => {
                if self.empty_log()? {
                    run.log_left = LogLeft::Empty;
                    Phase::Done
                } else if tries < run.tries.0 {
                    Phase::Empty(tries + 1)
                } else {
                    Phase::Done
                }
            }
            Phase::Done => Phase::Done,
        };
        Ok(match run.phase {
            Phase::Done => Stepped::Done,
            Phase::Merge { .. } | Phase::Rewrite | Phase::Shrink | Phase::Empty(_) => Stepped::More,
        })
    }
}

fn merge(
    connection: &Connection,
    table: usize,
    begun: Begun,
    count: usize,
) -> Result<Phase, StoreError> {
    let mut searched = tables().filter(|table| table.searched.is_some());
    let Some(name) = searched.nth(table).map(|table| table.name) else {
        return Ok(Phase::Rewrite);
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
        Phase::Merge {
            table: table + 1,
            begun: Begun::NotYet,
        }
    } else {
        Phase::Merge {
            table,
            begun: Begun::Yes,
        }
    })
}
