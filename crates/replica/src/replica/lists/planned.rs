//! The lists as they will be once what is planned so far is written, for the commands that follow in
//! the same change.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use syncline_model::list::{ITEMS, ItemRef, ListItem, ListView, Position, Slot};
use syncline_model::registry::{LISTS, List};
use syncline_model::{ItemId, ListId, Op, Row, Rows, Table, Value};
use syncline_store::StoreError;
use syncline_store::lists::StoredLists;

/// Orders the items of a list: by position, id and list of origin.
type ItemPlace = (Position, ItemId, ListId);
type ListPlace = (Position, ListId);

/// What a view shows, with planned ops on top.
pub(super) struct PlannedLists<'v> {
    stored: StoredLists<'v>,
    items: BTreeMap<ItemRef, Row>,
    lists: BTreeMap<ListId, Row>,
    /// The places of those items and lists that are shown, of items by the list that shows them.
    item_places: BTreeMap<ListId, BTreeSet<ItemPlace>>,
    list_places: BTreeSet<ListPlace>,
}

impl<'v> PlannedLists<'v> {
    pub(super) fn new(stored: StoredLists<'v>) -> Self {
        Self {
            stored,
            items: BTreeMap::new(),
            lists: BTreeMap::new(),
            item_places: BTreeMap::new(),
            list_places: BTreeSet::new(),
        }
    }

    /// Folds a planned op on top.
    pub(super) fn fold(&mut self, op: &Op) -> Result<(), StoreError> {
        op.fold_pending(self, op.key.clock.get()).map(drop)
    }

    fn put_item(&mut self, row: Row) {
        let Some(item) = ListItem::from_row(row.clone()) else {
            return;
        };
        let before = self.items.insert(item.item.clone(), row);
        let before = before.and_then(ListItem::from_row);
        if let Some(before) = before.as_ref().filter(|before| before.present)
            && let (Some(places), Some(place)) =
                (self.item_places.get_mut(&before.home), item_place(before))
        {
            places.remove(&place);
        }
        if let Some(place) = item_place(&item).filter(|_| item.present) {
            self.item_places.entry(item.home).or_default().insert(place);
        }
    }

    fn put_list(&mut self, row: Row) {
        let Some(list) = List::from_rows(row.clone(), None) else {
            return;
        };
        let before = self.lists.insert(list.list.clone(), row);
        let before = before.and_then(|row| List::from_rows(row, None));
        if let Some(place) = before.as_ref().and_then(list_place) {
            self.list_places.remove(&place);
        }
        if let Some(place) = list_place(&list).filter(|_| list.present) {
            self.list_places.insert(place);
        }
    }

    /// Whether a plan has taken a stored item from its place.
    fn has_left(&self, stored: &ListItem) -> bool {
        let places = self.item_places.get(&stored.home).zip(item_place(stored));
        self.items.contains_key(&stored.item)
            && places.is_none_or(|(places, place)| !places.contains(&place))
    }

    /// Whether a plan has taken a stored list from its place.
    fn has_moved(&self, stored: &List) -> bool {
        let is_there = list_place(stored).is_some_and(|place| self.list_places.contains(&place));
        self.lists.contains_key(&stored.list) && !is_there
    }

    fn planned_item(
        &self,
        list: &ListId,
        seek: impl FnOnce(&BTreeSet<ItemPlace>) -> Option<&ItemPlace>,
    ) -> Option<ListItem> {
        let (_, item, origin) = seek(self.item_places.get(list)?)?.clone();
        let row = self.items.get(&ItemRef { list: origin, item })?;
        ListItem::from_row(row.clone())
    }

    fn planned_list(&self, place: Option<&ListPlace>) -> Result<Option<List>, StoreError> {
        place.map_or(Ok(None), |(_, list)| self.list(list))
    }
}

fn item_place(item: &ListItem) -> Option<ItemPlace> {
    let ItemRef { list, item: id } = item.item.clone();
    Some((item.position.clone()?, id, list))
}

fn list_place(list: &List) -> Option<ListPlace> {
    Some((list.position.clone()?, list.list.clone()))
}

fn item_slot(item: &ListItem) -> Option<Slot<ItemRef>> {
    Some(Slot {
        position: item.position.clone()?,
        key: item.item.clone(),
    })
}

fn list_slot(list: &List) -> Option<Slot<ListId>> {
    Some(Slot {
        position: list.position.clone()?,
        key: list.list.clone(),
    })
}

fn beside_item(slot: Option<&Slot<ItemRef>>) -> Bound<ItemPlace> {
    slot.map_or(Bound::Unbounded, |slot| {
        let ItemRef { list, item } = slot.key.clone();
        Bound::Excluded((slot.position.clone(), item, list))
    })
}

