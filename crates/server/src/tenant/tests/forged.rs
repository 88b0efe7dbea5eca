//! Decisions that are offered again: by who has them from a log that was put back, and by who made them up.

use serde_json::{Value as Json, json};
use syncline_model::schema::Role;
use syncline_model::{Clock, EpochMode, PayloadHash};
use syncline_store::LogStart;

use super::records::{column, one, record, with_schema};
use super::*;

/// What eve is said to have written, by an op of an actor.
pub(super) fn decided(actor: &str, clock: u64, values: Json) -> OfferedOp {
    let payload = json!({
        "decided": [{"entity": "rows", "id": "x", "action": "create", "values": values}],
        "by": "eve", "at": "2026-01-01T00:00:00.000Z",
    });
    let mut op = formed("record", actor, clock, &payload.to_string());
    op.key.resource = ResourceId::new("rows/x").unwrap();
    op.payload_hash = PayloadHash::of("as eve has offered it");
    op
}

fn ready(op: OfferedOp) -> ReceivedOp {
    ReceivedOp::Readable(op)
}

/// A push of ada's that offers ops again, from above a place.
pub(super) fn again(place: Cursor, role: Role, ops: impl IntoIterator<Item = OfferedOp>) -> Push {
    let mut push = push(ops.into_iter().map(ready));
    push.received.heal = Some(place);
    push.standing.role = role;
    push
}

/// Puts the log back to where it stands, and gives that place.
pub(super) fn put_back(f: &mut Fixture, mode: EpochMode) -> Cursor {
    let head = f.log.head().unwrap();
    let file = f.log.file().unwrap();
    let next = Epoch::new(Uuid::from_u128(2));
    let start = LogStart::Restored(mode);
    file.start_epoch(head.epoch, next, start).unwrap();
    head.cursor
}

/// What the log holds at its end.
fn last(log: &mut TenantLog) -> Json {
    let limit = PageLimit {
        ops: 100,
        bytes: 1 << 20,
    };
    let ops = log.file().unwrap().ops_after(ServerSeq::ZERO, limit);
    let last = ops.unwrap().pop().unwrap();
    last.payload.unwrap().read().unwrap()
}

#[test]
fn a_log_that_was_put_back_takes_decisions_as_they_were_from_who_may_write_all_of_them() {
    let mut f = with_schema();
    let place = put_back(&mut f, EpochMode::Heal);
    let own = run_one(
        &mut f.log,
        push([ready(decided("adas", 1, json!({"a": 1})))]),
    )
    .unwrap();
    assert_eq!(code(&own.verdicts[0]), "invalid_op");
    let editor = again(place, Role::Editor, [decided("eves", 2, json!({"a": 1}))]);
    let editor = run_one(&mut f.log, editor).unwrap();
    assert_eq!(code(&editor.verdicts[0]), "forbidden");
    let mut restricted = decided("eves", 2, json!({"a": 1}));
    let mut payload: Json = restricted.payload.as_ref().unwrap().read().unwrap();
    payload["restricted"] = true.into();
    restricted.payload = Some(Payload::from_value(&payload).unwrap());
    let whole = decided("eves", 2, json!({"a": 1}));
    let owner = again(place, Role::Owner, [restricted, whole]);
    let verdicts = run_one(&mut f.log, owner).unwrap().verdicts;
    assert_eq!(
        (code(&verdicts[0]), &verdicts[1]),
        ("forbidden", &accepted(2))
    );
    assert_eq!(column(&mut f.log, "x", "a"), 1);
    assert_eq!(last(&mut f.log)["by"], "eve");
}

#[test]
fn a_log_that_was_put_back_takes_no_author_who_is_not_the_owner_of_the_actor() {
    let mut f = with_schema();
    verdicts(&mut f.log, [op("adas", 1)]);
    let place = put_back(&mut f, EpochMode::Heal);
    let forged = again(place, Role::Owner, [decided("adas", 2, json!({"a": 1}))]);
    let forged = run_one(&mut f.log, forged).unwrap();
    assert_eq!(forged.verdicts, [accepted(4)]);
    assert_eq!(last(&mut f.log)["by"], "ada");
}

#[test]
fn a_log_that_was_never_put_back_decides_what_is_said_to_be_decided_in_the_name_of_who_says_it() {
    for mode in [None, Some(EpochMode::Follow)] {
        let mut f = with_schema();
        if let Some(mode) = mode {
            put_back(&mut f, mode);
        }
        let place = f.log.head().unwrap().cursor;
        let wrong = json!({"a": "no number"});
        let ops = [
            decided("forger", 1, wrong),
            decided("forger", 2, json!({"a": 1})),
        ];
        let verdicts = run_one(&mut f.log, again(place, Role::Owner, ops))
            .unwrap()
            .verdicts;
        assert_eq!(code(&verdicts[0]), "validation_failed", "{mode:?}");
        // Behind the server's word on it: the log's marks are no longer those that were there before.
        assert_eq!(verdicts[1], accepted(3), "{mode:?}");
        let repeated = decided("forger", 2, json!({"a": 1}));
        let repeated = again(place, Role::Owner, [repeated]);
        let repeated = run_one(&mut f.log, repeated).unwrap().verdicts;
        assert_eq!(repeated, [duplicate(3)]);
        let held = last(&mut f.log);
        assert_eq!((&held["by"], &held["at"]), (&json!("ada"), &json!(now())));
        // Another record has the value that is to be one record's alone.
        let other = record(9, one("y", "create", json!({"a": 5}), json!({})));
        run_one(&mut f.log, push([other])).unwrap();
        let mut taken = decided("forger", 20, json!({"a": 5}));
        let payload = json!({
            "decided": [{"entity": "rows", "id": "x", "action": "update", "values": {"a": 5}}],
            "by": "eve", "at": "2026-01-01T00:00:00.000Z",
        });
        taken.payload = Some(Payload::from_value(&payload).unwrap());
        let taken = run_one(&mut f.log, again(place, Role::Owner, [taken])).unwrap();
        assert_eq!(code(&taken.verdicts[0]), "unique_violation", "{mode:?}");
    }
}

#[test]
fn a_restore_speaks_for_the_places_that_it_went_back_to_and_for_none_above() {
    let mut f = with_schema();
    put_back(&mut f, EpochMode::Heal);
    verdicts(&mut f.log, [op("a", 1)]);
    let above = f.log.head().unwrap().cursor;
    let late = again(above, Role::Owner, [decided("eves", 3, json!({"a": 1}))]);
    assert_eq!(run_one(&mut f.log, late).unwrap().verdicts, [accepted(4)]);
    assert_eq!(last(&mut f.log)["by"], "ada");
}

#[test]
fn an_op_said_to_be_decided_is_refused_under_the_name_of_another_record() {
    for mode in [None, Some(EpochMode::Heal)] {
        let mut f = with_schema();
        if let Some(mode) = mode {
            put_back(&mut f, mode);
        }
        let place = f.log.head().unwrap().cursor;
        let mut elsewhere = decided("eves", 1, json!({"a": 1}));
        elsewhere.key.resource = ResourceId::new("rows/y").unwrap();
        elsewhere.key.clock = Clock::new(7).unwrap();
        let verdicts = run_one(&mut f.log, again(place, Role::Owner, [elsewhere]));
        assert_eq!(
            code(&verdicts.unwrap().verdicts[0]),
            "invalid_op",
            "{mode:?}"
        );
    }
}
