//! The view tables of task lists.

use super::{ItemRef, Parts, Position, Versions};
use crate::compaction::Tombstones;
use crate::{Column, ItemId, ListId, OpVersion, Row, Scope, Table, Value};

/// One row per item of which an op is known; `list_id` is its list of origin, `home` the list that
/// shows it, in the order of `position, item_id, list_id`.
///
/// `present` is 1 for an item that is there. The others were removed, or their insert isn't known
/// yet: nobody sees them, and replicas are equal without them. `versions` says who wrote each part
/// last. Texts come last: what stands behind a long text is slow to reach.
pub static ITEMS: Table = Table {
    name: "list_items",
    columns: &[
        Column::text("list_id"),
        Column::text("item_id"),
        Column::text("home"),
        Column::text("position"),
        Column::integer("present"),
        Column::integer("done"),
        Column::text("versions"),
        Column::text("text"),
        Column::text("note"),
    ],
    key_columns: 2,
    searched: None,
    indexes: &[&["home", "present", "position", "item_id"]],
};

/// The title that a list's own ops gave it, where they do: see [`crate::registry::shown_title`].
pub static TITLES: Table = Table {
    name: "list_titles",
    columns: &[
        Column::text("list_id"),
        Column::text("title"),
        Column::text("versions"),
    ],
    key_columns: 1,
    searched: None,
    indexes: &[],
};

/// All of them.
pub static TABLES: &[&Table] = &[&ITEMS, &TITLES];

/// Items that are not there.
pub static ITEM_TOMBSTONES: Tombstones = Tombstones {
    table: &ITEMS,
    scope: Scope::LIST,
    stamps: item_stamps,
    list: |_| None,
    reads: super::coverage::reads,
};

fn item_stamps(row: &Row) -> Option<Vec<OpVersion>> {
    (!is_present(row)).then(|| item_versions(row).into_holders())
}

/// Whether a row of [`ITEMS`] is of an item that is there.
pub(super) fn is_present(row: &Row) -> bool {
    row.get(4).and_then(Value::as_integer) == Some(1)
}

/// Who wrote the parts of a row of [`ITEMS`].
pub(super) fn item_versions(row: &Row) -> Versions<'_> {
    Versions::of_text(row.get(6).and_then(Value::as_text).unwrap_or_default())
}

/// An item as its row tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListItem {
    pub item: ItemRef,
    /// The list that shows it.
    pub home: ListId,
    /// Where it stands there; none while its row isn't whole, which is before its insert is known.
    pub position: Option<Position>,
    /// Whether it is there: neither removed nor unknown.
    pub present: bool,
    pub done: bool,
    pub text: String,
    pub note: String,
}

impl ListItem {
    /// Reads a row of [`ITEMS`]; none if it isn't one.
    pub fn from_row(row: Row) -> Option<Self> {
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
        ] = <[Value; 9]>::try_from(row).ok()?;
        let present = present.as_integer()? == 1;
        let whole = present || Versions::of_text(versions.as_text()?).are_of(Parts::ITEM);
        let position = Position::new(position.into_text()?).ok();
        Some(Self {
            item: ItemRef {
                list: ListId::new(list.into_text()?).ok()?,
                item: ItemId::new(item.into_text()?).ok()?,
            },
            home: ListId::new(home.into_text()?).ok()?,
            position: position.filter(|_| whole),
            present,
            done: done.as_integer()? == 1,
            text: text.into_text()?,
            note: note.into_text()?,
        })
    }
}
