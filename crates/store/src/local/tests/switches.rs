use super::*;

#[test]
fn a_switch_puts_offers_before_the_outbox_and_counts_all_as_pending() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["mine", "mine too"]);
    local.next_batch(PageLimit { ops: 1, bytes: 100 }).unwrap();
    settle(
        &mut local,
        &[(
            keys(&written)[0].clone(),
            Verdict::Acknowledged(ServerSeq(9)),
        )],
    );
    let offers = [Ok(logged(5, "x")), Ok(logged(6, "y"))];
    let count = local
        .switch(
            &switch("first.db", "second.db", Some(heal_at(4))),
            offers.into_iter(),
        )
        .unwrap();
    assert_eq!(count, 2);
    assert_eq!(
        texts(&local),
        ["\"x\"}", "\"y\"}", "\"mine\"}", "\"mine too\"}"]
    );
    let rows = local.outbox_after(0, 10).unwrap();
    assert!(rows.iter().all(|row| row.state == OutboxState::Pending));
    assert!(
        rows[0].order > written.ops[1].order,
        "no order is used again"
    );
    let batch = local.next_batch(WHOLE).unwrap().unwrap();
    assert_eq!((batch.heal, batch.ops.len()), (Some(heal_at(4)), 2));
    assert_eq!(local.identity().unwrap().tenant_file, "second.db");
    assert_eq!(local.leftovers().unwrap(), ["first.db"]);
    let later = write(&mut local, &["later"]);
    assert!(later.ops[0].order > rows[3].order);
    // Only the op that never went out is free to be written anew.
    let offered = local.offered_order().unwrap();
    assert!(rows[2].order <= offered && offered < later.ops[0].order);
}

#[test]
fn a_second_switch_moves_unsent_offers_to_the_new_common_place() {
    let place = Place::new();
    let mut local = place.open();
    let first = switch("first.db", "second.db", Some(heal_at(4)));
    local
        .switch(&first, [Ok(logged(5, "x"))].into_iter())
        .unwrap();
    let second = switch("second.db", "third.db", Some(heal_at(2)));
    local
        .switch(&second, [Ok(logged(3, "w"))].into_iter())
        .unwrap();
    let batch = local.next_batch(WHOLE).unwrap().unwrap();
    assert_eq!((batch.heal, batch.ops.len()), (Some(heal_at(2)), 2));
    assert_eq!(texts(&local), ["\"w\"}", "\"x\"}"]);
}

#[test]
fn a_cut_on_purpose_takes_the_acknowledged_ops_above_it_and_no_pending_one() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["below", "above", "pending"]);
    settle(
        &mut local,
        &[
            (
                keys(&written)[0].clone(),
                Verdict::Acknowledged(ServerSeq(3)),
            ),
            (
                keys(&written)[1].clone(),
                Verdict::Acknowledged(ServerSeq(4)),
            ),
        ],
    );
    let follow = Switch {
        acknowledged: AcknowledgedOps::DiscardAbove(ServerSeq(3)),
        cut: 4,
        ..switch("first.db", "second.db", Some(heal_at(3)))
    };
    assert_eq!(local.last_cut().unwrap(), None);
    local.switch(&follow, std::iter::empty()).unwrap();
    let cut = Cut { at: now(), ops: 5 };
    assert_eq!(local.last_cut().unwrap(), Some(cut));
    assert_eq!(texts(&local), ["\"below\"}", "\"pending\"}"]);
    assert!(local.refolds_due().unwrap().is_some());
}

#[test]
fn a_cut_on_purpose_lets_go_of_offers_that_still_wait() {
    let place = Place::new();
    let mut local = place.open();
    let first = switch("first.db", "second.db", Some(heal_at(4)));
    local
        .switch(&first, [Ok(logged(5, "x"))].into_iter())
        .unwrap();
    write(&mut local, &["pending"]);
    local
        .begin_epoch(AcknowledgedOps::DiscardAbove(ServerSeq(u64::MAX)), now())
        .unwrap();
    assert_eq!(texts(&local), ["\"pending\"}"]);
    let cut = Cut { at: now(), ops: 1 };
    assert_eq!(local.last_cut().unwrap(), Some(cut));
}

#[test]
fn a_failed_or_late_switch_changes_nothing() {
    let place = Place::new();
    let mut local = place.open();
    write(&mut local, &["mine"]);
    let damaged = [Ok(logged(5, "x")), Err(crate::StoreError::damaged("test"))];
    let plan = switch("first.db", "second.db", Some(heal_at(4)));
    assert!(matches!(
        local.switch(&plan, damaged.into_iter()),
        Err(SwitchError::Store(_))
    ));
    assert_eq!(texts(&local), ["\"mine\"}"]);
    let late = switch("another.db", "second.db", None);
    let error = local.switch(&late, std::iter::empty()).unwrap_err();
    assert!(matches!(error, SwitchError::Moved { current } if current == "first.db"));
}

#[test]
fn equal_offers_with_a_taken_key_get_equal_keys_on_every_replica() {
    let derive = || {
        let place = Place::new();
        let mut local = place.open();
        let plan = switch("first.db", "second.db", Some(heal_at(4)));
        local
            .switch(&plan, [Ok(logged(5, "x"))].into_iter())
            .unwrap();
        settle(&mut local, &[(logged(5, "x").key, Verdict::WriteAnew)]);
        assert_eq!(local.identity().unwrap().actor.as_str(), "actor-1");
        local.outbox_after(0, 10).unwrap()[0].key.clone()
    };
    let key = derive();
    assert_ne!(key, logged(5, "x").key);
    assert_eq!(key, derive());
}

