//! Several commands as one change.

use syncline_model::list::{Command, ItemRef, POSITION_BYTES_LONG, Spot};

use super::{Place, add, does, edit, item_ref, new_list, shown, texts, undo};
use crate::{ListChange, ListError, Replica};

fn together(replica: &mut Replica, commands: &[Command]) -> Result<(), ListError> {
    let change = ListChange::of(&commands[0]);
    replica.change_lists_together(&change, commands).map(drop)
}

fn add_at(id: &str, spot: Spot<ItemRef>) -> Command {
    let Command::Add { list, items, .. } = add(&[id]) else {
        unreachable!("it adds")
    };
    Command::Add { list, items, spot }
}

#[test]
fn a_list_is_made_and_filled_in_one_change_or_not_at_all() {
    let place = Place::new();
    let mut replica = place.open("a");
    let lists = [
        new_list("l"),
        add(&["x", "y"]),
        new_list("m"),
        edit("x", "X"),
    ];
    let twice = [&lists[..], &[new_list("m")]].concat();
    let declined = together(&mut replica, &twice);
    let Err(ListError::Declined(declined)) = declined else {
        panic!("{declined:?}")
    };
    assert_eq!(declined.code(), "list_exists");
    assert!(shown(&mut replica).is_empty());
    assert!(replica.list_history().unwrap().undo.is_empty());
    together(&mut replica, &lists).unwrap();
    let titles: Vec<_> = shown(&mut replica)
        .into_iter()
        .map(|(list, _)| list.title)
        .collect();
    assert_eq!(titles, ["list l", "list m"]);
    assert_eq!(texts(&mut replica), ["X", "y"]);
    undo(&mut replica);
    assert!(shown(&mut replica).is_empty());
}

#[test]
fn what_is_moved_to_make_room_is_seen_where_it_then_is() {
    let place = Place::new();
    let mut replica = place.open("a");
    does(&mut replica, &new_list("l"));
    does(&mut replica, &add(&["first", "last"]));
    // Keys grow between two neighbours, each pair around the gap of the pair before.
    let (mut left, mut right) = (item_ref("first"), item_ref("last"));
    for n in 0.. {
        let id = format!("i{n}");
        let (_, items) = shown(&mut replica).remove(0);
        let long = items
            .iter()
            .filter_map(|item| Some(item.position.as_ref()?.bytes()));
        // The next one would be too long, and what is around it is given other keys.
        if long.max() > Some(POSITION_BYTES_LONG - 4) {
            break;
        }
        if n % 2 == 0 {
            does(&mut replica, &add_at(&id, Spot::Before(right.clone())));
            left = item_ref(&id);
        } else {
            does(&mut replica, &add_at(&id, Spot::After(left.clone())));
            right = item_ref(&id);
        }
    }
    let mut expected = texts(&mut replica);
    let at = |expected: &[String], id: &ItemRef| {
        let mut ids = expected.iter();
        ids.position(|text| *text == id.item.as_str()).unwrap()
    };
    let mut commands = Vec::new();
    for n in 0..40 {
        let (id, beside) = (format!("z{n}"), if n % 2 == 0 { &left } else { &right });
        let place = at(&expected, beside);
        if n % 2 == 0 {
            expected.insert(place + 1, id.clone());
            commands.push(add_at(&id, Spot::After(beside.clone())));
            left = item_ref(&id);
        } else {
            expected.insert(place, id.clone());
            commands.push(add_at(&id, Spot::Before(beside.clone())));
            right = item_ref(&id);
        }
    }
    let before = texts(&mut replica);
    let written = replica
        .change_lists_together(&ListChange::of(&commands[0]), &commands)
        .unwrap();
    assert!(written.keys.len() > commands.len(), "nothing was moved");
    assert_eq!(texts(&mut replica), expected);
    undo(&mut replica);
    assert_eq!(texts(&mut replica), before);
}
