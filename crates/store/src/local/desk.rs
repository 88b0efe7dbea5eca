//! Writes that are decided on what the outbox holds.
//!
//! They are decided within the transaction that writes them: no other process writes meanwhile, so that a
//! decision can see all there is to see.

use rusqlite::Transaction;
use syncline_model::{ActorId, Timestamp};

use super::outbox::{append, newest_order};
use super::overlay::pending_of;
use super::{LocalFile, NewOp, StoreError, WriteError, Written, read_identity};
use crate::tenant::{PendingOp, ResourceKey};

/// The local file while a write is decided: nobody else writes.
#[derive(Debug)]
pub struct Desk<'t> {
    pub(super) transaction: &'t Transaction<'t>,
}

impl LocalFile {
    /// Decides on a write and does it in one transaction, which is on the disk when this returns; an error of
    /// `work` undoes it.
    pub fn decide<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Desk<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.durable(|transaction| work(&Desk { transaction }))
    }
}

impl Desk<'_> {
    /// The order of the newest op of the outbox; 0: it is empty.
    pub fn newest_order(&self) -> Result<u64, StoreError> {
        newest_order(self.transaction)
    }

    /// The ops of the outbox that touch any of these resources, oldest first.
    pub fn of_resources(&self, resources: &[ResourceKey]) -> Result<Vec<PendingOp>, StoreError> {
        pending_of(self.transaction, resources)
    }

    /// Who writes ops here, and the clock of the last that was written.
    pub fn writer(&self) -> Result<(ActorId, u64), StoreError> {
        let identity = read_identity(self.transaction)?;
        Ok((identity.actor, identity.clock))
    }

    /// The name of the current tenant file.
    pub fn tenant_file(&self) -> Result<String, StoreError> {
        Ok(read_identity(self.transaction)?.tenant_file)
    }

    /// Writes ops, as [`LocalFile::write`] does.
    pub fn write(
        &self,
        ops: &[NewOp],
        clock_seen: impl FnOnce() -> Result<u64, StoreError>,
        now: Timestamp,
    ) -> Result<Written, WriteError> {
        append(self.transaction, ops, clock_seen, now)
    }
}
