//! A view of lists in memory: rows by key, and the items of each list in order.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::Arc;

use foldhash::fast::RandomState;
use syncline_model::list::{ITEMS, ItemRef, ListItem, ListView, Slot, TITLES};
use syncline_model::registry::{LISTS, List, RESOURCE};
use syncline_model::{Draft, ListId, Row, Rows, Table, Value};

/// Hashed as fast as the others hash theirs.
type Keyed<T> = HashMap<String, T, RandomState>;

/// What a fold writes to, and a plan reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// By their lists of origin, then by their own ids.
    items: Keyed<HashMap<Id, Item, RandomState>>,
    /// The rows of other tables by table, by the first column of the key, then by the second, if any.
    others: HashMap<&'static str, Keyed<Keyed<Row>>, RandomState>,
    orders: Orders,
}

/// The id of an item. As most are the text of a UUID, such a one lies where it is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Id {
    Uuid([u8; 36]),
    Other(Box<str>),
}

impl Id {
    fn new(id: &str) -> Self {
        match id.as_bytes().try_into() {
            Ok(uuid) => Self::Uuid(uuid),
            Err(_) => Self::Other(id.into()),
        }
    }
}

/// A row of [`ITEMS`], and where its item is shown.
#[derive(Debug, Clone)]
struct Item {
    row: Row,
    shown: Option<Shown>,
}

#[derive(Debug, Clone)]
struct Shown {
    home: Arc<str>,
    place: Place,
}

/// Sorts as position, item and list of origin do one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// What `text` begins with, as a number: nearly all places differ there.
    begin: u128,
    /// `position \0 item \0 list of origin`.
    text: Arc<str>,
}

/// Of each list, the items that it shows.
#[derive(Debug, Clone, Default)]
struct Orders(HashMap<Arc<str>, BTreeSet<Place>, RandomState>);

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let begin = self.begin.cmp(&other.begin);
        // A place is found by itself, mostly.
        begin.then_with(|| match Arc::ptr_eq(&self.text, &other.text) {
            true => Ordering::Equal,
            false => self.text.cmp(&other.text),
        })
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Place {
    fn new(position: &str, item: &str, list: &str) -> Self {
        let text = [position, item, list].join("\0");
        let mut begin = [0; 16];
        let bytes = text.len().min(begin.len());
        begin[..bytes].copy_from_slice(&text.as_bytes()[..bytes]);
        Self {
            begin: u128::from_be_bytes(begin),
            text: text.into(),
        }
    }

    fn of_row(row: &Row) -> Self {
        Self::new(text(row, POSITION), text(row, ITEM), text(row, ORIGIN))
    }

    fn of_slot(slot: &Slot<ItemRef>) -> Self {
        let key = &slot.key;
        Self::new(slot.position.as_str(), key.item.as_str(), key.list.as_str())
    }
}

impl Orders {
    /// Shows the item where its row says.
    fn show(&mut self, item: &mut Item) {
        if let Some(Shown { home, place }) = item.shown.take()
            && let Some(order) = self.0.get_mut(&home)
        {
            order.remove(&place);
        }
        if item.row[PRESENT].as_integer() == Some(1) {
            let home = text(&item.row, HOME);
            let home = match self.0.get_key_value(home) {
                Some((home, _)) => home.clone(),
                None => home.into(),
            };
            let place = Place::of_row(&item.row);
            let order = self.0.entry(home.clone()).or_default();
            order.insert(place.clone());
            item.shown = Some(Shown { home, place });
        }
    }

