//! Which ops of records their rows still need.

use super::RECORDS;
use super::payload::{Decision, RecordPayload, resource_of};
use super::stamps::Stamps;
use crate::compaction::Coverage;
use crate::{OpKey, OpVersion, Payload, Rows, Value};

/// Says whether any row that a decision names still has a part of it.
pub fn coverage<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<Coverage, R::Error> {
    let Some(RecordPayload::Decided(decision)) = RecordPayload::read(payload) else {
        return Ok(Coverage::Needed);
    };
    if !is_understood(&decision) {
        return Ok(Coverage::Needed);
    }
    let version = OpVersion {
        clock: key.clock,
        actor: key.actor.clone(),
    };
    for row in &decision.decided {
        let Ok(resource) = resource_of(&row.entity, &row.id) else {
            return Ok(Coverage::Needed);
        };
        let holds = rows.look(&RECORDS, &[Value::from(resource.as_str())], |row| {
            row.is_some_and(|row| Stamps::of_text(row[6].as_text().unwrap_or("[]")).hold(&version))
        })?;
        if holds {
            return Ok(Coverage::Needed);
        }
    }
    Ok(Coverage::Covered)
}

/// Whether nothing in it is from a newer version.
fn is_understood(decision: &Decision) -> bool {
    decision.other.is_empty() && decision.decided.iter().all(|row| row.other.is_empty())
}
