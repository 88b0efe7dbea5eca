//! What is owed to a file beside its log and view: what was taken out of it may still be read in its
//! bytes, and is to be made unreadable.
//!
//! SQLite overwrites what is deleted, but for four places: the words of a deleted text stay in its
//! full-text index until that is merged, the write-ahead log holds older pages until it is emptied, a
//! step of compaction leaves pages as they were when it frees them, and where such pages are used again
//! in the same transaction, what a new row doesn't fill is as it was. That something is owed is written
//! down in the transaction that takes something out, so that no crash forgets it.

use rusqlite::Connection;
use syncline_model::ServerSeq;

use super::{Compaction, TenantFile};
use crate::file::{StoreError, empty_log};

/// What is owed to a file: how often something was taken out of it since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owed {
    /// Texts were erased since the full-text indexes were merged.
    pub words: u64,
    /// Something was erased or dropped since there was no free page, and the write-ahead log was empty.
    pub traces: u64,
    /// What stays was written into pages that what went had just left, since the file was written anew.
    pub rewrites: u64,
}

/// What one rewrite that is owed adds to the column that counts traces: more than there will be of those.
const REWRITE: i64 = 1 << 32;

impl Owed {
    /// Whether nothing can be read in the file that was taken out of it.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl TenantFile {
    /// What is owed to this file.
    pub fn owed(&self) -> Result<Owed, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT words, traces FROM upkeep")?;
        Ok(statement.query_row([], |row| {
            let traces: i64 = row.get(1)?;
            Ok(Owed {
                words: row.get::<_, i64>(0)? as u64,
                traces: (traces % REWRITE) as u64,
                rewrites: (traces / REWRITE) as u64,
            })
        })?)
    }

    /// Writes down that something was let go of that this file, or one beside it, may still show.
    pub fn owe_traces(&self) -> Result<(), StoreError> {
        owe_traces(&self.connection)
    }

    /// Writes down that texts were erased from the view, which were never in this file's log.
    pub fn owe_words(&self) -> Result<(), StoreError> {
        owe_words(&self.connection)
    }

    /// Writes down that `done` was seen to; what came to be owed meanwhile stays owed.
    pub fn settle_owed(&self, done: Owed) -> Result<(), StoreError> {
        if done.is_nothing() {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "UPDATE upkeep SET words = max(0, words - ?), traces = max(0, traces - ?)",
            )?
            .execute((
                done.words as i64,
                done.traces as i64 + done.rewrites as i64 * REWRITE,
            ))?;
        Ok(())
    }

    /// The place below which the last whole compaction has judged every op; what it kept is not worth
    /// judging again before the floor has risen.
    pub fn judged(&self) -> Result<ServerSeq, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT judged FROM upkeep")?;
        let judged: i64 = statement.query_row([], |row| row.get(0))?;
        Ok(ServerSeq(judged as u64))
    }

    /// Notes that a run has judged every op below its floor; one of an epoch that was left meanwhile
    /// says nothing of this one.
    pub fn note_judged(&self, run: &Compaction) -> Result<(), StoreError> {
        if self.head()?.epoch == run.epoch() {
            self.connection
                .prepare_cached("UPDATE upkeep SET judged = ?1 WHERE judged < ?1")?
                .execute([run.floor().get() as i64])?;
        }
        Ok(())
    }

    /// Moves the write-ahead log into the file and empties it, so that it holds no erased text any
    /// more; says whether it could, which it can't while somebody reads or does a checkpoint.
    pub fn empty_log(&self) -> Result<bool, StoreError> {
        empty_log(&self.connection)
    }
}

/// Notes in the transaction under way that a text was erased.
pub(super) fn owe_words(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE upkeep SET words = words + 1, traces = traces + 1")?
        .execute([])?;
    Ok(())
}

/// Notes in the transaction under way that pages are freed as they are.
pub(super) fn owe_traces(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE upkeep SET traces = traces + 1")?
        .execute([])?;
    Ok(())
}

/// Notes in the transaction under way that rows were written into pages that it has freed as they were.
pub(super) fn owe_rewrite(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE upkeep SET traces = traces + ?")?
        .execute([REWRITE])?;
    Ok(())
}
