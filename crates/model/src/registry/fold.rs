//! The fold of scope `registry`.

use super::ops::ListWrite;
use super::tables::list_versions;
use super::{LISTS, RESOURCE, RegistryOp};
use crate::list::Parts;
use crate::{Draft, Folded, ListId, OpKey, Payload, Place, Row, Rows, SkipReason, Value};

/// Folds one op of the registry.
pub fn fold<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    _: Place,
) -> Result<Folded, R::Error> {
    let op = RegistryOp::read(payload).filter(|_| key.resource.as_str() == RESOURCE);
    let Some(op) = op else {
        return Ok(Folded::Skipped(SkipReason::Unreadable));
    };
    let (list, write) = op.into_write();
    let row_key = list_key(&list);
    let make = || unknown(&row_key);
    rows.change(&LISTS, &row_key, make, |row| write_onto(row, key, write))?;
    Ok(Folded::Applied)
}

/// Writes to a row of [`LISTS`] what the write wins of it.
fn write_onto(row: &mut Draft<'_>, key: &OpKey, write: ListWrite<'_>) {
    let mut versions = list_versions(row.row());
    let won = write.carried.win(&mut versions, write.parts(), key);
    if won.is_empty() {
        return;
    }
    let versions = versions.to_text();
    row.set(5, versions);
    if let Some(position) = write.position.filter(|_| won.has(Parts::POSITION)) {
        row.set(2, position.into_string());
    }
    if let Some(present) = write.present.filter(|_| won.has(Parts::EXISTENCE)) {
        row.set(3, i64::from(present));
    }
    if let Some(title) = write.title.filter(|_| won.has(Parts::TITLE)) {
        row.set(4, title.into_owned());
    }
}

/// The key of a list's row.
pub(super) fn list_key(list: &ListId) -> [Value; 2] {
    [Value::from(RESOURCE), Value::from(list.as_str())]
}

/// The row of a list of which nothing was known: no part of it was ever written.
fn unknown([registry, list]: &[Value; 2]) -> Row {
    vec![
        registry.clone(),
        list.clone(),
        Value::from(""),
        Value::Integer(0),
        Value::from(""),
        Value::from(""),
    ]
}
