//! Records and schemas: decided in the group commit, against what stands before them in it.

use serde_json::{Value as Json, json};
use syncline_model::Salt;
use syncline_model::record::{Asker, Mode, Offered};
use syncline_model::schema::{ChangeKind, Role, Schema};
use syncline_store::control::Rights;
use syncline_store::records::StoredRecords;

use super::*;

pub(super) fn entities() -> Schema {
    let fields = json!([
        {"name": "id", "kind": "text"}, {"name": "a", "kind": "int64"},
        {"name": "b", "kind": "int64"}, {"name": "pay", "kind": "int64", "owner_only": true},
    ]);
    serde_json::from_value(json!({"entities": [
        {"name": "cached", "singular": "cached", "key": "id", "fields": fields.clone(),
            "mode": {"kind": "cache", "ttl_seconds": 60}},
        {"name": "rows", "singular": "row", "key": "id", "fields": fields,
            "mode": {"kind": "optimistic"}, "conflict": "reject", "unique": [["a"]]},
    ]}))
    .unwrap()
}

pub(super) fn write(
    log: &mut TenantLog,
    role: Role,
    change: RecordChange,
    repeat: Option<&str>,
) -> Recorded {
    let write = RecordWrite {
        asker: Asker {
            user: user("ada"),
            role,
        },
        change,
        repeat: repeat.map(RepeatKey::new),
        after: Vec::new(),
        salt: Some(Salt::new([7; 16])),
    };
    let committed = log.commit(&mut [Write::Record(Box::new(write))], now());
    match committed.outcomes.into_iter().next().unwrap().unwrap() {
        Outcome::Recorded(recorded) => recorded,
        other => panic!("{other:?} is no answer to a write of records"),
    }
}

pub(super) fn apply(log: &mut TenantLog, schema: &Schema, allow: &[ChangeKind]) -> Recorded {
    let change = RecordChange::Schema {
        schema: schema.clone(),
        allow: allow.to_vec(),
    };
    write(log, Role::Owner, change, None)
}

pub(super) fn with_schema() -> Fixture {
    let mut f = fixture();
    let applied = apply(&mut f.log, &entities(), &[]);
    assert!(
        matches!(
            applied,
            Recorded::Applied {
                seq: ServerSeq(1),
                ..
            }
        ),
        "{applied:?}"
    );
    f
}

pub(super) fn offered(writes: Json) -> Offered {
    Offered {
        writes: serde_json::from_value(writes).unwrap(),
        mode: Mode::Optimistic,
        salt: None,
    }
}

pub(super) fn one(id: &str, action: &str, values: Json, base: Json) -> Json {
    json!([{"entity": "rows", "id": id, "action": action, "values": values, "base": base}])
}

pub(super) fn record(clock: u64, writes: Json) -> ReceivedOp {
    let offered = offered(writes);
    let mut op = formed("record", "a", clock, offered.payload().unwrap().as_str());
    op.key.resource = offered.resource().unwrap();
    ReceivedOp::Readable(op)
}

pub(super) fn column(log: &mut TenantLog, id: &str, column: &str) -> Json {
    use syncline_model::record::Records;
    let file = log.file().unwrap();
    let found = StoredRecords(file.connection()).record("rows", id).unwrap();
    found.map_or(Json::Null, |record| record.value(column).clone())
}

fn details(verdict: &Verdict) -> Json {
    match verdict {
        Verdict::Rejected(error) => {
            serde_json::from_str(error.details.as_deref().unwrap_or("null")).unwrap()
        }
        Verdict::Accepted(_) | Verdict::Duplicate(_) => panic!("{verdict:?} is no refusal"),
    }
}

#[test]
fn each_op_is_decided_on_what_was_taken_before_it_and_a_refusal_takes_no_place() {
    let mut f = with_schema();
    let pushes = [
        push([
            record(1, one("x", "create", json!({"a": 1, "b": 1}), json!({}))),
            record(2, one("y", "create", json!({"a": 1}), json!({}))),
            record(3, one("x", "update", json!({"a": 2}), json!({"a": 1}))),
        ]),
        push([
            record(4, one("y", "create", json!({"a": 1}), json!({}))),
            record(5, one("x", "update", json!({"b": 9}), json!({"b": 0}))),
        ]),
    ];
    let answers = run(&mut f.log, pushes);
    let first = &answers[0].as_ref().unwrap().verdicts;
    assert_eq!((&first[0], &first[2]), (&accepted(2), &accepted(3)));
    assert_eq!(code(&first[1]), "unique_violation");
    let second = &answers[1].as_ref().unwrap().verdicts;
    assert_eq!(second[0], accepted(4));
    assert_eq!(code(&second[1]), "conflict");
    let expected = json!({
        "write": 0, "entity": "rows", "id": "x",
        "conflicts": {"b": {"base": 0, "mine": 9, "theirs": 1}},
    });
    assert_eq!(details(&second[1]), expected);
    assert_eq!(places(&mut f.log), [1, 2, 3, 4]);
    assert_eq!(column(&mut f.log, "x", "a"), 2);
}

