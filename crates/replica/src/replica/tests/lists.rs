//! Changing lists, undoing and redoing, by one process and by several.

mod faults;
mod refused;
mod together;
mod walk;

use syncline_model::list::{Command, ItemRef, ListItem, NewItem, Spot};
use syncline_model::registry::List;
use syncline_model::{ItemId, ListId};
use syncline_store::lists::{RemovedLists, items, lists};

use super::{Place, outbox, start, sync};
use crate::{ListChange, ListError, ListsReversed, OpState, Replica};

fn list_id(id: &str) -> ListId {
    ListId::new(id).unwrap()
}

fn item_ref(id: &str) -> ItemRef {
    ItemRef {
        list: list_id("l"),
        item: ItemId::new(id).unwrap(),
    }
}

fn new_list(id: &str) -> Command {
    Command::NewList {
        list: list_id(id),
        title: format!("list {id}"),
        spot: Spot::End,
    }
}

fn add(ids: &[&str]) -> Command {
    let items = ids.iter().map(|id| NewItem {
        item: ItemId::new(*id).unwrap(),
        text: (*id).to_owned(),
        done: false,
        note: String::new(),
    });
    Command::Add {
        list: list_id("l"),
        items: items.collect(),
        spot: Spot::End,
    }
}

fn edit(id: &str, text: &str) -> Command {
    Command::Edit {
        item: item_ref(id),
        text: text.to_owned(),
    }
}

fn does(replica: &mut Replica, command: &Command) {
    assert!(!replica.change_lists(command).unwrap().keys.is_empty());
}

fn undo(replica: &mut Replica) -> ListsReversed {
    replica.undo_lists().unwrap().expect("there is a step")
}

fn redo(replica: &mut Replica) -> ListsReversed {
    replica.redo_lists().unwrap().expect("there is a step")
}

/// All that people see.
fn shown(replica: &mut Replica) -> Vec<(List, Vec<ListItem>)> {
    let connection = replica.view().unwrap().connection();
    let all = lists(connection, RemovedLists::Hidden).unwrap();
    let with_items = all.into_iter().map(|overview| {
        let list = overview.list;
        let found = items(connection, &list.list).unwrap();
        (list, found.into_iter().map(|shown| shown.item).collect())
    });
    with_items.collect()
}

fn texts(replica: &mut Replica) -> Vec<String> {
    let connection = replica.view().unwrap().connection();
    let found = items(connection, &list_id("l")).unwrap();
    found.into_iter().map(|shown| shown.item.text).collect()
}

/// A list `l` with three items, and an empty list `m`.
fn furnish(replica: &mut Replica) {
    for command in [new_list("l"), new_list("m"), add(&["x", "y", "z"])] {
        does(replica, &command);
    }
}

/// One command of each kind, each with something to do after the ones before.
fn every_command() -> Vec<Command> {
    let moved = |to: &str, spot| Command::Move {
        item: item_ref("x"),
        to: list_id(to),
        spot,
    };
    vec![
        new_list("n"),
        add(&["u", "v", "w"]),
        edit("x", "other"),
        Command::Note {
            item: item_ref("x"),
            note: "a note".to_owned(),
        },
        Command::Check {
            item: item_ref("x"),
        },
        Command::Uncheck {
            item: item_ref("x"),
        },
        moved("l", Spot::After(item_ref("y"))),
        moved("m", Spot::Start),
        Command::Remove {
            item: item_ref("x"),
        },
        Command::Restore {
            item: item_ref("x"),
            former: None,
        },
        Command::RenameList {
            list: list_id("l"),
            title: "another".to_owned(),
        },
        Command::ReorderList {
            list: list_id("l"),
            spot: Spot::End,
        },
        Command::RemoveList { list: list_id("l") },
        Command::RestoreList {
            list: list_id("l"),
            former: None,
        },
    ]
}

#[test]
fn every_command_is_undone_and_done_again_across_restarts() {
    let place = Place::new();
    let mut replica = place.open("a");
    furnish(&mut replica);
    let mut states = vec![shown(&mut replica)];
    for command in every_command() {
        does(&mut replica, &command);
        states.push(shown(&mut replica));
    }
    for state in states.iter().rev().skip(1) {
        drop(replica);
        replica = place.open("a");
        assert!(!undo(&mut replica).keys.is_empty());
        assert_eq!(&shown(&mut replica), state);
    }
    for state in states.iter().skip(1) {
        drop(replica);
        replica = place.open("a");
        assert!(!redo(&mut replica).keys.is_empty());
        assert_eq!(&shown(&mut replica), state);
    }
    assert!(replica.redo_lists().unwrap().is_none());
}

#[test]
fn a_new_command_ends_what_could_be_done_again_and_one_without_effect_does_not() {
    let place = Place::new();
    let mut replica = place.open("a");
    furnish(&mut replica);
    does(&mut replica, &edit("x", "one"));
    undo(&mut replica);
    let nothing = replica.change_lists(&edit("x", "x")).unwrap();
    assert!(nothing.keys.is_empty());
    assert_eq!(replica.list_history().unwrap().redo.len(), 1);
    does(&mut replica, &edit("y", "two"));
    assert!(replica.redo_lists().unwrap().is_none());
    assert_eq!(undo(&mut replica).change.kind, "edit");
    assert_eq!(texts(&mut replica), ["x", "y", "z"]);
}

