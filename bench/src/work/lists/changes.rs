//! The list that is changed, and the changes: made from a seed, the same for everybody.

use serde::Serialize;
use syncline_model::list::{Command, ItemRef, NewItem, Spot};
use syncline_model::{ItemId, ListId, Timestamp, mint};

use crate::input::{Chance, text};

/// An item, as everybody holds it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    text: String,
    done: bool,
    #[serde(skip)]
    id: ItemId,
}

/// A change; indexes are those of the list as the changes before have left it.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Change {
    Insert {
        at: usize,
        text: String,
    },
    Edit {
        at: usize,
        text: String,
    },
    Check {
        at: usize,
        done: bool,
    },
    /// Takes the item out, and puts it where `to` is then.
    Move {
        from: usize,
        to: usize,
    },
    Remove {
        at: usize,
    },
}

/// Changes of one kind, or of all.
#[derive(Debug, Serialize)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    changes: Vec<Change>,
    /// The same changes, by ids.
    #[serde(skip)]
    pub(super) commands: Vec<Command>,
    /// The texts that the list shows in the end.
    #[serde(skip)]
    pub(super) texts: Vec<String>,
}

/// All that is measured.
#[derive(Debug, Serialize)]
pub(super) struct Workload {
    items: Vec<Item>,
    pub(super) kinds: Vec<Kind>,
}

/// The kinds, the mixture last.
pub(super) const KINDS: [&str; 6] = ["insert", "edit", "check", "move", "remove", "mixed"];

/// The list that is changed.
pub(super) fn list() -> ListId {
    ListId::new("0191d1c2-0000-4000-8000-000000000001").expect("a UUID is an id")
}

impl Workload {
    /// A list of so many items, and so many changes of each kind, at random places.
    pub(super) fn new(items: u64, changes: u64) -> Self {
        let mut chance = Chance::new(42);
        let mut minting = Minting { at: FIRST_AT };
        let new = |_| new_item(&mut minting, &mut chance);
        let items: Vec<_> = (0..items).map(new).collect();
        let kinds = KINDS.map(|name| Kind::new(name, &items, changes, &mut minting, &mut chance));
        Self {
            items,
            kinds: kinds.into(),
        }
    }

    /// What makes the list as it is before all changes.
    pub(super) fn beginning(&self) -> Vec<Command> {
        let add = Command::Add {
            list: list(),
            items: self.items.iter().map(Item::as_new).collect(),
            spot: Spot::End,
        };
        let new = Command::NewList {
            list: list(),
            title: "bench".to_owned(),
            spot: Spot::End,
        };
        vec![new, add]
    }
}

impl Kind {
    fn new(
        name: &'static str,
        items: &[Item],
        count: u64,
        minting: &mut Minting,
        chance: &mut Chance,
    ) -> Self {
        let mut items = items.to_vec();
        let (mut changes, mut commands) = (Vec::new(), Vec::new());
        for n in 0..count as usize {
            let name = match name {
                "mixed" => KINDS[n % (KINDS.len() - 1)],
                name => name,
            };
            let change = change(name, &items, chance);
            commands.push(change.carry_out(&mut items, minting, chance));
            changes.push(change);
        }
        Self {
            name,
            changes,
            commands,
            texts: items.into_iter().map(|item| item.text).collect(),
        }
    }
}

fn new_item(minting: &mut Minting, chance: &mut Chance) -> Item {
    Item {
        text: new_text(chance),
        done: false,
        id: minting.next(chance),
    }
}

/// When the first item is made, in milliseconds.
const FIRST_AT: i64 = 1_789_000_000_000;
/// Milliseconds from one item to the next, at most: somebody types them.
const NEXT_WITHIN: usize = 60_000;

/// Draws the ids of items as a replica does.
struct Minting {
    at: i64,
}

impl Minting {
    fn next(&mut self, chance: &mut Chance) -> ItemId {
        self.at += chance.below(NEXT_WITHIN) as i64;
        let at = Timestamp::from_millis(self.at).expect("a time of this century");
        let random = u128::from(chance.next()) << 64 | u128::from(chance.next());
        let id = mint(at, random.to_le_bytes());
        ItemId::new(id.to_string()).expect("a UUID is an id")
    }
}

/// 20 to 39 bytes.
fn new_text(chance: &mut Chance) -> String {
    let bytes = 20 + chance.below(20);
    text(chance.next(), bytes).trim_end().to_owned()
}

fn change(name: &str, items: &[Item], chance: &mut Chance) -> Change {
    let at = chance.below(items.len());
    match name {
        "insert" => Change::Insert {
            at: chance.below(items.len() + 1),
            text: new_text(chance),
        },
        "edit" => Change::Edit {
            at,
            text: new_text(chance),
        },
        "check" => Change::Check {
            at,
            done: !items[at].done,
        },
        "move" => Change::Move {
            from: at,
            // Another place: a move to where it stands is none.
            to: (at + 1 + chance.below(items.len() - 1)) % items.len(),
        },
        _ => Change::Remove { at },
    }
}

impl Change {
    /// Makes the change on `items`; gives it as a command.
    fn carry_out(
        &self,
        items: &mut Vec<Item>,
        minting: &mut Minting,
        chance: &mut Chance,
    ) -> Command {
        match self {
            Self::Insert { at, text } => {
                let item = Item {
                    text: text.clone(),
                    ..new_item(minting, chance)
                };
                let new = item.as_new();
                let spot = spot(items, *at);
                items.insert(*at, item);
                Command::Add {
                    list: list(),
                    items: vec![new],
                    spot,
                }
            }
            Self::Edit { at, text } => {
                items[*at].text.clone_from(text);
                Command::Edit {
                    item: items[*at].reference(),
                    text: text.clone(),
                }
            }
            Self::Check { at, done } => {
                items[*at].done = *done;
                let item = items[*at].reference();
                match done {
                    true => Command::Check { item },
                    false => Command::Uncheck { item },
                }
            }
            Self::Move { from, to } => {
                let item = items.remove(*from);
                let spot = spot(items, *to);
                let moved = item.reference();
                items.insert(*to, item);
                Command::Move {
                    item: moved,
                    to: list(),
                    spot,
                }
            }
            Self::Remove { at } => Command::Remove {
                item: items.remove(*at).reference(),
            },
        }
    }
}

/// Where index `at` is.
fn spot(items: &[Item], at: usize) -> Spot<ItemRef> {
    items
        .get(at)
        .map_or(Spot::End, |item| Spot::Before(item.reference()))
}

impl Item {
    fn reference(&self) -> ItemRef {
        ItemRef {
            list: list(),
            item: self.id.clone(),
        }
    }

    fn as_new(&self) -> NewItem {
        NewItem {
            item: self.id.clone(),
            text: self.text.clone(),
            done: self.done,
            note: String::new(),
        }
    }
}
