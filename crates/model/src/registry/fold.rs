//! The fold of scope `registry`.

use super::{LISTS, RESOURCE, RegistryOp};
use crate::list::{Parts, Versions};
use crate::{Folded, ListId, OpKey, Payload, Place, Rows, SkipReason, Value};

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
    let mut row = rows
        .get(&LISTS, &row_key)?
        .unwrap_or_else(|| unknown(row_key));
    let mut versions = Versions::of_text(row[5].as_text().unwrap_or_default());
    let won = write.carried.win(&mut versions, write.parts(), key);
    if won.is_empty() {
        return Ok(Folded::Applied);
    }
    if let Some(position) = write.position.filter(|_| won.has(Parts::POSITION)) {
        row[2] = position.into_string().into();
    }
    if let Some(present) = write.present.filter(|_| won.has(Parts::EXISTENCE)) {
        row[3] = Value::Integer(present.into());
    }
    if let Some(title) = write.title.filter(|_| won.has(Parts::TITLE)) {
        row[4] = title.into_owned().into();
    }
    row[5] = versions.to_text().into();
    rows.put(&LISTS, row)?;
    Ok(Folded::Applied)
}

/// The key of a list's row.
pub(super) fn list_key(list: &ListId) -> [Value; 2] {
    [Value::from(RESOURCE), Value::from(list.as_str())]
}

/// The row of a list of which nothing was known: no part of it was ever written.
fn unknown([registry, list]: [Value; 2]) -> Vec<Value> {
    vec![
        registry,
        list,
        Value::from(""),
        Value::Integer(0),
        Value::from(""),
        Value::from(""),
    ]
}
