//! The fold of scope `list`.

use super::ops::{ItemWrite, ListOp, Write};
use super::tables::{is_present, item_versions};
use super::versions::{Stamp, Version};
use super::{ITEMS, Parts, TITLES, Versions};
use crate::planted::{Defect, is_planted};
use crate::{Draft, Folded, ItemId, ListId, OpKey, Payload, Place, Row, Rows, SkipReason, Value};

/// Folds one op of a list.
pub fn fold<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    payload: &Payload,
    _: Place,
) -> Result<Folded, R::Error> {
    let Some(op) = ListOp::read(payload) else {
        return Ok(Folded::Skipped(SkipReason::Unreadable));
    };
    match op.into_write(&ListId::from(key.resource.clone())) {
        Write::Item(item, write) => write_item(rows, key, &item, write)?,
        Write::Title(title) => write_title(rows, key, title.into_owned())?,
    }
    Ok(Folded::Applied)
}

/// The key of an item's row.
pub(super) fn item_key(key: &OpKey, item: &ItemId) -> [Value; 2] {
    [
        Value::from(key.resource.as_str()),
        Value::from(item.as_str()),
    ]
}

fn write_item<R: Rows>(
    rows: &mut R,
    key: &OpKey,
    item: &ItemId,
    write: ItemWrite<'_>,
) -> Result<(), R::Error> {
    let row_key = item_key(key, item);
    let make = || unknown(&row_key);
    rows.change(&ITEMS, &row_key, make, |row| write_onto(row, key, write))
}

/// The row of an item of which nothing was known: no part of it was ever written.
fn unknown([list, item]: &[Value; 2]) -> Row {
    vec![
        list.clone(),
        item.clone(),
        list.clone(),
        Value::from(""),
        Value::Integer(0),
        Value::Integer(0),
        Value::from(""),
        Value::from(""),
        Value::from(""),
    ]
}

/// Writes to a row of [`ITEMS`] what the write wins of it.
fn write_onto(row: &mut Draft<'_>, key: &OpKey, write: ItemWrite<'_>) {
    let mut versions = item_versions(row.row());
    let was_known = versions.of(Parts::EXISTENCE).is_some();
    let was_removed = was_known && !is_present(row.row());
    let was_absent = versions == Versions::default();
    let parts = match write.present {
        Some(true) if was_known && is_planted(Defect::RestoreExistenceAlone) => Parts::EXISTENCE,
        None if was_removed && is_planted(Defect::DropOnRemoved) => Parts::default(),
        None | Some(false) if was_absent && is_planted(Defect::DropOnAbsent) => Parts::default(),
        _ => write.parts(),
    };
    let won = write.carried.win(&mut versions, parts, key);
    if won.is_empty() {
        return;
    }
    let versions = versions.to_text();
    row.set(6, versions);
    take(row, won, write);
    if is_planted(Defect::UpdateRevives) && was_removed && !won.has(Parts::EXISTENCE) {
        row.set(4, 1);
    }
}

/// Takes those parts of the write that it has won.
fn take(row: &mut Draft<'_>, won: Parts, write: ItemWrite<'_>) {
    if let Some(home) = write.home.filter(|_| won.has(Parts::HOME)) {
        row.set(2, home.as_str());
    }
    if let Some(position) = write.position.filter(|_| won.has(Parts::POSITION)) {
        row.set(3, position.into_string());
    }
    if let Some(present) = write.present.filter(|_| won.has(Parts::EXISTENCE)) {
        row.set(4, i64::from(present));
    }
    if let Some(done) = write.done.filter(|_| won.has(Parts::DONE)) {
        row.set(5, i64::from(done));
    }
    if let Some(text) = write.text.filter(|_| won.has(Parts::TEXT)) {
        row.set(7, text.into_owned());
    }
    if let Some(note) = write.note.filter(|_| won.has(Parts::NOTE)) {
        row.set(8, note.into_owned());
    }
}

fn write_title<R: Rows>(rows: &mut R, key: &OpKey, title: String) -> Result<(), R::Error> {
    let row_key = [Value::from(key.resource.as_str())];
    let make = || vec![row_key[0].clone(), Value::from(""), Value::from("")];
    rows.change(&TITLES, &row_key, make, |row| {
        let mut versions = Versions::of_text(row.row()[2].as_text().unwrap_or_default());
        let won = versions.win(Parts::TITLE, Stamp::own(Version::of_key(key)));
        if won.is_empty() {
            return;
        }
        let versions = versions.to_text();
        row.set(2, versions);
        row.set(1, title);
    })
}