#[test]
fn what_others_changed_in_other_parts_stays_when_a_change_is_undone() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    furnish(&mut a);
    does(&mut a, &edit("x", "mine"));
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    does(
        &mut b,
        &Command::Check {
            item: item_ref("x"),
        },
    );
    sync(&mut b, &mut server);
    sync(&mut a, &mut server);
    undo(&mut a);
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    let (_, found) = shown(&mut b).remove(0);
    assert_eq!((found[0].text.as_str(), found[0].done), ("x", true));
}

#[test]
fn a_step_that_others_have_made_impossible_is_told_and_out_of_the_way() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    furnish(&mut a);
    does(&mut a, &edit("x", "mine"));
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    does(
        &mut b,
        &Command::Remove {
            item: item_ref("x"),
        },
    );
    sync(&mut b, &mut server);
    sync(&mut a, &mut server);
    let undone = undo(&mut a);
    assert!(undone.keys.is_empty());
    assert_eq!(undone.declined[0].code(), "item_removed");
    assert!(a.list_history().unwrap().redo.is_empty());
    assert_eq!(undo(&mut a).change.kind, "add");
    assert!(texts(&mut a).is_empty());
}

#[test]
fn a_declined_command_changes_nothing_and_keeps_its_code() {
    let place = Place::new();
    let mut replica = place.open("a");
    furnish(&mut replica);
    let (before, waiting) = (replica.list_history().unwrap(), outbox(&replica));
    let beside_itself = Command::Move {
        item: item_ref("x"),
        to: list_id("l"),
        spot: Spot::Before(item_ref("x")),
    };
    for (command, code) in [
        (edit("q", "text"), "item_unknown"),
        (edit("x", " "), "text_empty"),
        (edit("x", "a\u{7}"), "text_control_character"),
        (add(&["x"]), "item_exists"),
        (add(&["s", "s"]), "item_exists"),
        (new_list("l"), "list_exists"),
        (beside_itself, "move_beside_itself"),
    ] {
        match replica.change_lists(&command) {
            Err(ListError::Declined(declined)) => assert_eq!(declined.code(), code),
            other => panic!("{command:?} gave {other:?}"),
        }
    }
    assert_eq!(replica.list_history().unwrap(), before);
    assert_eq!(outbox(&replica), waiting);
}

#[test]
fn handles_that_add_at_once_place_their_items_one_behind_the_other() {
    let place = Place::new();
    let mut replica = place.open("a");
    does(&mut replica, &new_list("l"));
    let writers = ["a", "b", "c"].map(|name| {
        let mut handle = replica.another().unwrap();
        std::thread::spawn(move || {
            for n in 0..20 {
                does(&mut handle, &add(&[&format!("{name}{n}")]));
            }
        })
    });
    for writer in writers {
        writer.join().unwrap();
    }
    let (_, found) = shown(&mut replica).remove(0);
    let written: Vec<_> = replica
        .list_history()
        .unwrap()
        .undo
        .into_iter()
        .rev()
        .filter_map(|step| step.change.item)
        .collect();
    let in_order: Vec<_> = found.iter().map(|item| item.item.item.clone()).collect();
    assert_eq!(in_order, written);
    assert!(found.is_sorted_by(|a, b| a.position < b.position));
}

#[test]
fn what_is_undone_reaches_the_log_as_ops_like_others() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    furnish(&mut a);
    let keys = undo(&mut a).keys;
    assert_eq!(keys.len(), 3);
    sync(&mut a, &mut server);
    for key in keys {
        assert!(matches!(a.state_of(&key).unwrap(), OpState::Pulled(_)));
    }
    assert!(texts(&mut a).is_empty());
    // The log has the items as removed; what is done again makes them whole.
    redo(&mut a);
    assert_eq!(texts(&mut a), ["x", "y", "z"]);
}

#[test]
fn what_was_done_together_is_undone_together() {
    let place = Place::new();
    let mut replica = place.open("a");
    does(&mut replica, &new_list("l"));
    does(&mut replica, &add(&["a", "b"]));
    let before = shown(&mut replica);
    let both = ["a", "b"].map(|id| Command::Check { item: item_ref(id) });
    let change = ListChange {
        items: 2,
        ..ListChange::of(&both[0])
    };
    let changed = replica.change_lists_together(&change, &both).unwrap();
    assert_eq!(changed.keys.len(), 2);
    let refused = [both[0].clone(), edit("nowhere", "x")];
    let declined = replica.change_lists_together(&change, &refused);
    assert!(matches!(declined, Err(ListError::Declined(_))));
    assert_eq!(undo(&mut replica).change, change);
    assert_eq!(shown(&mut replica), before);
}

#[test]
fn commands_of_one_change_that_aim_at_one_gap_make_keys_of_their_own() {
    let place = Place::new();
    let mut replica = place.open("a");
    does(&mut replica, &new_list("l"));
    does(&mut replica, &add(&["a", "b"]));
    let aimed = [
        ("x", Spot::Before(item_ref("b"))),
        ("y", Spot::After(item_ref("a"))),
    ];
    let both = aimed.map(|(id, at)| match add(&[id]) {
        Command::Add { list, items, .. } => Command::Add {
            list,
            items,
            spot: at,
        },
        other => other,
    });
    let change = ListChange::of(&both[0]);
    replica.change_lists_together(&change, &both).unwrap();
    let (_, found) = shown(&mut replica).remove(0);
    assert_eq!(found.len(), 4);
    assert!(
        found.is_sorted_by(|a, b| a.position < b.position),
        "{found:?}"
    );
}
