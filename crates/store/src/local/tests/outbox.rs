use super::*;

#[test]
fn clocks_rise_above_all_seen_and_are_never_used_again() {
    let place = Place::new();
    let mut local = place.open();
    let clocks = |written: &Written| -> Vec<u64> {
        written
            .ops
            .iter()
            .map(|pending| pending.op.key.clock.get())
            .collect()
    };
    assert_eq!(clocks(&write(&mut local, &["a", "b"])), [1, 2]);
    let seen = local.write(&[new_op("c")], || Ok(40), now()).unwrap();
    assert_eq!(clocks(&seen), [41]);
    local
        .judged_by(FIRST)
        .forget_pulled(&keys(&seen), &[])
        .unwrap();
    assert_eq!(clocks(&write(&mut local, &["d"])), [42]);
}

/// An outbox is rows that are added to, and never written again as a whole.
#[test]
fn a_write_touches_as_many_rows_however_much_waits() {
    let place = Place::new();
    let mut local = place.open();
    let touched = |local: &mut LocalFile| {
        let total = |local: &LocalFile| -> i64 {
            let sql = "SELECT total_changes()";
            local
                .connection
                .query_row(sql, [], |row| row.get(0))
                .unwrap()
        };
        let before = total(local);
        write(local, &["one"]);
        total(local) - before
    };
    let first = touched(&mut local);
    for _ in 0..100 {
        write(&mut local, &["waits"]);
    }
    assert_eq!(touched(&mut local), first);
}

#[test]
fn the_last_clock_is_the_end_and_writes_nothing() {
    let place = Place::new();
    let mut local = place.open();
    let last = syncline_model::limits::CLOCK_MAX;
    let error = local
        .write(&[new_op("a"), new_op("b")], || Ok(last - 1), now())
        .unwrap_err();
    assert!(matches!(error, WriteError::ClockEnd(_)));
    assert!(texts(&local).is_empty());
}

#[test]
fn orders_are_never_used_again() {
    let place = Place::new();
    let mut local = place.open();
    let first = write(&mut local, &["a"]);
    local
        .judged_by(FIRST)
        .forget_pulled(&keys(&first), &[])
        .unwrap();
    let second = write(&mut local, &["b"]);
    assert!(second.ops[0].order > first.ops[0].order);
}

#[test]
fn a_batch_holds_the_oldest_pending_ops_within_its_bounds() {
    let place = Place::new();
    let mut local = place.open();
    assert_eq!(local.next_batch(WHOLE).unwrap(), None);
    let written = write(&mut local, &["a", "b", "c"]);
    settle(
        &mut local,
        &[(
            keys(&written)[0].clone(),
            Verdict::Acknowledged(ServerSeq(9)),
        )],
    );
    let batch = local
        .next_batch(PageLimit {
            ops: 1,
            bytes: 1000,
        })
        .unwrap()
        .unwrap();
    assert_eq!(batch.ops.len(), 1);
    assert_eq!(batch.ops[0].key, keys(&written)[1]);
    assert_eq!(local.offered_order().unwrap(), batch.ops[0].order);
    let tiny = local
        .next_batch(PageLimit { ops: 10, bytes: 1 })
        .unwrap()
        .unwrap();
    assert_eq!(tiny.ops.len(), 1, "one op always fits");
}

#[test]
fn a_refused_op_moves_to_quarantine_and_its_resource_is_due() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b"]);
    let refused = Verdict::Refused {
        code: "invalid_op".to_owned(),
        message: "no".to_owned(),
        details: None,
    };
    let settled = settle(
        &mut local,
        &[
            (keys(&written)[0].clone(), refused.clone()),
            (
                keys(&written)[1].clone(),
                Verdict::Acknowledged(ServerSeq(1)),
            ),
        ],
    );
    assert_eq!((settled.quarantined, settled.acknowledged), (1, 1));
    let held = local.quarantined().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(
        (held[0].code.as_str(), &held[0].key),
        ("invalid_op", &keys(&written)[0])
    );
    let (due, token) = local.refolds_due().unwrap().unwrap();
    assert_eq!(due.len(), 1);
    local.judged_by(FIRST).refolded(token).unwrap();
    assert_eq!(local.refolds_due().unwrap(), None);
    // The answer comes twice: the second changes nothing.
    settle(&mut local, &[(keys(&written)[0].clone(), refused)]);
    assert_eq!(local.count_quarantined().unwrap(), 1);
}

