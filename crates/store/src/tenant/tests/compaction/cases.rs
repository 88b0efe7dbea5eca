//! What a run drops, and what it leaves, case by case.

use super::*;

pub(super) fn renames(count: u64) -> Vec<Op> {
    let rename = |clock| {
        let name = Cow::Owned(format!("name {clock}"));
        let update = ThreadOp::Update(Update {
            name: Some(name),
            project: None,
            status: None,
            at: at(clock as i64),
        });
        op("a", clock, thread(1), &update)
    };
    (1..=count).map(rename).collect()
}

#[test]
fn of_a_thousand_renames_two_stay_and_the_file_shrinks() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &renames(20_000));
    assert!(file.empty_log().unwrap());
    let path = dir.0.path().join("t.db");
    let before = std::fs::metadata(&path).unwrap().len();
    let run = compact_all(&mut file, 20_000);
    assert_eq!(run.totals().judged, 19_999);
    assert_eq!(run.totals().dropped, 19_998);
    while file.shrink_step(64).unwrap() > 0 {}
    assert!(file.empty_log().unwrap());
    let after = std::fs::metadata(&path).unwrap().len();
    assert!(after * 10 < before, "{after} of {before} bytes are left");
    let fill = file.fill().unwrap();
    assert_eq!(fill.bytes, after);
    assert_eq!(file.head().unwrap().floor, ServerSeq(20_000));
}

#[test]
fn an_op_that_is_covered_between_two_steps_goes_with_the_second() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let mut ops = renames(11);
    // The op at the floor renames nothing, so that the one before it wins until the last comes.
    ops[9].payload = entry(1, "at the floor").payload().unwrap();
    append(&mut file, &ops[..10]);
    let mut run = Compaction::begin(&file, ServerSeq(10), Collecting::Tombstones).unwrap();
    file.compact_step(&mut run, 3, NO_OUTBOX).unwrap();
    append(&mut file, &ops[10..]);
    while file.compact_step(&mut run, 3, NO_OUTBOX).unwrap() == Stepped::More {}
    // The first stays: the thread began with it.
    assert_eq!(run.totals().dropped, 8);
}

#[test]
fn a_removed_item_stays_removed_where_its_insert_says_more_than_is_understood() {
    for more in [10, 11] {
        let dir = Dir::new();
        let mut file = dir.create("t.db");
        let said = [(0, more), (0, 0), (0, 1), (0, 2), (0, 6), (1, 0), (2, 0)];
        let ops = (1_u64..).zip(said);
        let ops: Vec<Op> = ops
            .map(|(unique, (item, kind))| list(item, kind, 0, unique))
            .collect();
        append(&mut file, &ops);
        let seen = file.dump_view().unwrap();
        let run = compact_all(&mut file, 7);
        assert_eq!(run.totals().collected, 0, "kind {more}");
        assert_eq!(fetched(&dir, &file, 3).dump_view().unwrap(), seen);

        // A later removal of another item has no such op behind it, but stands above its clock.
        append(&mut file, &[list(1, 6, 0, 8), list(2, 1, 0, 9)]);
        let seen = file.dump_view().unwrap();
        assert_eq!(compact_all(&mut file, 9).totals().collected, 0);
        assert_eq!(fetched(&dir, &file, 3).dump_view().unwrap(), seen);
    }
}

#[test]
fn a_loose_file_is_rewritten_smaller() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let mut ops = renames(20_000);
    for (n, op) in ops.iter_mut().enumerate() {
        if n % 4 == 0 {
            op.payload = entry(n as u128, "an entry between the renames")
                .payload()
                .unwrap();
        }
    }
    append(&mut file, &ops);
    compact_all(&mut file, 20_000);
    while file.shrink_step(64).unwrap() > 0 {}
    let before = file.fill().unwrap();
    file.rewrite().unwrap();
    let after = file.fill().unwrap();
    assert!(
        after.bytes < before.bytes && !after.is_loose(),
        "{before:?} {after:?}"
    );
    assert_eq!(file.integrity().unwrap(), "ok");
}

