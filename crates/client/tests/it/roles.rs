//! A role that is lost, with edits that had not left the machine.

use serde_json::{Value, json};
use syncline_model::record::{Action, Records, Values};
use syncline_model::schema::RESOURCE;
use syncline_model::{Payload, ResourceId, Scope};
use syncline_replica::{NewOp, RecordChange, RecordOutcome, Replica};
use syncline_store::control::Rights;
use syncline_store::records::StoredRecords;

use crate::house::{Machine, open, until};
use crate::login::Guarded;

/// Notes that are shared by membership, and show at once where they are written.
fn schema() -> Payload {
    let field = |name: &str| json!({"name": name, "kind": "text"});
    let optimistic = json!({"kind": "optimistic"});
    let schema = json!({"entities": [
        {"name": "members", "singular": "member", "key": "id", "mode": optimistic,
            "fields": [field("id"), field("user_id"), field("team"), field("role")]},
        {"name": "notes", "singular": "note", "key": "id", "mode": optimistic,
            "fields": [field("id"), field("team"), field("text")],
            "access": {"role_via": {"entity": "members", "entity_field": "team", "field": "team",
                "user_field": "user_id", "role_field": "role"}}},
    ]});
    Payload::from_value(&schema).unwrap()
}

fn change(entity: &str, id: &str, action: Action, values: Value) -> RecordChange {
    let values: Values = serde_json::from_value(values).unwrap();
    RecordChange {
        entity: entity.to_owned(),
        id: Some(id.to_owned()),
        action,
        values,
    }
}

fn text_of(replica: &mut Replica) -> Option<String> {
    let view = replica.view().unwrap();
    let note = StoredRecords(view.connection()).record("notes", "n");
    let note = note.unwrap().filter(|note| !note.deleted)?;
    Some(note.value("text").as_str()?.to_owned())
}

#[test]
fn a_lost_role_takes_its_rows_away_and_never_an_edit_that_was_not_sent() {
    let home = tempfile::tempdir().unwrap();
    let mut server = Guarded::start(&home.path().join("server"));
    let (admin, _) = server.token("acme", "olga", Rights::Admin);
    let (member, _) = server.token("acme", "vi", Rights::Sync);
    let settings = server.settings(&admin);
    let mut olga = Machine::start("olga", &home.path().join("olga"), settings);
    let applied = NewOp {
        scope: Scope::schema(),
        resource: ResourceId::new(RESOURCE).unwrap(),
        payload: schema(),
    };
    olga.replica.write(&[applied]).unwrap();
    olga.sync();
    let share = |user: &str| {
        let values = json!({"id": user, "user_id": user, "team": "t", "role": "editor"});
        change("members", user, Action::Create, values)
    };
    let note = json!({"id": "n", "team": "t", "text": "first"});
    let note = change("notes", "n", Action::Create, note);
    olga.replica
        .write_records(&[share("olga"), share("vi"), note])
        .unwrap();
    olga.sync();

    let at = home.path().join("vi");
    let settings = server.settings(&member);
    let vi = Machine::start("vi", &at, settings.clone());
    vi.sync();
    // Offline from here on.
    let at = vi.stop();
    let mut replica = open(&at);
    assert_eq!(text_of(&mut replica).as_deref(), Some("first"));
    let edit = change("notes", "n", Action::Update, json!({"text": "unsent"}));
    let edit = replica.write_records(&[edit]).unwrap();
    assert_eq!(text_of(&mut replica).as_deref(), Some("unsent"));
    drop(replica);

    let lost = change("members", "vi", Action::Delete, json!({}));
    olga.replica.write_records(&[lost]).unwrap();
    olga.sync();
    let mut vi = Machine::start("vi", &at, settings);
    until("the row has left", || text_of(&mut vi.replica).is_none());
    until("the edit was judged", || {
        let outcome = vi.replica.record_outcome(&edit.key).unwrap();
        !matches!(outcome, RecordOutcome::Waiting)
    });
    let RecordOutcome::Refused(kept) = vi.replica.record_outcome(&edit.key).unwrap() else {
        panic!("who does not see a record does not change it");
    };
    let payload = kept.payload.as_ref().unwrap();
    assert!(
        payload.as_str().contains("unsent"),
        "the edit is kept, with its reason: {kept:?}"
    );
    assert_eq!(vi.replica.quarantined().unwrap().len(), 1);
    assert_eq!(text_of(&mut olga.replica).as_deref(), Some("first"));
}
