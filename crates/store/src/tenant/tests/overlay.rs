//! What is pending on top of the log: shown, rewound, replayed, refused, deleted.

use super::*;

#[test]
fn pending_entries_stand_last_until_they_are_pulled() {
    let dir = Dir::new();
    let (mut server, mut replica) = (dir.create("s.db"), dir.create("r.db"));
    append(
        &mut server,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, "one")),
        ],
    );
    pull(&server, &mut replica, &[], 10);
    let mine = [
        op("b", 3, thread(1), &entry(2, "mine")),
        op("b", 4, thread(1), &entry(3, "later")),
    ];
    let outbox = pending(&mine);
    replica.fold_outbox(&outbox[..]).unwrap();
    let theirs = op("a", 3, thread(1), &entry(4, "theirs"));
    append(&mut server, &[theirs, mine[0].clone()]);
    replica
        .apply(&page(&server, ServerSeq(2), 1), &outbox[..])
        .unwrap();
    let own = |n, text: &str| (n, text.to_owned());
    assert_eq!(
        texts(&replica),
        [
            own(Some(0), "one"),
            own(Some(1), "theirs"),
            own(None, "mine"),
            own(None, "later")
        ]
    );
    pull(&server, &mut replica, &outbox, 10);
    assert_eq!(
        texts(&replica),
        [
            own(Some(0), "one"),
            own(Some(1), "theirs"),
            own(Some(2), "mine"),
            own(None, "later")
        ]
    );
    assert_eq!(found(&replica, "later"), 1);
}

#[test]
fn a_refused_op_leaves_the_view_and_later_ones_stay() {
    let dir = Dir::new();
    let mut replica = dir.create("r.db");
    let ops = [
        op("b", 1, thread(1), &create(1)),
        op("b", 2, thread(1), &entry(1, "refused")),
        op("b", 3, thread(1), &entry(2, "kept")),
    ];
    let mut outbox = pending(&ops);
    replica.fold_outbox(&outbox[..]).unwrap();
    outbox.remove(1);
    let resource = (Scope::thread(), ResourceId::from(thread(1)));
    replica.refold(&[resource], &outbox[..]).unwrap();
    assert_eq!(texts(&replica), [(None, "kept".to_owned())]);
    assert_eq!(
        (found(&replica, "refused"), found(&replica, "kept")),
        (0, 1)
    );
}

#[test]
fn a_pending_delete_is_undone_whole() {
    let dir = Dir::new();
    let (mut server, mut replica) = (dir.create("s.db"), dir.create("r.db"));
    let tag = ThreadOp::Tag(Tag {
        entry_id: None,
        tag: "x".into(),
        present: true,
    });
    append(
        &mut server,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, "precious")),
            op("a", 3, thread(1), &tag),
        ],
    );
    pull(&server, &mut replica, &[], 10);
    let before = replica.dump_view().unwrap();
    let outbox = pending(&[op("b", 9, thread(1), &delete(1))]);
    replica.fold_outbox(&outbox[..]).unwrap();
    assert_eq!((texts(&replica).len(), found(&replica, "precious")), (0, 0));
    replica
        .refold(&[(Scope::thread(), ResourceId::from(thread(1)))], &[][..])
        .unwrap();
    assert_eq!(replica.dump_view().unwrap(), before);
    assert_eq!(found(&replica, "precious"), 1);
}

#[test]
fn a_delete_erases_the_payloads_before_and_after_it() {
    let dir = Dir::new();
    let mut server = dir.create("s.db");
    append(
        &mut server,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, "secret")),
            op("a", 3, thread(2), &create(2)),
            op("a", 4, thread(1), &delete(1)),
            op("b", 4, thread(1), &entry(2, "late")),
        ],
    );
    let kept: Vec<bool> = server
        .ops_after(ServerSeq::ZERO, EVERYTHING)
        .unwrap()
        .iter()
        .map(|op| op.payload.is_some())
        .collect();
    assert_eq!(kept, [false, false, true, true, false]);
    assert_eq!((found(&server, "secret"), found(&server, "late")), (0, 0));
    let live = server.dump_view().unwrap();
    server.fold_again().unwrap();
    assert_eq!(server.dump_view().unwrap(), live);
}
