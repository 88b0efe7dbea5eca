//! What plans read of a view: each a look-up by key or index.

use rusqlite::{Connection, OptionalExtension, Params};
use syncline_model::list::{ITEMS, ItemRef, ListItem, ListView, Slot, TITLES};
use syncline_model::registry::{LISTS, List, RESOURCE};
use syncline_model::{ListId, Row, Table};

use crate::StoreError;
use crate::schema::sql_of;
use crate::view::read_row;

/// The lists of a tenant file, as its connection sees them.
#[derive(Debug, Clone, Copy)]
pub struct StoredLists<'c> {
    connection: &'c Connection,
}

/// The columns of [`ITEMS`].
macro_rules! item_columns {
    () => {
        "list_id, item_id, home, position, present, done, versions, text, note"
    };
}
pub(super) use item_columns;

/// The columns of [`LISTS`].
macro_rules! list_columns {
    () => {
        "registry, list_id, position, present, title, versions"
    };
}
pub(super) use list_columns;

macro_rules! shown_items {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            item_columns!(),
            " FROM list_items WHERE home = ? AND present = 1 ",
            $rest
        )
    };
}

macro_rules! present_lists {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            list_columns!(),
            " FROM lists WHERE present = 1 ",
            $rest
        )
    };
}

pub(super) const FIRST_ITEM: &str = shown_items!("ORDER BY position, item_id, list_id LIMIT 1");
pub(super) const NEXT_ITEM: &str = shown_items!(
    "AND (position, item_id, list_id) > (?, ?, ?) ORDER BY position, item_id, list_id LIMIT 1"
);
pub(super) const LAST_ITEM: &str =
    shown_items!("ORDER BY position DESC, item_id DESC, list_id DESC LIMIT 1");
pub(super) const PREVIOUS_ITEM: &str = shown_items!(
    "AND (position, item_id, list_id) < (?, ?, ?) \
     ORDER BY position DESC, item_id DESC, list_id DESC LIMIT 1"
);
pub(super) const FIRST_LIST: &str = present_lists!("ORDER BY position, list_id LIMIT 1");
pub(super) const NEXT_LIST: &str =
    present_lists!("AND (position, list_id) > (?, ?) ORDER BY position, list_id LIMIT 1");
pub(super) const LAST_LIST: &str = present_lists!("ORDER BY position DESC, list_id DESC LIMIT 1");
pub(super) const PREVIOUS_LIST: &str =
    present_lists!("AND (position, list_id) < (?, ?) ORDER BY position DESC, list_id DESC LIMIT 1");

impl<'c> StoredLists<'c> {
    /// The lists that `connection`, one to a tenant file, shows now.
    pub fn new(connection: &'c Connection) -> Self {
        Self { connection }
    }

    fn one_item(&self, sql: &str, params: impl Params) -> Result<Option<ListItem>, StoreError> {
        let row = self.one(&ITEMS, sql, params)?;
        row.map(item_of).transpose()
    }

    fn one_list(&self, sql: &str, params: impl Params) -> Result<Option<List>, StoreError> {
        let row = self.one(&LISTS, sql, params)?;
        row.map(|row| self.list_of(row)).transpose()
    }

    fn one(
        &self,
        table: &'static Table,
        sql: &str,
        params: impl Params,
    ) -> Result<Option<Row>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement
            .query_row(params, |row| read_row(row, table))
            .optional()?;
        Ok(row)
    }

    /// The list of a row of [`LISTS`], by the title that is shown.
    pub(super) fn list_of(&self, row: Row) -> Result<List, StoreError> {
        let id = row.get(1).and_then(|id| id.as_text()).unwrap_or_default();
        let own = self.one(&TITLES, &sql_of(&TITLES).select, [id])?;
        List::from_rows(row, own).ok_or(StoreError::damaged("a list's row is none"))
    }
}

/// The item of a row of [`ITEMS`].
pub(super) fn item_of(row: Row) -> Result<ListItem, StoreError> {
    ListItem::from_row(row).ok_or(StoreError::damaged("an item's row is none"))
}

fn item_place<'s>(list: &'s ListId, slot: &'s Slot<ItemRef>) -> [&'s str; 4] {
    [
        list.as_str(),
        slot.position.as_str(),
        slot.key.item.as_str(),
        slot.key.list.as_str(),
    ]
}

fn list_place(slot: &Slot<ListId>) -> [&str; 2] {
    [slot.position.as_str(), slot.key.as_str()]
}

impl ListView for StoredLists<'_> {
    type Error = StoreError;

    fn item_row(&self, item: &ItemRef) -> Result<Option<Row>, StoreError> {
        let key = [item.list.as_str(), item.item.as_str()];
        self.one(&ITEMS, &sql_of(&ITEMS).select, key)
    }

    fn item_after(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, StoreError> {
        match slot {
            Some(slot) => self.one_item(NEXT_ITEM, item_place(list, slot)),
            None => self.one_item(FIRST_ITEM, [list.as_str()]),
        }
    }

    fn item_before(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, StoreError> {
        match slot {
            Some(slot) => self.one_item(PREVIOUS_ITEM, item_place(list, slot)),
            None => self.one_item(LAST_ITEM, [list.as_str()]),
        }
    }

    fn list_row(&self, list: &ListId) -> Result<Option<Row>, StoreError> {
        self.one(&LISTS, &sql_of(&LISTS).select, [RESOURCE, list.as_str()])
    }

    fn own_title(&self, list: &ListId) -> Result<Option<Row>, StoreError> {
        self.one(&TITLES, &sql_of(&TITLES).select, [list.as_str()])
    }

    fn list_after(&self, slot: Option<&Slot<ListId>>) -> Result<Option<List>, StoreError> {
        match slot {
            Some(slot) => self.one_list(NEXT_LIST, list_place(slot)),
            None => self.one_list(FIRST_LIST, []),
        }
    }

    fn list_before(&self, slot: Option<&Slot<ListId>>) -> Result<Option<List>, StoreError> {
        match slot {
            Some(slot) => self.one_list(PREVIOUS_LIST, list_place(slot)),
            None => self.one_list(LAST_LIST, []),
        }
    }
}
