//! Defaults of records that wait: shown, and said by nobody.

use super::*;

#[test]
fn a_default_shows_while_its_record_waits_and_is_said_by_nobody() {
    let (_place, mut server, mut one, _) = world();
    write(&mut one, "1", Action::Create, r#"{"text":"milk"}"#);
    let state = |replica: &mut Replica| {
        let mut rows = StoredRecords(replica.view().unwrap().connection());
        let record = rows.record("tasks", "1").unwrap().unwrap();
        record.value("state").as_str().map(str::to_owned)
    };
    assert_eq!(state(&mut one).as_deref(), Some("new"));
    write(
        &mut one,
        "1",
        Action::Update,
        r#"{"state":"open","done":true}"#,
    );
    write(&mut one, "1", Action::Update, r#"{"state":"over"}"#);
    let offered = one.local.outbox_after(0, 10).unwrap();
    let offered = offered.iter().map(|row| {
        let offered: Offered = row.payload.as_ref().unwrap().read().unwrap();
        offered.writes.into_iter().next().unwrap()
    });
    let offered: Vec<_> = offered.collect();
    assert!(!offered[0].values.contains_key("state"), "{offered:?}");
    assert_eq!(offered[0].defaults["state"], "new");
    // Nobody can say yet what it will be, but that of the other it is known.
    assert!(!offered[1].base.contains_key("state"), "{offered:?}");
    assert!(offered[1].base["done"].is_null(), "{offered:?}");
    assert_eq!(offered[2].base["state"], "open");
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    assert_eq!(state(&mut one).as_deref(), Some("over"));
    assert_eq!(outbox(&one), 0);
}