#[test]
fn what_is_erased_is_nowhere_in_the_file_after_compaction() {
    const SECRET: &str = "correct horse battery staple";
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(
        &mut file,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, SECRET)),
            op("a", 3, thread(1), &delete(1)),
        ],
    );
    let run = compact_all(&mut file, 3);
    assert_eq!(run.totals().dropped, 2);
    while file.shrink_step(64).unwrap() > 0 {}
    assert!(file.empty_log().unwrap());
    for entry in std::fs::read_dir(dir.0.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let found = bytes
            .windows(SECRET.len())
            .any(|part| part == SECRET.as_bytes());
        assert!(!found);
    }
}

#[test]
fn the_op_at_the_floor_stays_so_that_its_mark_can_be_shown() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &renames(10));
    let mark = file.mark_at(ServerSeq(5)).unwrap();
    compact_all(&mut file, 5);
    assert_eq!(file.mark_at(ServerSeq(5)).unwrap(), mark);
    assert_eq!(file.mark_at(ServerSeq(4)).unwrap(), None);
}

#[test]
fn a_dropped_op_offered_again_is_a_duplicate_and_a_later_one_is_not() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let ops = renames(10);
    append(&mut file, &ops);
    compact_all(&mut file, 10);
    assert_eq!(append(&mut file, &ops[3..4]), [Appended::Duplicate(None)]);
    assert_eq!(
        append(&mut file, &ops[9..]),
        [Appended::Duplicate(Some(ServerSeq(10)))]
    );
    let later = op("a", 11, thread(1), &entry(1, "x"));
    assert_eq!(
        append(&mut file, &[later]),
        [Appended::At(ServerSeq(11), Folded::Applied)]
    );
}

#[test]
fn ops_of_a_resource_with_pending_ones_stay() {
    let dir = Dir::new();
    let (mut server, mut replica) = (dir.create("s.db"), dir.create("r.db"));
    append(&mut server, &renames(10));
    let outbox = [PendingOp {
        order: 1,
        op: op("b", 1, thread(1), &entry(1, "pending")),
    }];
    pull(&server, &mut replica, &outbox, 100);
    replica.fold_outbox(&outbox[..]).unwrap();
    let mut run = Compaction::begin(&replica, ServerSeq(10), Collecting::Nothing).unwrap();
    let stepped = |replica: &mut TenantFile, run: &mut Compaction, outbox: &[PendingOp]| {
        while replica.compact_step(run, 3, outbox).unwrap() == Stepped::More {}
        run.totals().dropped
    };
    assert_eq!(stepped(&mut replica, &mut run, &outbox), 0);
    let resource = (Scope::thread(), ResourceId::from(thread(1)));
    replica.refold(&[resource], NO_OUTBOX).unwrap();
    let mut run = Compaction::begin(&replica, ServerSeq(10), Collecting::Nothing).unwrap();
    assert_eq!(stepped(&mut replica, &mut run, NO_OUTBOX), 8);
}

#[test]
fn a_run_ends_where_another_epoch_begins() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &renames(10));
    let mut run = Compaction::begin(&file, ServerSeq(10), Collecting::Tombstones).unwrap();
    file.compact_step(&mut run, 3, NO_OUTBOX).unwrap();
    let origin = Mark::origin([8; 16]);
    file.start_epoch(epoch(1), epoch(2), LogStart::Reset { origin })
        .unwrap();
    append(&mut file, &renames(10));
    let stepped = file.compact_step(&mut run, 3, NO_OUTBOX).unwrap();
    assert_eq!(stepped, Stepped::Done);
    assert_eq!(
        file.ops_after(ServerSeq::ZERO, EVERYTHING).unwrap().len(),
        10
    );
    assert_eq!(file.head().unwrap().floor, ServerSeq::ZERO);
    file.note_judged(&run).unwrap();
    assert_eq!(
        file.judged().unwrap(),
        ServerSeq::ZERO,
        "none of these was judged"
    );
}