#[test]
fn an_op_offered_again_gets_the_same_answer_whatever_has_changed() {
    let mut f = with_schema();
    let create = record(1, one("x", "create", json!({"a": 1}), json!({})));
    let refused = record(2, one("z", "update", json!({"a": 7}), json!({})));
    let first = verdicts(&mut f.log, [create.clone(), refused.clone()]);
    assert_eq!((&first[0], code(&first[1])), (&accepted(2), "not_found"));
    verdicts(
        &mut f.log,
        [record(3, one("z", "create", json!({}), json!({})))],
    );
    let again = verdicts(&mut f.log, [create, refused]);
    assert_eq!(again[0], duplicate(2));
    assert_eq!(
        (&again[1], details(&again[1])["id"].as_str()),
        (&first[1], Some("z"))
    );
    assert_eq!(column(&mut f.log, "z", "a"), Json::Null);
    let other = record(1, one("x", "create", json!({"a": 2}), json!({})));
    assert_eq!(code(&verdicts(&mut f.log, [other])[0]), "key_conflict");
}

#[test]
fn the_log_holds_the_decision_under_the_hash_of_what_was_offered() {
    let mut f = with_schema();
    let op = record(1, one("x", "create", json!({"a": 1}), json!({})));
    let ReceivedOp::Readable(sent) = op.clone() else {
        unreachable!("it is readable")
    };
    verdicts(&mut f.log, [op]);
    let limit = PageLimit {
        ops: 10,
        bytes: 1 << 20,
    };
    let held = f
        .log
        .file()
        .unwrap()
        .ops_after(ServerSeq(1), limit)
        .unwrap();
    let payload: Json = held[0].payload.as_ref().unwrap().read().unwrap();
    assert_eq!(payload["decided"][0]["values"], json!({"id": "x", "a": 1}));
    assert_eq!(payload["by"], "ada");
    assert_eq!(
        (held[0].payload_hash, &held[0].key),
        (sent.payload_hash, &sent.key)
    );
}

#[test]
fn what_builds_on_a_refused_op_of_its_push_is_refused_with_it() {
    let mut f = with_schema();
    verdicts(
        &mut f.log,
        [record(
            1,
            one("x", "create", json!({"a": 1, "b": 1}), json!({})),
        )],
    );
    let verdicts = verdicts(
        &mut f.log,
        [
            record(2, one("x", "update", json!({"b": 2}), json!({"b": 0}))),
            record(3, one("x", "update", json!({"b": 3}), json!({"b": 2}))),
            record(4, one("x", "update", json!({"a": 4}), json!({"a": 1}))),
            record(5, one("y", "update", json!({"a": 5}), json!({}))),
            record(
                6,
                json!([
                    one("y", "delete", json!({}), json!({}))[0],
                    one("z", "create", json!({}), json!({}))[0]
                ]),
            ),
            record(7, one("z", "update", json!({"a": 9}), json!({}))),
            op("a", 8),
        ],
    );
    let codes: Vec<_> = [0, 1, 3, 4, 5].map(|n| code(&verdicts[n])).into();
    let under = "depends_on_refused";
    assert_eq!(codes, ["conflict", under, "not_found", under, under]);
    assert_eq!((&verdicts[2], &verdicts[6]), (&accepted(3), &accepted(4)));
}

