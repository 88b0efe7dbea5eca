//! Writes of one record by several processes of a machine.

use super::*;

#[test]
fn a_write_builds_on_what_another_process_has_written_just_before() {
    let (place, mut server, mut one, _) = world();
    write(&mut one, "1", Action::Create, r#"{"text":"milk"}"#);
    offer(&mut one, &mut server, 10);
    pull(&mut one, &server);
    std::thread::scope(|scope| {
        for process in 0..4 {
            let mut replica = place.open("a");
            scope.spawn(move || {
                for n in 0..10 {
                    let values = format!(r#"{{"text":"{process} {n}"}}"#);
                    write(&mut replica, "1", Action::Update, &values);
                }
            });
        }
    });
    let mut before = String::from("milk");
    for row in one.local.outbox_after(0, 100).unwrap() {
        let offered: Offered = row.payload.unwrap().read().unwrap();
        let write = &offered.writes[0];
        assert_eq!(write.base["text"], before);
        before = write.values["text"].as_str().unwrap().to_owned();
    }
    offer(&mut one, &mut server, 100);
    pull(&mut one, &server);
    assert_eq!(text(&mut one, "1"), Some(before));
    assert!(one.quarantined().unwrap().is_empty());
}

#[test]
fn a_write_that_is_offered_again_builds_on_what_another_process_has_offered_again_just_before() {
    let (place, mut server, mut one, mut other) = world();
    write(&mut one, "1", Action::Create, r#"{"text":"milk"}"#);
    offer(&mut one, &mut server, 10);
    for replica in [&mut one, &mut other] {
        pull(replica, &server);
    }
    write(&mut other, "1", Action::Update, r#"{"text":"bread"}"#);
    offer(&mut other, &mut server, 10);
    for n in 0..40 {
        write(
            &mut one,
            "1",
            Action::Update,
            &format!(r#"{{"text":"{n}"}}"#),
        );
    }
    offer(&mut one, &mut server, 100);
    pull(&mut one, &server);
    let held = one.quarantined().unwrap();
    assert_eq!(held.len(), 40);
    std::thread::scope(|scope| {
        for ops in held.chunks(10) {
            let mut replica = place.open("a");
            scope.spawn(move || {
                for op in ops {
                    retry(&mut replica, op.id);
                }
            });
        }
    });
    let mut before = String::from("bread");
    for row in one.local.outbox_after(0, 100).unwrap() {
        let offered: Offered = row.payload.unwrap().read().unwrap();
        let write = &offered.writes[0];
        assert_eq!(write.base["text"], before);
        before = write.values["text"].as_str().unwrap().to_owned();
    }
}
