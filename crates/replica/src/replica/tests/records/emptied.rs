//! Fields that are emptied.

use super::*;

#[test]
fn an_optional_field_that_has_no_null_is_taken_out_by_it() {
    let (_place, mut server, mut one, mut other) = world();
    write(
        &mut one,
        "1",
        Action::Create,
        r#"{"text":"milk","done":true}"#,
    );
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    let key = write(&mut one, "1", Action::Update, r#"{"done":null}"#);
    let done = |replica: &mut Replica| {
        let mut rows = StoredRecords(replica.view().unwrap().connection());
        let record = rows.record("tasks", "1").unwrap().unwrap();
        record.columns.get("done").cloned()
    };
    assert_eq!(done(&mut one), None, "it shows at once");
    // What comes after builds on that.
    let again = write(&mut one, "1", Action::Update, r#"{"done":false}"#);
    offer(&mut one, &mut server, 10);
    for replica in [&mut one, &mut other] {
        pull(replica, &server);
    }
    for key in [key, again] {
        let outcome = one.record_outcome(&key).unwrap();
        assert!(matches!(outcome, RecordOutcome::Done { .. }), "{outcome:?}");
    }
    assert_eq!(done(&mut other), Some(false.into()));
}