#[test]
fn roles_and_modes_are_kept_by_what_replicas_push() {
    let mut f = with_schema();
    let by = |role, ops: Vec<ReceivedOp>| Push {
        standing: Standing {
            role,
            rights: Rights::Sync,
        },
        ..push(ops)
    };
    let create = |clock, values| record(clock, one("x", "create", values, json!({})));
    let viewer = run_one(&mut f.log, by(Role::Viewer, vec![create(1, json!({}))])).unwrap();
    assert_eq!(code(&viewer.verdicts[0]), "forbidden");
    let editor = by(
        Role::Editor,
        vec![create(2, json!({"pay": 7})), create(3, json!({"a": 1}))],
    );
    let editor = run_one(&mut f.log, editor).unwrap().verdicts;
    assert_eq!(
        (code(&editor[0]), &editor[1]),
        ("forbidden_field", &accepted(2))
    );
    let cached = json!([{"entity": "cached", "id": "x", "action": "create"}]);
    let owner = run_one(&mut f.log, by(Role::Owner, vec![record(4, cached.clone())])).unwrap();
    assert_eq!(code(&owner.verdicts[0]), "forbidden");
    let change = RecordChange::Records(offered(cached));
    let recorded = write(&mut f.log, Role::Owner, change, None);
    assert!(matches!(recorded, Recorded::Written { .. }), "{recorded:?}");
    let own = by(
        Role::Owner,
        vec![ReceivedOp::Readable(formed(
            "schema",
            "a",
            9,
            "{\"entities\":[]}",
        ))],
    );
    assert_eq!(
        code(&run_one(&mut f.log, own).unwrap().verdicts[0]),
        "forbidden"
    );
}

#[test]
fn a_page_holds_what_its_reader_may_see_and_another_sight_begins_anew() {
    let mut f = fixture();
    let mut hiding = entities();
    hiding.entities[1].access = serde_json::from_value(json!({
        "field_groups": {"g": ["b"]}, "read_permissions": {"owner": ["g"]},
        "role_permissions": {"owner": ["g"]},
    }))
    .unwrap();
    apply(&mut f.log, &hiding, &[]);
    verdicts(
        &mut f.log,
        [record(
            1,
            one("x", "create", json!({"a": 1, "b": 4711}), json!({})),
        )],
    );
    let limit = PageLimit {
        ops: 10,
        bytes: 1 << 20,
    };
    let asker = |role| Asker {
        user: user("eve"),
        role,
    };
    let read = |file: &TenantFile, asker: &Asker, since: Claims, named: Option<&str>| {
        let reader = Reader::OfPart {
            asker,
            schema: &hiding,
            named,
        };
        let (_, json) = read_page_for(file, &since, limit, reader)?;
        Ok::<_, Refused>(PullPage::decode(&json).unwrap())
    };
    let file = f.log.file().unwrap();
    let editor = asker(Role::Editor);
    let page = read(file, &editor, Claims::default(), None).unwrap();
    let sight = page.sight.clone().unwrap();
    assert!(sight.starts_with("editor."), "{sight}");
    let payload = page.ops[1].payload.as_ref().unwrap();
    assert!(!payload.as_str().contains("4711") && payload.as_str().contains("restricted"));
    let whole = read_page(file, &Claims::default(), limit).unwrap().1;
    let whole = PullPage::decode(&whole).unwrap();
    assert!(
        whole.ops[1]
            .payload
            .as_ref()
            .unwrap()
            .as_str()
            .contains("4711")
    );
    assert_eq!(page.ops[1].payload_hash, whole.ops[1].payload_hash);
    let later = at(page.cursor);
    assert!(read(file, &editor, later, Some(&sight)).is_ok());
    let other = read(file, &asker(Role::Viewer), later, Some(&sight));
    assert!(
        matches!(other, Err(Refused::RebuildRequired { .. })),
        "{other:?}"
    );
    assert!(read(file, &asker(Role::Viewer), Claims::default(), Some(&sight)).is_ok());
}

#[test]
fn an_entity_does_not_come_back_with_a_key_that_its_records_are_not_called_by() {
    let mut f = with_schema();
    let made = offered(one("x", "create", json!({"a": 1}), json!({})));
    write(&mut f.log, Role::Owner, RecordChange::Records(made), None);
    let mut without = entities();
    without.entities.retain(|entity| entity.name != "rows");
    let dropped = apply(&mut f.log, &without, &[ChangeKind::DropEntity]);
    assert!(matches!(dropped, Recorded::Applied { .. }), "{dropped:?}");
    let mut other = entities();
    other.entities[1].key = "a".to_owned();
    match apply(&mut f.log, &other, &ChangeKind::ALL) {
        Recorded::Refused(error) => {
            assert!(
                error.message.contains("can't be called by `a`"),
                "{error:?}"
            );
        }
        recorded => panic!("{recorded:?} shows records under other names"),
    }
    let back = apply(&mut f.log, &entities(), &[]);
    assert!(matches!(back, Recorded::Applied { .. }), "{back:?}");
}
