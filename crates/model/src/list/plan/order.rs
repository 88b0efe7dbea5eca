//! The two orders of lists: that of the items in one, and that of the lists themselves.

use super::super::command::Spot;
use super::super::room::{Found, Order, Room, Slot, make_room};
use super::super::{ItemRef, Jitter, ListItem, Position};
use super::{ListView, PlanError};
use crate::ListId;
use crate::registry::List;

/// The items that a list shows, but one.
pub(super) struct ItemOrder<'v, V> {
    pub(super) view: &'v V,
    pub(super) list: &'v ListId,
    /// The item that is about to move: it is in nobody's way.
    pub(super) moving: Option<&'v ItemRef>,
}

/// The lists, but one.
pub(super) struct ListOrder<'v, V> {
    pub(super) view: &'v V,
    /// The list that is about to move.
    pub(super) moving: Option<&'v ListId>,
}

/// An item that is shown has a position: its insert said one.
pub(super) fn item_slot(item: ListItem) -> Option<Slot<ItemRef>> {
    let position = item.position?;
    Some(Slot {
        position,
        key: item.item,
    })
}

pub(super) fn list_slot(list: List) -> Option<Slot<ListId>> {
    let position = list.position?;
    Some(Slot {
        position,
        key: list.list,
    })
}

/// A gap between two neighbours; none is the end.
type Gap<K> = (Option<Slot<K>>, Option<Slot<K>>);

/// An order of which something may be about to move, which then is in nobody's way.
pub(super) trait Spots: Order<Key: PartialEq> + Sized {
    fn moving(&self) -> Option<&Self::Key>;

    /// The next after `slot`, be it what moves; without one, the first.
    fn any_after(&self, slot: Option<&Slot<Self::Key>>) -> Found<Self>;

    /// The last before `slot`, be it what moves; without one, the last of all.
    fn any_before(&self, slot: Option<&Slot<Self::Key>>) -> Found<Self>;

    /// Where `key` stands; an error where it does not stand in this order.
    fn slot_of(&self, key: &Self::Key) -> Result<Slot<Self::Key>, PlanError<Self::Error>>;

    /// Whether `one` stands before `other`.
    fn is_before(one: &Slot<Self::Key>, other: &Slot<Self::Key>) -> bool;

    fn next(&self, slot: Option<&Slot<Self::Key>>) -> Found<Self> {
        match self.any_after(slot)? {
            Some(found) if self.moving() == Some(&found.key) => self.any_after(Some(&found)),
            found => Ok(found),
        }
    }

    fn previous(&self, slot: Option<&Slot<Self::Key>>) -> Found<Self> {
        match self.any_before(slot)? {
            Some(found) if self.moving() == Some(&found.key) => self.any_before(Some(&found)),
            found => Ok(found),
        }
    }

    /// Room at `spot`.
    fn room(
        &self,
        spot: &Spot<Self::Key>,
        jitter: Jitter,
    ) -> Result<Room<Self::Key>, PlanError<Self::Error>> {
        if let Spot::At(position) = spot {
            return Ok(Room::at(position.clone()));
        }
        let (left, right) = self.gap(spot)?;
        make_room(self, left, right, jitter).map_err(PlanError::View)
    }

    /// Room at `spot` for what moves, which stands at `slot` of this order; none: it is there already.
    fn other_room(
        &self,
        spot: &Spot<Self::Key>,
        slot: &Slot<Self::Key>,
        jitter: Jitter,
    ) -> Result<Option<Room<Self::Key>>, PlanError<Self::Error>> {
        let there = match spot {
            Spot::At(position) => *position == slot.position,
            Spot::Start | Spot::End | Spot::Before(_) | Spot::After(_) => {
                let (left, right) = self.gap(spot)?;
                left.is_none_or(|left| Self::is_before(&left, slot))
                    && right.is_none_or(|right| Self::is_before(slot, &right))
            }
        };
        if there {
            return Ok(None);
        }
        self.room(spot, jitter).map(Some)
    }

    fn gap(&self, spot: &Spot<Self::Key>) -> Result<Gap<Self::Key>, PlanError<Self::Error>> {
        let view = PlanError::View;
        Ok(match spot {
            Spot::Start => (None, self.next(None).map_err(view)?),
            Spot::End | Spot::At(_) => (self.previous(None).map_err(view)?, None),
            Spot::Before(key) => {
                let slot = self.neighbour(key, "before")?;
                (self.previous(Some(&slot)).map_err(view)?, Some(slot))
            }
            Spot::After(key) => {
                let slot = self.neighbour(key, "after")?;
                let right = self.next(Some(&slot)).map_err(view)?;
                (Some(slot), right)
            }
        })
    }

