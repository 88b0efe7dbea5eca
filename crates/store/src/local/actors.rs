//! Who stamps the ops of a replica, now and before: what it wrote under an actor that it has left is
//! its own as well.

use rusqlite::Transaction;
use syncline_model::{ActorId, ClientId};

use super::{LocalFile, StoreError};

impl LocalFile {
    /// Gives the file to another replica, on `host`: it was copied, or another user took it over.
    ///
    /// Ops that wait in the outbox keep their keys: the replica that it was copied from may send the
    /// same, and then they are one. Nothing happens where `from` is no longer the file's replica.
    pub fn become_replica(
        &mut self,
        from: &ClientId,
        replica: &ClientId,
        actor: &ActorId,
        host: &str,
    ) -> Result<(), StoreError> {
        self.durable(|transaction| {
            let changed = transaction.execute(
                "UPDATE identity SET replica = ?, actor = ?, host = ? WHERE replica = ?",
                (replica.as_str(), actor.as_str(), host, from.as_str()),
            )?;
            if changed > 0 {
                // What was written before is the other replica's.
                transaction.execute("DELETE FROM actors", [])?;
                note_actor(transaction, actor)?;
            }
            Ok(())
        })
    }

    /// Takes a new actor for the writes to come, unless another process already has.
    pub fn take_actor(&mut self, from: &ActorId, actor: &ActorId) -> Result<(), StoreError> {
        self.durable(|transaction| {
            let changed = transaction.execute(
                "UPDATE identity SET actor = ? WHERE actor = ?",
                (actor.as_str(), from.as_str()),
            )?;
            if changed > 0 {
                note_actor(transaction, actor)?;
            }
            Ok(())
        })
    }

    /// Whether this replica stamps its ops with this actor, or has at some time: those of a file from
    /// before format 6 are forgotten, but for its last.
    pub fn has_had_actor(&self, actor: &ActorId) -> Result<bool, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM actors WHERE actor = ?)")?;
        Ok(statement.query_row([actor.as_str()], |row| row.get(0))?)
    }
}

/// Notes an actor that the replica takes.
pub(super) fn note_actor(transaction: &Transaction<'_>, actor: &ActorId) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT OR IGNORE INTO actors (actor) VALUES (?)",
        [actor.as_str()],
    )?;
    Ok(())
}
