//! Whatever is written: decide and fold agree with a naive model, and a compacted log folds alike.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use syncline_model::record::{Action, Mode, Offered, Undone, Values, Write};
use syncline_model::schema::Role;
use syncline_model::{Folded, Op, Place, ServerSeq, SkipReason, fold};

use super::memory::{View, World, asker, offered, row_key};

fn entities(conflict: &str) -> Json {
    json!([{
        "name": "rows", "singular": "row", "key": "id", "mode": {"kind": "optimistic"},
        "conflict": conflict,
        "fields": [
            {"name": "id", "kind": "text"},
            {"name": "a", "kind": "int64", "nullable": true},
            {"name": "b", "kind": "int64", "nullable": true},
        ],
    }])
}

fn write() -> impl Strategy<Value = Write> {
    let values = proptest::collection::btree_map("[abc]", 0..3_i64, 0..3);
    let base = proptest::collection::btree_map("[abc]", 0..3_i64, 0..2);
    let action = prop_oneof![
        Just(Action::Create),
        Just(Action::Update),
        Just(Action::Delete)
    ];
    let unset = proptest::collection::btree_set("[abc]", 0..2);
    ("[xyz]", action, values, base, unset).prop_map(|(id, action, values, base, unset)| {
        // A zero stands for null.
        let json = |n: i64| if n == 0 { Json::Null } else { Json::from(n) };
        let all = |map: BTreeMap<String, i64>| map.into_iter().map(|(k, n)| (k, json(n)));
        Write {
            entity: "rows".to_owned(),
            id,
            action,
            values: all(values).collect(),
            defaults: Values::new(),
            unset,
            base: all(base).collect(),
        }
    })
}

fn ops() -> impl Strategy<Value = Vec<Offered>> {
    let op = proptest::collection::vec(write(), 1..4).prop_map(|writes| Offered {
        writes,
        mode: Mode::Optimistic,
        salt: None,
    });
    proptest::collection::vec(op, 1..40)
}

/// What rows there are, told without a log: none where the op is to be refused.
fn naive(
    rows: &BTreeMap<String, Values>,
    op: &Offered,
    conflict: &str,
) -> Option<BTreeMap<String, Values>> {
    let mut rows = rows.clone();
    for write in &op.writes {
        let held = rows.get(&write.id).cloned();
        let is_other = |column: &String, held: &Values| {
            let now = held.get(column).unwrap_or(&Json::Null);
            write.base.get(column).is_some_and(|base| base != now)
        };
        match (write.action, held) {
            (Action::Create, None) => {
                let mut row = write.values.clone();
                row.insert("id".to_owned(), write.id.clone().into());
                rows.insert(write.id.clone(), row);
            }
            (Action::Update, Some(mut row)) => {
                let before = row.clone();
                for (column, mine) in &write.values {
                    let clash = is_other(column, &before) && before.get(column) != Some(mine);
                    match (clash, conflict) {
                        (true, "reject") => return None,
                        (true, "server_wins") => {}
                        _ => _ = row.insert(column.clone(), mine.clone()),
                    }
                }
                for column in write.unset.iter() {
                    if write.values.contains_key(column) || !before.contains_key(column) {
                        continue;
                    }
                    match (is_other(column, &before), conflict) {
                        (true, "reject") => return None,
                        (true, "server_wins") => {}
                        _ => _ = row.remove(column),
                    }
                }
                rows.insert(write.id.clone(), row);
            }
            (Action::Delete, Some(row)) => {
                let clash = write.base.keys().any(|column| is_other(column, &row));
                if clash && conflict != "last_write_wins" {
                    return None;
                }
                rows.remove(&write.id);
            }
            (Action::Create, Some(_)) | (Action::Update | Action::Delete, None) => return None,
        }
    }
    Some(rows)
}

proptest! {
    #[test]
    fn decide_and_fold_do_what_a_naive_model_does(
        ops in ops(),
        conflict in prop_oneof![Just("server_wins"), Just("last_write_wins"), Just("reject")],
    ) {
        let mut world = World::new(entities(conflict));
        let mut rows = BTreeMap::new();
        for op in &ops {
            let expected = naive(&rows, op, conflict);
            let taken = world.offer(&asker("o", Role::Owner), op);
            prop_assert_eq!(taken.is_ok(), expected.is_some(), "{:?}", op);
            rows = expected.unwrap_or(rows);
            let there = world.view.records().into_iter().filter(|record| !record.deleted);
            let there: BTreeMap<_, _> = there.map(|row| (row.id, row.columns)).collect();
            prop_assert_eq!(&there, &rows);
        }
        let mut again = View::default();
        for (n, (key, payload)) in world.log.iter().enumerate() {
            let place = Place::Confirmed(ServerSeq(n as u64 + 1));
            let Ok(_) = fold(&mut again, key, Some(payload), place);
        }
        prop_assert_eq!(&again, &world.view);
        prop_assert_eq!(&world.compacted(), &world.view);
    }

    /// What comes after a compaction folds onto the compacted log as onto the whole one.
    #[test]
    fn a_compacted_log_goes_on_as_the_whole_one(first in ops(), later in ops()) {
        let owner = asker("o", Role::Owner);
        let mut world = World::new(entities("last_write_wins"));
        for op in &first {
            let _ = world.offer(&owner, op);
        }
        let mut compacted = world.compacted();
        let length = world.log.len();
        for op in &later {
            let _ = world.offer(&owner, op);
        }
        for (n, (key, payload)) in world.log.iter().enumerate().skip(length) {
            let place = Place::Confirmed(ServerSeq(n as u64 + 1));
            let Ok(_) = fold(&mut compacted, key, Some(payload), place);
        }
        prop_assert_eq!(&compacted, &world.view);
    }
}

