//! Lists and items, as they are shown.

use std::collections::HashSet;

use rusqlite::{Connection, Params};
use syncline_model::list::{ITEMS, ItemRef, ListItem, ListView, Position, Slot};
use syncline_model::registry::{LISTS, List};
use syncline_model::{ItemId, ListId};

use super::named::name_all;
use super::stored::{StoredLists, item_columns, item_of, list_columns};
use crate::StoreError;
use crate::threads::EntryState;
use crate::view::read_row;

/// A list, and how much it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOverview {
    pub list: List,
    /// How many items it shows.
    pub items: u64,
    /// How many of them are done.
    pub done: u64,
}

/// Whether lists that were removed are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovedLists {
    Hidden,
    /// In their old places among the others.
    Shown,
}

/// An item, and whether it is in the log as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownItem {
    pub item: ListItem,
    /// What it is called in the list that shows it: by its id, or `origin/id`.
    pub called: String,
    /// Pending as long as any change of it is in the outbox alone.
    pub state: EntryState,
}

impl ShownItem {
    /// Where it stands in its list; none for one whose insert isn't known.
    pub fn slot(&self) -> Option<Slot<ItemRef>> {
        Some(Slot {
            position: self.item.position.clone()?,
            key: self.item.item.clone(),
        })
    }
}

/// Whether a change of the item `i` is only in the outbox: it then has a confirmed image beneath.
/// Whether there is any is asked once for all items.
macro_rules! is_pending {
    () => {
        "CASE WHEN EXISTS (SELECT 1 FROM confirmed_rows) THEN \
         EXISTS (SELECT 1 FROM confirmed_rows AS c WHERE c.resource_id = i.list_id \
         AND c.table_name = 'list_items' AND c.row_key = json_array(i.list_id, i.item_id)) ELSE 0 END"
    };
}

macro_rules! select_items {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            item_columns!(),
            ", ",
            is_pending!(),
            " FROM list_items AS i ",
            $rest
        )
    };
}

pub(super) const ALL_ITEMS: &str =
    select_items!("WHERE home = ? AND present = 1 ORDER BY position, item_id, list_id LIMIT ?");
pub(super) const ITEMS_AFTER: &str = select_items!(
    "WHERE home = ? AND present = 1 AND (position, item_id, list_id) > (?, ?, ?) \
     ORDER BY position, item_id, list_id LIMIT ?"
);
pub(super) const REMOVED_ITEMS: &str =
    select_items!("WHERE home = ? AND present = 0 ORDER BY position, item_id, list_id");
pub(super) const ITEM_OF_LIST: &str = select_items!("WHERE list_id = ? AND item_id = ?");
pub(super) const ITEMS_CALLED: &str =
    select_items!("WHERE home = ? AND present = 1 AND item_id = ? ORDER BY position, list_id");
pub(super) const IDS_SHARED: &str = "SELECT item_id FROM list_items \
     WHERE home = ? AND present = 1 AND list_id <> home GROUP BY item_id HAVING count(*) > 1";
pub(super) const WAS_MADE: &str =
    "SELECT EXISTS (SELECT 1 FROM list_items WHERE list_id = ? AND item_id = ? AND position <> '')";
pub(super) const ALL_LISTS: &str = concat!(
    "SELECT ",
    list_columns!(),
    " FROM lists ORDER BY position, list_id"
);
pub(super) const COUNT_ITEMS: &str =
    "SELECT count(*), coalesce(sum(done), 0) FROM list_items WHERE home = ? AND present = 1";

pub(super) const SHOWS_ANY: &str =
    "SELECT EXISTS (SELECT 1 FROM list_items WHERE home = ? AND present = 1)";

/// From each list to the next by the index: as many steps as there are lists, not items.
pub(super) const HOMES: &str = "WITH RECURSIVE homes (id) AS ( \
     SELECT min(home) FROM list_items UNION ALL \
     SELECT (SELECT min(home) FROM list_items WHERE home > id) FROM homes WHERE id IS NOT NULL) \
     SELECT id FROM homes WHERE EXISTS \
     (SELECT 1 FROM list_items WHERE home = homes.id AND present = 1)";

/// All lists, in order, and how much they show.
pub fn lists(
    connection: &Connection,
    removed: RemovedLists,
) -> Result<Vec<ListOverview>, StoreError> {
    all_lists(connection)?
        .into_iter()
        .filter(|list| list.present || removed == RemovedLists::Shown)
        .map(|list| overview_of(connection, list))
        .collect()
}

/// The list with this id, though it be removed; none: nothing was ever made with it, or nothing of it
/// is left.
pub fn list(connection: &Connection, id: &ListId) -> Result<Option<List>, StoreError> {
    let found = StoredLists::new(connection).list(id)?;
    match found.filter(is_whole) {
        Some(whole) => Ok(Some(whole)),
        None if shows_any(connection, id)? => Ok(Some(forgotten(connection, id.clone())?)),
        None => Ok(None),
    }
}

/// Whether more is known of a list than that somebody has written to it.
fn is_whole(list: &List) -> bool {
    list.present || list.position.is_some()
}

