//! Records on replicas: shown at once or when decided, refused alone, and seen by role.

use syncline_model::record::{
    Action, Asker, Mode, Offered, Records, RefusalCode, Rulebook, decide,
};
use syncline_model::schema::{RESOURCE, Role, Schema};
use syncline_model::{ActorId, Payload, UserId};
use syncline_store::records::{StoredRecords, is_pending};

use super::super::{RecordChange, RecordError, RecordOutcome};
use super::*;

mod defaults;
mod emptied;
mod lost;
mod retried;
mod together;

const SCHEMA: &str = r#"{"entities":[
    {"name":"cached","singular":"cached","key":"id","mode":{"kind":"cache","ttl_seconds":60},
     "fields":[{"name":"id","kind":"text"}]},
    {"name":"slow","singular":"slow","key":"id","mode":{"kind":"confirmed"},
     "fields":[{"name":"id","kind":"text"},{"name":"a","kind":"int64"}]},
    {"name":"tasks","singular":"task","key":"id","mode":{"kind":"optimistic"},"conflict":"reject",
     "fields":[{"name":"id","kind":"text"},{"name":"text","kind":"text"},
               {"name":"done","kind":"boolean"},{"name":"state","kind":"text","default":"new"},
               {"name":"note","kind":"text","sync_exclude":true}],
     "not_kept":["password"],"unique":[["text"]]}
]}"#;

/// Decides a replica's whole outbox, as a server does.
fn decided(server: &mut Server, rows: &[OutboxRow]) -> Vec<(OpKey, Verdict)> {
    let schema: Schema = Payload::stored(SCHEMA).read().unwrap();
    let rulebook = Rulebook::new(schema);
    let asker = Asker {
        user: UserId::new("u").unwrap(),
        role: Role::Owner,
    };
    let verdict = |row: &OutboxRow| {
        let payload = row.payload.as_ref().unwrap();
        assert!(!payload.as_str().contains("mine alone"), "{payload:?}");
        let offered: Offered = payload.read().unwrap();
        let mut stored = StoredRecords(server.file.connection());
        let verdict = match decide(&rulebook, &mut stored, &asker, &offered, at()).unwrap() {
            Ok(decision) => {
                let payload = decision.payload().unwrap();
                let mut batch = server.file.begin().unwrap();
                let taken = batch
                    .append(&row.key, Some(&payload), row.payload_hash)
                    .unwrap();
                batch.commit().unwrap();
                match taken {
                    Appended::At(seq, _) => Verdict::Acknowledged(seq),
                    other => panic!("{other:?} is no place"),
                }
            }
            Err(refusal) => Verdict::Refused {
                code: refusal.code.as_str().to_owned(),
                message: refusal.message.to_string(),
                details: Some(refusal.details().to_string()),
            },
        };
        (row.key.clone(), verdict)
    };
    rows.iter().map(verdict).collect()
}

/// Pushes as many ops as there are, `ops` at a time, and settles what came of them.
fn offer(replica: &mut Replica, server: &mut Server, ops: usize) {
    let limit = PageLimit { ops, ..WHOLE };
    while let Some(batch) = replica.next_batch(limit).unwrap() {
        let verdicts = decided(server, &batch.ops);
        replica.settle(&verdicts, NewClock::Onward).unwrap();
    }
}

fn world() -> (Place, Server, Replica, Replica) {
    let place = Place::new();
    let mut server = place.server("s");
    server.add(&Op {
        key: OpKey {
            actor: ActorId::new("admin").unwrap(),
            clock: Clock::new(1).unwrap(),
            scope: Scope::schema(),
            resource: RESOURCE.parse().unwrap(),
        },
        payload: Payload::parse(SCHEMA).unwrap(),
    });
    let (mut one, mut other) = (place.open("a"), place.open("b"));
    start(&mut one, &server);
    start(&mut other, &server);
    (place, server, one, other)
}

fn change(entity: &str, id: &str, action: Action, values: &str) -> RecordChange {
    RecordChange {
        entity: entity.to_owned(),
        id: (!id.is_empty()).then(|| id.to_owned()),
        action,
        values: Payload::stored(values).read().unwrap(),
    }
}

fn write(replica: &mut Replica, id: &str, action: Action, values: &str) -> OpKey {
    let written = replica.write_records(&[change("tasks", id, action, values)]);
    written.unwrap().key
}

/// The text of a task; none: it is not there.
fn text(replica: &mut Replica, id: &str) -> Option<String> {
    let mut rows = StoredRecords(replica.view().unwrap().connection());
    let found = rows
        .record("tasks", id)
        .unwrap()
        .filter(|record| !record.deleted)?;
    Some(found.value("text").as_str().unwrap_or_default().to_owned())
}

fn refused_with(replica: &mut Replica, key: &OpKey) -> String {
    match replica.record_outcome(key).unwrap() {
        RecordOutcome::Refused(op) => op.code,
        other => panic!("{other:?} is no refusal"),
    }
}

