//! Imports into a list that carries commands out by the letter.

use std::convert::Infallible;

use syncline_model::ListId;
use syncline_model::list::{Command, ItemRef, ListItem, Position, Spot};

use super::super::*;

/// As of a file; every so many of them with an id.
pub(super) fn numbered(entries: Vec<Entry>, every: u8) -> Checklist {
    let entries = (1..).zip(entries).map(|(line, mut entry)| {
        let has_id = every < 128 && line % (u64::from(every) + 1) == 0;
        entry.id = has_id.then(|| ItemId::new(format!("id-{}", line % 3)).unwrap());
        (Place::Line(line), entry)
    });
    Checklist {
        entries: entries.collect(),
        ..Checklist::default()
    }
}

/// A list that carries commands out by the letter.
#[derive(Default)]
pub(super) struct Model {
    shown: Vec<ListItem>,
    removed: Vec<ListItem>,
}

impl Model {
    fn list() -> ListId {
        ListId::new("groceries").unwrap()
    }

    pub(super) fn plan(&self, file: Checklist) -> ImportPlan {
        let find = |wanted: &ItemRef| {
            let mut all = self.shown.iter().chain(&self.removed);
            let found = all.find(|item| item.item == *wanted).cloned();
            Ok::<_, Infallible>(found)
        };
        plan_import(&Self::list(), &self.shown, file, find).unwrap()
    }

    pub(super) fn import(&mut self, file: Checklist) -> ImportPlan {
        let plan = self.plan(file);
        for command in &plan.commands {
            self.carry_out(command.clone());
        }
        plan
    }

    fn at(&self, wanted: &ItemRef) -> usize {
        let mut items = self.shown.iter();
        items.position(|item| item.item == *wanted).unwrap()
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Add { items, spot, .. } => {
                let at = match spot {
                    Spot::End => self.shown.len(),
                    Spot::Before(item) => self.at(&item),
                    Spot::After(item) => self.at(&item) + 1,
                    Spot::Start | Spot::At(_) => panic!("{spot:?}"),
                };
                let made = items.into_iter().map(|new| ListItem {
                    item: ItemRef {
                        list: Self::list(),
                        item: new.item,
                    },
                    home: Self::list(),
                    position: Position::between(None, None, [7; 4]).ok(),
                    present: true,
                    done: new.done,
                    text: new.text,
                    note: new.note,
                });
                for (offset, item) in made.enumerate() {
                    let known = self.shown.iter().chain(&self.removed);
                    assert!(known.into_iter().all(|known| known.item != item.item));
                    self.shown.insert(at + offset, item);
                }
            }
            Command::Note { item, note } => {
                let at = self.at(&item);
                self.shown[at].note = note;
            }
            Command::Check { item } => {
                let at = self.at(&item);
                self.shown[at].done = true;
            }
            other => panic!("{other:?}"),
        }
    }

    /// Does what people do between two imports: edits, removes, moves to the end.
    pub(super) fn twist(&mut self, [_, edit, remove, rotate]: [u8; 4]) {
        let count = self.shown.len();
        if count == 0 {
            return;
        }
        self.shown[usize::from(edit) % count].text = "edited".to_owned();
        self.shown.rotate_left(usize::from(rotate) % count);
        if remove % 2 == 0 {
            let mut gone = self.shown.remove(usize::from(remove) % count);
            gone.present = false;
            self.removed.push(gone);
        }
    }
}

fn file(lines: &[&str]) -> Checklist {
    read_markdown(&lines.join("\n"))
}

fn texts(list: &Model) -> Vec<&str> {
    list.shown.iter().map(|item| item.text.as_str()).collect()
}

#[test]
fn a_changed_file_ticks_adds_in_place_and_keeps_the_rest() {
    let mut list = Model::default();
    let first = list.import(file(&["- [ ] a", "- [ ] b", "- [ ] c"]));
    assert_eq!((first.items_new, first.commands.len()), (3, 1));
    let second = list.import(file(&[
        "- [ ] z", "- [ ] a", "- [ ] x", "- [x] c", "- [ ] y",
    ]));
    assert_eq!(
        (second.items_new, second.items_changed, second.items_known),
        (3, 1, 1)
    );
    assert_eq!(texts(&list), ["z", "a", "x", "b", "c", "y"]);
    assert!(list.shown[4].done);
}

