use syncline_protocol::Limits;

use super::*;

#[test]
fn accepted_ops_take_dense_places_and_a_repeat_is_a_duplicate_at_its_first_place() {
    let mut f = fixture();
    let first = verdicts(&mut f.log, [op("a", 1), op("a", 2)]);
    assert_eq!(first, [accepted(1), accepted(2)]);
    let again = verdicts(&mut f.log, [op("a", 2), op("a", 3), op("a", 1)]);
    assert_eq!(again, [duplicate(2), accepted(3), duplicate(1)]);
    let within = verdicts(&mut f.log, [op("a", 4), op("a", 4)]);
    assert_eq!(within, [accepted(4), duplicate(4)]);
    assert_eq!(places(&mut f.log), [1, 2, 3, 4]);
}

#[test]
fn one_key_with_another_payload_is_a_conflict_and_nothing_else_is_lost() {
    let mut f = fixture();
    verdicts(&mut f.log, [op("a", 1)]);
    let other = ReceivedOp::Readable(formed("notes", "a", 1, "\"other\""));
    let verdicts = verdicts(&mut f.log, [other, op("a", 2)]);
    assert_eq!(code(&verdicts[0]), "key_conflict");
    assert_eq!(verdicts[1], accepted(2));
}

#[test]
fn the_whole_key_tells_ops_apart() {
    let mut f = fixture();
    let ops = [
        ("notes", "a", 1),
        ("tasks", "a", 1),
        ("notes", "b", 1),
        ("notes", "a", 2),
    ];
    let ops =
        ops.map(|(scope, actor, clock)| ReceivedOp::Readable(formed(scope, actor, clock, "1")));
    let verdicts = verdicts(&mut f.log, ops);
    assert_eq!(verdicts, [1, 2, 3, 4].map(accepted));
}

#[test]
fn a_malformed_op_is_rejected_alone() {
    let mut f = fixture();
    let body = br#"{"clientId":"laptop","ops":[
        {"scope":"notes","resourceId":"r","actor":"a","clock":1,"payload":1},
        {"scope":"NOTES","resourceId":"r","actor":"a","clock":2,"payload":1},
        {"scope":"notes","resourceId":"r","actor":"a","clock":3,"payload":1}]}"#;
    let received = ReceivedPush::decode(body, &Limits::default()).unwrap();
    let push = Push {
        user: user("ada"),
        standing: Standing::OWNER,
        received,
    };
    let verdicts = run_one(&mut f.log, push).unwrap().verdicts;
    assert_eq!(verdicts[0], accepted(1));
    assert_eq!(code(&verdicts[1]), "invalid_op");
    assert_eq!(verdicts[2], accepted(2));
}

#[test]
fn a_clock_may_lead_by_2_to_the_32_counted_op_by_op() {
    let mut f = fixture();
    let lead = 1 << 32;
    let verdicts_of_push = verdicts(
        &mut f.log,
        [
            op("a", lead),
            op("a", 2 * lead),
            op("a", 3 * lead + 1),
            op("b", 3),
        ],
    );
    assert_eq!(verdicts_of_push[0], accepted(1));
    assert_eq!(verdicts_of_push[1], accepted(2));
    assert_eq!(code(&verdicts_of_push[2]), "clock_lead");
    assert_eq!(verdicts_of_push[3], accepted(3));
}

#[test]
fn a_refusal_for_ever_stays_when_the_reason_has_passed() {
    let mut f = fixture();
    let lead = 1 << 32;
    let refused = verdicts(&mut f.log, [op("a", lead + 5)]);
    assert_eq!(code(&refused[0]), "clock_lead");
    // The log's clock rises, so the same op would now pass; its writer may have written it anew.
    verdicts(&mut f.log, [op("b", 1000)]);
    let again = verdicts(&mut f.log, [op("a", lead + 5)]);
    let (Verdict::Rejected(first), Verdict::Rejected(second)) = (&refused[0], &again[0]) else {
        panic!("{refused:?}, then {again:?}");
    };
    assert_eq!((first.code, &first.message), (second.code, &second.message));
    // What it is to be written anew above is the log's clock as it is by now.
    assert_eq!(first.above, None);
    assert_eq!(second.above, Clock::new(1000).ok());
    let changed = ReceivedOp::Readable(formed("notes", "a", lead + 5, "\"other\""));
    let changed = verdicts(&mut f.log, [changed]);
    assert_eq!(code(&changed[0]), "key_conflict");
}

