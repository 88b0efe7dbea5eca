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

impl<V: ListView> ItemOrder<'_, V> {
    fn next(&self, slot: Option<&Slot<ItemRef>>) -> Result<Option<Slot<ItemRef>>, V::Error> {
        let mut next = self.view.item_after(self.list, slot)?.and_then(item_slot);
        if let Some(found) = &next
            && Some(&found.key) == self.moving
        {
            next = self
                .view
                .item_after(self.list, next.as_ref())?
                .and_then(item_slot);
        }
        Ok(next)
    }

    fn previous(&self, slot: Option<&Slot<ItemRef>>) -> Result<Option<Slot<ItemRef>>, V::Error> {
        let mut next = self.view.item_before(self.list, slot)?.and_then(item_slot);
        if let Some(found) = &next
            && Some(&found.key) == self.moving
        {
            next = self
                .view
                .item_before(self.list, next.as_ref())?
                .and_then(item_slot);
        }
        Ok(next)
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

impl<V: ListView> ListOrder<'_, V> {
    fn next(&self, slot: Option<&Slot<ListId>>) -> Result<Option<Slot<ListId>>, V::Error> {
        let mut next = self.view.list_after(slot)?.and_then(list_slot);
        if let Some(found) = &next
            && Some(&found.key) == self.moving
        {
            next = self.view.list_after(next.as_ref())?.and_then(list_slot);
        }
        Ok(next)
    }

    fn previous(&self, slot: Option<&Slot<ListId>>) -> Result<Option<Slot<ListId>>, V::Error> {
        let mut next = self.view.list_before(slot)?.and_then(list_slot);
        if let Some(found) = &next
            && Some(&found.key) == self.moving
        {
            next = self.view.list_before(next.as_ref())?.and_then(list_slot);
        }
        Ok(next)
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

/// A gap between two neighbours; none is the end.
type Gap<K> = (Option<Slot<K>>, Option<Slot<K>>);

/// Whether what stands at `slot` stands in the gap; slots are in the order of `rank`.
fn is_within<'s, K, R: Ord>(
    (left, right): &'s Gap<K>,
    slot: &'s Slot<K>,
    rank: impl Fn(&'s Slot<K>) -> R,
) -> bool {
    let above = left.as_ref().is_none_or(|left| rank(left) < rank(slot));
    above && right.as_ref().is_none_or(|right| rank(slot) < rank(right))
}

impl<V: ListView> ItemOrder<'_, V> {
    /// Room at `spot`.
    pub(super) fn room(
        &self,
        spot: &Spot<ItemRef>,
        jitter: Jitter,
    ) -> Result<Room<ItemRef>, PlanError<V::Error>> {
        if let Spot::At(position) = spot {
            return Ok(Room::at(position.clone()));
        }
        let (left, right) = self.gap(spot)?;
        make_room(self, left, right, jitter).map_err(PlanError::View)
    }

    /// Room at `spot` for what moves, which stands at `slot` of this list; none: it is there already.
    pub(super) fn other_room(
        &self,
        spot: &Spot<ItemRef>,
        slot: &Slot<ItemRef>,
        jitter: Jitter,
    ) -> Result<Option<Room<ItemRef>>, PlanError<V::Error>> {
        let there = match spot {
            Spot::At(position) => *position == slot.position,
            Spot::Start | Spot::End | Spot::Before(_) | Spot::After(_) => {
                is_within(&self.gap(spot)?, slot, |slot| {
                    (&slot.position, &slot.key.item, &slot.key.list)
                })
            }
        };
        if there {
            return Ok(None);
        }
        self.room(spot, jitter).map(Some)
    }

    fn gap(&self, spot: &Spot<ItemRef>) -> Result<Gap<ItemRef>, PlanError<V::Error>> {
        let view = PlanError::View;
        Ok(match spot {
            Spot::Start => (None, self.next(None).map_err(view)?),
            Spot::End | Spot::At(_) => (self.previous(None).map_err(view)?, None),
            Spot::Before(item) => {
                let slot = self.shown(item)?;
                (self.previous(Some(&slot)).map_err(view)?, Some(slot))
            }
            Spot::After(item) => {
                let slot = self.shown(item)?;
                let right = self.next(Some(&slot)).map_err(view)?;
                (Some(slot), right)
            }
        })
    }

    /// The slot of an item that the list shows, and that isn't the one that moves.
    fn shown(&self, item: &ItemRef) -> Result<Slot<ItemRef>, PlanError<V::Error>> {
        if self.moving == Some(item) {
            let id = item.item.to_string();
            return Err(PlanError::BesideItself { id });
        }
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
}

impl<V: ListView> ListOrder<'_, V> {
    /// Room at `spot`.
    pub(super) fn room(
        &self,
        spot: &Spot<ListId>,
        jitter: Jitter,
    ) -> Result<Room<ListId>, PlanError<V::Error>> {
        if let Spot::At(position) = spot {
            return Ok(Room::at(position.clone()));
        }
        let (left, right) = self.gap(spot)?;
        make_room(self, left, right, jitter).map_err(PlanError::View)
    }

    /// Room at `spot` for the list that moves, which stands at `slot`; none: it is there already.
    pub(super) fn other_room(
        &self,
        spot: &Spot<ListId>,
        slot: &Slot<ListId>,
        jitter: Jitter,
    ) -> Result<Option<Room<ListId>>, PlanError<V::Error>> {
        let there = match spot {
            Spot::At(position) => *position == slot.position,
            Spot::Start | Spot::End | Spot::Before(_) | Spot::After(_) => {
                is_within(&self.gap(spot)?, slot, |slot| (&slot.position, &slot.key))
            }
        };
        if there {
            return Ok(None);
        }
        self.room(spot, jitter).map(Some)
    }

    fn gap(&self, spot: &Spot<ListId>) -> Result<Gap<ListId>, PlanError<V::Error>> {
        let view = PlanError::View;
        Ok(match spot {
            Spot::Start => (None, self.next(None).map_err(view)?),
            Spot::End | Spot::At(_) => (self.previous(None).map_err(view)?, None),
            Spot::Before(list) => {
                let slot = self.shown(list)?;
                (self.previous(Some(&slot)).map_err(view)?, Some(slot))
            }
            Spot::After(list) => {
                let slot = self.shown(list)?;
                let right = self.next(Some(&slot)).map_err(view)?;
                (Some(slot), right)
            }
        })
    }

    /// The slot of a list that is there, and that isn't the one that moves.
    fn shown(&self, list: &ListId) -> Result<Slot<ListId>, PlanError<V::Error>> {
        if self.moving == Some(list) {
            let id = list.to_string();
            return Err(PlanError::BesideItself { id });
        }
        let unknown = || PlanError::ListUnknown { list: list.clone() };
        let found = self.view.list(list).map_err(PlanError::View)?;
        let found = found.ok_or_else(unknown)?;
        if !found.present && found.position.is_some() {
            return Err(PlanError::ListRemoved { list: list.clone() });
        }
        list_slot(found).ok_or_else(unknown)
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
