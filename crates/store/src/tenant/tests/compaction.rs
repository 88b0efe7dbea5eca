//! A compacted log folds to the same view, here and wherever it is pulled to.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Append {
        actor: u8,
        thread: u64,
        kind: u8,
    },
    Custom {
        actor: u8,
        replaces: bool,
    },
    /// A replica pulls all there is.
    Pull(usize),
    /// So many steps of a run up to this part of the log's head, of so many ops each.
    Compact {
        floor: u64,
        steps: usize,
        count: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..3_u8, 0..2_u64, 0..9_u8)
            .prop_map(|(actor, thread, kind)| Step::Append { actor, thread, kind }),
        3 => (0..3_u8, any::<bool>()).prop_map(|(actor, replaces)| Step::Custom { actor, replaces }),
        2 => (0..2_usize).prop_map(Step::Pull),
        2 => (0..=100_u64, 1..6_usize, 1..20_usize)
            .prop_map(|(floor, steps, count)| Step::Compact { floor, steps, count }),
    ];
    proptest::collection::vec(step, 1..80)
}

/// `word` is the value of `replaces`.
fn custom(actor: &str, clock: u64, word: &str) -> Op {
    Op {
        key: OpKey {
            actor: ActorId::new(actor).unwrap(),
            clock: Clock::new(clock).unwrap(),
            scope: Scope::new("custom").unwrap(),
            resource: ResourceId::new("one").unwrap(),
        },
        payload: Payload::parse(&format!(r#"{{"replaces":{word},"n":{clock}}}"#)).unwrap(),
    }
}

/// Custom ops of a log as those who know their scope would read them: from the last that replaces.
fn custom_state(file: &TenantFile) -> Vec<u64> {
    let ops = file.ops_after(ServerSeq::ZERO, EVERYTHING).unwrap();
    let ops: Vec<_> = ops
        .iter()
        .filter(|op| op.key.scope.as_str() == "custom")
        .collect();
    let replaces = |op: &&&syncline_model::LoggedOp| {
        op.payload
            .as_ref()
            .is_some_and(|p| p.as_str().contains("true"))
    };
    let last = ops.iter().rposition(|op| replaces(&op)).unwrap_or(0);
    ops[last..].iter().map(|op| op.key.clock.get()).collect()
}

const NO_OUTBOX: &[PendingOp] = &[];

fn compact(file: &mut TenantFile, floor: u64, steps: usize, count: usize) -> Compaction {
    let mut run = Compaction::begin(file, ServerSeq(floor), Collecting::Tombstones).unwrap();
    for _ in 0..steps {
        if file.compact_step(&mut run, count, NO_OUTBOX).unwrap() == Stepped::Done {
            break;
        }
    }
    run
}

fn compact_all(file: &mut TenantFile, floor: u64) -> Compaction {
    compact(file, floor, usize::MAX, 1_000)
}

/// What a replica that begins with nothing makes of the log.
fn fetched(dir: &Dir, server: &TenantFile, limit: usize) -> TenantFile {
    let _ = std::fs::remove_file(dir.0.path().join("fetched.db"));
    let mut replica = dir.create("fetched.db");
    pull_from_zero(server, &mut replica, limit);
    replica
}

fn pull_from_zero(server: &TenantFile, replica: &mut TenantFile, limit: usize) {
    let head = server.head().unwrap();
    while replica.head().unwrap().cursor.server_seq < head.cursor.server_seq {
        let since = replica.head().unwrap().cursor.server_seq;
        let mut page = page(server, since, limit);
        if page.ops.len() < limit {
            page.cursor = head.cursor;
        }
        replica.apply(&page, NO_OUTBOX).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn compacted_logs_fold_to_the_same_view_wherever_they_go(steps in steps()) {
        let dir = Dir::new();
        let (mut whole, mut small) = (dir.create("whole.db"), dir.create("small.db"));
        let mut replicas: Vec<_> = (0..2).map(|n| dir.create(&format!("r{n}.db"))).collect();
        let mut unique = 0;
        for step in steps {
            match step {
                Step::Append { actor, thread: n, kind } => {
                    unique += 1;
                    let mut op = op(&format!("a{actor}"), unique, thread(n), &create(n));
                    op.payload = convergence::payload(kind, n, unique);
                    append(&mut whole, std::slice::from_ref(&op));
                    append(&mut small, &[op]);
                }
                Step::Custom { actor, replaces } => {
                    unique += 1;
                    let op = custom(&format!("a{actor}"), unique, &replaces.to_string());
                    append(&mut whole, std::slice::from_ref(&op));
                    append(&mut small, &[op]);
                }
                Step::Pull(n) => pull_from_zero(&small, &mut replicas[n], 1_000),
                Step::Compact { floor, steps, count } => {
                    let head = small.head().unwrap().cursor.server_seq.get();
                    let live = replicas.iter().map(|r| r.head().unwrap().cursor.server_seq.get());
                    let floor = (head * floor / 100).min(live.min().unwrap_or(0));
                    compact(&mut small, floor, steps, count);
                    let mut own = floor;
                    for replica in &mut replicas {
                        own = own.saturating_sub(1);
                        compact(replica, own, steps, count);
                    }
                }
            }
            prop_assert_eq!(custom_state(&small), custom_state(&whole));
        }
        let expected = whole.dump_view().unwrap();
        prop_assert_eq!(&fetched(&dir, &small, 3).dump_view().unwrap(), &expected);
        for replica in &mut replicas {
            pull_from_zero(&small, replica, 5);
            prop_assert_eq!(&replica.dump_view().unwrap(), &expected);
            replica.fold_again().unwrap();
            prop_assert_eq!(&replica.dump_view().unwrap(), &expected);
        }
        prop_assert_eq!(&small.dump_view().unwrap(), &expected);
        small.fold_again().unwrap();
        prop_assert_eq!(&small.dump_view().unwrap(), &expected);
        // Whatever was dropped is known to have been there.
        for op in whole.ops_after(ServerSeq::ZERO, EVERYTHING).unwrap() {
            let known = small.find(&op.key).unwrap().is_some() || small.is_pruned(&op.key).unwrap();
            prop_assert!(known, "{:?}", op.key);
        }
    }
}

fn renames(count: u64) -> Vec<Op> {
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