#[test]
fn a_refusal_stays_within_one_push() {
    let mut f = fixture();
    let lead = 1 << 32;
    let verdicts = verdicts(
        &mut f.log,
        [op("a", lead + 5), op("b", lead), op("a", lead + 5)],
    );
    assert_eq!(code(&verdicts[0]), "clock_lead");
    assert_eq!(verdicts[1], accepted(1));
    assert_eq!(code(&verdicts[2]), "clock_lead");
}

#[test]
fn an_actor_and_a_client_belong_to_their_first_user() {
    let mut f = fixture();
    verdicts(&mut f.log, [op("a", 1)]);

    let theirs = push_of_eve(None, [op("a", 2), op("e", 3)]);
    let verdicts = run_one(&mut f.log, theirs).unwrap().verdicts;
    assert_eq!(code(&verdicts[0]), "foreign_actor");
    assert_eq!(verdicts[1], accepted(2));
    let disguised = Push {
        user: user("eve"),
        ..push([op("e", 4)])
    };
    let refused = run_one(&mut f.log, disguised).unwrap_err();
    assert!(matches!(refused, Refused::ForeignClient));
    assert_eq!(places(&mut f.log), [1, 2]);
}

#[test]
fn others_ops_pass_in_a_push_whose_heal_place_verifies_and_stay_theirs() {
    let mut f = fixture();
    let pushed = run_one(&mut f.log, push([op("a", 1)])).unwrap();
    let mut heal =
        |place, ops: &[ReceivedOp]| run_one(&mut f.log, push_of_eve(Some(place), ops.to_vec()));
    let forged = Cursor {
        mark: Mark::origin([9; 16]),
        ..pushed.head
    };
    let refused = heal(forged, &[op("a", 2)]).unwrap_err();
    assert!(matches!(
        refused,
        Refused::LogDiverged { head: ServerSeq(1) }
    ));

    let offered = heal(pushed.head, &[op("a", 2), op("unknown", 3)]).unwrap();
    assert_eq!(offered.verdicts, [accepted(2), accepted(3)]);
    // Claims 0 is common to all logs, whatever its mark.
    let origin = Cursor {
        server_seq: ServerSeq::ZERO,
        mark: Mark::origin([7; 16]),
    };
    let offered = heal(origin, &[op("a", 6)]).unwrap();
    assert_eq!(offered.verdicts, [accepted(4)]);
    // Offering an actor's ops again does not make it eve's.
    let own = verdicts(&mut f.log, [op("unknown", 4), op("a", 5)]);
    assert_eq!(own, [accepted(5), accepted(6)]);
}

#[test]
fn pushes_of_one_group_get_verdicts_of_their_own() {
    let mut f = fixture();
    let mut stale = push([op("b", 1)]);
    stale.received.epoch = Some(Epoch::new(Uuid::from_u128(99)));
    let outcomes = run(
        &mut f.log,
        [push([op("a", 1)]), stale, push([op("a", 1), op("a", 2)])],
    );
    assert_eq!(outcomes[0].as_ref().unwrap().verdicts, [accepted(1)]);
    assert!(matches!(outcomes[1], Err(Refused::EpochChanged { .. })));
    let third = outcomes[2].as_ref().unwrap();
    assert_eq!(third.verdicts, [duplicate(1), accepted(2)]);
    assert_eq!(third.head, f.log.head().unwrap().cursor);
    assert_eq!(places(&mut f.log), [1, 2]);
}

#[test]
fn the_log_learns_a_cursor_only_from_what_a_client_says() {
    let mut f = fixture();
    let client = ClientId::new("laptop").unwrap();
    let with_cursor = |cursor, clock| {
        let mut push = push([op("a", clock)]);
        push.received.cursor = cursor;
        push
    };
    let pushed = run_one(&mut f.log, with_cursor(None, 1)).unwrap();
    let known = |log: &mut TenantLog| log.file().unwrap().clients().unwrap();
    assert_eq!(known(&mut f.log)[0].cursor, None);

    run_one(&mut f.log, with_cursor(Some(pushed.head), 2)).unwrap();
    assert_eq!(known(&mut f.log)[0].cursor, Some(pushed.head));
    // A pull's note comes with the next commit, and another user's note about this client does not.
    let head = f.log.head().unwrap().cursor;
    for (name, cursor) in [("ada", head), ("eve", pushed.head)] {
        f.log.note(ClientNote {
            client: client.clone(),
            user: user(name),
            cursor: Some(cursor),
            at: now(),
        });
        f.log.commit(&mut [], now());
    }
    assert_eq!(known(&mut f.log)[0].cursor, Some(head));
    assert_eq!(known(&mut f.log)[0].user, user("ada"));
}
