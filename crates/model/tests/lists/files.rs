//! What is made out of a file, by several who know nothing of each other.

use syncline_model::Op;
use syncline_model::list::{Command, NewItem, Source, Spot, plan};

use super::faults::in_every_order;
use super::memory::{Memory, by, item, list, on_list, on_registry, stamped};

/// The items of a file: their texts are their ids, and a `!` ticks them.
fn import(known: &[Op], actor: &str, clock: u64, items: &[&str]) -> Vec<Op> {
    let items = items.iter().map(|text| {
        let id = text.trim_end_matches('!');
        NewItem {
            item: item("l", id).item,
            text: id.to_owned(),
            done: id != *text,
            note: String::new(),
        }
    });
    let add = Command::Add {
        list: list("l"),
        items: items.collect(),
        spot: Spot::End,
    };
    carry_out(known, &add, actor, clock)
}

fn carry_out(known: &[Op], command: &Command, actor: &str, clock: u64) -> Vec<Op> {
    let jitter = clock.to_le_bytes();
    let by = by(actor, Source::File, [jitter[0], 7, 7, 7]);
    let plan = plan(&Memory::of(known), command, by.planning()).expect("all of it is new");
    stamped(&plan.ops, actor, clock)
}

fn create(actor: &str, clock: u64) -> Op {
    let create = r#"{"type":"createList","listId":"l","payload":{"title":"mine","pos":"a1"}}"#;
    on_registry(actor, clock, create)
}

fn shown(view: &Memory) -> Vec<String> {
    let items = view.items(&list("l")).into_iter();
    let items = items.map(|item| format!("{}{}", item.text, if item.done { "!" } else { "" }));
    items.collect()
}

#[test]
fn whatever_anybody_has_changed_stays_when_another_makes_the_same_later() {
    let list = [create("a", 1)];
    let of_a = import(&list, "a", 2, &["x"]);
    let of_b = import(&list, "b", 90, &["x"]);
    for (change, expected) in [
        (
            r#"{"type":"update","itemId":"x","payload":{"text":"new"}}"#,
            &["new"][..],
        ),
        (
            r#"{"type":"update","itemId":"x","payload":{"done":true}}"#,
            &["x!"],
        ),
        (
            r#"{"type":"move","itemId":"x","payload":{"pos":"a1","list":"m"}}"#,
            &[],
        ),
        (r#"{"type":"remove","itemId":"x"}"#, &[]),
    ] {
        let change = on_list("a", 3, change);
        let all = [&list[..], &of_a, &[change], &of_b].concat();
        assert_eq!(shown(&in_every_order(&all)), expected);
    }
}

#[test]
fn what_one_file_says_counts_before_what_another_leaves_out() {
    let list = [create("a", 1)];
    let (ticked, bare) = (&["x!"], &["x"]);
    for (of_a, of_b) in [(ticked, bare), (bare, ticked)] {
        let of_a = import(&list, "a", 2, of_a);
        let of_b = import(&list, "b", 90, of_b);
        let all = [&list[..], &of_a, &of_b].concat();
        assert_eq!(shown(&in_every_order(&all)), ["x!"]);
        // Whoever takes the tick away has seen it.
        let change = r#"{"type":"update","itemId":"x","payload":{"done":false}}"#;
        let all = [&all[..], &[on_list("0", 3, change)]].concat();
        assert_eq!(shown(&in_every_order(&all)), ["x"]);
    }
}

#[test]
fn who_makes_the_same_in_the_same_place_gives_it_the_same_position() {
    let list = [create("a", 1)];
    let of_a = import(&list, "a", 2, &["x", "y", "z"]);
    let of_b = import(&list, "b", 90, &["x", "y", "z"]);
    let positions = |ops: &[Op]| {
        let view = Memory::of(list.iter().chain(ops));
        let items = view.items(&super::memory::list("l")).into_iter();
        items.map(|item| item.position).collect::<Vec<_>>()
    };
    assert_eq!(positions(&of_a), positions(&of_b));
    let other = import(&list, "b", 90, &["u", "v", "w"]);
    assert_ne!(positions(&of_a)[0], positions(&other)[0]);
}

#[test]
fn a_list_that_was_renamed_or_removed_stays_so_when_another_makes_it_later() {
    let make = |actor, clock| {
        let new = Command::NewList {
            list: list("l"),
            title: "of the file".to_owned(),
            spot: Spot::End,
        };
        carry_out(&[], &new, actor, clock)
    };
    let both = [make("a", 1), make("b", 90)].concat();
    assert_eq!(in_every_order(&both).titles(), ["of the file"]);
    let rename = r#"{"type":"renameList","listId":"l","payload":{"title":"mine"}}"#;
    let renamed = [&both[..], &[on_registry("a", 2, rename)]].concat();
    assert_eq!(in_every_order(&renamed).titles(), ["mine"]);
    let remove = on_registry("a", 2, r#"{"type":"removeList","listId":"l"}"#);
    let removed = [&both[..], &[remove]].concat();
    assert_eq!(in_every_order(&removed).titles(), [""; 0]);
}

#[test]
fn a_title_that_is_found_again_is_shown_for_a_list_that_was_made_again_without() {
    let item = r#"{"type":"insert","itemId":"x","payload":{"text":"late","pos":"a1"}}"#;
    let late = on_list("b", 8, item);
    let restore = Command::RestoreList {
        list: list("l"),
        former: None,
    };
    let made = Memory::of([&late]).carry_out(&restore, "b", 9, [0; 4]);
    let (_, again) = made.expect("a list that shows an item can be made again");
    let mut all = [&[late][..], &again].concat();
    assert_eq!(in_every_order(&all).titles(), ["l"]);
    all.push(create("a", 1));
    all.push(on_registry("a", 2, r#"{"type":"removeList","listId":"l"}"#));
    assert_eq!(in_every_order(&all).titles(), ["mine"]);
}
