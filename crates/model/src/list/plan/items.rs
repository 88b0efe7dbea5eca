//! Plans of commands on items.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::command::{Command, FormerItem, NewItem, Source, Spot};
use super::super::room::{Room, jitter_of};
use super::super::tables::{is_present, item_versions};
use super::super::{
    Carried, Content, ItemRef, ListItem, ListOp, Parts, Position, TextKind, Versions,
};
use super::order::{ItemOrder, Spots, item_slot};
use super::{ListView, Plan, PlanError, Planned, PlannedOp, Planner};
use crate::{ListId, PayloadError, Row, Scope, Value};

impl<V: ListView> Planner<'_, V> {
    pub(super) fn add(&self, list: &ListId, items: &[NewItem], spot: &Spot<ItemRef>) -> Planned<V> {
        self.present_list(list)?;
        let order = ItemOrder {
            view: self.view,
            list,
            moving: None,
        };
        let jitter = items.first().map(|new| self.jitter_for(new.item.as_str()));
        let jitter = jitter.unwrap_or_default();
        let room = order.room(spot, jitter)?;
        let right = room.right.clone();
        let (mut ops, mut position) = moves(room)?;
        let (mut inverse, mut named) = (Vec::new(), BTreeSet::new());
        for (n, new) in items.iter().enumerate() {
            self.check(TextKind::Text, &new.text)?;
            self.check(TextKind::Note, &new.note)?;
            let item = ItemRef {
                list: list.clone(),
                item: new.item.clone(),
            };
            self.check_unknown(&item)?;
            if !named.insert(&new.item) {
                let item = new.item.clone();
                return Err(PlanError::ItemExists { item });
            }
            if n > 0 {
                let jitter = jitter_of(new.item.as_str(), jitter);
                position = Position::between(Some(&position), right.as_ref(), jitter)
                    .expect("the position before was made below the same one");
            }
            ops.push(planned(list, &self.making(list, new, position.clone()))?);
            inverse.push(Command::Remove { item });
        }
        Ok(Plan { ops, inverse })
    }

    /// The op that makes an item at `position` of `list`.
    fn making<'n>(&self, list: &ListId, new: &'n NewItem, position: Position) -> ListOp<'n> {
        let item = new.item.clone();
        let content = Content {
            text: Cow::Borrowed(&new.text),
            done: new.done,
            note: Cow::Borrowed(&new.note),
            position,
        };
        match self.source {
            Source::Person | Source::History => ListOp::Insert { item, content },
            Source::File => {
                let left_out =
                    Parts::of([(Parts::DONE, !new.done), (Parts::NOTE, new.note.is_empty())]);
                let said = Parts::ITEM.without(left_out);
                ListOp::Restore {
                    item,
                    content,
                    home: list.clone(),
                    carried: Carried::of_file(said, left_out, self.actor),
                }
            }
        }
    }

    fn check_unknown(&self, item: &ItemRef) -> Result<(), PlanError<V::Error>> {
        let known = self.view.item(item).map_err(PlanError::View)?;
        if known.is_some_and(|known| known.position.is_some()) {
            let item = item.item.clone();
            return Err(PlanError::ItemExists { item });
        }
        Ok(())
    }

    pub(super) fn edit(&self, item: &ItemRef, text: &str) -> Planned<V> {
        self.check(TextKind::Text, text)?;
        let before = self.present_item(item)?;
        if before.text == text {
            return Ok(Plan::default());
        }
        let op = ListOp::Update {
            item: item.item.clone(),
            text: Some(text.into()),
            done: None,
            note: None,
        };
        one(
            item,
            &op,
            Command::Edit {
                item: item.clone(),
                text: before.text,
            },
        )
    }

    pub(super) fn note(&self, item: &ItemRef, note: &str) -> Planned<V> {
        self.check(TextKind::Note, note)?;
        let before = self.present_item(item)?;
        if before.note == note {
            return Ok(Plan::default());
        }
        let op = ListOp::Update {
            item: item.item.clone(),
            text: None,
            done: None,
            note: Some(note.into()),
        };
        one(
            item,
            &op,
            Command::Note {
                item: item.clone(),
                note: before.note,
            },
        )
    }

    pub(super) fn check_off(&self, item: &ItemRef) -> Planned<V> {
        if self.present_item(item)?.done {
            return Ok(Plan::default());
        }
        let back = Command::Uncheck { item: item.clone() };
        one(item, &tick(item, Some(true)), back)
    }

    pub(super) fn uncheck(&self, item: &ItemRef) -> Planned<V> {
        if !self.present_item(item)?.done {
            return Ok(Plan::default());
        }
        let back = Command::Check { item: item.clone() };
        one(item, &tick(item, Some(false)), back)
    }

    pub(super) fn move_item(
        &self,
        item: &ItemRef,
        to: &ListId,
        spot: &Spot<ItemRef>,
    ) -> Planned<V> {
        let before = self.present_item(item)?;
        let away = before.home != *to;
        if away {
            self.present_list(to)?;
        }
        let order = ItemOrder {
            view: self.view,
            list: to,
            moving: Some(item),
        };
        let standing = item_slot(before.clone()).filter(|_| !away);
        let room = match standing {
            Some(slot) => order.other_room(spot, &slot, self.jitter)?,
            None => Some(order.room(spot, self.jitter)?),
        };
        let Some(room) = room else {
            return Ok(Plan::default());
        };
        let (mut ops, position) = moves(room)?;
        let op = ListOp::Move {
            item: item.item.clone(),
            position,
            home: away.then(|| to.clone()),
        };
        ops.push(planned(&item.list, &op)?);
        let back = before.position.map(|position| Command::Move {
            item: item.clone(),
            to: before.home,
            spot: Spot::At(position),
        });
        Ok(Plan {
            ops,
            inverse: back.into_iter().collect(),
        })
    }

    pub(super) fn remove(&self, item: &ItemRef) -> Planned<V> {
        let before = match self.present_item(item) {
            Err(PlanError::ItemRemoved { .. }) => return Ok(Plan::default()),
            before => before?,
        };
        let op = ListOp::Remove {
            item: item.item.clone(),
        };
        one(
            item,
            &op,
            Command::Restore {
                item: item.clone(),
                former: former(before),
            },
        )
    }

    /// Gives back what the row has of the item, as its writers have left it; what it lacks, since it was
    /// collected, as it was `kept`.
    pub(super) fn restore(&self, item: &ItemRef, kept: Option<&FormerItem>) -> Planned<V> {
        let row = self.view.item_row(item).map_err(PlanError::View)?;
        if row.as_ref().is_some_and(is_present) {
            return Ok(Plan::default());
        }
        let versions = row.as_ref().map(item_versions).unwrap_or_default();
        let unknown = || PlanError::ItemUnknown {
            item: item.item.clone(),
        };
        if kept.is_none() && versions.of(Parts::EXISTENCE).is_none() {
            return Err(unknown());
        }
        let whole = remaining(row.as_ref(), &versions, kept).ok_or_else(unknown)?;
        let op = ListOp::Restore {
            item: item.item.clone(),
            content: Content {
                text: whole.text.into(),
                done: whole.done,
                note: whole.note.into(),
                position: whole.position,
            },
            home: whole.home,
            carried: Carried::new(versions.of_each(Parts::ITEM), self.actor),
        };
        one(item, &op, Command::Remove { item: item.clone() })
    }
}

