//! What users do to task lists: few of them, so that many hands are on the same items.

use syncline_model::list::{Command, ItemRef, ListItem, NewItem, Spot};
use syncline_model::registry::List;
use syncline_model::{ItemId, ListId};
use syncline_store::lists::{RemovedLists, items, lists, removed_items};
use syncline_store::local::ListChange;
use syncline_store::{StoreError, TenantFile};
use uuid::Uuid;

use super::Numbers;
use crate::chance::Chance;

/// Lists that a world has before nobody makes another.
const LISTS_MAX: usize = 3;
/// Items that a list shows before nobody adds another.
const ITEMS_MAX: usize = 8;
const ID: &str = "a UUID is an id";

/// What somebody does to lists.
#[derive(Debug)]
pub(crate) enum ListDeed {
    Change(Command),
    Undo,
    /// Undoes what was done last, which was a removal.
    TakeBack,
    Redo,
}

/// A user's choices about lists.
pub(crate) struct ListWishes<'a> {
    pub(crate) chance: &'a mut Chance,
    pub(crate) numbers: &'a mut Numbers,
}

impl ListWishes<'_> {
    /// What a user who sees `view` does next, and who has done `last` to lists before.
    pub(crate) fn next(
        &mut self,
        view: &TenantFile,
        last: Option<&ListChange>,
    ) -> Result<ListDeed, StoreError> {
        // What was removed by a slip is wanted back, and others have changed it meanwhile.
        let removed = last.is_some_and(|change| change.kind.starts_with("remove"));
        if removed && self.chance.percent(40) {
            return Ok(ListDeed::TakeBack);
        }
        match self.chance.below(10) {
            0 => return Ok(ListDeed::Undo),
            1 => return Ok(ListDeed::Redo),
            _ => {}
        }
        let connection = view.connection();
        let known = lists(connection, RemovedLists::Shown)?;
        let known: Vec<List> = known.into_iter().map(|overview| overview.list).collect();
        if known.is_empty() || known.len() < LISTS_MAX && self.chance.percent(15) {
            return Ok(ListDeed::Change(Command::NewList {
                list: ListId::new(self.id()).expect(ID),
                title: self.text("list"),
                spot: Spot::End,
            }));
        }
        let list = self.chance.pick(&known).clone();
        if self.chance.percent(15) || !list.present {
            return Ok(ListDeed::Change(self.on_list(&list, &known)));
        }
        let shown = items(connection, &list.list)?.into_iter();
        let shown: Vec<ListItem> = shown.map(|shown| shown.item).collect();
        let removed = removed_items(connection, &list.list)?;
        if !removed.is_empty() && self.chance.percent(12) {
            let item = self.chance.pick(&removed).item.item.clone();
            return Ok(ListDeed::Change(Command::Restore { item, former: None }));
        }
        Ok(ListDeed::Change(self.on_items(list.list, &shown, &known)))
    }

    fn on_list(&mut self, list: &List, known: &[List]) -> Command {
        let id = list.list.clone();
        if !list.present {
            return Command::RestoreList {
                list: id,
                former: None,
            };
        }
        match self.chance.below(4) {
            0 => Command::RemoveList { list: id },
            1 => Command::RenameList {
                list: id,
                title: self.text("list"),
            },
            _ => {
                let mut others = known.iter().filter(|other| other.list != id);
                let spot = match others.find(|other| other.present) {
                    Some(other) => Spot::After(other.list.clone()),
                    None => Spot::Start,
                };
                Command::ReorderList { list: id, spot }
            }
        }
    }

    fn on_items(&mut self, list: ListId, shown: &[ListItem], known: &[List]) -> Command {
        if shown.is_empty() || shown.len() < ITEMS_MAX && self.chance.percent(25) {
            return Command::Add {
                items: self.new_items(),
                spot: self.spot(shown, None),
                list,
            };
        }
        let item = self.chance.pick(shown).item.clone();
        match self.chance.below(12) {
            0 | 1 => Command::Edit {
                item,
                text: self.text("item"),
            },
            2 => Command::Note {
                item,
                note: self.text("note"),
            },
            3 | 4 => Command::Check { item },
            5 => Command::Uncheck { item },
            6 | 7 => Command::Move {
                spot: self.spot(shown, Some(&item)),
                item,
                to: list,
            },
            8 | 9 => {
                let to = self.chance.pick(known).list.clone();
                Command::Move {
                    item,
                    to,
                    spot: Spot::End,
                }
            }
            _ => Command::Remove { item },
        }
    }

    fn new_items(&mut self) -> Vec<NewItem> {
        let count = 1 + self.chance.below(2);
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(NewItem {
                item: ItemId::new(self.id()).expect(ID),
                text: self.text("item"),
                done: false,
                note: String::new(),
            });
        }
        items
    }

    fn spot(&mut self, shown: &[ListItem], moved: Option<&ItemRef>) -> Spot<ItemRef> {
        let mut others = shown.iter().map(|item| &item.item);
        let other = others.find(|other| Some(*other) != moved);
        match (self.chance.below(4), other) {
            (0, _) | (_, None) => Spot::Start,
            (1, _) => Spot::End,
            (2, Some(other)) => Spot::Before(other.clone()),
            (_, Some(other)) => Spot::After(other.clone()),
        }
    }

    fn text(&mut self, kind: &str) -> String {
        format!("{kind} {}.", self.numbers.next())
    }

    fn id(&mut self) -> String {
        Uuid::from_bytes(self.chance.bytes()).to_string()
    }
}