#[test]
fn an_op_that_could_not_be_folded_stays() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &renames(10));
    file.connection()
        .execute_batch("INSERT INTO unfolded VALUES (4)")
        .unwrap();
    let run = compact_all(&mut file, 10);
    assert_eq!(run.totals().dropped, 7);
    assert!(file.mark_at(ServerSeq(4)).unwrap().is_some());
}

#[test]
fn times_tell_what_the_log_held_by_then() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    file.note_time(at(1)).unwrap();
    assert_eq!(file.place_at(at(100)).unwrap(), ServerSeq::ZERO);
    append(&mut file, &renames(10));
    file.note_time(at(10)).unwrap();
    file.note_time(at(20)).unwrap();
    append(&mut file, &[op("b", 1, thread(1), &entry(1, "x"))]);
    file.note_time(at(30)).unwrap();
    let place = |millis| file.place_at(at(millis)).unwrap().get();
    assert_eq!([place(9), place(10), place(29), place(30)], [0, 10, 10, 11]);
    file.forget_times_below(ServerSeq(11)).unwrap();
    assert_eq!(file.place_at(at(29)).unwrap(), ServerSeq::ZERO);
}

fn item_rows(file: &TenantFile) -> i64 {
    file.connection()
        .query_row("SELECT count(*) FROM list_items", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_tombstone_goes_with_its_ops_and_nothing_from_before_it_is_taken_any_more() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let removed = [list(1, 0, 0, 1), list(1, 1, 0, 2), list(1, 9, 0, 3)];
    append(&mut file, &removed);
    append(
        &mut file,
        &[list(2, 0, 0, 10), op("z", 20, thread(1), &create(1))],
    );
    let run = compact_all(&mut file, 5);
    assert_eq!((run.totals().dropped, run.totals().collected), (3, 1));
    assert_eq!(item_rows(&file), 1);
    // Of what may have been there nothing tells; what is new must be stamped above it.
    assert_eq!(append(&mut file, &removed[..1]), [Appended::MaybeCovered]);
    let mut late = list(1, 3, 0, 3);
    late.key.actor = ActorId::new("late").unwrap();
    let Appended::Behind(clock) = append(&mut file, &[late.clone()])[0] else {
        panic!("it is taken")
    };
    assert_eq!(clock.get(), 3);
    late.key.clock = Clock::new(4).unwrap();
    assert!(matches!(append(&mut file, &[late])[0], Appended::At(..)));
    assert_eq!(item_rows(&file), 2);
}

#[test]
fn a_tombstone_stays_while_an_older_stamp_on_its_list_stands_above_the_floor() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &[list(1, 0, 0, 5), list(1, 9, 0, 6)]);
    append(
        &mut file,
        &[list(1, 3, 4, 7), op("z", 20, thread(1), &create(1))],
    );
    let run = compact_all(&mut file, 3);
    assert_eq!(run.totals().collected, 0);
    let run = compact_all(&mut file, 4);
    assert_eq!((run.totals().collected, item_rows(&file)), (1, 0));
}

