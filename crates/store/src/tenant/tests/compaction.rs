//! A compacted log folds to the same view, here and wherever it is pulled to.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;

mod at_once;
mod cases;
mod deleted;
mod keyed;
mod lost;

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
    /// Of an item of the one list; the clock lags so much behind the highest.
    List {
        item: u8,
        kind: u8,
        lag: u64,
    },
    /// A replica pulls all there is.
    Pull(usize),
    /// So many steps of a run up to this part of the log's head, of so many ops each.
    Compact {
        floor: u64,
        steps: usize,
        count: usize,
    },
    /// The log begins a run that drops at once, unless one is under way.
    BeginAtOnce {
        floor: u64,
        stays: u64,
    },
    /// One step of that run.
    Go {
        count: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (0..3_u8, 0..2_u64, 0..9_u8)
            .prop_map(|(actor, thread, kind)| Step::Append { actor, thread, kind }),
        3 => (0..3_u8, any::<bool>()).prop_map(|(actor, replaces)| Step::Custom { actor, replaces }),
        12 => (0..3_u8, 0..12_u8, 0..12_u64)
            .prop_map(|(item, kind, lag)| Step::List { item, kind, lag }),
        2 => (0..2_usize).prop_map(Step::Pull),
        2 => (50..=100_u64, 1..20_usize, 1..40_usize)
            .prop_map(|(floor, steps, count)| Step::Compact { floor, steps, count }),
        2 => begin_at_once(),
        4 => (1..40_usize).prop_map(|count| Step::Go { count }),
    ];
    proptest::collection::vec(step, 1..80)
}

/// Few items, and a floor near the head: what is removed is soon collected. Now and then somebody
/// makes an item again with a stamp from long before.
fn list_steps() -> impl Strategy<Value = Vec<Step>> {
    let list = |(item, kind, lag)| Step::List { item, kind, lag };
    let step = prop_oneof![
        8 => (0..3_u8, 0..12_u8, Just(0)).prop_map(list),
        2 => (0..3_u8, Just(3), 1..20_u64).prop_map(list),
        1 => (0..2_usize).prop_map(Step::Pull),
        4 => (60..=100_u64).prop_map(|floor| Step::Compact { floor, steps: 9, count: 100 }),
        2 => begin_at_once(),
        4 => (1..40_usize).prop_map(|count| Step::Go { count }),
    ];
    proptest::collection::vec(step, 30..60)
}

