//! Ways in which changes of lists are known to get lost between a machine and its server, each of them
//! impossible here.

use std::collections::BTreeSet;

use syncline_model::list::{Command, ListView};
use syncline_model::{Cursor, Mark, OpKey, ServerSeq};
use syncline_protocol::EpochMode;
use syncline_store::checklist::{plan_import, read_markdown};
use syncline_store::lists::{StoredLists, items};

use super::super::{WHOLE, equal_views, push, rebuild, refuse};
use super::{
    Place, add, does, edit, furnish, item_ref, list_id, new_list, outbox, shown, start, sync, texts,
};
use crate::replica::{NewClock, Offer};
use crate::{ListChange, Replica};

fn rename(title: &str) -> Command {
    Command::RenameList {
        list: list_id("l"),
        title: title.to_owned(),
    }
}

fn cursor(replica: &Replica) -> ServerSeq {
    replica.tenant.head().unwrap().cursor.server_seq
}

#[test]
fn a_rename_is_stamped_above_all_that_were_seen() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    does(&mut b, &new_list("l"));
    (0..50).for_each(|n| does(&mut b, &rename(&format!("theirs {n}"))));
    sync(&mut b, &mut server);
    sync(&mut a, &mut server);
    does(&mut a, &rename("mine"));
    assert_eq!(shown(&mut a)[0].0.title, "mine");
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    assert_eq!(shown(&mut b)[0].0.title, "mine");
}

#[test]
fn what_is_written_while_a_push_is_under_way_is_pushed_after_it() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    furnish(&mut a);
    let batch = a.next_batch(WHOLE).unwrap().unwrap();
    let verdicts = server.push(&batch.ops);
    does(&mut a, &edit("x", "meanwhile"));
    a.settle(&verdicts, NewClock::Onward).unwrap();
    assert_eq!(a.next_batch(WHOLE).unwrap().unwrap().ops.len(), 1);
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    assert_eq!(texts(&mut b), ["meanwhile", "y", "z"]);
}

#[test]
fn a_page_that_is_not_applied_moves_no_cursor() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    furnish(&mut b);
    sync(&mut b, &mut server);
    let mut page = server.page(ServerSeq::ZERO);
    let right = page.cursor;
    page.cursor.mark = Mark::origin([9; 16]);
    assert!(a.apply(&page).is_err());
    assert_eq!(cursor(&a), ServerSeq::ZERO);
    assert!(shown(&mut a).is_empty());
    page.cursor = right;
    a.apply(&page).unwrap();
    assert_eq!(texts(&mut a), ["x", "y", "z"]);
}

#[test]
fn the_answer_to_a_push_skips_nothing_that_others_wrote() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    furnish(&mut a);
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    let before = cursor(&a);
    does(&mut b, &edit("x", "theirs"));
    push(&mut b, &mut server);
    does(&mut a, &edit("y", "mine"));
    push(&mut a, &mut server);
    assert_eq!(cursor(&a), before);
    sync(&mut a, &mut server);
    assert_eq!(texts(&mut a), ["theirs", "mine", "z"]);
}

#[test]
fn what_was_written_before_the_first_fetch_is_kept_and_reaches_the_log() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut b, &server);
    does(&mut b, &new_list("m"));
    sync(&mut b, &mut server);
    does(&mut a, &new_list("l"));
    does(&mut a, &add(&["x"]));
    start(&mut a, &server);
    assert_eq!(outbox(&a), 2);
    assert_eq!(texts(&mut a), ["x"]);
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    assert_eq!(texts(&mut b), ["x"]);
    equal_views(&mut a, &mut b);
}

#[test]
fn a_log_that_begins_anew_takes_nothing_from_the_outbox() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    furnish(&mut a);
    sync(&mut a, &mut server);
    does(&mut a, &new_list("n"));
    let mut reset = place.server("reset");
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq::ZERO,
        mode: EpochMode::Follow,
    };
    rebuild(&mut a, &reset, offer);
    assert_eq!(outbox(&a), 1);
    sync(&mut a, &mut reset);
    let titles: Vec<_> = shown(&mut a)
        .into_iter()
        .map(|(list, _)| list.title)
        .collect();
    assert_eq!(titles, ["list n"]);
}

#[test]
fn one_op_that_is_refused_holds_up_no_other() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    furnish(&mut a);
    let refused = a
        .change_lists(&edit("x", "refused"))
        .unwrap()
        .keys
        .remove(0);
    does(&mut a, &edit("y", "taken"));
    refuse(&mut a, &refused);
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    assert_eq!((outbox(&a), a.status().unwrap().quarantined), (0, 1));
    assert_eq!(texts(&mut b), ["x", "taken", "z"]);
}

#[test]
fn a_file_that_two_machines_import_makes_its_items_once() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    does(&mut a, &new_list("l"));
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    for replica in [&mut a, &mut b] {
        let connection = replica.view().unwrap().connection();
        let known = items(connection, &list_id("l")).unwrap().into_iter();
        let known: Vec<_> = known.map(|shown| shown.item).collect();
        let view = StoredLists::new(connection);
        let file = read_markdown("- [ ] milk\n- [x] bread\n- [ ] milk\n");
        let plan = plan_import(&list_id("l"), &known, file, |item| view.item(item)).unwrap();
        let change = ListChange::of(&plan.commands[0]);
        replica
            .change_lists_together(&change, &plan.commands)
            .unwrap();
    }
    for _ in 0..2 {
        sync(&mut a, &mut server);
        sync(&mut b, &mut server);
    }
    assert_eq!(texts(&mut a), ["milk", "bread", "milk"]);
    equal_views(&mut a, &mut b);
}

#[test]
fn two_processes_of_a_machine_never_give_two_ops_one_key() {
    let place = Place::new();
    let mut one = place.open("a");
    furnish(&mut one);
    let mut other = one.another().unwrap();
    let mut keys: Vec<OpKey> = Vec::new();
    for n in 0..10 {
        let (mine, theirs) = (
            edit("x", &format!("mine {n}")),
            edit("y", &format!("theirs {n}")),
        );
        keys.extend(one.change_lists(&mine).unwrap().keys);
        keys.extend(other.change_lists(&theirs).unwrap().keys);
    }
    let clocks: BTreeSet<_> = keys
        .iter()
        .map(|key| (key.actor.clone(), key.clock))
        .collect();
    assert_eq!((keys.len(), clocks.len()), (20, 20));
    assert_eq!(outbox(&one), 25);
}

#[test]
fn what_is_moved_and_edited_at_once_is_in_one_list_and_keeps_its_edit() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    furnish(&mut a);
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    let away = Command::Move {
        item: item_ref("x"),
        to: list_id("m"),
        spot: syncline_model::list::Spot::End,
    };
    does(&mut a, &away);
    does(&mut b, &edit("x", "edited"));
    for _ in 0..2 {
        sync(&mut a, &mut server);
        sync(&mut b, &mut server);
    }
    let found: Vec<Vec<String>> = shown(&mut a)
        .into_iter()
        .map(|(_, items)| items.into_iter().map(|item| item.text).collect())
        .collect();
    assert_eq!(found, [vec!["y", "z"], vec!["edited"]]);
    equal_views(&mut a, &mut b);
}
