//! Importing: ops that are made of what agents left, with how far that has been read.

use syncline_store::local::{ImportNotes, ImportedFile, NewOp, WriteError};

use super::Replica;
use super::write::{Written, clock_seen};
use crate::{Changes, ReplicaError};

impl Replica {
    /// Writes ops as [`Replica::write`] does, with what was read to make them, in one transaction: a
    /// crash leaves both or none.
    pub fn write_imported(
        &mut self,
        ops: &[NewOp],
        notes: &ImportNotes,
    ) -> Result<Written, WriteError> {
        let now = self.place.host.now();
        let tenant = &self.tenant;
        let written = self
            .local
            .write_imported(ops, notes, || clock_seen(tenant), now)?;
        let Some(written) = written else {
            return Ok(Written { keys: Vec::new() });
        };
        self.show_or_log();
        let touched = ops
            .iter()
            .map(|op| (op.scope.clone(), op.resource.clone()))
            .collect();
        self.subscribers.tell(&Changes::Named(touched));
        let keys = written.ops.into_iter().map(|pending| pending.op.key);
        Ok(Written {
            keys: keys.collect(),
        })
    }

    /// How far the file at `path` has been read; none: never.
    pub fn imported_file(&self, path: &str) -> Result<Option<ImportedFile>, ReplicaError> {
        self.local.imported_file(path).map_err(ReplicaError::Local)
    }

    /// The marks of all files of an agent that were read, by path.
    pub fn imported_marks(&self, agent: &str) -> Result<Vec<(String, String)>, ReplicaError> {
        self.local
            .imported_marks(agent)
            .map_err(ReplicaError::Local)
    }

    /// What was noted of a unit of a transcript; none: it was never taken.
    pub fn imported_unit(&self, key: &[u8; 16]) -> Result<Option<Vec<u8>>, ReplicaError> {
        self.local.imported_unit(key).map_err(ReplicaError::Local)
    }
}
