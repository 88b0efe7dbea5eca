//! A log without its covered ops folds to the same rows, whatever is appended to it afterwards.

use proptest::prelude::*;
use syncline_model::compaction::{Coverage, coverage, replaces};
use syncline_model::thread::{Delete, EntryId, Link, Status, Tag, ThreadOp, Update, thread_id};
use syncline_model::{Folded, Op, Payload};
use uuid::Uuid;

use super::memory::{Memory, at, create, delete, entry, op};

#[derive(Debug, Clone)]
enum Change {
    Create(&'static str, i64),
    Entry(u128, &'static str),
    Update(
        Option<&'static str>,
        Option<&'static str>,
        Option<Status>,
        i64,
    ),
    Tag(Option<EntryId>, &'static str, bool),
    Link(u64, bool),
    Delete(i64),
    /// Of a newer version: it says more than this one reads.
    Newer(&'static str),
    Unreadable,
}

fn word() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("x"), Just("y"), Just("z")]
}

fn change() -> impl Strategy<Value = Change> {
    let status = prop_oneof![Just(Status::Active), Just(Status::Archived)];
    let on = prop::option::of((0_u128..2).prop_map(|n| EntryId::new(Uuid::from_u128(n))));
    let update = (
        prop::option::of(word()),
        prop::option::of(word()),
        prop::option::of(status),
        0_i64..6,
    );
    prop_oneof![
        20 => (word(), 0_i64..6).prop_map(|(name, at)| Change::Create(name, at)),
        20 => (0_u128..6, word()).prop_map(|(id, text)| Change::Entry(id, text)),
        60 => update.prop_map(|(n, p, s, at)| Change::Update(n, p, s, at)),
        20 => (on, word(), any::<bool>()).prop_map(|(on, tag, set)| Change::Tag(on, tag, set)),
        20 => (0_u64..3, any::<bool>()).prop_map(|(to, set)| Change::Link(to, set)),
        2 => (0_i64..6).prop_map(Change::Delete),
        5 => word().prop_map(Change::Newer),
        3 => Just(Change::Unreadable),
    ]
}

fn made(actor: &str, clock: u64, change: &Change) -> Op {
    let payload = match *change {
        Change::Create(name, millis) => {
            let ThreadOp::Create(mut made) = create(name) else {
                unreachable!("that is what it makes");
            };
            made.at = at(millis);
            ThreadOp::Create(made)
        }
        Change::Entry(id, text) => entry(id, text, text),
        Change::Update(name, project, status, millis) => ThreadOp::Update(Update {
            name: name.map(Into::into),
            project: project.map(Into::into),
            status,
            at: at(millis),
        }),
        Change::Tag(entry_id, tag, present) => ThreadOp::Tag(Tag {
            entry_id,
            tag: tag.into(),
            present,
        }),
        Change::Link(target, present) => ThreadOp::Link(Link {
            entry_id: None,
            target: thread_id("p", "other", target),
            note: None,
            present,
        }),
        Change::Delete(millis) => ThreadOp::Delete(Delete {
            project: "p".into(),
            key: "k".into(),
            generation: 0,
            at: at(millis),
        }),
        Change::Newer(name) => {
            let mut op = op(actor, clock, &create(name));
            let text = format!(
                r#"{{"type":"update","name":"{name}","color":"red","at":"1970-01-01T00:00:00.001Z"}}"#
            );
            op.payload = Payload::parse(&text).expect("JSON");
            return op;
        }
        Change::Unreadable => {
            let mut op = op(actor, clock, &delete());
            op.payload = Payload::parse(r#"{"type":"foreign"}"#).expect("JSON");
            return op;
        }
    };
    op(actor, clock, &payload)
}

/// A log as it is stored: erased payloads are gone.
type Log = Vec<(Op, Option<Payload>)>;

/// Appends `ops` to the log and folds them, and erases what that erases.
fn append(log: &mut Log, view: &mut Memory, ops: &[Op]) {
    for op in ops {
        log.push((op.clone(), Some(op.payload.clone())));
        match view.confirm(op) {
            Folded::Deleted => {
                let last = log.len() - 1;
                log[..last]
                    .iter_mut()
                    .for_each(|(_, payload)| *payload = None);
            }
            Folded::AfterDelete => log.last_mut().expect("it was pushed just now").1 = None,
            Folded::Applied | Folded::Skipped(_) | Folded::Opaque => {}
        }
    }
}

fn folded(log: &Log) -> Memory {
    let mut view = Memory::default();
    for (op, payload) in log {
        view.confirm_stored(&op.key, payload.as_ref());
    }
    view
}

/// Takes the covered ops below `floor` out of the log, in any number of passes.
fn compacted(log: &Log, view: &Memory, floor: usize) -> Log {
    let mut rows = view.clone();
    let kept = log.iter().enumerate().filter(|(place, (op, payload))| {
        let covered = coverage(&mut rows, &op.key, payload.as_ref()).expect("memory does not fail");
        *place >= floor || covered != Coverage::Covered
    });
    kept.map(|(_, op)| op.clone()).collect()
}

/// Ops of three replicas in an order in which their clocks are anyhow, and two places in it.
fn history() -> impl Strategy<Value = (Vec<Op>, usize, usize)> {
    let changes = prop::collection::vec((0_usize..3, change()), 1..40);
    let ops = changes.prop_map(|changes| {
        let mut clocks = [0_u64; 3];
        let ops = changes.into_iter().map(|(replica, change)| {
            clocks[replica] += 1;
            made(["a", "b", "c"][replica], clocks[replica], &change)
        });
        ops.collect::<Vec<Op>>()
    });
    (
        ops.prop_shuffle(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    )
        .prop_map(|(ops, head, floor)| {
            let head = head.index(ops.len()) + 1;
            let floor = floor.index(head + 1);
            (ops, head, floor)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_compacted_log_folds_to_the_same_rows_now_and_later((ops, head, floor) in history()) {
        let (mut log, mut view) = (Log::new(), Memory::default());
        append(&mut log, &mut view, &ops[..head]);
        let mut small = compacted(&log, &view, floor);
        let mut small_view = folded(&small);
        prop_assert_eq!(small_view.rows(), folded(&log).rows());
        append(&mut log, &mut view, &ops[head..]);
        append(&mut small, &mut small_view, &ops[head..]);
        prop_assert_eq!(folded(&small).rows(), view.rows());
        prop_assert_eq!(small_view.rows(), view.rows());
        let twice = compacted(&small, &small_view, small.len());
        prop_assert_eq!(folded(&twice).rows(), view.rows());
    }
}

#[test]
fn of_many_renames_the_last_stays() {
    let (mut log, mut view) = (Log::new(), Memory::default());
    let rename = |clock: u64| {
        made(
            "a",
            clock,
            &Change::Update(Some("x"), None, None, clock as i64),
        )
    };
    let ops: Vec<Op> = (1..=100).map(rename).collect();
    append(&mut log, &mut view, &ops);
    // The first gave the thread its time of creation.
    assert_eq!(compacted(&log, &view, 100).len(), 2);
}

#[test]
fn of_a_deleted_thread_the_delete_stays() {
    let (mut log, mut view) = (Log::new(), Memory::default());
    let ops: Vec<Op> = [
        Change::Create("x", 1),
        Change::Entry(1, "x"),
        Change::Tag(None, "x", true),
        Change::Delete(2),
        Change::Entry(2, "late"),
    ]
    .iter()
    .zip(1..)
    .map(|(change, clock)| made("a", clock, change))
    .collect();
    append(&mut log, &mut view, &ops);
    let left = compacted(&log, &view, 5);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0.key.clock.get(), 4);
}

#[test]
fn what_replaces_says_so_at_the_top_of_its_payload() {
    for (text, expected) in [
        (r#"{"replaces":true}"#, true),
        (r#"{"a":{"replaces":true}}"#, false),
        (r#"{"replaces":"true"}"#, false),
        (r#"{"replaces":false}"#, false),
        (r#"{"replaces":true,"replaces":false}"#, false),
        ("[true]", false),
        (r#""replaces""#, false),
        ("true", false),
    ] {
        assert_eq!(replaces(&Payload::parse(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn what_says_more_than_is_read_here_stays() {
    let (mut log, mut view) = (Log::new(), Memory::default());
    let ops = [
        made("a", 1, &Change::Create("x", 0)),
        made("a", 2, &Change::Newer("x")),
        made("a", 3, &Change::Unreadable),
        made("a", 4, &Change::Update(Some("y"), None, None, 5)),
        made("a", 5, &Change::Update(Some("z"), None, None, 6)),
    ];
    append(&mut log, &mut view, &ops);
    let left = compacted(&log, &view, 5);
    let clocks: Vec<u64> = left.iter().map(|(op, _)| op.key.clock.get()).collect();
    assert_eq!(clocks, [1, 2, 3, 5]);
}