#[test]
fn erased_ops_are_offered_and_not_folded() {
    let place = Place::new();
    let mut local = place.open();
    let erased = LoggedOp {
        payload: None,
        ..logged(5, "x")
    };
    let plan = switch("first.db", "second.db", Some(heal_at(4)));
    local
        .switch(&plan, [Ok(erased.clone())].into_iter())
        .unwrap();
    assert!(local.after(0).unwrap().is_empty());
    let batch = local.next_batch(WHOLE).unwrap().unwrap();
    assert_eq!(batch.ops[0].payload_hash, erased.payload_hash);
    assert_eq!(batch.ops[0].payload, None);
}

#[test]
fn what_was_judged_by_a_file_that_was_left_is_not_done() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["refused", "covered", "acknowledged"]);
    let keys = keys(&written);
    let refused = Verdict::Refused {
        code: "code".to_owned(),
        message: "message".to_owned(),
        details: None,
    };
    settle(
        &mut local,
        &[
            (keys[0].clone(), refused),
            (keys[1].clone(), Verdict::Covered),
            (keys[2].clone(), Verdict::Acknowledged(ServerSeq(3))),
        ],
    );
    let keep = Switch {
        acknowledged: AcknowledgedOps::Keep,
        ..switch(FIRST, "second.db", None)
    };
    local.switch(&keep, std::iter::empty()).unwrap();
    let state = |local: &LocalFile| {
        (
            local.outbox_after(0, 10).unwrap(),
            local.quarantined().unwrap(),
            local.refolds_due().unwrap(),
            local.identity().unwrap(),
        )
    };
    let before = state(&local);
    let held = local.quarantined_keys().unwrap();
    let token = before.2.as_ref().unwrap().1;
    let taken = [(keys[2].clone(), Verdict::Acknowledged(ServerSeq(9)))];
    let actor = ActorId::new("actor-3").unwrap();
    type Change<'a> = &'a dyn Fn(Judged<'_>) -> Result<(), JudgedError>;
    let changes: [Change<'_>; 5] = [
        &|judged| judged.forget_pulled(&keys[2..], &[]),
        &|judged| judged.offer_again(&keys[2..]),
        &|judged| judged.release_quarantined(&held),
        &|judged| judged.refolded(token),
        &|judged| judged.settle(&taken, &actor, 0, now()).map(drop),
    ];
    for change in changes {
        let late = change(local.judged_by(FIRST));
        assert!(matches!(late, Err(JudgedError::Exchanged)));
        assert_eq!(state(&local), before);
    }
    for change in changes {
        change(local.judged_by("second.db")).unwrap();
    }
    let after = state(&local);
    assert!(after.0.is_empty() && after.1.is_empty() && after.2.is_none());
}

fn refused(key: &OpKey) -> (OpKey, Verdict) {
    let verdict = Verdict::Refused {
        code: "code".to_owned(),
        message: "message".to_owned(),
        details: None,
    };
    (key.clone(), verdict)
}

/// What is in quarantine, in the order of its writing.
fn in_order_of_writing(local: &LocalFile) -> Vec<String> {
    let mut held = local.quarantined().unwrap();
    held.sort_by_key(|op| (op.first_clock, op.id));
    let texts = held.iter().map(|op| op.payload.as_ref().unwrap().as_str());
    texts.map(|text| text.replace("{\"text\":", "")).collect()
}

#[test]
fn what_a_log_has_lost_and_refuses_keeps_its_place_among_what_was_refused_before() {
    let place = Place::new();
    let mut local = place.open();
    let written = write(&mut local, &["before", "refused", "after", "again"]);
    let keys = keys(&written);
    let acknowledged = |n: usize| (keys[n].clone(), Verdict::Acknowledged(ServerSeq(n as u64)));
    settle(
        &mut local,
        &[acknowledged(0), refused(&keys[1]), acknowledged(2)],
    );
    settle(&mut local, &[refused(&keys[3])]);
    local
        .judged_by(FIRST)
        .forget_pulled(&[keys[0].clone(), keys[2].clone()], &[])
        .unwrap();
    let logged = |n: usize| LoggedOp {
        key: keys[n].clone(),
        payload: Some(written.ops[n].op.payload.clone()),
        payload_hash: written.ops[n].op.payload.hash(),
        seq: ServerSeq(n as u64),
    };
    let offers = [Ok(logged(0)), Ok(logged(2))];
    let lost = switch(FIRST, "second.db", Some(heal_at(0)));
    local.switch(&lost, offers.into_iter()).unwrap();
    settle(&mut local, &[refused(&keys[0]), refused(&keys[2])]);
    let order = ["before", "refused", "after", "again"].map(|text| format!("\"{text}\"}}"));
    assert_eq!(in_order_of_writing(&local), order);
    // One that is refused again is no younger for it, nor for a new key.
    let id = local.quarantined_with_key(&keys[1]).unwrap().unwrap().id;
    let retried = local.decide(|desk| desk.retry(id, None, || Ok(0)));
    let retried = retried.unwrap().unwrap();
    let current = local.judged_by("second.db");
    let anew = [(retried, Verdict::Behind)];
    let actor = ActorId::new("actor-2").unwrap();
    current.settle(&anew, &actor, 99, now()).unwrap();
    let anew = local.outbox_after(0, 1).unwrap()[0].key.clone();
    assert_eq!(anew.clock.get(), 100);
    settle(&mut local, &[refused(&anew)]);
    assert_eq!(in_order_of_writing(&local), order);
}
