//! Fields that belong to their last writer: any order of the same ops gives the same fields.

use proptest::prelude::*;
use syncline_model::thread::{
    EntryId, LINKS, Link, Status, TAGS, THREADS, Tag, ThreadOp, Update, thread_id,
};
use syncline_model::{Op, Row, Value};
use uuid::Uuid;

use super::memory::{Memory, at, create, entry, id, op};

#[derive(Debug, Clone)]
enum Change {
    Create(String),
    Update(Option<String>, Option<String>, Option<Status>),
    Tag(Option<EntryId>, &'static str, bool),
    Link(u64, Option<String>, bool),
}

fn change() -> impl Strategy<Value = Change> {
    let word = || "[a-z]{1,3}";
    let status = prop_oneof![
        Just(Status::Active),
        Just(Status::Archived),
        Just(Status::Blocked)
    ];

    let entry = prop::option::of((0_u128..2).prop_map(|n| EntryId::new(Uuid::from_u128(n))));
    prop_oneof![
        1 => word().prop_map(Change::Create),
        4 => (prop::option::of(word()), prop::option::of(word()), prop::option::of(status)).prop_map(|(n, p, s)| Change::Update(n, p, s)),
        2 => (entry, prop_oneof![Just("todo"), Just("done")], any::<bool>())
            .prop_map(|(e, t, p)| Change::Tag(e, t, p)),
        2 => (0_u64..3, prop::option::of(word()), any::<bool>()).prop_map(|(t, n, p)| Change::Link(t, n, p)),
    ]
}

fn made(actor: &str, clock: u64, change: Change) -> Op {
    let payload = match change {
        Change::Create(name) => return op(actor, clock, &create(&name)),
        Change::Update(name, project, status) => ThreadOp::Update(Update {
            name: name.map(Into::into),
            project: project.map(Into::into),
            status,
            at: at(clock as i64),
        }),
        Change::Tag(entry_id, tag, present) => ThreadOp::Tag(Tag {
            entry_id,
            tag: tag.into(),
            present,
        }),
        Change::Link(target, note, present) => ThreadOp::Link(Link {
            entry_id: None,
            target: thread_id("p", "other", target),
            note: note.map(Into::into),
            present,
        }),
    };
    op(actor, clock, &payload)
}

/// The ops of three replicas, each with its own rising clocks, in two orders.
fn two_orders() -> impl Strategy<Value = (Vec<Op>, Vec<Op>)> {
    prop::collection::vec((0_usize..3, change()), 1..20)
        .prop_map(|changes| {
            let mut clocks = [0_u64; 3];
            let ops = changes.into_iter().map(|(replica, change)| {
                clocks[replica] += 1;
                made(["a", "b", "c"][replica], clocks[replica], change)
            });
            ops.collect::<Vec<Op>>()
        })
        .prop_flat_map(|ops| (Just(ops.clone()), Just(ops).prop_shuffle()))
}

fn fields(ops: &[Op]) -> [Vec<Row>; 3] {
    let mut view = Memory::default();
    for op in ops {
        view.confirm(op);
    }
    [
        view.columns(&THREADS, &["key", "name", "project", "status", "versions"]),
        view.columns(&TAGS, &["entry_id", "tag", "present", "clock", "actor"]),
        view.columns(&LINKS, &["target", "note", "present", "clock", "actor"]),
    ]
}

proptest! {
    #[test]
    fn fields_converge_in_any_order((one, other) in two_orders()) {
        // A thread of which nothing but fields that nobody set is known has no row, in any order.
        prop_assert_eq!(fields(&one), fields(&other));
    }
}

#[test]
fn at_equal_clocks_the_greater_actor_wins() {
    let rename = |name: &str| {
        ThreadOp::Update(Update {
            name: Some(name.to_owned().into()),
            project: None,
            status: None,
            at: at(1),
        })
    };
    let (low, high) = (op("a", 5, &rename("low")), op("b", 5, &rename("high")));
    for order in [[&low, &high], [&high, &low]] {
        let mut view = Memory::default();
        for op in order {
            view.confirm(op);
        }
        let name = view.cell(&THREADS, &[Value::from(id().to_string())], "name");
        assert_eq!(name, Some(Value::from("high")));
    }
}

#[test]
fn a_creation_that_comes_late_tells_key_and_home_and_keeps_later_words() {
    let mut view = Memory::default();
    view.confirm(&op("b", 1, &entry(1, "user", "early")));
    let moved = ThreadOp::Update(Update {
        name: Some("renamed".into()),
        project: Some("q".into()),
        status: None,
        at: at(3_000),
    });
    view.confirm(&op("b", 9, &moved));
    view.confirm(&op("a", 2, &create("first name")));
    let columns = ["key", "home_project", "project", "name", "entry_count"];
    assert_eq!(
        view.columns(&THREADS, &columns),
        [vec![
            Value::from("k"),
            Value::from("p"),
            Value::from("q"),
            Value::from("renamed"),
            Value::Integer(1)
        ]]
    );
}
