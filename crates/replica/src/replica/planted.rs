//! What some planted defects do to a replica; nothing else calls it.

use syncline_model::{Cursor, ServerSeq};

use super::Replica;
use crate::ReplicaError;

impl Replica {
    /// Says that the log is applied up to `seq`, whatever it holds.
    pub(crate) fn move_cursor(&mut self, seq: ServerSeq) -> Result<(), ReplicaError> {
        let cursor = Cursor {
            server_seq: seq,
            ..Cursor::ORIGIN
        };
        self.tenant
            .move_cursor(cursor)
            .map_err(ReplicaError::Tenant)
    }

    /// Forgets everything that waits.
    pub(crate) fn drop_outbox(&mut self) {
        let rows = self.local.outbox_after(0, usize::MAX >> 1);
        let keys: Vec<_> = rows
            .unwrap_or_default()
            .into_iter()
            .map(|row| row.key)
            .collect();
        if let Err(error) = self.local.forget_covered(&keys) {
            tracing::warn!(error = &error as &dyn std::error::Error, "kept the outbox");
        }
    }
}