#[test]
fn equal_texts_are_items_of_their_own() {
    let mut list = Model::default();
    list.import(file(&["- [ ] milk", "- [ ] milk"]));
    assert_eq!(texts(&list), ["milk", "milk"]);
    assert_ne!(list.shown[0].item, list.shown[1].item);
    let again = list.import(file(&["- [x] milk", "- [ ] milk", "- [ ] milk"]));
    assert_eq!((again.items_new, again.items_changed), (1, 1));
}

#[test]
fn what_was_removed_since_stays_so_and_what_was_edited_is_known() {
    let mut list = Model::default();
    let lines = ["- [ ] a", "- [ ] b"];
    list.import(file(&lines));
    list.shown[1].text = "b, the big one".to_owned();
    let removed = list.shown.remove(0);
    list.removed.push(removed);
    let again = list.import(file(&lines));
    assert_eq!(again.commands, []);
    assert_eq!((again.items_gone, again.items_known), (1, 1));
}

#[test]
fn what_was_ticked_edited_or_noted_since_stays_when_the_file_comes_again() {
    let mut list = Model::default();
    let mut snapshot = file(&["- [ ] a", "- [ ] b\n  old note", "- [x] c", "- [ ] d"]);
    list.import(snapshot.clone());
    for (entry, item) in snapshot.entries.iter_mut().zip(&list.shown) {
        entry.1.id = Some(item.item.item.clone());
    }
    let lines = file(&["- [ ] a", "- [ ] b\n  old note", "- [x] c", "- [ ] d"]);
    list.shown[0].done = true;
    list.shown[1].note = "new note".to_owned();
    list.shown[3].text = "d, the big one".to_owned();
    for again in [lines, snapshot] {
        let plan = list.plan(again);
        assert_eq!((plan.commands, plan.items_known), (Vec::new(), 4));
    }
    // What the file alone has is taken.
    list.shown[1].note.clear();
    let plan = list.plan(file(&["- [ ] a", "- [x] b\n  a note"]));
    assert_eq!((plan.items_changed, plan.items_known), (1, 1));
    let item = || list.shown[1].item.clone();
    let note = Command::Note {
        item: item(),
        note: "a note".to_owned(),
    };
    assert_eq!(plan.commands, [Command::Check { item: item() }, note]);
}

#[test]
fn what_can_be_no_item_is_named_and_the_rest_is_imported() {
    let mut list = Model::default();
    let long = format!("- [ ] {}", "x".repeat(100_001));
    let plan = list.import(file(&["- [ ]", "- [ ] a\u{7}", &long, "- [ ] fine"]));
    let places: Vec<Place> = plan.problems.iter().map(|problem| problem.place).collect();
    assert_eq!(places, [2, 3].map(Place::Line));
    assert_eq!(plan.blank_lines, [1]);
    assert_eq!(texts(&list), ["fine"]);
}

#[test]
fn a_blank_item_comes_back_by_its_id_or_to_a_list_that_has_one() {
    let mut list = Model::default();
    let mut snapshot = file(&["- [x]", "- [ ] fine"]);
    snapshot.entries[0].1.id = ItemId::new("blank").ok();
    let plan = list.import(snapshot.clone());
    assert_eq!((plan.items_new, plan.problems.len()), (2, 0));
    assert_eq!(texts(&list), ["", "fine"]);
    assert_eq!(list.plan(snapshot).items_known, 2);
    let again = list.plan(file(&["- [x]", "- [ ]", "- [ ] fine"]));
    assert_eq!((again.commands, again.items_known), (Vec::new(), 2));
    assert_eq!(again.blank_lines, [2]);
}