#[test]
fn pending_ops_show_at_once_unless_they_wait_for_the_server() {
    let mut world = World::new(entities("reject"));
    world
        .write(
            json!([{"entity": "rows", "id": "x", "action": "create", "values": {"a": 1, "b": 2}}]),
        )
        .unwrap();
    let confirmed = world.view.clone();
    let mut op = offered(json!([
        {"entity": "rows", "id": "x", "action": "update", "values": {"a": null}},
        {"entity": "rows", "id": "y", "action": "create", "values": {"a": 3}},
        {"entity": "rows", "id": "z", "action": "update", "values": {"a": 3}},
    ]));
    let mut show = |op: &Offered, view: &mut View| {
        let key = world.key(op);
        let op = Op {
            key,
            payload: op.payload().unwrap(),
        };
        let Ok(folded) = op.fold_pending(view, 1);
        assert_eq!(folded, Folded::Applied);
    };
    let mut view = confirmed.clone();
    show(&op, &mut view);
    assert_eq!(
        view.columns("rows", "x"),
        Some(json!({"id": "x", "a": null, "b": 2}))
    );
    assert_eq!(view.columns("rows", "y"), Some(json!({"a": 3})));
    assert_eq!(view.columns("rows", "z"), None);
    op.mode = Mode::Confirmed;
    let mut view = confirmed.clone();
    show(&op, &mut view);
    assert_eq!(view, confirmed);
}

#[test]
fn what_was_never_decided_is_passed_over_in_the_log() {
    let mut world = World::new(entities("reject"));
    let op =
        offered(json!([{"entity": "rows", "id": "x", "action": "create", "values": {"a": 1}}]));
    let key = world.key(&op);
    let skipped = Folded::Skipped(SkipReason::Unreadable);
    assert_eq!(world.append(key.clone(), op.payload().unwrap()), skipped);
    let decision = world.decide(&asker("o", Role::Owner), &op).unwrap();
    let elsewhere = syncline_model::OpKey {
        resource: "rows/other".parse().unwrap(),
        ..key
    };
    assert_eq!(
        world.append(elsewhere, decision.payload().unwrap()),
        skipped
    );
    assert!(world.view.records().is_empty());
    use syncline_model::Rows;
    let Ok(row) = world
        .view
        .get(&syncline_model::record::RECORDS, &row_key("rows", "x"));
    assert_eq!(row, None);
}

#[test]
fn an_op_depends_on_a_refused_one_whose_record_or_value_it_builds_on() {
    let world = World::new(entities("reject"));
    let mut view = world.view.clone();
    let one = |action: &str, values: Json, base: Json| {
        offered(
            json!([{"entity": "rows", "id": "x", "action": action, "values": values, "base": base}]),
        )
    };
    let create = one("create", json!({"a": 1}), json!({}));
    let update = one("update", json!({"a": 2}), json!({"a": 1}));
    let delete = one("delete", json!({}), json!({}));
    let mut depends = |later: &Offered, refused: &Offered| {
        let mut undone = Undone::default();
        undone.add(refused);
        let Ok(depends) = undone.is_under(later, |entity, id| {
            syncline_model::record::Records::record(&mut view, entity, id)
        });
        depends
    };
    assert!(depends(&update, &create));
    assert!(!depends(&create, &delete));
    let mut world = World::new(entities("reject"));
    world
        .write(
            json!([{"entity": "rows", "id": "x", "action": "create", "values": {"a": 7, "b": 1}}]),
        )
        .unwrap();
    let mut view = world.view;
    let mut depends = |later: &Offered, refused: &Offered| {
        let mut undone = Undone::default();
        undone.add(refused);
        let Ok(depends) = undone.is_under(later, |entity, id| {
            syncline_model::record::Records::record(&mut view, entity, id)
        });
        depends
    };
    let refused = one("update", json!({"a": 1}), json!({"a": 7}));
    assert!(depends(&update, &refused));
    assert!(!depends(
        &one("update", json!({"b": 2}), json!({"b": 1})),
        &refused
    ));
    assert!(depends(&create, &delete));
    assert!(!depends(&create, &refused));
}