fn begin_at_once() -> impl Strategy<Value = Step> {
    (50..=100_u64, 1..=2_u64).prop_map(|(floor, stays)| Step::BeginAtOnce { floor, stays })
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

/// An op on one of a few items of a list, stamped late.
fn list(item: u8, kind: u8, lag: u64, unique: u64) -> Op {
    let position = format!(r#""pos":[{{"digit":{unique},"actor":"a"}}]"#);
    let content = format!(r#""text":"t{unique}","done":false,"note":"",{position}"#);
    // What somebody not long ago has written is given back.
    let before = unique.saturating_sub(1 + unique % 5).max(1);
    let written = format!(
        r#"{{"parts":["text","done","note","pos","list"],"clock":{before},"actor":"l{before}"}}"#
    );
    let versions = format!(r#""versions":{{"actor":"l{unique}","written":[{written}]}}"#);
    let (kind, said) = match kind {
        0 => ("insert", format!("{{{content}}}")),
        1 => ("update", format!(r#"{{"text":"u{unique}"}}"#)),
        2 => ("move", format!("{{{position}}}")),
        3 => ("restore", format!(r#"{{{content},"list":"one"}}"#)),
        4 | 5 => (
            "restore",
            format!(r#"{{{content},"list":"one",{versions}}}"#),
        ),
        // What a newer version reads further, or reads at all.
        10 => ("insert", format!(r#"{{{content},"color":"red"}}"#)),
        11 => ("paint", r#"{"color":"red"}"#.to_owned()),
        _ => ("remove", "null".to_owned()),
    };
    let text = format!(r#"{{"type":"{kind}","itemId":"i{item}","payload":{said}}}"#);
    let clock = unique.saturating_sub(lag).max(1);
    let mut op = custom(&format!("l{unique}"), clock, "false");
    op.key.scope = Scope::new(Scope::LIST).unwrap();
    op.payload = Payload::parse(&text).unwrap();
    op
}

/// Appends an op to the log that compacts, as its writer would: by another actor and with a later
/// clock where it is refused; then to the one that doesn't.
fn append_to_both(small: &mut TenantFile, whole: &mut TenantFile, mut op: Op) {
    if let [Appended::Behind(clock)] = append(small, std::slice::from_ref(&op))[..] {
        let seen = small.head().unwrap().clock_max;
        assert!(clock.get() <= seen);
        op.key.clock = Clock::new(seen + 1).unwrap();
        op.key.actor = ActorId::new(format!("{}-anew", op.key.actor)).unwrap();
        let again = append(small, std::slice::from_ref(&op));
        assert!(matches!(again[..], [Appended::At(..)]));
    }
    append(whole, &[op]);
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
    compact_with(file, floor, Collecting::Tombstones, steps, count)
}

fn compact_with(
    file: &mut TenantFile,
    floor: u64,
    collecting: Collecting,
    steps: usize,
    count: usize,
) -> Compaction {
    let mut run = Compaction::begin(file, ServerSeq(floor), collecting).unwrap();
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
    pull_up_to(
        server,
        replica,
        server.head().unwrap().cursor.server_seq,
        limit,
    );
}

fn pull_up_to(server: &TenantFile, replica: &mut TenantFile, place: ServerSeq, limit: usize) {
    let head = server.head().unwrap();
    while replica.head().unwrap().cursor.server_seq < place {
        let since = replica.head().unwrap().cursor.server_seq;
        let mut page = page(server, since, limit);
        if page.ops.len() < limit {
            page.cursor = head.cursor;
        }
        replica.apply(&page, NO_OUTBOX).unwrap();
    }
}

/// The place at this part of the log's head; all replicas are there by then.
fn floor_at(percent: u64, log: &TenantFile, replicas: &mut [TenantFile]) -> u64 {
    let floor = log.head().unwrap().cursor.server_seq.get() * percent / 100;
    for replica in replicas {
        pull_up_to(log, replica, ServerSeq(floor), 3);
    }
    floor
}

/// Compacts the log up to a place, and each replica up to a place before that.
fn compact_each(
    log: &mut TenantFile,
    replicas: &mut [TenantFile],
    percent: u64,
    (steps, count): (usize, usize),
) {
    let floor = floor_at(percent, log, replicas);
    compact(log, floor, steps, count);
    let mut own = floor;
    for replica in replicas {
        own = own.saturating_sub(1);
        compact_with(replica, own, Collecting::Nothing, steps, count);
    }
}

/// Does these steps with a log that compacts and one that doesn't, and compares.
fn compare(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let dir = Dir::new();
    let (mut whole, mut small) = (dir.create("whole.db"), dir.create("small.db"));
    let mut replicas: Vec<_> = (0..2).map(|n| dir.create(&format!("r{n}.db"))).collect();
    let mut unique = 0;
    let mut under_way: Option<Compaction> = None;
    for step in steps {
        match step {
            Step::Append {
                actor,
                thread: n,
                kind,
            } => {
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
            Step::List { item, kind, lag } => {
                unique += 1;
                append_to_both(&mut small, &mut whole, list(item, kind, lag, unique));
            }
            Step::Pull(n) => pull_from_zero(&small, &mut replicas[n], 1_000),
            Step::Compact {
                floor,
                steps,
                count,
            } => {
                // A log is compacted by one run at a time.
                under_way = None;
                compact_each(&mut small, &mut replicas, floor, (steps, count));
            }
            Step::BeginAtOnce { floor, stays } => {
                let floor = ServerSeq(floor_at(floor, &small, &mut replicas));
                let begin = || Compaction::begin(&small, floor, Collecting::Tombstones).unwrap();
                under_way.get_or_insert_with(|| begin().at_once(OneIn(stays)));
            }
            Step::Go { count } => {
                if let Some(run) = &mut under_way
                    && small.compact_step(run, count, NO_OUTBOX).unwrap() == Stepped::Done
                {
                    under_way = None;
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
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn compacted_logs_fold_to_the_same_view_wherever_they_go(steps in steps()) {
        compare(steps)?;
    }

    #[test]
    fn lists_without_their_tombstones_are_the_same_lists(steps in list_steps()) {
        compare(steps)?;
    }
}