#[test]
fn a_retried_op_is_written_anew_with_a_new_clock() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a"]);
    let refused = Verdict::Refused {
        code: "c".to_owned(),
        message: "m".to_owned(),
        details: None,
    };
    settle(&mut local, &[(keys(&written)[0].clone(), refused)]);
    let id = local.quarantined().unwrap()[0].id;
    let retry = |local: &mut LocalFile| local.decide(|desk| desk.retry(id, None, || Ok(0)));
    let key = retry(&mut local).unwrap().unwrap();
    assert!(key.clock > keys(&written)[0].clock);
    assert_eq!(local.count_quarantined().unwrap(), 0);
    assert_eq!(texts(&local), ["\"a\"}"]);
    assert_eq!(retry(&mut local).unwrap(), None);
    assert_eq!(local.drop_quarantined(QuarantineId(99)).unwrap(), None);
}

#[test]
fn ops_written_anew_keep_their_order_and_leave_offered_ones_alone() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b", "c"]);
    local.next_batch(WHOLE).unwrap();
    write(&mut local, &["d", "e"]);
    let settled = settle(
        &mut local,
        &[
            (
                keys(&written)[0].clone(),
                Verdict::Acknowledged(ServerSeq(1)),
            ),
            (keys(&written)[1].clone(), Verdict::WriteAnew),
        ],
    );
    assert_eq!(settled.written_anew, 3);
    // "c" was offered, and the answer does not say what became of it.
    assert_eq!(
        texts(&local),
        ["\"a\"}", "\"c\"}", "\"b\"}", "\"d\"}", "\"e\"}"]
    );
    let rows = local.outbox_after(0, 10).unwrap();
    let stamps: Vec<(&str, u64)> = rows
        .iter()
        .map(|row| (row.key.actor.as_str(), row.key.clock.get()))
        .collect();
    assert_eq!(
        stamps,
        [
            ("actor-1", 1),
            ("actor-1", 3),
            ("actor-2", 1),
            ("actor-2", 2),
            ("actor-2", 3)
        ]
    );
    assert_eq!(local.identity().unwrap().actor.as_str(), "actor-2");
    let next = write(&mut local, &["f"]);
    assert_eq!(next.ops[0].op.key.clock.get(), 4);
}

/// World 2520: a replica put back to a copy of itself met the keys of its former life, and what it
/// wrote anew undid what its user had written after it.
#[test]
fn an_op_whose_key_is_taken_keeps_its_clock_and_so_its_place_before_later_ones() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b", "c"]);
    local.next_batch(WHOLE).unwrap();
    write(&mut local, &["d"]);
    let verdicts = [
        (keys(&written)[0].clone(), Verdict::KeyTaken),
        (
            keys(&written)[1].clone(),
            Verdict::Acknowledged(ServerSeq(1)),
        ),
        (keys(&written)[2].clone(), Verdict::KeyTaken),
    ];
    let actor = ActorId::new("actor-2").unwrap();
    local
        .judged_by(FIRST)
        .settle(&verdicts, &actor, 9, now())
        .unwrap();
    let rows = local.outbox_after(0, 10).unwrap();
    let stamps: Vec<(&str, u64)> = rows
        .iter()
        .map(|row| (row.key.actor.as_str(), row.key.clock.get()))
        .collect();
    assert_eq!(
        stamps,
        [
            ("actor-1", 2),
            ("actor-2", 1),
            ("actor-2", 3),
            ("actor-2", 4)
        ]
    );
    let next = write(&mut local, &["e"]);
    assert_eq!(next.ops[0].op.key.clock.get(), 10);
}

/// What was offered already, and was not in the push that is answered, would else be accepted with its old
/// clock, and lose to what its user had written before it.
#[test]
fn what_was_written_to_a_resource_behind_an_op_that_is_behind_follows_it_offered_or_not() {
    let place = Place::new();
    let mut local = place.open();
    let mut ops = ["a", "other", "b"].map(new_op);
    ops[1].resource = "n-2".parse().unwrap();
    let written = local.write(&ops, || Ok(0), now()).unwrap();
    local.next_batch(WHOLE).unwrap();
    write(&mut local, &["c"]);
    let actor = ActorId::new("actor-2").unwrap();
    let verdicts = [(keys(&written)[0].clone(), Verdict::Behind)];
    let settled = local
        .judged_by(FIRST)
        .settle(&verdicts, &actor, 9, now())
        .unwrap();
    assert_eq!(settled.written_anew, 3);
    let rows = local.outbox_after(0, 10).unwrap();
    let stamps: Vec<(&str, u64)> = rows
        .iter()
        .map(|row| (row.key.actor.as_str(), row.key.clock.get()))
        .collect();
    assert_eq!(
        stamps,
        [
            ("actor-1", 2),
            ("actor-2", 10),
            ("actor-2", 11),
            ("actor-2", 12)
        ]
    );
    assert_eq!(texts(&local), ["\"other\"}", "\"a\"}", "\"b\"}", "\"c\"}"]);
    // The answer comes again: what it is about is there no more.
    let repeated = local
        .judged_by(FIRST)
        .settle(&verdicts, &actor, 9, now())
        .unwrap();
    assert_eq!(repeated.written_anew, 0);
}

