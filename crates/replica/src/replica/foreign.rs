//! Keeping away from a log that has nothing of this replica's.

use syncline_model::Epoch;

use super::Replica;
use super::rebuild::Rebuild;
use crate::ReplicaError;

impl Replica {
    /// The new file's epoch, if its log is another server's for all that is known and no person has said
    /// that it is to be taken. It is noted, so that a person can.
    pub(crate) fn foreign_epoch(
        &mut self,
        rebuild: &Rebuild,
    ) -> Result<Option<Epoch>, ReplicaError> {
        let Some(new) = &rebuild.file else {
            return Ok(None);
        };
        let epoch = new.head().map_err(ReplicaError::Tenant)?.epoch;
        if self.local.is_joined(epoch).map_err(ReplicaError::Local)?
            || !self
                .tenant
                .is_foreign_to(new)
                .map_err(ReplicaError::Tenant)?
        {
            return Ok(None);
        }
        self.local
            .note_foreign(epoch)
            .map_err(ReplicaError::Local)?;
        Ok(Some(epoch))
    }

    /// Takes, with the next sync, the log that the last one was kept from because it has nothing of this
    /// replica's, and gives it all that is here.
    pub fn join_foreign_log(&mut self) -> Result<(), ReplicaError> {
        self.local.join_foreign().map_err(ReplicaError::Local)
    }
}
