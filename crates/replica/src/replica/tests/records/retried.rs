//! Refused writes of records that are offered again.

use super::*;

/// Two know a task; the second replica's change of it has reached the server.
fn changed_by_other() -> (Place, Server, Replica) {
    let (place, mut server, mut one, mut other) = world();
    write(&mut one, "1", Action::Create, r#"{"text":"milk"}"#);
    offer(&mut one, &mut server, 10);
    for replica in [&mut one, &mut other] {
        pull(replica, &server);
    }
    write(&mut other, "1", Action::Update, r#"{"text":"bread"}"#);
    offer(&mut other, &mut server, 10);
    (place, server, one)
}

#[test]
fn a_write_in_conflict_is_offered_again_on_what_its_writer_has_seen_since() {
    for action in [Action::Update, Action::Delete] {
        let (_place, mut server, mut one) = changed_by_other();
        let values = match action {
            Action::Update => r#"{"text":"salt"}"#,
            Action::Create | Action::Delete => "{}",
        };
        let key = write(&mut one, "1", action, values);
        offer(&mut one, &mut server, 10);
        assert_eq!(refused_with(&mut one, &key), "conflict");
        // Its writer has not seen the other's yet: as before, it does not win unseen.
        let held = one.quarantined().unwrap();
        let key = retry(&mut one, held[0].id);
        offer(&mut one, &mut server, 10);
        assert_eq!(refused_with(&mut one, &key), "conflict");
        pull(&mut one, &server);
        assert_eq!(text(&mut one, "1").as_deref(), Some("bread"));
        let held = one.quarantined().unwrap();
        let key = retry(&mut one, held[0].id);
        offer(&mut one, &mut server, 10);
        pull(&mut one, &server);
        let outcome = one.record_outcome(&key).unwrap();
        assert!(matches!(outcome, RecordOutcome::Done { .. }), "{outcome:?}");
        let stands = (action == Action::Update).then(|| "salt".to_owned());
        assert_eq!(text(&mut one, "1"), stands);
        assert!(one.quarantined().unwrap().is_empty());
    }
}

#[test]
fn several_that_are_offered_again_build_on_each_other_as_before() {
    let (_place, mut server, mut one) = changed_by_other();
    let texts = [r#"{"text":"salt"}"#, r#"{"text":"pepper"}"#];
    for values in texts {
        write(&mut one, "1", Action::Update, values);
    }
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    let held = one.quarantined().unwrap();
    assert_eq!(held.len(), 2);
    for op in held {
        one.retry_quarantined(&[op.id], LaterWords::Stay).unwrap();
    }
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    assert_eq!(text(&mut one, "1").as_deref(), Some("pepper"));
    assert!(one.quarantined().unwrap().is_empty());
}
