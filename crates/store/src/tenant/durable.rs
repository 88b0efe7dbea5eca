//! What a replica asks of its tenant file beside reading and applying: how durable the commits to
//! come are, and whose ops it holds.

use syncline_model::{ActorId, OpKey, PayloadHash};

use super::TenantFile;
use super::read::{logged, raw};
use crate::file::{Durability, StoreError};

impl TenantFile {
    /// Sets what the commits to come wait for.
    pub fn set_durability(&self, durability: Durability) -> Result<(), StoreError> {
        let synchronous = match durability {
            Durability::Full => "FULL",
            Durability::Normal => "NORMAL",
        };
        Ok(self
            .connection
            .pragma_update(None, "synchronous", synchronous)?)
    }

    /// Keeps few pages in memory from here on, for who stays for long and is seldom busy.
    pub fn use_little_memory(&self) -> Result<(), StoreError> {
        crate::file::use_little_memory(&self.connection)
    }

    /// Lets 64 MB of the write-ahead log gather before a commit moves them into the file, and keeps 64 MB
    /// of pages in memory: for who makes many large commits, one after another. What is written over
    /// meanwhile is moved once. In the end [`TenantFile::settle_log`] is called.
    pub fn expect_large_commits(&self) -> Result<(), StoreError> {
        self.connection.pragma_update(None, "cache_size", -64_000)?;
        let pages = "wal_autocheckpoint";
        Ok(self.connection.pragma_update(None, pages, 16_000)?)
    }

    /// Moves what the write-ahead log holds into the file, as far as no reader is in the way, and does so
    /// after commits as usual from here on.
    pub fn settle_log(&self) -> Result<(), StoreError> {
        let pages = "wal_autocheckpoint";
        self.connection.pragma_update(None, pages, 1_000)?;
        self.checkpoint().map(drop)
    }

    /// Moves the whole write-ahead log into the file and waits until the disk has it. Nobody else
    /// may have the file open.
    pub fn write_through(&self) -> Result<(), StoreError> {
        self.set_durability(Durability::Full)?;
        let busy: i64 =
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        self.set_durability(Durability::Normal)?;
        if busy == 0 {
            Ok(())
        } else {
            Err(StoreError::Busy(rusqlite::Error::QueryReturnedNoRows))
        }
    }

    /// Spares the close of this file a checkpoint, where its write-ahead log is small. What the log
    /// holds is as safe there as it was.
    pub fn leave_small_log(&self) {
        crate::file::leave_small_log(&self.connection);
    }

    /// What SQLite's own check finds wrong first; `ok` where that is nothing. Reads the whole file.
    pub fn integrity(&self) -> Result<String, StoreError> {
        crate::file::integrity(&self.connection)
    }

    /// A number that changes with each commit of another connection.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Shows `visit` the key and payload hash of every op of this actor. Reads the whole log.
    pub fn visit_ops_of(
        &self,
        actor: &ActorId,
        mut visit: impl FnMut(OpKey, PayloadHash) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare(
            "SELECT server_seq, scope, resource_id, actor, clock, NULL, payload_hash FROM ops \
             WHERE actor = ?",
        )?;
        let mut rows = statement.query([actor.as_str()])?;
        while let Some(row) = rows.next()? {
            let op = logged(&raw(row)?)?;
            visit(op.key, op.payload_hash)?;
        }
        Ok(())
    }
}
