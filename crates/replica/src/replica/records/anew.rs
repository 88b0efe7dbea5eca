//! Refused writes of records, as they are offered again.

use std::collections::BTreeSet;

use syncline_model::Payload;
use syncline_model::record::{Action, RecordPayload, Write, decided_anew};
use syncline_model::schema::Schema;
use syncline_store::TenantFile;
use syncline_store::local::Desk;
use syncline_store::records::schema;

use super::standing::meant;
use crate::ReplicaError;

/// What an op of the quarantine with this payload offers when its writer has seen what others have written since:
/// the base of each write is what the record holds now. What a lost server had decided, and a new one did not take as
/// it was, is offered as writes of their own. None: it offers what it did.
pub(in super::super) fn seen_anew(
    desk: &Desk<'_>,
    tenant: &TenantFile,
    refused: &Payload,
) -> Result<Option<Payload>, ReplicaError> {
    let mut offered = match RecordPayload::read(refused) {
        Some(RecordPayload::Offered(offered)) => offered,
        Some(RecordPayload::Decided(decision)) => {
            let standing = schema(tenant.connection()).map_err(ReplicaError::Tenant)?;
            let schema = standing.map_or_else(Schema::default, |standing| standing.schema);
            let anew = decided_anew(&schema, &decision);
            return Ok(anew.and_then(|offered| offered.payload().ok()));
        }
        None => return Ok(None),
    };
    let before = offered.clone();
    // A later write of a record has seen what the one before it made of that.
    let mut first = BTreeSet::new();
    for write in &mut offered.writes {
        if first.insert((write.entity.clone(), write.id.clone())) {
            see_anew(desk, tenant, write)?;
        }
    }
    // It was offered before, so that it can be written.
    Ok(offered.payload().ok().filter(|_| offered != before))
}

fn see_anew(desk: &Desk<'_>, tenant: &TenantFile, write: &mut Write) -> Result<(), ReplicaError> {
    if write.action == Action::Create {
        return Ok(());
    }
    let waiting = |resources: &[_]| desk.of_resources(resources);
    if let Some((record, _)) = meant(tenant, waiting, &write.entity, &write.id)? {
        for (column, seen) in &mut write.base {
            *seen = record.value(column).clone();
        }
    }
    Ok(())
}
