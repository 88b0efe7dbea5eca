use super::*;

fn moved(before: u64, last: u64) -> Moved {
    Moved {
        last: ServerSeq(last),
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
fn waited_for(hub: &Hub, name: &str) -> watch::Receiver<Moved> {
    let topic = Arc::new(Topic {
        filter: None,
        columns: Vec::new(),
        moved: watch::Sender::default(),
    });
    let receiver = topic.moved.subscribe();
    let mut tables = hub.tables.lock().expect(UNPOISONED);
    let table = tables.entry(name.to_owned()).or_default();
    table.add((String::new(), String::new()), topic);
    receiver
}

fn change(relation: &str, seq: u64) -> ShapeChange {
    ShapeChange {
        relation: relation.into(),
        seq: ServerSeq(seq),
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
    assert!(!notes.has_changed().unwrap(), "it is not published yet");
    hub.publish();
    assert!(!people.has_changed().unwrap());
    assert!(notes.has_changed().unwrap());
    let moved = *notes.borrow_and_update();
    assert_eq!((moved.before, moved.last), (ServerSeq(4), ServerSeq(6)));
    assert_eq!(hub.told(), ServerSeq(6));
    // What no shape is made of is told of too: nobody looks at it again.
    hub.queue(ServerSeq(9), ShapeChanges::default());
    hub.publish();
    assert!(!notes.has_changed().unwrap() && !people.has_changed().unwrap());
    assert_eq!(hub.told(), ServerSeq(9));
    let _ = people.borrow_and_update();
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
    let moved = *notes.borrow_and_update();
    assert_eq!(moved.unseen_from(ServerSeq(5), hub.told()), ServerSeq(5));
    // They find another topic, and this one wakes them for the last time.
    assert!(hub.tables.lock().expect(UNPOISONED).is_empty());
    assert!(notes.has_changed().is_err());
}