    fn of(&self, list: &ListId) -> Option<&BTreeSet<Place>> {
        self.0.get(list.as_str())
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

/// The second key column; tables that have but one share an empty one.
fn second<'k>(table: &'static Table, key: &'k [Value]) -> &'k str {
    match table.key_columns {
        1 => "",
        _ => text(key, 1),
    }
}

fn beside(slot: Option<&Slot<ItemRef>>) -> Bound<Place> {
    slot.map_or(Bound::Unbounded, |slot| {
        Bound::Excluded(Place::of_slot(slot))
    })
}

impl Memory {
    fn row(&self, table: &'static Table, first: &str, second: &str) -> Option<&Row> {
        if table.name == ITEMS.name {
            let items = self.items.get(first)?;
            return items.get(&Id::new(second)).map(|item| &item.row);
        }
        self.others.get(table.name)?.get(first)?.get(second)
    }

    /// The texts that `list` shows, in order.
    pub(super) fn texts(&self, list: &ListId) -> Vec<String> {
        let order = self.orders.of(list).into_iter().flatten();
        let items = order.filter_map(|place| self.item_at(place));
        items.map(|item| item.text).collect()
    }

    fn row_of(&self, item: &ItemRef) -> Option<&Row> {
        self.row(&ITEMS, item.list.as_str(), item.item.as_str())
    }

    fn item_at(&self, place: &Place) -> Option<ListItem> {
        let (place, list) = place.text.rsplit_once('\0')?;
        let (_, item) = place.rsplit_once('\0')?;
        ListItem::from_row(self.row(&ITEMS, list, item)?.clone())
    }

    /// Changes an item's row where it lies.
    fn change_item(
        &mut self,
        key: &[Value],
        make: impl FnOnce() -> Row,
        change: impl FnOnce(&mut Draft<'_>),
    ) {
        let (list, id) = (text(key, ORIGIN), Id::new(text(key, ITEM)));
        let items = match self.items.get_mut(list) {
            Some(items) => items,
            None => self.items.entry(list.to_owned()).or_default(),
        };
        if let Some(item) = items.get_mut(&id) {
            let mut draft = Draft::new(&mut item.row);
            change(&mut draft);
            if draft.has_set(&[HOME, POSITION, PRESENT]) {
                self.orders.show(item);
            }
            return;
        }
        let mut row = make();
        let mut draft = Draft::new(&mut row);
        change(&mut draft);
        if draft.is_written() {
            let mut item = Item { row, shown: None };
            self.orders.show(&mut item);
            items.insert(id, item);
        }
    }
}

impl Rows for Memory {
    type Error = Infallible;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, Infallible> {
        Ok(self.row(table, text(key, 0), second(table, key)).cloned())
    }

    fn change(
        &mut self,
        table: &'static Table,
        key: &[Value],
        make: impl FnOnce() -> Row,
        change: impl FnOnce(&mut Draft<'_>),
    ) -> Result<(), Infallible> {
        if table.name == ITEMS.name {
            self.change_item(key, make, change);
            return Ok(());
        }
        let mut row = self.get(table, key)?.unwrap_or_else(make);
        change(&mut Draft::new(&mut row));
        self.put(table, row)
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), Infallible> {
        if table.name == ITEMS.name {
            let key = row[..ITEMS.key_columns].to_vec();
            let make = || vec![Value::Null; ITEMS.columns.len()];
            self.change_item(&key, make, |draft| {
                let cells = row.into_iter().enumerate();
                cells.for_each(|(column, cell)| draft.set(column, cell));
            });
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
        let from = beside(slot);
        let order = self.orders.of(list);
        let next = order.and_then(|order| order.range((from, Bound::Unbounded)).next());
        Ok(next.and_then(|place| self.item_at(place)))
    }

    fn item_before(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, Infallible> {
        let to = beside(slot);
        let order = self.orders.of(list);
        let next = order.and_then(|order| order.range((Bound::Unbounded, to)).next_back());
        Ok(next.and_then(|place| self.item_at(place)))
    }

    fn list_row(&self, list: &ListId) -> Result<Option<Row>, Infallible> {
        Ok(self.row(&LISTS, RESOURCE, list.as_str()).cloned())
    }

    fn own_title(&self, list: &ListId) -> Result<Option<Row>, Infallible> {
        Ok(self.row(&TITLES, list.as_str(), "").cloned())
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
