//! What an item is called in the list that shows it.
//!
//! It is its id, by which the item that was made in the list goes first, also when it was removed or has
//! gone to another list: a request that comes again must not find another item by the same name. One that came from
//! another list, where one of this list has its id already, is called by both: `origin/id`.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use syncline_model::list::ItemRef;
use syncline_model::{ItemId, ListId};

use super::read::{IDS_SHARED, ShownItem, WAS_MADE, item, items_called};
use crate::StoreError;

/// Between the list of origin and the id. Ids may have it too.
const BETWEEN: char = '/';

/// The name that means this item alone, wherever it is shown.
pub fn full_name(item: &ItemRef) -> String {
    format!("{}{BETWEEN}{}", item.list, item.item)
}

/// The item that is called `name` in `list`, also by its full name: if it was made there, though it be removed or
/// gone to another list since, and if it came there, though it be removed. None: there is no such
/// item, or `name` is the id of several that came.
pub fn item_in(
    connection: &Connection,
    list: &ListId,
    name: &ItemId,
) -> Result<Option<ShownItem>, StoreError> {
    if let Some(own) = item_of(connection, list, name)? {
        return Ok(Some(own));
    }
    let mut came = items_called(connection, list, name)?;
    if came.len() == 1 {
        return Ok(came.pop());
    }
    for (at, _) in name.as_str().match_indices(BETWEEN) {
        let (origin, id) = name.as_str().split_at(at);
        let ids = (ListId::new(origin), ItemId::new(&id[BETWEEN.len_utf8()..]));
        let (Ok(origin), Ok(id)) = ids else { continue };
        let found = item_of(connection, &origin, &id)?;
        if let Some(found) = found.filter(|found| found.item.home == *list) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The item that was made in `list` with this id, whatever became of it.
fn item_of(
    connection: &Connection,
    list: &ListId,
    id: &ItemId,
) -> Result<Option<ShownItem>, StoreError> {
    let made = ItemRef {
        list: list.clone(),
        item: id.clone(),
    };
    Ok(item(connection, &made)?.filter(|found| found.item.position.is_some()))
}

/// Says of each item what it is called.
pub(super) fn name_all(connection: &Connection, found: &mut [ShownItem]) -> Result<(), StoreError> {
    let mut shared: HashMap<ListId, HashSet<String>> = HashMap::new();
    for shown in found {
        let (item, home) = (&shown.item.item, &shown.item.home);
        let is_own = item.list == *home;
        if !is_own && !shared.contains_key(home) {
            shared.insert(home.clone(), ids_shared(connection, home)?);
        }
        let is_plain = is_own
            || !shared[home].contains(item.item.as_str())
                && !was_made(connection, home, &item.item)?;
        shown.called = if is_plain {
            item.item.to_string()
        } else {
            full_name(item)
        };
    }
    Ok(())
}

/// The ids that several items have which came to `list`.
fn ids_shared(connection: &Connection, list: &ListId) -> Result<HashSet<String>, StoreError> {
    let mut statement = connection.prepare_cached(IDS_SHARED)?;
    let ids = statement.query_map([list.as_str()], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

fn was_made(connection: &Connection, list: &ListId, id: &ItemId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(WAS_MADE)?;
    Ok(statement.query_row([list.as_str(), id.as_str()], |row| row.get(0))?)
}
