//! Which ops of a list its rows still need.

use super::fold::item_key;
use super::ops::{ListOp, Write};
use super::tables::{is_present, item_versions};
use super::whole::read_whole;
use super::{ITEMS, Parts, TITLES, Versions};
use crate::compaction::Coverage;
use crate::planted::{Defect, is_planted};
use crate::{Clock, ListId, OpKey, Payload, Row, Rows, Value};

/// Says whether the rows of a list still need one of its ops: those that win a part of one.
pub fn coverage<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<Coverage, R::Error> {
    let Some(op) = read_whole(payload) else {
        return Ok(Coverage::Needed);
    };
    let origin = ListId::from(key.resource.clone());
    // Without a row its tombstone was collected, and the op with it.
    let holds = |row: Option<&Row>, column: usize, parts: Parts| {
        let parts = if is_planted(Defect::CoverageForgetsHome) {
            parts.without(Parts::HOME)
        } else {
            parts
        };
        row.is_some_and(|row| {
            let versions = row[column].as_text().unwrap_or_default();
            Versions::text_holds(versions, parts, key)
        })
    };
    let needed = match op.into_write(&origin) {
        Write::Item(item, write) => {
            let row_key = item_key(key, &item);
            rows.look(&ITEMS, &row_key, |row| holds(row, 6, write.parts()))?
        }
        Write::Title(_) => {
            let row_key = [Value::from(origin.as_str())];
            rows.look(&TITLES, &row_key, |row| holds(row, 2, Parts::TITLE))?
        }
    };
    Ok(if needed {
        Coverage::Needed
    } else {
        Coverage::Covered
    })
}

/// Whether a payload of this scope is understood whole.
pub(super) fn reads(payload: &Payload) -> bool {
    read_whole(payload).is_some()
}

/// Whether the op's item is seen, or it is of the title: see [`crate::compaction::folds_onto_seen`].
pub(crate) fn folds_onto_seen<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
) -> Result<bool, R::Error> {
    let Some(op) = read_whole(payload) else {
        return Ok(false);
    };
    match op.into_write(&ListId::from(key.resource.clone())) {
        Write::Item(item, _) => rows.look(&ITEMS, &item_key(key, &item), |row| {
            row.is_some_and(is_present)
        }),
        Write::Title(_) => Ok(true),
    }
}

/// Whether the op gives back what a collected tombstone may have had later: see
/// [`crate::compaction::gives_back_collected`].
pub(crate) fn gives_back_collected<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    collected: Clock,
) -> Result<bool, R::Error> {
    let Some(ListOp::Restore { item, carried, .. }) = ListOp::read(payload) else {
        return Ok(false);
    };
    rows.look(&ITEMS, &item_key(key, &item), |row| {
        let versions = row.map(item_versions).unwrap_or_default();
        carried.is_behind(&versions, key, collected)
    })
}
