//! What requests of their own write of records and of the schema.

use serde_json::json;
use syncline_model::record::Asker;
use syncline_model::schema::{ChangeKind, Role};
use syncline_protocol::ErrorCode;
use syncline_store::records::schema;

use super::records::{apply, entities, offered, one, record, with_schema, write};
use super::*;

#[test]
fn a_request_that_is_repeated_writes_once() {
    let mut f = with_schema();
    let change =
        |a: i64| RecordChange::Records(offered(one("x", "create", json!({"a": a}), json!({}))));
    let first = write(&mut f.log, Role::Editor, change(1), Some("key"));
    assert!(
        matches!(
            first,
            Recorded::Written {
                seq: ServerSeq(2),
                ..
            }
        ),
        "{first:?}"
    );
    let Recorded::Written { rows, .. } = first else {
        panic!("it is new");
    };
    let again = write(&mut f.log, Role::Editor, change(1), Some("key"));
    let seq = Some(ServerSeq(2));
    assert_eq!(again, Recorded::Repeated { seq, rows });
    assert_eq!(
        write(&mut f.log, Role::Editor, change(2), Some("key")),
        Recorded::KeyReused
    );
    let other = write(&mut f.log, Role::Editor, change(1), Some("other"));
    let Recorded::Refused(refusal) = &other else {
        panic!("the record is there already");
    };
    assert_eq!(refusal.code, ErrorCode::AlreadyExists);
    let gone = RecordChange::Records(offered(one("x", "delete", json!({}), json!({}))));
    write(&mut f.log, Role::Editor, gone, None);
    let again = write(&mut f.log, Role::Editor, change(1), Some("other"));
    assert_eq!(again, other, "what was refused stays refused");
    let reused = write(&mut f.log, Role::Editor, change(2), Some("other"));
    assert_eq!(reused, Recorded::KeyReused);
}

#[test]
fn a_schema_that_takes_something_away_needs_leave_and_counts_at_once() {
    let mut f = with_schema();
    let mut smaller = entities();
    smaller.entities[1].fields.retain(|field| field.name != "b");
    let Recorded::Breaking(changes) = apply(&mut f.log, &smaller, &[]) else {
        panic!("a field is dropped");
    };
    assert_eq!(changes[0].to_string(), "drop-field rows.b: is gone");
    let applied = apply(&mut f.log, &smaller, &[ChangeKind::DropField]);
    assert!(matches!(
        applied,
        Recorded::Applied {
            seq: ServerSeq(2),
            ..
        }
    ));
    let file = f.log.file().unwrap();
    let stands = schema(file.connection()).unwrap().unwrap().schema;
    assert_eq!(stands, smaller.clone().following(&entities()));
    smaller.entities.clear();
    apply(&mut f.log, &smaller, &[ChangeKind::DropEntity]);
    let create = record(9, one("x", "create", json!({}), json!({})));
    assert_eq!(code(&verdicts(&mut f.log, [create])[0]), "unknown_entity");
}

#[test]
fn a_schema_in_the_same_group_rules_what_comes_after_it() {
    let mut f = fixture();
    let create = |clock| push([record(clock, one("x", "create", json!({}), json!({})))]);
    let change = RecordChange::Schema {
        schema: entities(),
        allow: Vec::new(),
    };
    let schema = RecordWrite {
        asker: Asker {
            user: user("ada"),
            role: Role::Owner,
        },
        change,
        repeat: None,
        after: Vec::new(),
        salt: None,
    };
    let mut writes = [
        Write::Push(create(1)),
        Write::Record(Box::new(schema)),
        Write::Push(create(20)),
    ];
    let outcomes = f.log.commit(&mut writes, now()).outcomes;
    let verdict = |n: usize| match &outcomes[n] {
        Ok(Outcome::Pushed(pushed)) => pushed.verdicts[0].clone(),
        other => panic!("{other:?} is no push"),
    };
    assert_eq!(code(&verdict(0)), "unknown_entity");
    assert_eq!(verdict(2), accepted(2));
}