#[test]
fn an_op_is_followed_by_what_was_acknowledged_behind_it_on_its_resource() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b", "c"]);
    let at = Verdict::Acknowledged(ServerSeq(1));
    settle(&mut local, &[(keys(&written)[1].clone(), at)]);
    let followed: Vec<bool> = keys(&written)
        .iter()
        .map(|key| local.is_followed_by_acknowledged(key).unwrap())
        .collect();
    assert_eq!(followed, [true, false, false]);
    settle(
        &mut local,
        &[(keys(&written)[0].clone(), Verdict::KeyTaken)],
    );
    let moved = local.outbox_after(0, 10).unwrap();
    let moved = moved
        .iter()
        .find(|row| row.first_order == written.ops[0].order);
    let moved = &moved.unwrap().key;
    assert!(
        local.is_followed_by_acknowledged(moved).unwrap(),
        "a new key makes it no younger"
    );
}

/// Sends "a" to "d" in one push that is never answered, and then in two that are; "e" and "f" are written
/// before the first answer and the second. Gives the clocks of all, in the order of the outbox.
fn written_anew_by_two_answers(verdict: &Verdict) -> Vec<(String, u64)> {
    let place = Place::new();
    let mut local = place.open();
    let written = keys(&write(&mut local, &["a", "b", "c", "d"]));
    local.next_batch(WHOLE).unwrap();
    for (n, last) in ["e", "f"].iter().enumerate() {
        write(&mut local, &[last]);
        let answered = written[2 * n..][..2].iter();
        let verdicts: Vec<_> = answered.map(|key| (key.clone(), verdict.clone())).collect();
        let actor = ActorId::new(format!("actor-{}", n + 2)).unwrap();
        local
            .judged_by(FIRST)
            .settle(&verdicts, &actor, 0, now())
            .unwrap();
    }
    let rows = local.outbox_after(0, 10).unwrap();
    let clocks = rows.iter().map(|row| row.key.clock.get());
    texts(&local).into_iter().zip(clocks).collect()
}

/// World 7370: the clocks of an outbox led too far, and small pushes were refused one after another. What
/// the first had written anew stood behind what the second had, and an older name won over a newer.
#[test]
fn what_several_answers_write_anew_keeps_the_order_of_its_writing() {
    let all = ["a", "b", "c", "d", "e", "f"].map(|text| format!("\"{text}\"}}"));
    for verdict in [Verdict::WriteAnew, Verdict::KeyTaken, Verdict::Behind] {
        let found = written_anew_by_two_answers(&verdict);
        let expected: Vec<_> = all.iter().cloned().zip(1..).collect();
        assert_eq!(found, expected, "{verdict:?}");
    }
}

#[test]
fn a_push_does_not_hold_what_was_written_anew_below_a_clock_that_leads() {
    let place = Place::new();
    let mut local = place.open();
    let ops = ["a", "b", "c"].map(new_op);
    let written = keys(&local.write(&ops, || Ok(100), now()).unwrap());
    local.next_batch(WHOLE).unwrap();
    settle(&mut local, &[(written[0].clone(), Verdict::WriteAnew)]);
    write(&mut local, &["d"]);
    assert_eq!(texts(&local), ["\"b\"}", "\"c\"}", "\"a\"}", "\"d\"}"]);
    let batch = local.next_batch(WHOLE).unwrap().unwrap();
    let sent: Vec<_> = batch.ops.into_iter().map(|row| row.key).collect();
    assert_eq!(sent, written[1..]);
}

#[test]
fn what_the_log_gives_back_was_offered_and_so_was_what_was_written_before_it() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b", "c"]);
    local
        .judged_by(FIRST)
        .forget_pulled(&keys(&written)[1..2], &[])
        .unwrap();
    assert_eq!(local.offered_order().unwrap(), written.ops[1].order);
    local.next_batch(WHOLE).unwrap();
    local
        .judged_by(FIRST)
        .forget_pulled(&keys(&written)[..1], &[])
        .unwrap();
    assert_eq!(local.offered_order().unwrap(), written.ops[2].order);
}

#[test]
fn counts_go_by_scope_and_know_the_oldest_pending_op() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["a", "b"]);
    settle(
        &mut local,
        &[(
            keys(&written)[0].clone(),
            Verdict::Acknowledged(ServerSeq(1)),
        )],
    );
    let counts = local.count_outbox().unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!((counts[0].pending, counts[0].acknowledged), (1, 1));
    assert_eq!(counts[0].oldest_pending_at, Some(now()));
}
