//! Ways in which shared lists are known to go wrong, each of them impossible here. Those of sync itself
//! (what a push, a cursor, a crash or a reset may lose) have tests beside the replica's, and are the
//! simulator's to find.

use syncline_model::Op;
use syncline_model::list::{Command, NewItem, Spot};

use super::memory::{Memory, insert, item, list, on_list, on_registry, orders};

fn update(actor: &str, clock: u64, payload: &str) -> Op {
    let payload = format!(r#"{{"type":"update","itemId":"x","payload":{payload}}}"#);
    on_list(actor, clock, &payload)
}

fn remove(actor: &str, clock: u64) -> Op {
    on_list(actor, clock, r#"{"type":"remove","itemId":"x"}"#)
}

fn moved(actor: &str, clock: u64, payload: &str) -> Op {
    let payload = format!(r#"{{"type":"move","itemId":"x","payload":{payload}}}"#);
    on_list(actor, clock, &payload)
}

/// Folds the ops in every order, each of them twice, and gives what all orders show.
pub(crate) fn in_every_order(ops: &[Op]) -> Memory {
    let expected = Memory::of(ops);
    for order in orders(ops) {
        assert_eq!(Memory::of(&order), expected, "{order:?}");
        assert_eq!(
            Memory::of(order.iter().chain(&order)),
            expected,
            "{order:?}"
        );
    }
    expected
}

/// The items that `l` shows: text, `!` where it is done, and the note in brackets.
fn shown(view: &Memory) -> Vec<String> {
    let items = view.items(&list("l")).into_iter();
    let items = items.map(|item| {
        let tick = if item.done { "!" } else { "" };
        format!("{}{tick}[{}]", item.text, item.note)
    });
    items.collect()
}

#[test]
fn a_text_and_a_tick_changed_at_once_both_stay() {
    let (text, done) = (r#"{"text":"new"}"#, r#"{"done":true}"#);
    let ops = [
        insert("a", 1, "x", "a1"),
        update("a", 2, text),
        update("b", 3, done),
    ];
    assert_eq!(shown(&in_every_order(&ops)), ["new![]"]);
}

#[test]
fn equal_clocks_give_one_text_everywhere() {
    let (mine, theirs) = (r#"{"text":"mine"}"#, r#"{"text":"theirs"}"#);
    let ops = [
        insert("a", 1, "x", "a1"),
        update("a", 2, mine),
        update("b", 2, theirs),
    ];
    assert_eq!(shown(&in_every_order(&ops)), ["theirs[]"]);
}

#[test]
fn concurrent_moves_give_one_order() {
    let ops = [
        insert("a", 1, "x", "a1"),
        insert("a", 2, "y", "b1"),
        insert("a", 3, "z", "c1"),
        moved("a", 4, r#"{"pos":"b5"}"#),
        moved("b", 4, r#"{"pos":"c5"}"#),
    ];
    assert_eq!(in_every_order(&ops).texts(&list("l")), ["y", "z", "x"]);
}

#[test]
fn concurrent_renames_give_one_title() {
    let rename = |actor, clock, title| {
        let payload =
            format!(r#"{{"type":"renameList","listId":"l","payload":{{"title":"{title}"}}}}"#);
        on_registry(actor, clock, &payload)
    };
    let create = r#"{"type":"createList","listId":"l","payload":{"title":"first","pos":"a1"}}"#;
    let ops = [
        on_registry("a", 1, create),
        rename("a", 2, "mine"),
        rename("b", 2, "theirs"),
    ];
    assert_eq!(in_every_order(&ops).titles(), ["theirs"]);
}

#[test]
fn the_later_of_the_two_titles_of_a_list_is_shown() {
    let create = r#"{"type":"createList","listId":"l","payload":{"title":"first","pos":"a1"}}"#;
    let own = r#"{"type":"renameList","actor":"x","clock":50,"payload":{"title":"its own"}}"#;
    let rename = r#"{"type":"renameList","listId":"l","payload":{"title":"renamed"}}"#;
    let before = [on_registry("a", 1, create), on_list("b", 50, own)];
    assert_eq!(in_every_order(&before).titles(), ["its own"]);
    let [first, second] = before;
    let after = [first, second, on_registry("a", 51, rename)];
    assert_eq!(in_every_order(&after).titles(), ["renamed"]);
}

#[test]
fn insert_and_remove_count_by_version_in_whatever_order_they_come() {
    let (early, late) = (insert("a", 1, "x", "a1"), insert("a", 3, "x", "a1"));
    let back = [early.clone(), remove("b", 2), late];
    assert_eq!(shown(&in_every_order(&back)).len(), 1);
    let gone = [early, remove("b", 2)];
    assert_eq!(shown(&in_every_order(&gone)).len(), 0);
}

#[test]
fn what_comes_before_the_insert_or_after_the_remove_is_not_lost() {
    let ops = [
        insert("a", 1, "x", "a1"),
        update("b", 2, r#"{"text":"new"}"#),
        moved("b", 3, r#"{"pos":"c1"}"#),
        remove("a", 4),
        update("c", 5, r#"{"note":"late"}"#),
    ];
    let mut view = in_every_order(&ops);
    assert_eq!(shown(&view).len(), 0);
    let restore = Command::Restore {
        item: item("l", "x"),
        former: None,
    };
    let done = view.carry_out(&restore, "a", 6, [0; 4]);
    done.expect("a removed item can be restored");
    assert_eq!(shown(&view), ["new[late]"]);
}

#[test]
fn a_change_of_a_removed_item_does_not_bring_it_back() {
    let ops = [
        insert("a", 1, "x", "a1"),
        remove("b", 2),
        update("a", 9, r#"{"done":true}"#),
    ];
    assert_eq!(shown(&in_every_order(&ops)).len(), 0);
}

#[test]
fn a_list_removed_and_restored_shows_all_that_was_written_meanwhile() {
    let mut view = Memory::default();
    let create = Command::NewList {
        list: list("l"),
        title: "list".into(),
        spot: Spot::End,
    };
    view.carry_out(&create, "a", 1, [0; 4]).expect("a new list");
    view.fold(&insert("a", 2, "x", "a1"));
    let remove = Command::RemoveList { list: list("l") };
    let (plan, _) = view
        .carry_out(&remove, "a", 3, [0; 4])
        .expect("a list that is there");
    assert_eq!(view.titles(), [""; 0]);
    view.fold(&insert("b", 3, "y", "b1"));
    let (_, ops) = view
        .carry_out(&plan.inverse[0], "a", 4, [0; 4])
        .expect("it was removed");
    assert_eq!(view.titles(), ["list"]);
    assert_eq!(view.texts(&list("l")), ["x", "y"]);
    // It is restored by one op with a clock of its own: no key is used twice.
    assert_eq!(ops.len(), 1);
}

#[test]
fn concurrent_moves_between_lists_leave_one_item_and_keep_its_edits() {
    let ops = [
        insert("a", 1, "x", "a1"),
        moved("a", 2, r#"{"pos":"a1","list":"m"}"#),
        moved("b", 2, r#"{"pos":"a1","list":"n"}"#),
        update("c", 2, r#"{"text":"edited"}"#),
    ];
    let view = in_every_order(&ops);
    let found = ["l", "m", "n"].map(|id| view.texts(&list(id)));
    assert_eq!(found, [vec![], vec![], vec!["edited".to_owned()]]);
}

#[test]
fn what_an_update_leaves_out_stays() {
    let ops = [
        insert("a", 1, "x", "a1"),
        update("a", 2, r#"{"done":true,"note":"kept"}"#),
        update("b", 3, r#"{"text":"new"}"#),
        update("b", 4, r#"{"text":"newer","note":null}"#),
    ];
    assert_eq!(shown(&in_every_order(&ops)), ["newer![kept]"]);
}

#[test]
fn items_with_one_position_stand_by_their_ids_everywhere() {
    let ops = [
        insert("a", 1, "y", "a1"),
        insert("b", 1, "x", "a1"),
        insert("c", 1, "z", "a1"),
    ];
    assert_eq!(in_every_order(&ops).texts(&list("l")), ["x", "y", "z"]);
}

#[test]
fn two_hundred_items_added_one_by_one_stand_in_order_and_take_others_between() {
    let mut view = Memory::default();
    let new = Command::NewList {
        list: list("l"),
        title: "list".into(),
        spot: Spot::End,
    };
    view.carry_out(&new, "a", 1, [0; 4]).expect("a new list");
    let add = |id: String, spot| Command::Add {
        list: list("l"),
        items: vec![NewItem {
            item: item("l", &id).item,
            text: id,
            done: false,
            note: String::new(),
        }],
        spot,
    };
    for n in 0..200 {
        let done = view.carry_out(&add(format!("{n:03}"), Spot::End), "a", 2 + n, [0; 4]);
        done.expect("an append needs no luck");
    }
    for n in 0..199 {
        let after = Spot::After(item("l", &format!("{n:03}")));
        let done = view.carry_out(&add(format!("{n:03}b"), after), "a", 300 + n, [0; 4]);
        done.expect("there is room between any two");
    }
    let texts = view.texts(&list("l"));
    assert_eq!(texts.len(), 399);
    assert!(texts.is_sorted());
}

#[test]
fn two_hundred_items_added_by_one_command_stand_in_order_and_take_others_between() {
    let mut view = Memory::default();
    let new = Command::NewList {
        list: list("l"),
        title: "list".into(),
        spot: Spot::End,
    };
    view.carry_out(&new, "a", 1, [0; 4]).expect("a new list");
    let add = |ids: Vec<String>, spot| Command::Add {
        list: list("l"),
        items: ids
            .into_iter()
            .map(|id| NewItem {
                item: item("l", &id).item,
                text: id,
                done: false,
                note: String::new(),
            })
            .collect(),
        spot,
    };
    let ids = (0..200).map(|n| format!("{n:03}")).collect();
    let done = view.carry_out(&add(ids, Spot::End), "a", 2, [0; 4]);
    done.expect("as many items as wanted");
    for n in 0..199 {
        let after = Spot::After(item("l", &format!("{n:03}")));
        let one = vec![format!("{n:03}b")];
        let done = view.carry_out(&add(one, after), "a", 300 + n, [0; 4]);
        done.expect("there is room between any two");
    }
    let texts = view.texts(&list("l"));
    assert_eq!(texts.len(), 399);
    assert!(texts.is_sorted());
}

#[test]
fn an_insert_without_tick_and_note_takes_none_from_who_wrote_them_later() {
    let bare = r#"{"type":"insert","itemId":"x","payload":{"text":"x","pos":"a1"}}"#;
    let ops = [
        on_list("a", 1, bare),
        update("b", 2, r#"{"done":true,"note":"theirs"}"#),
        update("c", 3, r#"{"text":"new"}"#),
    ];
    assert_eq!(shown(&in_every_order(&ops)), ["new![theirs]"]);
    assert_eq!(shown(&in_every_order(&ops[..1])), ["x[]"]);
}
