use super::*;

fn moved(before: u64, last: u64) -> Moved {
    Moved {
        last: behind(last),
        before: ServerSeq(before),
        wakes: 1,
    }
}

/// What a reader has seen, and from where it has to look, of a topic that was told of everything up to 9.
#[test]
fn a_reader_looks_no_further_back_than_what_it_has_not_seen() {
    let cases = [
        // Nothing has concerned it: all that was told is as good as seen.
        (moved(0, 0), 3, 9),
        (moved(0, 0), 12, 12),
        // One op has.
        (moved(0, 5), 5, 9),
        (moved(0, 5), 3, 4),
        // Two have, and only the later one was not seen.
        (moved(5, 7), 6, 6),
        (moved(5, 7), 5, 6),
        (moved(5, 7), 7, 9),
        // Of those before the last two nothing is known.
        (moved(5, 7), 4, 4),
        // Everything may be another thing.
        (moved(u64::MAX, u64::MAX), 8, 8),
    ];
    for (moved, seen, from) in cases {
        let found = moved.unseen_from(ServerSeq(seen), ServerSeq(9));
        assert_eq!(found, ServerSeq(from), "{moved:?}, seen to {seen}");
    }
}

/// A topic without a filter on a table of this name.
fn waited_for(hub: &Hub, name: &str) -> Waiting {
    let topic = Arc::new(Topic {
        filter: None,
        columns: Vec::new(),
        since: hub.told(),
        moved: watch::Sender::default(),
    });
    let waiting = topic.waiting();
    let mut tables = hub.tables.lock().expect(UNPOISONED);
    let table = tables.entry(name.to_owned()).or_default();
    table.add((String::new(), String::new()), topic);
    waiting
}

/// Behind all rows of an op.
fn behind_all(seq: u64) -> After {
    After {
        seq: ServerSeq(seq),
        rows: u64::MAX,
    }
}

/// Behind the first row of an op.
fn behind(seq: u64) -> After {
    After {
        seq: ServerSeq(seq),
        rows: 1,
    }
}

fn change(relation: &str, seq: u64) -> ShapeChange {
    ShapeChange {
        relation: relation.into(),
        place: behind(seq),
        before: None,
        after: Some("[\"x\"]".to_owned()),
    }
}

#[test]
fn a_commit_wakes_who_waits_for_what_it_has_changed() {
    let hub = Hub::default();
    let (mut notes, mut people) = (waited_for(&hub, "notes"), waited_for(&hub, "people"));
    let changes = ShapeChanges {
        rows: vec![change("notes", 4), change("notes", 6)],
        rotated: false,
    };
    hub.queue(ServerSeq(6), changes);
    assert!(
        !notes.moved.has_changed().unwrap(),
        "it is not published yet"
    );
    hub.publish();
    assert!(!people.moved.has_changed().unwrap());
    assert!(notes.moved.has_changed().unwrap());
    let moved = *notes.moved.borrow_and_update();
    assert_eq!((moved.before, moved.last), (ServerSeq(4), behind(6)));
    assert_eq!(hub.told(), ServerSeq(6));
    // What no shape is made of is told of too: nobody looks at it again.
    hub.queue(ServerSeq(9), ShapeChanges::default());
    hub.publish();
    assert!(!notes.moved.has_changed().unwrap() && !people.moved.has_changed().unwrap());
    assert_eq!(hub.told(), ServerSeq(9));
    let _ = people.moved.borrow_and_update();
}

#[test]
fn who_waits_looks_at_everything_where_shapes_may_have_gone() {
    let hub = Hub::default();
    let mut notes = waited_for(&hub, "notes");
    let rotated = ShapeChanges {
        rotated: true,
        ..ShapeChanges::default()
    };
    hub.queue(ServerSeq(6), rotated);
    hub.publish();
    let moved = *notes.moved.borrow_and_update();
    assert_eq!(moved.unseen_from(ServerSeq(5), hub.told()), ServerSeq(5));
    // They find another topic, and this one wakes them for the last time.
    assert!(hub.tables.lock().expect(UNPOISONED).is_empty());
    assert!(notes.moved.has_changed().is_err());
}

#[test]
fn who_has_seen_the_last_that_concerns_them_need_not_look() {
    let hub = Hub::default();
    let notes = waited_for(&hub, "notes");
    let is_still = |waiting: &Waiting, after| hub.is_still(waiting, *waiting.moved.borrow(), after);
    assert!(!is_still(&notes, behind(9)), "nothing was told yet");
    let commit = |seq, rows| {
        let changes = ShapeChanges {
            rows,
            rotated: false,
        };
        hub.queue(ServerSeq(seq), changes);
        hub.publish();
    };
    commit(4, vec![]);
    assert!(is_still(&notes, behind_all(4)) && is_still(&notes, behind(5)));
    assert!(
        !is_still(&notes, behind_all(3)) && !is_still(&notes, behind(4)),
        "of what was before nothing is known, nor of its other rows"
    );
    let mut second = change("notes", 6);
    second.place.rows = 2;
    commit(6, vec![change("notes", 6), second]);
    assert!(!is_still(&notes, behind(5)));
    assert!(!is_still(&notes, behind(6)), "one of its rows was not seen");
    let whole = After {
        seq: ServerSeq(6),
        rows: 2,
    };
    assert!(is_still(&notes, whole));
    commit(8, vec![change("people", 8)]);
    assert!(is_still(&notes, whole) && is_still(&notes, behind(8)));
    // Who comes later hears of nothing that was before.
    let people = waited_for(&hub, "people");
    assert!(!is_still(&people, behind_all(7)) && is_still(&people, behind_all(8)));
    assert!(!is_still(&people, behind(8)), "the rest of an op is unseen");
    // While nobody is there nothing is asked of: who comes back has to look.
    drop(notes);
    commit(9, vec![change("notes", 9)]);
    let tables = hub.tables.lock().expect(UNPOISONED);
    let notes = tables["notes"].others[0].waiting();
    drop(tables);
    assert!(!is_still(&notes, behind(9)));
    // Shapes may have gone: who found theirs before has to look.
    let rotated = ShapeChanges {
        rotated: true,
        ..ShapeChanges::default()
    };
    hub.queue(ServerSeq(10), rotated);
    hub.publish();
    let people = waited_for(&hub, "people");
    assert!(!is_still(&people, behind_all(9)) && is_still(&people, behind_all(10)));
    assert!(!is_still(&people, behind(10)));
    hub.wake_all();
    let people = waited_for(&hub, "people");
    assert!(!is_still(&people, behind_all(10)));
}