    /// Where `key` stands, which must not be what moves; it was named as what to stand `side`.
    fn neighbour(
        &self,
        key: &Self::Key,
        side: &'static str,
    ) -> Result<Slot<Self::Key>, PlanError<Self::Error>> {
        if self.moving() == Some(key) {
            let id = Self::name(key).to_owned();
            return Err(PlanError::BesideItself { id, side });
        }
        self.slot_of(key)
    }
}

impl<V: ListView> Order for ItemOrder<'_, V> {
    type Key = ItemRef;
    type Error = V::Error;

    fn name(key: &ItemRef) -> &str {
        key.item.as_str()
    }

    fn before(&self, slot: &Slot<ItemRef>) -> Found<Self> {
        self.previous(Some(slot))
    }

    fn after(&self, slot: &Slot<ItemRef>) -> Found<Self> {
        self.next(Some(slot))
    }
}

impl<V: ListView> Spots for ItemOrder<'_, V> {
    fn moving(&self) -> Option<&ItemRef> {
        self.moving
    }

    fn any_after(&self, slot: Option<&Slot<ItemRef>>) -> Found<Self> {
        let item = self.view.item_after(self.list, slot)?;
        Ok(item.and_then(item_slot))
    }

    fn any_before(&self, slot: Option<&Slot<ItemRef>>) -> Found<Self> {
        let item = self.view.item_before(self.list, slot)?;
        Ok(item.and_then(item_slot))
    }

    fn slot_of(&self, item: &ItemRef) -> Result<Slot<ItemRef>, PlanError<V::Error>> {
        let found = self.view.item(item).map_err(PlanError::View)?;
        let found = found.filter(|found| found.position.is_some());
        let id = || item.item.clone();
        let found = found.ok_or_else(|| PlanError::ItemUnknown { item: id() })?;
        if !found.present {
            return Err(PlanError::ItemRemoved { item: id() });
        }
        let elsewhere = || PlanError::ItemElsewhere {
            item: id(),
            list: self.list.clone(),
        };
        let here = Some(found).filter(|found| found.home == *self.list);
        here.and_then(item_slot).ok_or_else(elsewhere)
    }

    fn is_before(one: &Slot<ItemRef>, other: &Slot<ItemRef>) -> bool {
        let (a, b) = (&one.key, &other.key);
        (&one.position, &a.item, &a.list) < (&other.position, &b.item, &b.list)
    }
}

impl<V: ListView> Order for ListOrder<'_, V> {
    type Key = ListId;
    type Error = V::Error;

    fn name(key: &ListId) -> &str {
        key.as_str()
    }

    fn before(&self, slot: &Slot<ListId>) -> Found<Self> {
        self.previous(Some(slot))
    }

    fn after(&self, slot: &Slot<ListId>) -> Found<Self> {
        self.next(Some(slot))
    }
}

impl<V: ListView> Spots for ListOrder<'_, V> {
    fn moving(&self) -> Option<&ListId> {
        self.moving
    }

    fn any_after(&self, slot: Option<&Slot<ListId>>) -> Found<Self> {
        Ok(self.view.list_after(slot)?.and_then(list_slot))
    }

    fn any_before(&self, slot: Option<&Slot<ListId>>) -> Found<Self> {
        Ok(self.view.list_before(slot)?.and_then(list_slot))
    }

    fn slot_of(&self, list: &ListId) -> Result<Slot<ListId>, PlanError<V::Error>> {
        let unknown = || PlanError::ListUnknown { list: list.clone() };
        let found = self.view.list(list).map_err(PlanError::View)?;
        let found = found.ok_or_else(unknown)?;
        if !found.present && found.position.is_some() {
            return Err(PlanError::ListRemoved { list: list.clone() });
        }
        list_slot(found).ok_or_else(unknown)
    }

    fn is_before(one: &Slot<ListId>, other: &Slot<ListId>) -> bool {
        (&one.position, &one.key) < (&other.position, &other.key)
    }
}

impl<K> Room<K> {
    /// A position that is taken as it is.
    fn at(position: Position) -> Self {
        Self {
            position,
            right: None,
            moved: Vec::new(),
        }
    }
}
