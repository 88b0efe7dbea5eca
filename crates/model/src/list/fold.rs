//! The fold of scope `list`.

use super::ops::{ItemWrite, ListOp, Write};
use super::{Carried, ITEMS, Parts, TITLES, Versions};
use crate::planted::{Defect, is_planted};
use crate::{Folded, ItemId, ListId, OpKey, Payload, Place, Row, Rows, SkipReason, Value};

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
        Write::Item(item, write) => write_item(rows, key, item, write)?,
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
    item: ItemId,
    write: ItemWrite<'_>,
) -> Result<(), R::Error> {
    let row_key = item_key(key, &item);
    let row = rows.get(&ITEMS, &row_key)?;
    let mut cells = match row {
        Some(row) => Cells::of_row(row),
        None if is_planted(Defect::DropOnAbsent) && write.present != Some(true) => return Ok(()),
        None => Cells::unknown(row_key),
    };
    let mut parts = write.parts();
    if is_planted(Defect::RestoreExistenceAlone) && cells.is_known() && write.present == Some(true)
    {
        parts = Parts::EXISTENCE;
    }
    if is_planted(Defect::DropOnRemoved) && cells.is_removed() && write.present.is_none() {
        return Ok(());
    }
    let won = write.carried.win(&mut cells.versions, parts, key);
    if won.is_empty() {
        return Ok(());
    }
    cells.take(won, write);
    rows.put(&ITEMS, cells.into_row())
}

fn write_title<R: Rows>(rows: &mut R, key: &OpKey, title: String) -> Result<(), R::Error> {
    let row_key = Value::from(key.resource.as_str());
    let row = rows.get(&TITLES, std::slice::from_ref(&row_key))?;
    let versions = row.and_then(|row| row.into_iter().nth(2)?.into_text());
    let mut versions = Versions::of_text(&versions.unwrap_or_default());
    let won = Carried::default().win(&mut versions, Parts::TITLE, key);
    if won.is_empty() {
        return Ok(());
    }
    let row = vec![row_key, title.into(), versions.to_text().into()];
    rows.put(&TITLES, row)
}

/// A row of `list_items` while it is written.
struct Cells {
    list: Value,
    item: Value,
    home: Value,
    position: Value,
    present: Value,
    done: Value,
    versions: Versions,
    text: Value,
    note: Value,
}

impl Cells {
    /// The row of an item of which nothing was known: no part of it was ever written.
    fn unknown([list, item]: [Value; 2]) -> Self {
        Self {
            home: list.clone(),
            list,
            item,
            position: Value::from(""),
            present: Value::Integer(0),
            done: Value::Integer(0),
            versions: Versions::default(),
            text: Value::from(""),
            note: Value::from(""),
        }
    }

    fn of_row(row: Row) -> Self {
        let cells = <[Value; 9]>::try_from(row).expect("a row has its table's columns");
        let [
            list,
            item,
            home,
            position,
            present,
            done,
            versions,
            text,
            note,
        ] = cells;
        Self {
            list,
            item,
            home,
            position,
            present,
            done,
            versions: Versions::of_text(versions.as_text().unwrap_or_default()),
            text,
            note,
        }
    }

    fn is_known(&self) -> bool {
        self.versions.of(Parts::EXISTENCE).is_some()
    }

    fn is_removed(&self) -> bool {
        self.is_known() && self.present == Value::Integer(0)
    }

    /// Takes those parts of the write that it has won.
    fn take(&mut self, won: Parts, write: ItemWrite<'_>) {
        if let Some(position) = write.position.filter(|_| won.has(Parts::POSITION)) {
            self.position = position.into_string().into();
        }
        if let Some(present) = write.present.filter(|_| won.has(Parts::EXISTENCE)) {
            self.present = Value::Integer(present.into());
        }
        if let Some(home) = write.home.filter(|_| won.has(Parts::HOME)) {
            self.home = home.as_str().into();
        }
        if let Some(text) = write.text.filter(|_| won.has(Parts::TEXT)) {
            self.text = text.into_owned().into();
        }
        if let Some(done) = write.done.filter(|_| won.has(Parts::DONE)) {
            self.done = Value::Integer(done.into());
        }
        if let Some(note) = write.note.filter(|_| won.has(Parts::NOTE)) {
            self.note = note.into_owned().into();
        }
        if is_planted(Defect::UpdateRevives) && self.is_removed() && !won.has(Parts::EXISTENCE) {
            self.present = Value::Integer(1);
        }
    }

    fn into_row(self) -> Row {
        vec![
            self.list,
            self.item,
            self.home,
            self.position,
            self.present,
            self.done,
            self.versions.to_text().into(),
            self.text,
            self.note,
        ]
    }
}