/// A list of which nothing is left but items that it shows: they came when it had been removed, and
/// forgotten with all that it had shown. It can be restored as other removed ones, and is called as it then is: by a
/// title that came late or is its own, else, and where that is empty, by its id.
fn forgotten(connection: &Connection, list: ListId) -> Result<List, StoreError> {
    let view = StoredLists::new(connection);
    let title = match view.list(&list)? {
        Some(known) => Some(known.title),
        None => view
            .own_title(&list)?
            .and_then(|mut row| row.swap_remove(1).into_text()),
    };
    let title = title.filter(|title| !title.is_empty());
    let first = Position::between(None, None, [0; 4]);
    Ok(List {
        title: title.unwrap_or_else(|| list.as_str().to_owned()),
        position: Some(first.expect("nothing is in the way")),
        present: false,
        list,
    })
}

/// As [`list`], with how much it shows.
pub fn list_overview(
    connection: &Connection,
    id: &ListId,
) -> Result<Option<ListOverview>, StoreError> {
    let found = list(connection, id)?;
    found.map(|list| overview_of(connection, list)).transpose()
}

/// Every list of which anything is left, in order.
pub(super) fn all_lists(connection: &Connection) -> Result<Vec<List>, StoreError> {
    let view = StoredLists::new(connection);
    let mut statement = connection.prepare_cached(ALL_LISTS)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let list = view.list_of(read_row(row, &LISTS)?)?;
        if is_whole(&list) {
            found.push(list);
        }
    }
    drop(rows);
    let known: HashSet<&str> = found.iter().map(|list| list.list.as_str()).collect();
    let homes = homes(connection)?.into_iter();
    let lost: Vec<_> = homes
        .filter(|home| !known.contains(home.as_str()))
        .map(|list| forgotten(connection, list))
        .collect::<Result<_, _>>()?;
    if !lost.is_empty() {
        found.extend(lost);
        found.sort_by(|one, other| (&one.position, &one.list).cmp(&(&other.position, &other.list)));
    }
    Ok(found)
}

/// The ids of lists that show an item.
fn homes(connection: &Connection) -> Result<Vec<ListId>, StoreError> {
    let mut statement = connection.prepare_cached(HOMES)?;
    let mut rows = statement.query([])?;
    let mut homes = Vec::new();
    while let Some(row) = rows.next()? {
        let home = ListId::new(row.get::<_, String>(0)?);
        homes.push(home.map_err(|_| StoreError::damaged("an item's list has no id"))?);
    }
    Ok(homes)
}

fn overview_of(connection: &Connection, list: List) -> Result<ListOverview, StoreError> {
    let mut statement = connection.prepare_cached(COUNT_ITEMS)?;
    let (items, done): (i64, i64) =
        statement.query_row([list.list.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(ListOverview {
        list,
        items: items as u64,
        done: done as u64,
    })
}

/// Whether `list` shows any item; a removed list still has its own.
pub(crate) fn shows_any(connection: &Connection, list: &ListId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(SHOWS_ANY)?;
    Ok(statement.query_row([list.as_str()], |row| row.get(0))?)
}

/// All items that `list` shows, in order; a removed list still has its own.
pub fn items(connection: &Connection, list: &ListId) -> Result<Vec<ShownItem>, StoreError> {
    items_after(connection, list, None, usize::MAX)
}

/// The items that were removed from `list`, in their old places' order, as far as they are not
/// forgotten yet.
pub fn removed_items(connection: &Connection, list: &ListId) -> Result<Vec<ShownItem>, StoreError> {
    let mut removed = select(connection, REMOVED_ITEMS, [list.as_str()])?;
    // Of the others, the insert is not known.
    removed.retain(|shown| shown.item.position.is_some());
    Ok(removed)
}

/// The items that `list` shows after `slot`, or from its start, in order; `limit` at most.
pub fn items_after(
    connection: &Connection,
    list: &ListId,
    slot: Option<&Slot<ItemRef>>,
    limit: usize,
) -> Result<Vec<ShownItem>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match slot {
        None => select(connection, ALL_ITEMS, (list.as_str(), limit)),
        Some(slot) => {
            let place = (
                list.as_str(),
                slot.position.as_str(),
                slot.key.item.as_str(),
                slot.key.list.as_str(),
                limit,
            );
            select(connection, ITEMS_AFTER, place)
        }
    }
}

/// The item, whatever became of it; none: nobody has written to it, or nothing of it is left.
pub fn item(connection: &Connection, item: &ItemRef) -> Result<Option<ShownItem>, StoreError> {
    let names = [item.list.as_str(), item.item.as_str()];
    Ok(select(connection, ITEM_OF_LIST, names)?.pop())
}

/// The items that `list` shows and whose id is `id`, in order: several, where some of them came from
/// other lists.
pub fn items_called(
    connection: &Connection,
    list: &ListId,
    id: &ItemId,
) -> Result<Vec<ShownItem>, StoreError> {
    select(connection, ITEMS_CALLED, [list.as_str(), id.as_str()])
}

pub(super) fn select(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<ShownItem>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let state = if row.get(ITEMS.columns.len())? {
            EntryState::Pending
        } else {
            EntryState::Acknowledged
        };
        found.push(ShownItem {
            item: item_of(read_row(row, &ITEMS)?)?,
            called: String::new(),
            state,
        });
    }
    drop(rows);
    name_all(connection, &mut found)?;
    Ok(found)
}