/// Each part of an item as its row has it, or else as it was kept; none where neither does.
fn remaining(
    row: Option<&Row>,
    versions: &Versions<'_>,
    kept: Option<&FormerItem>,
) -> Option<FormerItem> {
    let cell = |part, column: usize| {
        let row = row.filter(|_| versions.of(part).is_some())?;
        row.get(column)
    };
    let text = |part, column| cell(part, column)?.as_text().map(str::to_owned);
    let position = text(Parts::POSITION, 3).and_then(|text| Position::new(text).ok());
    let home = text(Parts::HOME, 2).and_then(|home| ListId::new(home).ok());
    let done = cell(Parts::DONE, 5).and_then(Value::as_integer);
    Some(FormerItem {
        text: text(Parts::TEXT, 7).or_else(|| Some(kept?.text.clone()))?,
        done: done.map(|done| done == 1).or_else(|| Some(kept?.done))?,
        note: text(Parts::NOTE, 8).or_else(|| Some(kept?.note.clone()))?,
        position: position.or_else(|| Some(kept?.position.clone()))?,
        home: home.or_else(|| Some(kept?.home.clone()))?,
    })
}

fn tick(item: &ItemRef, done: Option<bool>) -> ListOp<'static> {
    ListOp::Update {
        item: item.item.clone(),
        text: None,
        done,
        note: None,
    }
}

/// All of an item, if it was ever made.
fn former(item: ListItem) -> Option<FormerItem> {
    Some(FormerItem {
        position: item.position?,
        text: item.text,
        done: item.done,
        note: item.note,
        home: item.home,
    })
}

/// The ops that make room, and the position that is then free.
fn moves(room: Room<ItemRef>) -> Result<(Vec<PlannedOp>, Position), PayloadError> {
    let moves = room.moved.into_iter().map(|slot| {
        let op = ListOp::Move {
            item: slot.key.item,
            position: slot.position,
            home: None,
        };
        planned(&slot.key.list, &op)
    });
    Ok((moves.collect::<Result<_, _>>()?, room.position))
}

fn planned(origin: &ListId, op: &ListOp<'_>) -> Result<PlannedOp, PayloadError> {
    Ok(PlannedOp {
        scope: Scope::list(),
        resource: origin.clone().into(),
        payload: op.payload(origin)?,
    })
}

fn one<E>(item: &ItemRef, op: &ListOp<'_>, back: Command) -> Result<Plan, PlanError<E>> {
    Ok(Plan {
        ops: vec![planned(&item.list, op)?],
        inverse: vec![back],
    })
}