#[test]
fn an_old_op_on_an_item_that_is_there_is_judged_by_its_row_whatever_else_was_collected() {
    let dir = Dir::new();
    let (mut file, mut whole) = (dir.create("t.db"), dir.create("w.db"));
    let written = [
        list(1, 0, 0, 1),
        list(2, 0, 0, 2),
        list(2, 1, 0, 7),
        list(1, 9, 0, 8),
        op("z", 20, thread(1), &create(1)),
    ];
    append(&mut file, &written);
    append(&mut whole, &written);
    assert_eq!(compact_all(&mut file, 5).totals().collected, 1);
    // An edit from before somebody's newer one, and one of another part from before the removal.
    let (mut older, mut tick) = (list(2, 1, 0, 3), custom("tick", 4, "false"));
    older.key.actor = ActorId::new("late").unwrap();
    tick.key.scope = Scope::new(Scope::LIST).unwrap();
    tick.payload =
        Payload::parse(r#"{"type":"update","itemId":"i2","payload":{"done":true}}"#).unwrap();
    for op in [older, tick] {
        let appended = append(&mut file, std::slice::from_ref(&op));
        assert!(matches!(appended[..], [Appended::At(..)]), "{appended:?}");
        append(&mut whole, &[op]);
    }
    let shown = |file: &TenantFile| -> (String, i64) {
        file.connection()
            .query_row(
                "SELECT text, done FROM list_items WHERE present = 1",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap()
    };
    assert_eq!(shown(&file), ("u7".to_owned(), 1));
    assert_eq!(shown(&whole), shown(&file));
    // A row that is there again and not seen lacks what was collected.
    let edit = list(1, 1, 0, 25);
    assert!(matches!(append(&mut file, &[edit])[..], [Appended::At(..)]));
    let mut late = list(1, 0, 0, 5);
    late.key.actor = ActorId::new("late").unwrap();
    let appended = append(&mut file, &[late]);
    assert!(
        matches!(appended[..], [Appended::Behind(_)]),
        "{appended:?}"
    );
}

/// The restore of item `i1` by `actor`, which gives back what somebody wrote at `written`.
fn restore(actor: &str, clock: u64, written: u64) -> Op {
    let mut op = custom(actor, clock, "false");
    op.key.scope = Scope::new(Scope::LIST).unwrap();
    let text = format!(
        r#"{{"type":"restore","itemId":"i1","payload":{{"text":"given","done":true,"note":"n","pos":"a1","list":"one","versions":{{"actor":"me","written":[{{"parts":["text","done","note","pos","list"],"clock":{written},"actor":"l1"}}]}}}}}}"#
    );
    op.payload = Payload::parse(&text).unwrap();
    op
}

#[test]
fn what_is_given_back_where_it_was_collected_is_taken_whole_from_another_actor() {
    let dir = Dir::new();
    let (mut file, mut replica) = (dir.create("t.db"), dir.create("r.db"));
    append(
        &mut file,
        &[list(1, 0, 0, 1), list(1, 9, 0, 2), list(1, 1, 0, 3)],
    );
    append(&mut file, &[op("z", 4, thread(1), &create(1))]);
    pull_from_zero(&file, &mut replica, 10);
    let run = compact_all(&mut file, 4);
    assert_eq!((run.totals().collected, item_rows(&file)), (1, 0));
    // By somebody who knew of the removal, and not of the text that came after it.
    let mut late = restore("me", 9, 1);
    let Appended::Behind(clock) = append(&mut file, &[late.clone()])[0] else {
        panic!("it is taken")
    };
    assert_eq!(clock.get(), 3);
    late.key.actor = ActorId::new("anew").unwrap();
    assert!(matches!(append(&mut file, &[late])[0], Appended::At(..)));
    pull_from_zero(&file, &mut replica, 10);
    assert_eq!(replica.dump_view().unwrap(), file.dump_view().unwrap());
    let text = |file: &TenantFile| -> (String, i64, String) {
        file.connection()
            .query_row("SELECT text, done, note FROM list_items", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap()
    };
    assert_eq!(text(&file), ("given".to_owned(), 1, "n".to_owned()));
    assert_eq!(text(&replica), text(&file));
}

#[test]
fn what_is_given_back_to_an_item_that_still_stands_is_taken_beside_collected_ones() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &[list(1, 0, 0, 1), list(2, 0, 0, 2)]);
    append(&mut file, &[list(2, 9, 0, 3), list(1, 9, 0, 4)]);
    append(&mut file, &[op("z", 5, thread(1), &create(1))]);
    let run = compact_all(&mut file, 4);
    assert_eq!((run.totals().collected, item_rows(&file)), (1, 1));
    let given = append(&mut file, &[restore("me", 9, 1)]);
    assert!(matches!(given[0], Appended::At(..)), "{given:?}");
}
