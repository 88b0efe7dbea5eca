//! Walks of random commands: each undone and done again shows what was shown before, also where
//! another handle or another run of the program goes on.

use syncline_model::list::{Command, ItemRef, NewItem, Spot};
use syncline_model::{ItemId, ListId};
use syncline_store::lists::{RemovedLists, items, lists};

use super::super::Place;
use crate::Replica;

/// SplitMix64: a walk is its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % bound
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What people see: lists by title, and of each item all that it says.
type Shown = Vec<(ListId, String, Vec<(ItemRef, String, bool, String)>)>;

fn shown(replica: &mut Replica) -> Shown {
    let connection = replica.view().unwrap().connection();
    let all = lists(connection, RemovedLists::Hidden).unwrap().into_iter();
    all.map(|overview| {
        let found = items(connection, &overview.list.list).unwrap().into_iter();
        let found = found.map(|shown| shown.item);
        let found = found.map(|item| (item.item, item.text, item.done, item.note));
        (overview.list.list, overview.list.title, found.collect())
    })
    .collect()
}

fn spot<K: Clone>(chance: &mut Chance, known: &[K]) -> Spot<K> {
    match chance.below(4) {
        0 => Spot::Start,
        1 if !known.is_empty() => Spot::Before(chance.pick(known).clone()),
        2 if !known.is_empty() => Spot::After(chance.pick(known).clone()),
        _ => Spot::End,
    }
}

fn command(chance: &mut Chance, n: usize, seen: &Shown) -> Command {
    let known: Vec<_> = seen.iter().map(|(list, ..)| list.clone()).collect();
    if known.is_empty() || chance.below(9) == 0 {
        return Command::NewList {
            list: ListId::new(format!("l{n}")).unwrap(),
            title: format!("title {n}"),
            spot: spot(chance, &known),
        };
    }
    let (list, _, found) = chance.pick(seen);
    let list = list.clone();
    let here: Vec<_> = found.iter().map(|(item, ..)| item.clone()).collect();
    let Some(item) = (!here.is_empty()).then(|| chance.pick(&here).clone()) else {
        return add(chance, n, list, &here);
    };
    match chance.below(10) {
        0 => Command::RenameList {
            list,
            title: format!("other {n}"),
        },
        1 => Command::RemoveList { list },
        2 => Command::ReorderList {
            list,
            spot: spot(chance, &known),
        },
        3 => Command::Edit {
            item,
            text: format!("text {n}"),
        },
        4 => Command::Note {
            item,
            note: format!("note {n}"),
        },
        5 => Command::Check { item },
        6 => Command::Uncheck { item },
        7 => {
            let (to, _, found) = chance.pick(seen);
            let there: Vec<_> = found.iter().map(|(item, ..)| item.clone()).collect();
            Command::Move {
                item,
                to: to.clone(),
                spot: spot(chance, &there),
            }
        }
        8 => Command::Remove { item },
        _ => add(chance, n, list, &here),
    }
}

fn add(chance: &mut Chance, n: usize, list: ListId, here: &[ItemRef]) -> Command {
    let items = (0..=chance.below(3)).map(|m| NewItem {
        item: ItemId::new(format!("i{n}.{m}")).unwrap(),
        text: format!("item {n}.{m}"),
        done: m == 1,
        note: String::new(),
    });
    Command::Add {
        list,
        items: items.collect(),
        spot: spot(chance, here),
    }
}

/// Another handle, or the same one, or the first of another run.
fn hand_over(chance: &mut Chance, place: &Place, replica: Replica) -> Replica {
    match chance.below(4) {
        0 => {
            drop(replica);
            place.open("a")
        }
        1 => replica.another().unwrap(),
        _ => replica,
    }
}

fn walk(seed: u64) {
    let (place, mut chance) = (Place::new(), Chance(seed));
    let mut replica = place.open("a");
    let mut states = vec![shown(&mut replica)];
    for n in 0..60 {
        let seen = states.last().expect("there is the first");
        let command = command(&mut chance, n, seen);
        // A move beside itself is one of them.
        let Ok(changed) = replica.change_lists(&command) else {
            continue;
        };
        let now = shown(&mut replica);
        if changed.keys.is_empty() {
            assert_eq!(&now, seen, "seed {seed}: {command:?}");
        } else {
            states.push(now);
        }
        replica = hand_over(&mut chance, &place, replica);
    }
    assert!(states.len() > 20, "seed {seed} does little");
    for state in states.iter().rev().skip(1) {
        assert!(replica.undo_lists().unwrap().is_some(), "seed {seed}");
        assert_eq!(&shown(&mut replica), state, "seed {seed}");
        replica = hand_over(&mut chance, &place, replica);
    }
    assert!(replica.undo_lists().unwrap().is_none(), "seed {seed}");
    for state in states.iter().skip(1) {
        assert!(replica.redo_lists().unwrap().is_some(), "seed {seed}");
        assert_eq!(&shown(&mut replica), state, "seed {seed}");
        replica = hand_over(&mut chance, &place, replica);
    }
    assert!(replica.redo_lists().unwrap().is_none(), "seed {seed}");
}

#[test]
fn whatever_was_done_is_undone_and_done_again() {
    (1..=4).for_each(walk);
}
