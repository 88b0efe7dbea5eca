//! Two writers on one record: which value stays, and where the other is kept.

use serde_json::{Value as Json, json};
use syncline_model::record::{Decision, Refusal, RefusalCode};

use super::memory::World;

fn world(strategy: &str) -> World {
    let mut world = World::new(json!([{
        "name": "tasks", "singular": "task", "key": "id", "mode": {"kind": "optimistic"},
        "conflict": strategy,
        "fields": [
            {"name": "id", "kind": "int64"},
            {"name": "text", "kind": "text"},
            {"name": "done", "kind": "boolean", "nullable": true},
        ],
    }]));
    let row = json!({"text": "first", "done": false});
    world
        .write(json!([{"entity": "tasks", "id": "7", "action": "create", "values": row}]))
        .unwrap();
    world.write(json!([{"entity": "tasks", "id": "7", "action": "update", "values": {"text": "theirs"}}])).unwrap();
    world
}

/// A write by somebody who has seen the first text.
fn late(world: &mut World, values: Json) -> Result<Decision, Refusal> {
    let base = json!({"text": "first", "done": false});
    world.write(
        json!([{"entity": "tasks", "id": "7", "action": "update", "values": values, "base": base}]),
    )
}

#[test]
fn the_server_wins_column_by_column_and_the_losing_value_is_kept() {
    let mut world = world("server_wins");
    let decision = late(&mut world, json!({"text": "mine", "done": true})).unwrap();
    let columns = world.columns("tasks", "7").unwrap();
    assert_eq!(columns, json!({"id": 7, "text": "theirs", "done": true}));
    let lost = serde_json::to_value(&decision.decided[0].lost).unwrap();
    assert_eq!(
        lost,
        json!({"text": {"base": "first", "mine": "mine", "theirs": "theirs"}})
    );
    assert_eq!(decision.decided[0].values.len(), 1);
}

#[test]
fn the_last_write_wins_and_what_it_overwrote_is_kept() {
    let mut world = world("last_write_wins");
    let decision = late(&mut world, json!({"text": "mine"})).unwrap();
    assert_eq!(world.columns("tasks", "7").unwrap()["text"], "mine");
    assert_eq!(decision.decided[0].lost["text"].theirs, "theirs");
}

#[test]
fn a_conflict_that_rejects_names_base_mine_and_theirs() {
    let mut world = world("reject");
    let refusal = late(&mut world, json!({"text": "mine", "done": true})).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Conflict);
    let expected = json!({
        "write": 0, "entity": "tasks", "id": "7",
        "conflicts": {"text": {"base": "first", "mine": "mine", "theirs": "theirs"}},
    });
    assert_eq!(refusal.details(), expected);
    assert_eq!(world.columns("tasks", "7").unwrap()["done"], false);
    late(&mut world, json!({"done": true})).unwrap();
}

#[test]
fn what_both_wrote_alike_is_no_conflict_and_no_change() {
    let mut world = world("reject");
    let decision = late(&mut world, json!({"text": "theirs"})).unwrap();
    assert!(decision.decided[0].values.is_empty() && decision.decided[0].lost.is_empty());
}

#[test]
fn a_delete_of_what_others_have_changed_is_refused_but_where_the_last_write_wins() {
    let delete =
        json!([{"entity": "tasks", "id": "7", "action": "delete", "base": {"text": "first"}}]);
    for strategy in ["server_wins", "reject"] {
        let mut world = world(strategy);
        let refusal = world.write(delete.clone()).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::Conflict, "{strategy}");
    }
    let mut world = world("last_write_wins");
    world.write(delete).unwrap();
    assert_eq!(world.columns("tasks", "7"), None);
}

#[test]
fn what_a_shape_prints_otherwise_than_it_was_written_is_no_conflict() {
    let spellings = [
        (
            "timestamp",
            json!("2026-11-21T23:36:40.270Z"),
            json!("2026-11-21T23:36:40.27Z"),
            json!("2026-11-21T23:36:40.28Z"),
        ),
        (
            "timestamp",
            json!("2026-11-21T23:36:40+01:00"),
            json!("2026-11-21 22:36:40+00"),
            json!("2026-11-21 23:36:40+00"),
        ),
        ("decimal", json!("1.50"), json!("1.5"), json!("1.51")),
        (
            "uuid",
            json!("0198B99F-BEA8-72C3-B183-909070A4C174"),
            json!("0198b99f-bea8-72c3-b183-909070a4c174"),
            json!("0198b99f-bea8-72c3-b183-909070a4c175"),
        ),
        ("text", json!("1.50"), json!("1.50"), json!("1.5")),
    ];
    for (kind, written, shown, other) in spellings {
        let mut world = World::new(json!([{
            "name": "things", "singular": "thing", "key": "id", "mode": {"kind": "optimistic"},
            "conflict": "reject",
            "fields": [{"name": "id", "kind": "int64"}, {"name": "value", "kind": kind}],
        }]));
        let with = |action: &str, of: &str, value: &Json| json!([{"entity": "things", "id": "7", "action": action, of: {"value": value}}]);
        world.write(with("create", "values", &written)).unwrap();
        let refusal = world.write(with("delete", "base", &other)).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::Conflict, "{kind} {other}");
        world.write(with("delete", "base", &shown)).unwrap();
    }
}

#[test]
fn a_key_that_is_a_number_is_one_and_has_one_spelling() {
    let mut world = world("reject");
    for id in ["07", "+7", "7.0", "x", " 7"] {
        let writes = json!([{"entity": "tasks", "id": id, "action": "create", "values": {}}]);
        let refusal = world.write(writes).unwrap_err();
        assert_eq!(refusal.code, RefusalCode::ValidationFailed, "{id}");
    }
}
