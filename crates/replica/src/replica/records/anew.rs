//! Refused writes of records, as they are offered again.

use std::collections::BTreeSet;

use syncline_model::Payload;
use syncline_model::record::{Action, RecordPayload, Write};
use syncline_store::Outbox;
use syncline_store::local::QuarantineId;

use super::super::Replica;
use super::standing::meant;
use crate::ReplicaError;

impl Replica {
    /// What an op of the quarantine offers when its writer has seen what others have written since: the base of
    /// each write is what the record holds now. None: it offers what it did.
    pub(in super::super) fn seen_anew(
        &mut self,
        id: QuarantineId,
    ) -> Result<Option<Payload>, ReplicaError> {
        self.view()?;
        let refused = self.quarantined_op(id)?;
        let payload = refused.and_then(|op| op.payload);
        let read = payload.as_ref().and_then(RecordPayload::read);
        let Some(RecordPayload::Offered(mut offered)) = read else {
            return Ok(None);
        };
        let before = offered.clone();
        // A later write of a record has seen what the one before it made of that.
        let mut first = BTreeSet::new();
        for write in &mut offered.writes {
            if first.insert((write.entity.clone(), write.id.clone())) {
                self.see_anew(write)?;
            }
        }
        // It was offered before, so that it can be written.
        Ok(offered.payload().ok().filter(|_| offered != before))
    }

    fn see_anew(&self, write: &mut Write) -> Result<(), ReplicaError> {
        if write.action == Action::Create {
            return Ok(());
        }
        let waiting = |resources: &[_]| self.local.of_resources(resources);
        if let Some((record, _)) = meant(&self.tenant, waiting, &write.entity, &write.id)? {
            for (column, seen) in &mut write.base {
                *seen = record.value(column).clone();
            }
        }
        Ok(())
    }
}