#[test]
fn a_write_shows_at_once_and_is_the_servers_once_it_is_pulled() {
    let (_place, mut server, mut one, mut other) = world();
    let key = write(
        &mut one,
        "1",
        Action::Create,
        r#"{"text":"milk","note":"mine alone","password":"mine alone"}"#,
    );
    assert_eq!(text(&mut one, "1").as_deref(), Some("milk"));
    assert!(is_pending(one.view().unwrap().connection(), "tasks", "1").unwrap());
    assert_eq!(one.record_outcome(&key).unwrap(), RecordOutcome::Waiting);
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    pull(&mut other, &server);
    let RecordOutcome::Done { seq, rows } = one.record_outcome(&key).unwrap() else {
        panic!("it was pulled")
    };
    assert_eq!((seq, rows.len()), (ServerSeq(2), 1));
    assert_eq!(outbox(&one), 0);
    equal_views(&mut one, &mut other);
    let log = server.file.ops_after(ServerSeq::ZERO, WHOLE).unwrap();
    assert!(
        log.iter()
            .all(|op| !op.payload.as_ref().unwrap().as_str().contains("mine alone"))
    );
}

#[test]
fn a_confirmed_write_shows_when_the_server_has_taken_it() {
    let (_place, mut server, mut one, _) = world();
    let written = one
        .write_records(&[change("slow", "", Action::Create, r#"{"a":1}"#)])
        .unwrap();
    assert_eq!((written.mode, written.ids.len()), (Mode::Confirmed, 1));
    let there = |replica: &mut Replica| {
        let mut rows = StoredRecords(replica.view().unwrap().connection());
        rows.record("slow", &written.ids[0]).unwrap().is_some()
    };
    assert!(!there(&mut one));
    offer(&mut one, &mut server, 10);
    assert!(!there(&mut one));
    pull(&mut one, &server);
    assert!(there(&mut one));
}

#[test]
fn the_later_of_two_own_writes_that_wait_for_the_server_stands() {
    let (_place, mut server, mut one, _) = world();
    let slow = |replica: &mut Replica, action, values| {
        let written = replica.write_records(&[change("slow", "1", action, values)]);
        written.unwrap().key
    };
    slow(&mut one, Action::Create, r#"{"a":1}"#);
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    slow(&mut one, Action::Update, r#"{"a":2}"#);
    let last = slow(&mut one, Action::Update, r#"{"a":3}"#);
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    let mut rows = StoredRecords(one.view().unwrap().connection());
    let record = rows.record("slow", "1").unwrap().unwrap();
    assert_eq!(record.value("a").as_i64(), Some(3));
    let RecordOutcome::Done { rows, .. } = one.record_outcome(&last).unwrap() else {
        panic!("it was pulled")
    };
    assert!(rows[0].lost.is_empty(), "{rows:?}");
    // Also where a delete is the later.
    slow(&mut one, Action::Update, r#"{"a":4}"#);
    slow(&mut one, Action::Delete, "{}");
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    let mut rows = StoredRecords(one.view().unwrap().connection());
    assert!(rows.record("slow", "1").unwrap().unwrap().deleted);
}

#[test]
fn a_delete_of_what_others_have_changed_since_is_refused() {
    let (_place, mut server, mut one, mut other) = world();
    write(
        &mut one,
        "1",
        Action::Create,
        r#"{"text":"milk","note":"x"}"#,
    );
    write(
        &mut one,
        "2",
        Action::Create,
        r#"{"text":"salt","note":"x"}"#,
    );
    offer(&mut one, &mut server, 10);
    for replica in [&mut one, &mut other] {
        pull(replica, &server);
    }
    write(&mut other, "1", Action::Update, r#"{"text":"bread"}"#);
    offer(&mut other, &mut server, 10);
    let (changed, alone) = (
        write(&mut one, "1", Action::Delete, "{}"),
        write(&mut one, "2", Action::Delete, "{}"),
    );
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    assert_eq!(refused_with(&mut one, &changed), "conflict");
    assert_eq!(text(&mut one, "1").as_deref(), Some("bread"));
    assert!(matches!(
        one.record_outcome(&alone).unwrap(),
        RecordOutcome::Done { .. }
    ));
    assert_eq!(text(&mut one, "2"), None);
}

#[test]
fn what_is_offered_has_no_hash_that_could_be_guessed() {
    let (_place, _server, mut one, mut other) = world();
    let mut hashes = Vec::new();
    for replica in [&mut one, &mut other] {
        write(replica, "1", Action::Create, r#"{"text":"milk"}"#);
        let batch = replica.next_batch(WHOLE).unwrap().unwrap();
        hashes.extend(batch.ops.iter().map(|row| row.payload_hash));
    }
    assert_eq!(hashes.len(), 2);
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn a_refusal_takes_back_its_write_and_what_builds_on_it_and_keeps_the_reason() {
    for ops in [1, 10] {
        let (_place, mut server, mut one, mut other) = world();
        write(&mut one, "1", Action::Create, r#"{"text":"milk"}"#);
        offer(&mut one, &mut server, 10);
        pull(&mut one, &server);
        pull(&mut other, &server);
        write(&mut other, "1", Action::Update, r#"{"text":"bread"}"#);
        offer(&mut other, &mut server, 10);
        let first = write(&mut one, "1", Action::Update, r#"{"text":"beer"}"#);
        let second = write(&mut one, "1", Action::Update, r#"{"text":"wine"}"#);
        let beside = write(&mut one, "1", Action::Update, r#"{"done":true}"#);
        let apart = write(&mut one, "2", Action::Create, r#"{"text":"salt"}"#);
        offer(&mut one, &mut server, ops);
        let RecordOutcome::Refused(op) = one.record_outcome(&first).unwrap() else {
            panic!("it was in conflict")
        };
        let details = op.details.unwrap();
        assert_eq!(op.code, "conflict");
        assert!(
            details.contains(r#""text":{"base":"milk","mine":"beer","theirs":"bread"}"#),
            "{details}"
        );
        let code = refused_with(&mut one, &second);
        assert!(
            ["depends_on_refused", "conflict"].contains(&&*code),
            "{code}"
        );
        pull(&mut one, &server);
        assert_eq!(text(&mut one, "1").as_deref(), Some("bread"));
        for key in [beside, apart] {
            assert!(matches!(
                one.record_outcome(&key).unwrap(),
                RecordOutcome::Done { .. }
            ));
        }
        pull(&mut other, &server);
        equal_views(&mut one, &mut other);
    }
}

#[test]
fn what_builds_on_a_refused_create_goes_with_it_and_what_stands_beside_stays() {
    let (_place, mut server, mut one, mut other) = world();
    write(&mut other, "x", Action::Create, r#"{"text":"salt"}"#);
    offer(&mut other, &mut server, 10);
    write(&mut one, "y", Action::Create, r#"{"text":"pepper"}"#);
    let clash = write(&mut one, "1", Action::Create, r#"{"text":"salt"}"#);
    let under = write(&mut one, "1", Action::Update, r#"{"done":true}"#);
    let both = one.write_records(&[
        change("tasks", "y", Action::Update, r#"{"done":true}"#),
        change("tasks", "1", Action::Update, r#"{"done":false}"#),
    ]);
    let both = both.unwrap().key;
    let apart = write(&mut one, "y", Action::Update, r#"{"text":"cumin"}"#);
    offer(&mut one, &mut server, 2);
    assert_eq!(refused_with(&mut one, &clash), "unique_violation");
    assert_eq!(refused_with(&mut one, &under), "depends_on_refused");
    assert_eq!(refused_with(&mut one, &both), "depends_on_refused");
    pull(&mut one, &server);
    assert!(matches!(
        one.record_outcome(&apart).unwrap(),
        RecordOutcome::Done { .. }
    ));
    assert_eq!(text(&mut one, "1"), None);
    assert_eq!(text(&mut one, "y").as_deref(), Some("cumin"));
    pull(&mut other, &server);
    equal_views(&mut one, &mut other);
}

#[test]
fn what_can_not_pass_is_refused_before_it_is_written() {
    let (_place, _server, mut one, _) = world();
    let refused =
        |replica: &mut Replica, change: RecordChange| match replica.write_records(&[change]) {
            Err(RecordError::Refused(refusal)) => Some(refusal.code),
            Err(RecordError::ReadOnly { .. }) => None,
            other => panic!("{other:?} is no refusal"),
        };
    let create = |entity, values| change(entity, "1", Action::Create, values);
    let bad = refused(&mut one, create("tasks", r#"{"done":"yes"}"#));
    assert_eq!(bad, Some(RefusalCode::ValidationFailed));
    assert_eq!(
        refused(&mut one, create("nothing", "{}")),
        Some(RefusalCode::UnknownEntity)
    );
    assert_eq!(refused(&mut one, create("cached", "{}")), None);
    let absent = change("tasks", "7", Action::Delete, "{}");
    assert_eq!(refused(&mut one, absent), Some(RefusalCode::NotFound));
    one.note_sight(Some("viewer.abc")).unwrap();
    assert_eq!(
        refused(&mut one, create("tasks", "{}")),
        Some(RefusalCode::Forbidden)
    );
    assert_eq!(outbox(&one), 0);
}

#[test]
fn an_op_of_which_a_part_was_left_out_is_never_offered_again() {
    let (place, mut server, mut one, _) = world();
    let restricted = r#"{"decided":[{"entity":"tasks","id":"1","action":"create"}],
        "by":"u","at":"2026-01-02T03:04:05.678Z","restricted":true}"#;
    server.add(&Op {
        key: OpKey {
            actor: ActorId::new("other").unwrap(),
            clock: Clock::new(9).unwrap(),
            scope: Scope::record(),
            resource: "tasks/1".parse().unwrap(),
        },
        payload: Payload::parse(restricted).unwrap(),
    });
    pull(&mut one, &server);
    let restored = place.server("restored");
    let offered = rebuild(
        &mut one,
        &restored,
        Offer {
            common: Cursor::ORIGIN,
            up_to: ServerSeq(2),
            mode: EpochMode::Heal,
        },
    );
    // The schema is.
    assert_eq!(offered, 1);
}
