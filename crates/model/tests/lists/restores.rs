//! What a restore gives back, and what it leaves as others have written it since.

use syncline_model::compaction::{Coverage, coverage, gives_back_collected};
use syncline_model::list::{Command, Spot};
use syncline_model::{ActorId, Clock, Op};

use super::faults::in_every_order;
use super::memory::{Memory, insert, item, list, on_list, on_registry};

fn update(actor: &str, clock: u64, said: &str) -> Op {
    let payload = format!(r#"{{"type":"update","itemId":"x","payload":{said}}}"#);
    on_list(actor, clock, &payload)
}

fn moved(actor: &str, clock: u64, said: &str) -> Op {
    let payload = format!(r#"{{"type":"move","itemId":"x","payload":{said}}}"#);
    on_list(actor, clock, &payload)
}

fn remove(actor: &str, clock: u64) -> Op {
    on_list(actor, clock, r#"{"type":"remove","itemId":"x"}"#)
}

/// The restore of `x` by `a` on what these ops show.
fn restore_on(ops: &[Op], clock: u64) -> Op {
    let restore = Command::Restore {
        item: item("l", "x"),
        former: None,
    };
    let done = Memory::of(ops).carry_out(&restore, "a", clock, [0; 4]);
    let (_, ops) = done.expect("a removed item can be restored");
    <[Op; 1]>::try_from(ops).expect("one op")[0].clone()
}

/// All of `x`: its text, tick and note, and where it stands.
fn whole(view: &Memory) -> String {
    let lists = ["l", "m"].map(|id| view.items(&list(id)));
    let found = lists
        .iter()
        .flatten()
        .find(|shown| shown.item == item("l", "x"));
    found.map_or_else(String::new, |x| {
        let at = x.position.as_ref().expect("it is shown").as_str();
        format!("{} {} {} {at} in {}", x.text, x.done, x.note, x.home)
    })
}

#[test]
fn what_others_changed_meanwhile_stays_whichever_part_it_is() {
    let known = [insert("a", 1, "x", "a1"), remove("a", 2)];
    let restore = restore_on(&known, 9);
    for (theirs, expected) in [
        (
            update("b", 3, r#"{"text":"theirs"}"#),
            "theirs false  a1 in l",
        ),
        (update("b", 3, r#"{"done":true}"#), "x true  a1 in l"),
        (
            update("b", 3, r#"{"note":"theirs"}"#),
            "x false theirs a1 in l",
        ),
        (moved("b", 3, r#"{"pos":"c1"}"#), "x false  c1 in l"),
        (
            moved("b", 3, r#"{"pos":"c1","list":"m"}"#),
            "x false  c1 in m",
        ),
    ] {
        let [made, gone] = known.clone();
        let view = in_every_order(&[made, gone, theirs, restore.clone()]);
        assert_eq!(whole(&view), expected);
    }
}

#[test]
fn a_title_and_a_place_changed_meanwhile_stay_when_a_list_is_restored() {
    let create = r#"{"type":"createList","listId":"l","payload":{"title":"mine","pos":"a1"}}"#;
    let other = r#"{"type":"createList","listId":"m","payload":{"title":"other","pos":"b1"}}"#;
    let known = [
        on_registry("a", 1, create),
        on_registry("a", 2, other),
        on_registry("a", 3, r#"{"type":"removeList","listId":"l"}"#),
    ];
    let restore = Command::RestoreList {
        list: list("l"),
        former: None,
    };
    let done = Memory::of(&known).carry_out(&restore, "a", 9, [0; 4]);
    let (_, restores) = done.expect("it was removed");
    let rename = r#"{"type":"renameList","listId":"l","payload":{"title":"theirs"}}"#;
    let reorder = r#"{"type":"reorderList","listId":"l","payload":{"pos":"c1"}}"#;
    let theirs = [on_registry("b", 4, rename), on_registry("b", 5, reorder)];
    let all = [&known[..], &theirs, &restores].concat();
    assert_eq!(in_every_order(&all).titles(), ["other", "theirs"]);
    // Nor does the title that the list's own ops have given it meanwhile give way.
    let own = on_list(
        "b",
        4,
        r#"{"type":"renameList","payload":{"title":"its own"}}"#,
    );
    let all = [&known[..], &[own], &restores].concat();
    assert_eq!(in_every_order(&all).titles(), ["its own", "other"]);
}

#[test]
fn a_restore_that_says_no_versions_writes_every_part_itself() {
    let whole_item = r#""text":"given","done":false,"note":"","pos":"a1","list":"l""#;
    let restore = |versions: &str| {
        let payload =
            format!(r#"{{"type":"restore","itemId":"x","payload":{{{whole_item}{versions}}}}}"#);
        on_list("a", 9, &payload)
    };
    let theirs = update("b", 3, r#"{"text":"theirs"}"#);
    let with = |restore| {
        let ops = [
            insert("a", 1, "x", "a1"),
            remove("a", 2),
            theirs.clone(),
            restore,
        ];
        whole(&in_every_order(&ops))
    };
    let written = r#""written":[{"parts":["text"],"clock":1,"actor":"a"}]"#;
    assert_eq!(with(restore("")), "given false  a1 in l");
    let counts = format!(r#","versions":{{{written}}}"#);
    assert_eq!(with(restore(&counts)), "theirs false  a1 in l");
    let counts = format!(r#","versions":{{"actor":"a",{written}}}"#);
    assert_eq!(with(restore(&counts)), "theirs false  a1 in l");
    // Written anew by another actor.
    let void = format!(r#","versions":{{"actor":"z",{written}}}"#);
    assert_eq!(with(restore(&void)), "given false  a1 in l");
    // No version makes a part newer than its op.
    let newer = r#","versions":{"written":[{"parts":["text"],"clock":99,"actor":"z"}]}"#;
    let ops = [
        insert("a", 1, "x", "a1"),
        restore(newer),
        update("b", 10, r#"{"text":"new"}"#),
    ];
    assert_eq!(whole(&in_every_order(&ops)), "new false  a1 in l");
}

#[test]
fn of_what_was_removed_and_given_back_again_and_again_the_last_op_is_all_that_stays() {
    let mut ops = vec![
        insert("a", 1, "x", "a1"),
        update("b", 2, r#"{"text":"edited"}"#),
    ];
    for clock in [3, 5, 7] {
        ops.push(remove("a", clock));
        let restore = restore_on(&ops, clock + 1);
        ops.push(restore);
    }
    let view = in_every_order(&ops[..4]);
    assert_eq!(whole(&view), "edited false  a1 in l");
    let view = Memory::of(&ops);
    let needed = ops.iter().filter(|op| {
        let found = coverage(&mut view.clone(), &op.key, Some(&op.payload));
        found.expect("memory does not fail") == Coverage::Needed
    });
    let kept: Vec<_> = needed.cloned().collect();
    assert_eq!(kept, ops[7..]);
    assert_eq!(Memory::of(&kept), view);
    // What comes late folds alike on both: it is older than what was given back, or newer.
    for late in [
        update("c", 2, r#"{"text":"late"}"#),
        update("a", 2, r#"{"text":"early"}"#),
        update("c", 7, r#"{"note":"late"}"#),
    ] {
        let (mut whole_log, mut compacted) = (Memory::of(&ops), Memory::of(&kept));
        whole_log.fold(&late);
        compacted.fold(&late);
        assert_eq!(whole_log, compacted);
    }
}

#[test]
fn the_op_that_has_given_parts_back_stays_also_where_the_item_is_removed_again() {
    let mut ops = vec![insert("a", 1, "x", "a1"), remove("a", 2)];
    ops.push(restore_on(&ops, 3));
    ops.push(remove("b", 4));
    let view = Memory::of(&ops);
    let is_needed = |op: &Op| {
        let found = coverage(&mut view.clone(), &op.key, Some(&op.payload));
        found.expect("memory does not fail") == Coverage::Needed
    };
    let found: Vec<_> = ops.iter().map(is_needed).collect();
    assert_eq!(found, [false, false, true, true]);
}

#[test]
fn what_was_collected_comes_back_whole_from_whoever_has_kept_it() {
    let known = [
        insert("a", 1, "x", "a1"),
        update("a", 2, r#"{"text":"told","done":true,"note":"noted"}"#),
        moved("a", 3, r#"{"pos":"c1","list":"m"}"#),
        remove("a", 4),
    ];
    let restore = restore_on(&known, 9);
    let mut collected = Memory::default();
    let mut kept = Memory::of(&known);
    // Where the tombstone is gone, what it had later is not known: another actor writes it anew.
    let is_behind = |op: &Op, rows: &Memory| {
        let up_to = Clock::new(4).expect("a small clock");
        gives_back_collected(&mut rows.clone(), &op.key, Some(&op.payload), up_to)
            .expect("memory does not fail")
    };
    assert!(is_behind(&restore, &collected));
    assert!(!is_behind(&restore, &kept));
    let mut anew = restore;
    anew.key.actor = ActorId::new("anew").expect("a short name");
    assert!(!is_behind(&anew, &collected));
    for view in [&mut collected, &mut kept] {
        view.fold(&anew);
        assert_eq!(whole(view), "told true noted c1 in m");
    }
    assert_eq!(collected, kept);
}

#[test]
fn what_came_after_an_item_was_collected_stays_when_the_history_brings_it_back() {
    let mut view = Memory::default();
    let new = Command::NewList {
        list: list("l"),
        title: "list".into(),
        spot: Spot::End,
    };
    view.carry_out(&new, "a", 1, [0; 4]).expect("a new list");
    view.fold(&insert("a", 2, "x", "a1"));
    let remove = Command::Remove {
        item: item("l", "x"),
    };
    let (plan, _) = view
        .carry_out(&remove, "a", 3, [0; 4])
        .expect("it is there");
    view.rows.retain(|_, (_, buried)| !*buried);
    view.fold(&update("b", 4, r#"{"note":"theirs"}"#));
    let back = view.carry_out(&plan.inverse[0], "a", 5, [0; 4]);
    back.expect("the history has kept the item");
    assert_eq!(whole(&view), "x false theirs a1 in l");
}