fn beside_list(slot: Option<&Slot<ListId>>) -> Bound<ListPlace> {
    slot.map_or(Bound::Unbounded, |slot| {
        Bound::Excluded((slot.position.clone(), slot.key.clone()))
    })
}

fn first<T, P: Ord>(
    one: Option<T>,
    other: Option<T>,
    place: impl Fn(&T) -> Option<P>,
) -> Option<T> {
    one.into_iter().chain(other).min_by_key(|it| place(it))
}

fn last<T, P: Ord>(one: Option<T>, other: Option<T>, place: impl Fn(&T) -> Option<P>) -> Option<T> {
    one.into_iter().chain(other).max_by_key(|it| place(it))
}

impl ListView for PlannedLists<'_> {
    type Error = StoreError;

    fn item_row(&self, item: &ItemRef) -> Result<Option<Row>, StoreError> {
        match self.items.get(item) {
            Some(row) => Ok(Some(row.clone())),
            None => self.stored.item_row(item),
        }
    }

    fn item_after(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, StoreError> {
        let mut stored = self.stored.item_after(list, slot)?;
        while let Some(gone) = stored.take_if(|found| self.has_left(found)) {
            stored = self.stored.item_after(list, item_slot(&gone).as_ref())?;
        }
        let range = (beside_item(slot), Bound::Unbounded);
        let planned = self.planned_item(list, |places| places.range(range).next());
        Ok(first(stored, planned, item_place))
    }

    fn item_before(
        &self,
        list: &ListId,
        slot: Option<&Slot<ItemRef>>,
    ) -> Result<Option<ListItem>, StoreError> {
        let mut stored = self.stored.item_before(list, slot)?;
        while let Some(gone) = stored.take_if(|found| self.has_left(found)) {
            stored = self.stored.item_before(list, item_slot(&gone).as_ref())?;
        }
        let range = (Bound::Unbounded, beside_item(slot));
        let planned = self.planned_item(list, |places| places.range(range).next_back());
        Ok(last(stored, planned, item_place))
    }

    fn list_row(&self, list: &ListId) -> Result<Option<Row>, StoreError> {
        match self.lists.get(list) {
            Some(row) => Ok(Some(row.clone())),
            None => self.stored.list_row(list),
        }
    }

    fn own_title(&self, list: &ListId) -> Result<Option<Row>, StoreError> {
        self.stored.own_title(list)
    }

    fn list_after(&self, slot: Option<&Slot<ListId>>) -> Result<Option<List>, StoreError> {
        let mut stored = self.stored.list_after(slot)?;
        while let Some(gone) = stored.take_if(|found| self.has_moved(found)) {
            stored = self.stored.list_after(list_slot(&gone).as_ref())?;
        }
        let range = (beside_list(slot), Bound::Unbounded);
        let planned = self.planned_list(self.list_places.range(range).next())?;
        Ok(first(stored, planned, list_place))
    }

    fn list_before(&self, slot: Option<&Slot<ListId>>) -> Result<Option<List>, StoreError> {
        let mut stored = self.stored.list_before(slot)?;
        while let Some(gone) = stored.take_if(|found| self.has_moved(found)) {
            stored = self.stored.list_before(list_slot(&gone).as_ref())?;
        }
        let range = (Bound::Unbounded, beside_list(slot));
        let planned = self.planned_list(self.list_places.range(range).next_back())?;
        Ok(last(stored, planned, list_place))
    }
}

const KEY: &str = "the fold gives a key of two ids";

impl Rows for PlannedLists<'_> {
    type Error = StoreError;

    fn get(&mut self, table: &'static Table, key: &[Value]) -> Result<Option<Row>, StoreError> {
        let id = |column: usize| key.get(column).and_then(Value::as_text).expect(KEY);
        if table.name == ITEMS.name {
            let item = ItemRef {
                list: ListId::new(id(0)).expect(KEY),
                item: ItemId::new(id(1)).expect(KEY),
            };
            return self.item_row(&item);
        }
        let list = ListId::new(id(1)).expect(KEY);
        self.list_row(&list)
    }

    fn put(&mut self, table: &'static Table, row: Row) -> Result<(), StoreError> {
        if table.name == ITEMS.name {
            self.put_item(row);
        } else {
            assert_eq!(
                table.name, LISTS.name,
                "no plan writes a title of the list's own"
            );
            self.put_list(row);
        }
        Ok(())
    }

    fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool, StoreError> {
        let absent = self.get(table, &row)?.is_none();
        if absent {
            self.put(table, row)?;
        }
        Ok(absent)
    }

    fn clear(&mut self, _: &'static Table, _: &str) -> Result<(), StoreError> {
        unreachable!("no op of lists clears a resource")
    }
}
