//! What readers who wait are told where memberships, by which records are seen, have changed.

use serde_json::{Value as Json, json};
use syncline_model::EpochMode;
use syncline_model::schema::{Role, Schema};

use super::forged::{again, decided, put_back};
use super::records::{apply, entities, one, record};
use super::*;

/// The entities of the other tests, of which `rows` are the memberships of accounts, and notes.
fn with_memberships() -> Fixture {
    let mut schema: Json = serde_json::to_value(entities()).unwrap();
    let accounts = json!({"name": "accounts", "singular": "account", "key": "id",
        "fields": [{"name": "id", "kind": "text"}], "mode": {"kind": "optimistic"},
        "access": {"role_via": {"entity": "rows", "entity_field": "id", "field": "id",
            "user_field": "id", "role_field": "id"}}});
    let notes = json!({"name": "notes", "singular": "note", "key": "id",
        "fields": [{"name": "id", "kind": "text"}], "mode": {"kind": "optimistic"}});
    let entities = schema["entities"].as_array_mut().unwrap();
    entities.extend([accounts, notes]);
    let schema: Schema = serde_json::from_value(schema).unwrap();
    let mut f = fixture();
    let applied = apply(&mut f.log, &schema, &[]);
    assert!(matches!(applied, Recorded::Applied { .. }), "{applied:?}");
    f
}

/// Whether who waits begins anew after these pushes, of which all ops were taken.
fn wakes_all(log: &mut TenantLog, pushes: impl IntoIterator<Item = Push>) -> bool {
    let mut writes: Vec<_> = pushes.into_iter().map(Write::Push).collect();
    let committed = log.commit(&mut writes, now());
    for outcome in committed.outcomes {
        let Ok(Outcome::Pushed(pushed)) = outcome else {
            panic!("{outcome:?} is no push");
        };
        let is_taken = |verdict: &Verdict| matches!(verdict, Verdict::Accepted(_));
        assert!(pushed.verdicts.iter().all(is_taken), "{pushed:?}");
    }
    committed.shapes.rotated
}

fn note(clock: u64, id: &str) -> ReceivedOp {
    let mut writes = one(id, "create", json!({}), json!({}));
    writes[0]["entity"] = "notes".into();
    record(clock, writes)
}

#[test]
fn a_membership_that_comes_changes_or_goes_wakes_who_waits_and_another_record_does_not() {
    let mut f = with_memberships();
    let mut clock = 0;
    for action in ["create", "update", "delete"] {
        clock += 1;
        let values = if action == "delete" {
            json!({})
        } else {
            json!({"a": clock})
        };
        let membership = record(clock, one("ada", action, values, json!({})));
        assert!(wakes_all(&mut f.log, [push([membership])]), "{action}");
        clock += 1;
        let note = note(clock, &format!("note{clock}"));
        assert!(!wakes_all(&mut f.log, [push([note])]), "{action}");
    }
    // Also where it is not the only write of its commit.
    let both = [
        push([record(10, one("eve", "create", json!({"a": 9}), json!({})))]),
        push([note(11, "last")]),
    ];
    assert!(wakes_all(&mut f.log, both));
}

#[test]
fn a_membership_that_is_offered_again_after_a_restore_wakes_who_waits() {
    let mut f = with_memberships();
    let place = put_back(&mut f, EpochMode::Heal);
    let offered = again(place, Role::Owner, [decided("eves", 2, json!({"a": 1}))]);
    assert!(wakes_all(&mut f.log, [offered]));
}
