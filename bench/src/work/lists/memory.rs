//! A view of lists in memory: rows by key, and the items of each list in order.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::ops::Bound;

use syncline_model::list::{ITEMS, ItemRef, ListItem, ListView, Slot, TITLES};
use syncline_model::registry::{LISTS, List, RESOURCE};
use syncline_model::{ListId, Row, Rows, Table, Value};

type Keyed = HashMap<String, Row>;

/// What a fold writes to, and a plan reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// The rows of [`ITEMS`] by their lists, then by their own ids.
    items: HashMap<String, Keyed>,
    /// The rows of other tables by table, by the first column of the key, then by the second, if any.
    others: HashMap<&'static str, HashMap<String, Keyed>>,
    orders: Orders,
}

/// Of each list, the items that it shows: `position \0 item \0 list of origin`, which sorts as the
/// three do one after the other.
#[derive(Debug, Clone, Default)]
struct Orders(HashMap<String, BTreeSet<String>>);

impl Orders {
    fn insert(&mut self, row: &Row) {
        if let Some((home, place)) = place_of(row) {
            match self.0.get_mut(home) {
                Some(order) => _ = order.insert(place),
                None => _ = self.0.insert(home.to_owned(), BTreeSet::from([place])),
            }
        }
    }

    fn remove(&mut self, row: &Row) {
        if let Some((home, place)) = place_of(row)
            && let Some(order) = self.0.get_mut(home)
        {
            order.remove(&place);
        }
    }
}

/// Keeps the rows that are written to the items of a view, beside the view.
#[derive(Debug)]
pub(super) struct Written<'m> {
    pub(super) view: &'m mut Memory,
    pub(super) rows: Vec<Row>,
}

/// The columns of an item's row.
const ORIGIN: usize = 0;
const ITEM: usize = 1;
const HOME: usize = 2;
const POSITION: usize = 3;
const PRESENT: usize = 4;

fn text(row: &[Value], column: usize) -> &str {
    row.get(column).and_then(Value::as_text).unwrap_or_default()
}

/// The list that shows the item, and the item's place there; none: it is not shown.
fn place_of(row: &Row) -> Option<(&str, String)> {
    let shown = row[PRESENT].as_integer() == Some(1);
    let place = || order(text(row, POSITION), text(row, ITEM), text(row, ORIGIN));
    shown.then(|| (text(row, HOME), place()))
}

fn order(position: &str, item: &str, list: &str) -> String {
    [position, item, list].join("\0")
}

fn order_of_slot(slot: &Slot<ItemRef>) -> String {
    let key = &slot.key;
    order(slot.position.as_str(), key.item.as_str(), key.list.as_str())
}

/// The second key column; tables that have but one share an empty one.
fn second<'k>(table: &'static Table, key: &'k [Value]) -> &'k str {
    match table.key_columns {
        1 => "",
        _ => text(key, 1),
    }
}

impl Memory {
    fn row(&self, table: &'static Table, first: &str, second: &str) -> Option<&Row> {
        let rows = match table.name == ITEMS.name {
            true => &self.items,
            false => self.others.get(table.name)?,
        };
        rows.get(first)?.get(second)
    }

    fn put_item(&mut self, row: Row) {
        if !self.items.contains_key(text(&row, ORIGIN)) {
            let list = text(&row, ORIGIN).to_owned();
            self.items.insert(list, Keyed::default());
        }
        let items = self.items.get_mut(text(&row, ORIGIN));
        let items = items.expect("it is there by now");
        let Some(known) = items.get_mut(text(&row, ITEM)) else {
            self.orders.insert(&row);
            items.insert(text(&row, ITEM).to_owned(), row);
            return;
        };
        if !same_place(known, &row) {
            self.orders.remove(known);
            self.orders.insert(&row);
        }
        *known = row;
    }

    /// The texts that `list` shows, in order.
    pub(super) fn texts(&self, list: &ListId) -> Vec<String> {
        let order = self.orders.0.get(list.as_str()).into_iter().flatten();
        let items = order.filter_map(|place| self.item_at(place));
        items.map(|item| item.text).collect()
    }

    fn row_of(&self, item: &ItemRef) -> Option<&Row> {
        self.row(&ITEMS, item.list.as_str(), item.item.as_str())
    }

    fn item_at(&self, place: &str) -> Option<ListItem> {
        let (place, list) = place.rsplit_once('\0')?;
        let (_, item) = place.rsplit_once('\0')?;
        ListItem::from_row(self.row(&ITEMS, list, item)?.clone())
    }
}

/// Whether the rows of an item say the same of its place.
fn same_place(before: &Row, row: &Row) -> bool {
    before[HOME] == row[HOME]
        && before[POSITION] == row[POSITION]
        && before[PRESENT] == row[PRESENT]
}

impl Rows for Memory {
    type Error = Infallible;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, Infallible> {
        Ok(self.row(table, text(key, 0), second(table, key)).cloned())
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), Infallible> {
        if table.name == ITEMS.name {
            self.put_item(row);
            return Ok(());
        }
        let rows = self.others.entry(table.name).or_default();
        let rows = rows.entry(text(&row, 0).to_owned()).or_default();
        rows.insert(second(table, &row).to_owned(), row);
        Ok(())
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, Infallible> {
        let absent = self.get(table, &row)?.is_none();
        if absent {
            self.put(table, row)?;
        }
        Ok(absent)
    }

    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), Infallible> {
        let rows = self.others.entry(table.name).or_default();
        rows.remove(resource);
        Ok(())
    }
}

impl ListView for Memory {
    type Error = Infallible;

    fn item_row(&self, item: &ItemRef) -> Result<Option<Row>, Infallible> {
        Ok(self.row_of(item).cloned())
    }

    fn item_after(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, Infallible> {
        let from = slot.map_or(Bound::Unbounded, |slot| {
            Bound::Excluded(order_of_slot(slot))
        });
        let order = self.orders.0.get(list.as_str());
        let next = order.and_then(|order| order.range((from, Bound::Unbounded)).next());
        Ok(next.and_then(|place| self.item_at(place)))
    }

    fn item_before(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, Infallible> {
        let to = slot.map_or(Bound::Unbounded, |slot| {
            Bound::Excluded(order_of_slot(slot))
        });
        let order = self.orders.0.get(list.as_str());
        let next = order.and_then(|order| order.range((Bound::Unbounded, to)).next_back());
        Ok(next.and_then(|place| self.item_at(place)))
    }

    fn list_rows(&self, list: &ListId) -> Result<Option<(Row, Option<Row>)>, Infallible> {
        let own = self.row(&TITLES, list.as_str(), "").cloned();
        let row = self.row(&LISTS, RESOURCE, list.as_str());
        Ok(row.map(|row| (row.clone(), own)))
    }

    /// There is one list.
    fn list_after(&self, _: Option<&Slot<ListId>>) -> Result<Option<List>, Infallible> {
        Ok(None)
    }

    /// There is one list.
    fn list_before(&self, _: Option<&Slot<ListId>>) -> Result<Option<List>, Infallible> {
        Ok(None)
    }
}

impl Rows for Written<'_> {
    type Error = Infallible;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, Infallible> {
        self.view.get(table, key)
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), Infallible> {
        if table.name == ITEMS.name {
            self.rows.push(row.clone());
        }
        self.view.put(table, row)
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, Infallible> {
        self.view.insert(table, row)
    }

    fn clear(&mut self, table: &'static Table, resource: &str) -> Result<(), Infallible> {
        self.view.clear(table, resource)
    }
}
