//! A handle that has the tenant file open which another one has just switched from.

use super::super::ListError;
use super::super::deciding::Need;
use super::*;

const ALL: Offer = Offer {
    common: Cursor::ORIGIN,
    up_to: ServerSeq(u64::MAX),
    mode: EpochMode::Heal,
};

/// A replica in sync, one more handle on it, and a server that has lost everything.
fn synced() -> (Place, Replica, Replica, Vec<OpKey>, Server) {
    let place = Place::new();
    let (mut syncing, mut lost) = (place.open("a"), place.server("lost"));
    start(&mut syncing, &lost);
    let ops = [create(), entry("one"), entry("two")];
    let keys = syncing.write(&ops).unwrap().keys;
    sync(&mut syncing, &mut lost);
    let behind = place.open("a");
    let server = place.server("new");
    (place, syncing, behind, keys, server)
}

#[test]
fn offers_of_a_switch_stay_where_another_handle_has_them_in_the_log_that_was_left() {
    for depth in [Depth::Recent, Depth::All] {
        let (_place, mut syncing, mut behind, _, mut server) = synced();
        assert_eq!(rebuild(&mut syncing, &server, ALL), 3);
        behind.reconcile(depth).unwrap();
        assert_eq!(outbox(&syncing), 3);
        assert_eq!(contents(&mut behind), ["one", "two"]);
        sync(&mut syncing, &mut server);
        assert_eq!(outbox(&syncing), 0);
        assert_eq!(server.file.head().unwrap().cursor.server_seq, ServerSeq(3));
        assert_eq!(contents(&mut syncing), ["one", "two"]);
        equal_views(&mut syncing, &mut behind);
    }
}

#[test]
fn an_op_stays_in_quarantine_where_another_handle_has_it_in_the_log_that_was_left() {
    let (_place, mut syncing, mut behind, keys, server) = synced();
    assert_eq!(rebuild(&mut syncing, &server, ALL), 3);
    refuse(&mut syncing, &keys[1]);
    behind.reconcile(Depth::Recent).unwrap();
    let held = syncing.quarantined().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].key, keys[1]);
    assert_eq!(contents(&mut behind), ["two"]);
}

#[test]
fn what_another_handle_folds_again_on_the_file_that_was_left_is_due_on_the_current_one() {
    let place = Place::new();
    let (mut syncing, server) = (place.open("a"), place.server("s"));
    let keys = syncing.write(&[create(), entry("bad")]).unwrap().keys;
    let mut behind = place.open("a");
    start(&mut syncing, &server);
    assert_eq!(contents(&mut syncing), ["bad"]);
    let refused = Verdict::Refused {
        code: "invalid_op".to_owned(),
        message: "no".to_owned(),
        details: None,
    };
    let actor = syncing.place.new_actor();
    syncing
        .judged()
        .settle(&[(keys[1].clone(), refused)], &actor, 0, at())
        .unwrap();
    behind.fold_outbox().unwrap();
    assert!(contents(&mut syncing).is_empty());
    assert!(contents(&mut behind).is_empty());
}

#[test]
fn no_write_is_decided_on_the_file_that_was_left() {
    let (_place, mut syncing, mut behind, _, server) = synced();
    rebuild(&mut syncing, &server, ALL);
    let decided = behind.try_decide(Need::AnyView, &mut |_, _, _| Ok::<_, ListError>(Vec::new()));
    assert_eq!(decided.unwrap(), None);
    let keys = behind.write(&[entry("three")]).unwrap().keys;
    assert_eq!(behind.state_of(&keys[0]).unwrap(), OpState::Pending);
    assert_eq!(contents(&mut behind), ["one", "two", "three"]);
}
