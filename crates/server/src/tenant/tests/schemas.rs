//! Schemas that a client pushes: judged before they stand, each alone. And what is kept of refusals.

use serde_json::{Value as Json, json};

use super::records::{entities, one, record, with_schema};
use super::*;

fn schema_op(clock: u64, payload: &Json) -> ReceivedOp {
    let mut op = formed("schema", "a", clock, &payload.to_string());
    op.key.resource = ResourceId::new("schema").unwrap();
    ReceivedOp::Readable(op)
}

#[test]
fn a_pushed_schema_that_nothing_can_be_judged_by_is_refused_alone() {
    let mut f = with_schema();
    let standing = serde_json::to_value(entities()).unwrap();
    let with = |name: &str, key: &str| {
        let mut more = standing.clone();
        let entity = json!({"name": name, "singular": "x", "key": key, "mode": {"kind": "optimistic"},
            "fields": [{"name": "id", "kind": "text"}, {"name": "u", "kind": "text"}], "unique": [["u"]]});
        more["entities"].as_array_mut().unwrap().push(entity);
        more
    };
    let create = |clock, id: &str| record(clock, one(id, "create", json!({"a": clock}), json!({})));
    let judged = verdicts(
        &mut f.log,
        [
            create(1, "before"),
            schema_op(2, &with("nul\0x", "id")),
            schema_op(3, &with("more", "nope")),
            create(4, "after"),
            schema_op(5, &with("more", "id")),
        ],
    );
    assert_eq!((&judged[0], &judged[3]), (&accepted(2), &accepted(3)));
    assert_eq!(code(&judged[1]), "validation_failed");
    assert_eq!(code(&judged[2]), "validation_failed");
    assert_eq!(judged[4], accepted(4));
}

#[test]
fn a_schema_whose_indexes_can_not_be_made_is_refused_alone_and_the_standing_one_keeps_its_own() {
    let mut f = with_schema();
    let mut unfit = serde_json::to_value(entities()).unwrap();
    unfit["entities"][0]["name"] = json!("nul\0x");
    unfit["entities"][0]["unique"] = json!([["a"]]);
    let mut healing = push([op("c", 1), schema_op(2, &unfit), op("c", 2)]);
    // What is offered again was judged before, and is not judged anew.
    healing.received.heal = Some(f.log.head().unwrap().cursor);
    let judged = run_one(&mut f.log, healing).unwrap().verdicts;
    assert_eq!((&judged[0], &judged[2]), (&accepted(2), &accepted(3)));
    assert_eq!(code(&judged[1]), "validation_failed");
    let create = |clock, id: &str| record(clock, one(id, "create", json!({"a": 2}), json!({})));
    let judged = verdicts(&mut f.log, [create(3, "x"), create(4, "y")]);
    assert_eq!(judged[0], accepted(4));
    assert_eq!(code(&judged[1]), "unique_violation");
}

#[test]
fn so_many_refusals_are_kept_and_those_with_the_lowest_clocks_go() {
    let mut f = with_schema();
    let more = syncline_store::REFUSALS_MAX as u64 + 500;
    let on = |clock: u64| format!("none{clock}");
    let refused = |clock| record(clock, one(&on(clock), "update", json!({"a": 1}), json!({})));
    let judged = verdicts(&mut f.log, (1..=more).map(refused));
    assert!(judged.iter().all(|verdict| code(verdict) == "not_found"));
    let created = record(more + 1, one(&on(1), "create", json!({"a": 1}), json!({})));
    assert_eq!(verdicts(&mut f.log, [created]), [accepted(2)]);
    // What is kept is answered as it was, what is not is judged anew.
    let again = verdicts(&mut f.log, [refused(more), refused(1)]);
    assert_eq!(code(&again[0]), "not_found");
    assert_eq!(again[1], accepted(3));
    let batch = f.log.file().unwrap().begin().unwrap();
    assert_eq!(batch.make_room_for_refusals().unwrap(), 500);
}
