//! Which ops of the registry its rows still need.

use super::fold::list_key;
use super::tables::{is_present, list_versions};
use super::{LISTS, RESOURCE, RegistryOp};
use crate::compaction::{Coverage, has_only};
use crate::list::Versions;
use crate::{Clock, OpKey, Payload, Rows};

/// The fields of every payload of this scope that this version reads or knows to repeat the envelope.
const FIELDS: [&str; 6] = ["type", "listId", "itemId", "actor", "clock", "payload"];
/// Those of the object within it.
const INNER: [&str; 3] = ["title", "pos", "versions"];

/// Says whether the rows of the registry still need one of its ops: those that win a part of one.
pub fn coverage<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<Coverage, R::Error> {
    let op = RegistryOp::read(payload).filter(|_| key.resource.as_str() == RESOURCE);
    let Some(op) = op else {
        return Ok(Coverage::Needed);
    };
    let (list, write) = op.into_write();
    let needed = rows.look(&LISTS, &list_key(&list), |row| {
        // Without a row its tombstone was collected, and the op with it.
        row.is_some_and(|row| {
            let versions = row[5].as_text().unwrap_or_default();
            Versions::text_holds(versions, write.parts(), key)
        })
    })?;
    Ok(if needed || !has_only(payload, &FIELDS, &INNER) {
        Coverage::Needed
    } else {
        Coverage::Covered
    })
}

/// Whether a payload of this scope is understood whole.
pub(super) fn reads(payload: &Payload) -> bool {
    RegistryOp::read(payload).is_some() && has_only(payload, &FIELDS, &INNER)
}

/// Whether the op's list is seen: see [`crate::compaction::folds_onto_seen`].
pub(crate) fn folds_onto_seen<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<bool, R::Error> {
    let op = RegistryOp::read(payload).filter(|_| key.resource.as_str() == RESOURCE);
    let Some(op) = op.filter(|_| has_only(payload, &FIELDS, &INNER)) else {
        return Ok(false);
    };
    let (list, _) = op.into_write();
    rows.look(&LISTS, &list_key(&list), |row| row.is_some_and(is_present))
}

/// Whether the op gives back what a collected tombstone may have had later: see
/// [`crate::compaction::gives_back_collected`].
pub(crate) fn gives_back_collected<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    collected: Clock,
) -> Result<bool, R::Error> {
    let Some(RegistryOp::Restore { list, carried, .. }) = RegistryOp::read(payload) else {
        return Ok(false);
    };
    rows.look(&LISTS, &list_key(&list), |row| {
        let versions = row.map(list_versions).unwrap_or_default();
        carried.is_behind(&versions, key, collected)
    })
}
