//! Payloads: ours, those of others, and what is none.

use syncline_model::list::{ListOp, Position};
use syncline_model::registry::RegistryOp;
use syncline_model::{Folded, Op, Payload, SkipReason};

use super::memory::{Memory, insert, item, key, list, on_list, on_registry};

const UNREADABLE: Folded = Folded::Skipped(SkipReason::Unreadable);

#[test]
fn payloads_with_paths_for_positions_fold() {
    let insert = |id: &str, clock: u64, path: &str| {
        let payload = format!(
            r#"{{"type":"insert","itemId":"{id}","actor":"actor-u","clock":{clock},"payload":{{"text":"{id}","done":false,"pos":{path}}}}}"#
        );
        on_list("actor-u", clock, &payload)
    };
    let create = r#"{"type":"createList","itemId":"l","actor":"actor-u","clock":1,"payload":{"title":"theirs","pos":[{"digit":512,"actor":"actor-u"}]}}"#;
    let ops = [
        on_registry("actor-u", 1, create),
        insert("second", 1, r#"[{"digit":512,"actor":"actor-u"}]"#),
        insert("first", 2, r#"[{"digit":256,"actor":"actor-u"}]"#),
        insert(
            "between",
            3,
            r#"[{"digit":256,"actor":"actor-u"},{"digit":512,"actor":"actor-v"}]"#,
        ),
        on_list(
            "actor-u",
            4,
            r#"{"type":"update","itemId":"first","actor":"actor-u","clock":4,"payload":{"done":true}}"#,
        ),
        on_list(
            "actor-u",
            5,
            r#"{"type":"move","itemId":"second","actor":"actor-u","clock":5,"payload":{"pos":[{"digit":1,"actor":"actor-u"}]}}"#,
        ),
        on_list(
            "actor-u",
            6,
            r#"{"type":"renameList","actor":"actor-u","clock":6,"payload":{"title":"renamed"}}"#,
        ),
    ];
    let mut view = Memory::default();
    for op in &ops {
        assert_eq!(view.fold(op), Folded::Applied, "{}", op.payload.as_str());
    }
    assert_eq!(view.titles(), ["renamed"]);
    assert_eq!(view.texts(&list("l")), ["second", "first", "between"]);
    assert!(view.items(&list("l"))[1].done);
}

#[test]
fn a_version_is_that_of_the_envelope_whatever_the_payload_repeats() {
    let mut view = Memory::of(&[insert("a", 1, "x", "a1")]);
    let update = |clock, text| {
        let payload = format!(
            r#"{{"type":"update","itemId":"x","actor":"z","clock":9999,"payload":{{"text":"{text}"}}}}"#
        );
        on_list("a", clock, &payload)
    };
    view.fold(&update(3, "late"));
    view.fold(&update(2, "early"));
    assert_eq!(view.texts(&list("l")), ["late"]);
}

#[test]
fn what_the_fold_cannot_read_is_skipped_and_changes_nothing() {
    let whole = r#""text":"x","done":false,"note":"""#;
    let on_lists = [
        "7".to_owned(),
        r#"{"type":"hologram","itemId":"x"}"#.to_owned(),
        r#"{"type":"update","payload":{"text":"no item"}}"#.to_owned(),
        r#"{"type":"update","itemId":"","payload":{"text":"no item"}}"#.to_owned(),
        r#"{"type":"update","itemId":"x","payload":{"text":7}}"#.to_owned(),
        r#"{"type":"update","itemId":"x","payload":{"done":"yes"}}"#.to_owned(),
        r#"{"type":"move","itemId":"x","payload":{}}"#.to_owned(),
        r#"{"type":"move","itemId":"x","payload":{"pos":""}}"#.to_owned(),
        r#"{"type":"move","itemId":"x","payload":{"pos":"a0"}}"#.to_owned(),
        r#"{"type":"move","itemId":"x","payload":{"pos":"a b"}}"#.to_owned(),
        r#"{"type":"move","itemId":"x","payload":{"pos":[]}}"#.to_owned(),
        r#"{"type":"move","itemId":"x","payload":{"pos":[{"digit":70000,"actor":"a"}]}}"#.to_owned(),
        r#"{"type":"move","itemId":"x","payload":{"pos":[{"digit":-1,"actor":"a"}]}}"#.to_owned(),
        r#"{"type":"move","itemId":"x","payload":{"pos":"a1","list":""}}"#.to_owned(),
        r#"{"type":"insert","itemId":"x","payload":{"text":"no place"}}"#.to_owned(),
        r#"{"type":"insert","itemId":"x","payload":{"pos":"a1"}}"#.to_owned(),
        r#"{"type":"restore","itemId":"x"}"#.to_owned(),
        format!(r#"{{"type":"restore","itemId":"x","payload":{{{whole},"pos":"a1"}}}}"#),
        format!(r#"{{"type":"restore","itemId":"x","payload":{{{whole},"list":"l"}}}}"#),
        r#"{"type":"restore","itemId":"x","payload":{"text":"x","done":false,"pos":"a1","list":"l"}}"#.to_owned(),
        r#"{"type":"renameList","payload":{}}"#.to_owned(),
    ];
    let versions = [
        r#"[]"#,
        r#"{"written":7}"#,
        r#"{"written":[],"until":7}"#,
        r#"{"written":[{"parts":["text"],"clock":0,"actor":"a"}]}"#,
        r#"{"written":[{"parts":["text"],"clock":1,"actor":""}]}"#,
        r#"{"written":[{"parts":["color"],"clock":1,"actor":"a"}]}"#,
        r#"{"written":[{"parts":["text"],"clock":1,"actor":"a","color":"red"}]}"#,
    ];
    let restores = versions.map(|versions| {
        format!(
            r#"{{"type":"restore","itemId":"x","payload":{{{whole},"pos":"a1","list":"l","versions":{versions}}}}}"#
        )
    });
    let on_registries = [
        r#"{"type":"createList","payload":{"title":"no list","pos":"a1"}}"#,
        r#"{"type":"createList","listId":"l","payload":{"title":"no place"}}"#,
        r#"{"type":"restoreList","listId":"l"}"#,
        r#"{"type":"reorderList","listId":"l","payload":{"pos":"0"}}"#,
        r#"{"type":"insert","listId":"l"}"#,
    ];
    let elsewhere = Op {
        key: key("a", 2, "registry", "not the registry"),
        payload: Payload::parse(r#"{"type":"removeList","listId":"l"}"#).unwrap(),
    };
    let on_lists = on_lists.iter().chain(&restores);
    let ops = on_lists.map(|payload| on_list("a", 2, payload));
    let ops = ops.chain(on_registries.map(|payload| on_registry("a", 2, payload)));
    for op in ops.chain([elsewhere]) {
        let mut view = Memory::of(&[insert("a", 1, "x", "a1")]);
        let before = view.clone();
        assert_eq!(view.fold(&op), UNREADABLE, "{}", op.payload.as_str());
        assert_eq!(view, before);
    }
}

#[test]
fn what_is_written_is_read_again() {
    let texts = [
        r#"{"type":"insert","itemId":"x","payload":{"text":"t","done":true,"note":"n","pos":"a1"}}"#,
        r#"{"type":"update","itemId":"x","payload":{"text":"","done":false,"note":""}}"#,
        r#"{"type":"update","itemId":"x","payload":{"done":false}}"#,
        r#"{"type":"move","itemId":"x","payload":{"pos":"a1"}}"#,
        r#"{"type":"move","itemId":"x","payload":{"pos":"a1","list":"m"},"touches":["m"]}"#,
        r#"{"type":"move","itemId":"x","payload":{"pos":"a1","list":"l"}}"#,
        r#"{"type":"remove","itemId":"x"}"#,
        r#"{"type":"restore","itemId":"x","payload":{"text":"t","done":true,"note":"n","pos":"a1","list":"m"},"touches":["m"]}"#,
        r#"{"type":"restore","itemId":"x","payload":{"text":"t","done":true,"note":"n","pos":"a1","list":"l","versions":{"actor":"a","written":[{"parts":["pos","list","note"],"clock":1,"actor":"b"},{"parts":["text"],"clock":7,"actor":"a"}]}}}"#,
        r#"{"type":"renameList","payload":{"title":"t"}}"#,
    ];
    for text in texts {
        let payload = Payload::parse(text).unwrap();
        let op = ListOp::read(&payload).expect(text);
        assert_eq!(op.payload(&list("l")).unwrap().as_str(), text);
    }
    let texts = [
        r#"{"type":"createList","listId":"l","payload":{"title":"t","pos":"a1"}}"#,
        r#"{"type":"removeList","listId":"l"}"#,
        r#"{"type":"restoreList","listId":"l","payload":{"title":"t","pos":"a1"}}"#,
        r#"{"type":"restoreList","listId":"l","payload":{"title":"t","pos":"a1","versions":{"written":[{"parts":["title"],"clock":7,"actor":"a"}]}}}"#,
        r#"{"type":"reorderList","listId":"l","payload":{"pos":"a1"}}"#,
        r#"{"type":"renameList","listId":"l","payload":{"title":"t"}}"#,
    ];
    for text in texts {
        let payload = Payload::parse(text).unwrap();
        let op = RegistryOp::read(&payload).expect(text);
        assert_eq!(op.payload().unwrap().as_str(), text);
    }
}

#[test]
fn the_last_clock_wins_and_actors_of_any_form_are_kept_apart() {
    let strange = "an actor, 5 e\u{2028}é|";
    let last = (1 << 53) - 1;
    let update = r#"{"type":"update","itemId":"x","payload":{"text":"last"}}"#;
    let ops = [
        insert(strange, 1, "x", "a1"),
        on_list(strange, last, update),
        on_list("b", 7, update),
    ];
    let view = Memory::of(&ops);
    let other: Vec<_> = ops.iter().rev().collect();
    assert_eq!(view, Memory::of(other));
    assert_eq!(view.texts(&list("l")), ["last"]);
}

#[test]
fn ids_of_items_may_repeat_in_other_lists() {
    let elsewhere = Op {
        key: key("a", 2, "list", "m"),
        payload: insert("a", 2, "x", "b1").payload,
    };
    let there = r#"{"type":"move","itemId":"x","payload":{"pos":"c1","list":"m"}}"#;
    let view = Memory::of(&[insert("a", 1, "x", "a1"), elsewhere, on_list("a", 3, there)]);
    let refs: Vec<_> = view
        .items(&list("m"))
        .into_iter()
        .map(|item| item.item)
        .collect();
    assert_eq!(refs, [item("m", "x"), item("l", "x")]);
    assert!(Position::parse("b1").unwrap() < Position::parse("c1").unwrap());
}