#[test]
fn items_that_were_made_by_hand_are_known_by_their_texts() {
    let mut list = Model::default();
    list.import(file(&["- [ ] milk"]));
    // The imported item is another's text now, and its own text that of an item made by hand.
    list.shown[0].text = "oat milk".to_owned();
    let mut by_hand = list.shown[0].clone();
    by_hand.item.item = ItemId::new("by-hand").unwrap();
    by_hand.text = "milk".to_owned();
    list.shown.push(by_hand);
    let exported = entries_of(&Model::list(), list.shown.clone());
    let written = write_markdown(None, &exported, Bullets::Dashes);
    let again = list.import(read_markdown(&written));
    assert_eq!((again.items_known, again.commands), (2, Vec::new()));
    list.import(file(&["- [ ] oat milk", "- [x] milk"]));
    assert_eq!(
        list.shown.iter().map(|item| item.done).collect::<Vec<_>>(),
        [false, true]
    );
}

#[test]
fn of_one_text_twice_the_order_tells_which_is_which_where_less_is_changed_by_that() {
    let mut list = Model::default();
    list.import(file(&["- [ ] milk", "- [ ] bread"]));
    let mut by_hand = list.shown[0].clone();
    by_hand.item.item = ItemId::new("by-hand").unwrap();
    by_hand.done = true;
    by_hand.note = "for mum".to_owned();
    list.shown.insert(0, by_hand);
    let exported = entries_of(&Model::list(), list.shown.clone());
    let written = write_markdown(None, &exported, Bullets::Dashes);
    assert_eq!(list.plan(read_markdown(&written)).commands, []);
    // What is ticked in the file is ticked of that one.
    let plan = list.plan(read_markdown(&written.replace("[ ] milk", "[x] milk")));
    let imported = [Command::Check {
        item: list.shown[1].item.clone(),
    }];
    assert_eq!(plan.commands, imported);
    // The file of before has one of them: the one that it made.
    assert_eq!(list.plan(file(&["- [ ] milk", "- [ ] bread"])).commands, []);
    let plan = list.plan(file(&["- [x] milk", "- [ ] bread"]));
    assert_eq!(plan.commands, imported);
}

/// A list with two items made here, and two of the same ids that were moved in from elsewhere.
fn with_ids_twice() -> Model {
    let mut list = Model::default();
    list.import(file(&["- [ ] a", "- [x] b"]));
    let moved = ["elsewhere", "further"].map(|from| {
        let mut item = list.shown[0].clone();
        item.item.list = ListId::new(from).unwrap();
        item.text = format!("from {from}");
        item
    });
    list.shown.splice(1..1, moved);
    list
}

fn snapshot_of(list: &Model) -> Checklist {
    let entries = entries_of(&Model::list(), list.shown.clone()).into_iter();
    let entries = (1..).zip(entries);
    Checklist {
        entries: entries
            .map(|(line, entry)| (Place::Line(line), entry))
            .collect(),
        ..Checklist::default()
    }
}

#[test]
fn items_of_one_id_are_told_apart_in_a_file_and_known_again() {
    let list = with_ids_twice();
    let written = snapshot_of(&list);
    let again = list.plan(written.clone());
    assert_eq!((again.items_known, again.commands), (4, Vec::new()));
    assert_eq!(again.problems, []);
    // Also after one of them was edited, and one of the same id removed.
    let mut list = with_ids_twice();
    list.shown[2].text = "edited".to_owned();
    list.shown.remove(1);
    let again = list.plan(written.clone());
    assert_eq!((again.items_known, again.items_changed), (3, 0));
    // Elsewhere all of them are made.
    let mut other = Model::default();
    let first = other.import(written.clone());
    assert_eq!((first.items_new, first.problems.len()), (4, 0));
    assert_eq!(texts(&other), ["a", "from elsewhere", "from further", "b"]);
    assert_eq!(other.plan(written).commands, []);
}

#[test]
fn what_repeats_an_id_is_an_item_of_its_own() {
    let mut written = snapshot_of(&with_ids_twice());
    let id = written.entries[0].1.id.clone();
    for (_, entry) in &mut written.entries {
        entry.id = id.clone();
    }
    let mut list = Model::default();
    let first = list.import(written.clone());
    assert_eq!((first.items_new, first.problems.len()), (4, 0));
    assert_eq!(list.plan(written).commands, []);
}
