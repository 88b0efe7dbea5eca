//! What an actor may think of: commands of people, and payloads that no planner of ours would write.

use syncline_model::list::{Command, ListView, NewItem, Spot};
use syncline_model::{ItemId, ListId};

use super::chance::Chance;
use super::fuzz::DEEDS;
use super::memory::{item, list};
use super::world::World;

const LISTS_IN_USE: [&str; 3] = ["l", "m", "n"];
/// The items of the files that everybody has, each with a version of its own.
const ITEMS_IN_FILES: [&str; 3] = ["f1", "f2", "f3"];
/// Fewer items than these are added to first.
const ITEMS_MIN: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    NewList,
    RenameList,
    ReorderList,
    Add,
    RemoveList,
    RestoreList,
    Edit,
    Note,
    Check,
    Uncheck,
    Move,
    Remove,
    Restore,
}

impl World {
    /// A command of `who`; what it makes or says has `number` in it.
    pub(crate) fn command(&mut self, who: usize, number: usize) -> Command {
        let lists: Vec<ListId> = LISTS_IN_USE.map(list).into();
        let among = self.chance.pick(&lists).clone();
        if self.items.len() < ITEMS_MIN {
            return self.add(among, number);
        }
        let item = self.chance.pick(&self.items).clone();
        let (title, text) = (format!("title {number}"), format!("text {number}"));
        match deed(&mut self.chance) {
            Deed::Add => self.add(among, number),
            Deed::NewList => Command::NewList {
                list: among,
                title,
                spot: spot(&mut self.chance, &lists),
            },
            Deed::RenameList => Command::RenameList { list: among, title },
            Deed::ReorderList => Command::ReorderList {
                list: among,
                spot: spot(&mut self.chance, &lists),
            },
            Deed::RemoveList => Command::RemoveList { list: among },
            Deed::RestoreList => Command::RestoreList {
                list: among,
                former: None,
            },
            Deed::Edit => Command::Edit { item, text },
            Deed::Note => Command::Note { item, note: text },
            Deed::Check => Command::Check { item },
            Deed::Uncheck => Command::Uncheck { item },
            Deed::Move => {
                let there = self.replicas[who].view.items(&among).into_iter();
                let there: Vec<_> = there.map(|shown| shown.item).collect();
                Command::Move {
                    item,
                    to: among,
                    spot: spot(&mut self.chance, &there),
                }
            }
            Deed::Remove => Command::Remove { item },
            Deed::Restore => Command::Restore { item, former: None },
        }
    }

    /// What a file makes for `who`, of what it doesn't know: a list, or items of one.
    pub(crate) fn out_of_a_file(&mut self, who: usize, number: usize) -> Command {
        let list = list(self.chance.pick::<&str>(&LISTS_IN_USE));
        if self.chance.below(4) == 0 {
            return Command::NewList {
                title: format!("title of {list} {number}"),
                list,
                spot: Spot::End,
            };
        }
        let mut items = Vec::new();
        for id in ITEMS_IN_FILES {
            let item = item(list.as_str(), id);
            if !self.items.contains(&item) {
                self.items.push(item.clone());
            }
            let known = self.replicas[who].view.item(&item);
            let known = known.expect("memory does not fail");
            if known.is_some_and(|known| known.position.is_some()) {
                continue;
            }
            items.push(NewItem {
                item: item.item,
                text: format!("text {number}"),
                done: self.chance.below(2) == 0,
                note: self.chance.pick(&["", "a note"]).to_string(),
            });
        }
        let spot = spot(&mut self.chance, &[]);
        Command::Add { list, items, spot }
    }

    fn add(&mut self, list: ListId, number: usize) -> Command {
        let spot = spot(&mut self.chance, &self.items);
        let id = ItemId::new(format!("i{number}")).expect("a short id");
        self.items.push(item(list.as_str(), id.as_str()));
        let new = NewItem {
            item: id,
            text: format!("text {number}"),
            done: false,
            note: format!("note {number}"),
        };
        Command::Add {
            list,
            items: vec![new],
            spot,
        }
    }
}

fn deed(chance: &mut Chance) -> Deed {
    let mut at = chance.below(DEEDS.iter().map(|(weight, _)| weight).sum());
    for (weight, deed) in DEEDS {
        if at < weight {
            return deed;
        }
        at -= weight;
    }
    unreachable!("it is below the sum of the weights")
}

fn spot<K: Clone>(chance: &mut Chance, known: &[K]) -> Spot<K> {
    match chance.below(4) {
        0 => Spot::Start,
        1 if !known.is_empty() => Spot::Before(chance.pick(known).clone()),
        2 if !known.is_empty() => Spot::After(chance.pick(known).clone()),
        _ => Spot::End,
    }
}

/// A payload that another program may write: old, half, or with versions of its own making.
pub(crate) fn foreign(chance: &mut Chance, number: usize) -> String {
    let item = chance.pick(&["i1", "i2", "i3", "none"]);
    let clock = 1 + chance.below(40);
    match chance.below(9) {
        0 => {
            format!(r#"{{"type":"update","itemId":"{item}","payload":{{"text":"raw {number}"}}}}"#)
        }
        1 => format!(r#"{{"type":"remove","itemId":"{item}","actor":"x","clock":1}}"#),
        2 => format!(r#"{{"type":"move","itemId":"{item}","payload":{{"pos":"a{number}1"}}}}"#),
        3 => format!(
            r#"{{"type":"insert","itemId":"{item}","payload":{{"text":"raw {number}","done":true,"note":"","pos":"b1"}}}}"#
        ),
        4 => format!(
            r#"{{"type":"restore","itemId":"{item}","payload":{{"text":"raw {number}","done":true,"note":"","pos":"b2","list":"m","versions":{{"written":[{{"parts":["text","pos","list"],"clock":{clock},"actor":"b"}}]}}}}}}"#
        ),
        5 => format!(
            r#"{{"type":"restoreList","listId":"l","payload":{{"title":"raw {number}","pos":"b2","versions":{{"actor":"a","written":[{{"parts":["title"],"clock":{clock},"actor":"c"}}]}}}}}}"#
        ),
        6 => format!(
            r#"{{"type":"restore","itemId":"{item}","payload":{{"text":"raw {number}","done":true,"note":"","pos":"b2","list":"m","versions":{{"written":[{{"parts":["present","note"],"clock":{clock},"actor":"b"}}]}}}}}}"#
        ),
        7 => format!(r#"{{"type":"renameList","payload":{{"title":"raw {number}"}}}}"#),
        _ => r#"{"type":"hologram","itemId":7}"#.to_owned(),
    }
}
