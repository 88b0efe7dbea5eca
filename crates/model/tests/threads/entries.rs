//! Entries: their order, their ids, and what a delete leaves of them.

use proptest::prelude::*;
use syncline_model::thread::{Delete, ENTRIES, THREADS, ThreadOp, Update};
use syncline_model::{Folded, Op, OpKey, Payload, ResourceId, SkipReason, Value};

use super::memory::{Memory, at, create, delete, entry, id, op};

fn sequence(view: &Memory) -> Vec<(Value, Value)> {
    let mut rows: Vec<(Value, Value)> = view
        .columns(&ENTRIES, &["sequence_id", "content"])
        .into_iter()
        .map(|mut row| (row.remove(0), row.remove(0)))
        .collect();
    rows.sort_by_key(|(sequence, _)| sequence.as_integer());
    rows
}

fn thread_cell(view: &Memory, column: &str) -> Value {
    view.cell(&THREADS, &[Value::from(id().to_string())], column)
        .expect("the thread is there")
}

#[test]
fn entries_take_dense_places_in_log_order_whatever_their_clocks() {
    let mut view = Memory::default();
    view.confirm(&op("b", 50, &entry(3, "user", "first")));
    view.confirm(&op("a", 1, &create("name")));
    view.confirm(&op("a", 90, &entry(1, "user", "second")));
    view.confirm(&op("a", 2, &entry(2, "user", "third")));
    let expected = ["first", "second", "third"]
        .iter()
        .enumerate()
        .map(|(n, text)| (Value::Integer(n as i64), Value::from(*text)));
    assert_eq!(sequence(&view), expected.collect::<Vec<_>>());
    assert_eq!(thread_cell(&view, "entry_count"), Value::Integer(3));
}

#[test]
fn the_first_entry_of_an_id_stands_and_later_ones_take_no_place() {
    let mut view = Memory::default();
    view.confirm(&op("a", 1, &entry(1, "user", "kept")));
    assert_eq!(
        view.confirm(&op("b", 7, &entry(1, "other", "lost"))),
        Folded::Applied
    );
    view.confirm(&op("a", 2, &entry(2, "user", "next")));
    assert_eq!(
        sequence(&view),
        [
            (Value::Integer(0), Value::from("kept")),
            (Value::Integer(1), Value::from("next"))
        ]
    );
    assert_eq!(
        thread_cell(&view, "updated_at"),
        Value::from(at(2_002).to_string())
    );
}

#[test]
fn a_pending_entry_has_an_order_and_no_place() {
    let mut view = Memory::default();
    view.confirm(&op("a", 1, &entry(1, "user", "confirmed")));
    view.pend(&op("a", 2, &entry(2, "user", "pending")), 17);
    let rows = view.columns(&ENTRIES, &["sequence_id", "pending_order"]);
    assert_eq!(
        rows,
        [
            vec![Value::Integer(0), Value::Null],
            vec![Value::Null, Value::Integer(17)]
        ]
    );
}

#[test]
fn authors_are_listed_once_in_the_order_in_which_they_came() {
    let mut view = Memory::default();
    let authors = [
        "user",
        "x\"user\"y",
        "claude",
        "user",
        "a\\",
        "a\\\"b",
        "a\\",
    ];
    for (n, author) in authors.iter().enumerate() {
        view.confirm(&op("a", n as u64 + 1, &entry(n as u128, author, "text")));
    }
    let listed = thread_cell(&view, "authors").into_text().expect("text");
    let listed: Vec<String> = serde_json::from_str(&listed).expect("an array of texts");
    assert_eq!(listed, ["user", "x\"user\"y", "claude", "a\\", "a\\\"b"]);
}

#[test]
fn the_list_of_authors_is_bounded() {
    let mut view = Memory::default();
    let endless = "x".repeat(10_000);
    view.confirm(&op("a", 1, &entry(1, &endless, "text")));
    for n in 2..200 {
        let author = format!("author {n}");
        view.confirm(&op("a", n, &entry(u128::from(n), &author, "text")));
    }
    let listed = thread_cell(&view, "authors").into_text().expect("text");
    let listed: Vec<String> = serde_json::from_str(&listed).expect("an array of texts");
    assert_eq!(listed.len(), syncline_model::limits::AUTHORS_LISTED_MAX);
    assert!(listed.iter().all(|author| author.len() < 100));
}

#[test]
fn a_delete_erases_and_what_comes_after_changes_nothing() {
    let mut view = Memory::default();
    view.confirm(&op("a", 1, &create("name")));
    view.confirm(&op("a", 2, &entry(1, "user", "text")));
    assert_eq!(view.confirm(&op("a", 3, &delete())), Folded::Deleted);
    let gone = view.clone();
    let rename = ThreadOp::Update(Update {
        name: Some("other".into()),
        project: None,
        status: None,
        at: at(9_999),
    });
    for (n, late) in [entry(2, "user", "late"), rename, create("again")]
        .iter()
        .enumerate()
    {
        let folded = view.confirm(&op("z", 100 + n as u64, late));
        assert_eq!(folded, Folded::AfterDelete);
    }
    assert!(view.columns(&ENTRIES, &["content"]).is_empty());
    assert_eq!(
        view.columns(&THREADS, &["status", "name"]),
        gone.columns(&THREADS, &["status", "name"])
    );
    assert_eq!(thread_cell(&view, "status"), Value::from("deleted"));
}

#[test]
fn of_two_deletes_the_later_one_leaves_the_tombstone() {
    let (mut whole, mut erased) = (Memory::default(), Memory::default());
    let later = ThreadOp::Delete(Delete {
        project: "p".into(),
        key: "k".into(),
        generation: 0,
        at: at(9_500),
    });
    whole.confirm(&op("a", 1, &delete()));
    // Somebody's fold could not read the first, and the second has erased it there.
    for view in [&mut whole, &mut erased] {
        assert_eq!(view.confirm(&op("b", 2, &later)), Folded::Deleted);
    }
    let columns = ["status", "created_at"];
    assert_eq!(
        whole.columns(&THREADS, &columns),
        erased.columns(&THREADS, &columns)
    );
}

#[test]
fn payloads_that_cannot_be_read_are_passed_over() {
    let long = format!("{{\"type\":\"entry\",\"content\":{}}}", "1".repeat(100));
    for text in [
        "null",
        "[]",
        "{}",
        "7",
        "{\"type\":\"unheard of\"}",
        "{\"type\":\"entry\"}",
        "{\"type\":\"create\",\"project\":\"p\",\"key\":\"k\",\"generation\":-1}",
        "{\"type\":\"update\",\"status\":\"deleted\",\"at\":\"2026-01-01T00:00:00Z\"}",
        &long,
    ] {
        let mut view = Memory::default();
        let mut op = op("a", 1, &create("name"));
        op.payload = Payload::parse(text).expect("JSON");
        let folded = view.confirm(&op);
        assert_eq!(folded, Folded::Skipped(SkipReason::Unreadable), "{text}");
        assert_eq!(view.columns(&THREADS, &["name"]), Vec::<Vec<Value>>::new());
    }
}

#[test]
fn a_thread_has_one_spelling_of_its_id() {
    let spelled = id().to_string();
    for other in [
        spelled.to_uppercase(),
        format!("{{{spelled}}}"),
        format!("urn:uuid:{spelled}"),
        spelled.replace('-', ""),
        "design".to_owned(),
    ] {
        let mut view = Memory::default();
        let mut op = op("a", 1, &create("name"));
        op.key.resource = ResourceId::new(other.as_str()).expect("a short name");
        let folded = view.confirm(&op);
        assert_eq!(folded, Folded::Skipped(SkipReason::Unreadable), "{other}");
    }
}

/// Ops of one thread, in log order, of which some delete it.
fn log() -> impl Strategy<Value = Vec<Op>> {
    let actor = prop_oneof![Just("a"), Just("b"), Just("c")];
    let kind = prop_oneof![
        2 => Just(0_u8), // create
        6 => Just(1),    // entry
        3 => Just(2),    // rename
        1 => Just(3),    // delete
    ];
    let one = (actor, 1_u64..40, kind, 0_u128..12, "[a-z]{1,4}");
    prop::collection::vec(one, 0..24).prop_map(|ops| {
        let made = |(actor, clock, kind, number, word): (&str, u64, u8, u128, String)| match kind {
            0 => op(actor, clock, &create(&word)),
            1 => op(actor, clock, &entry(number, actor, &word)),
            2 => {
                let update = Update {
                    name: Some(word.into()),
                    project: None,
                    status: None,
                    at: at(number as i64),
                };
                op(actor, clock, &ThreadOp::Update(update))
            }
            _ => op(actor, clock, &delete()),
        };
        ops.into_iter().map(made).collect()
    })
}

/// The log as it is kept: what the fold says is to be erased is.
fn erased(log: &[Op]) -> Vec<(OpKey, Option<Payload>)> {
    let mut view = Memory::default();
    let mut kept: Vec<(OpKey, Option<Payload>)> = Vec::new();
    for op in log {
        match view.confirm(op) {
            Folded::Deleted => {
                kept.iter_mut().for_each(|(_, payload)| *payload = None);
                kept.push((op.key.clone(), Some(op.payload.clone())));
            }
            Folded::AfterDelete => kept.push((op.key.clone(), None)),
            Folded::Applied | Folded::Skipped(_) | Folded::Opaque => {
                kept.push((op.key.clone(), Some(op.payload.clone())));
            }
        }
    }
    kept
}

proptest! {
    #[test]
    fn a_log_with_erased_payloads_folds_to_the_same_view(log in log()) {
        let mut live = Memory::default();
        for op in &log {
            live.confirm(op);
        }
        let mut again = Memory::default();
        for (key, payload) in erased(&log) {
            again.confirm_stored(&key, payload.as_ref());
        }
        prop_assert_eq!(live, again);
    }

    #[test]
    fn folding_an_op_twice_changes_nothing(log in log()) {
        let (mut once, mut twice) = (Memory::default(), Memory::default());
        for op in &log {
            once.confirm(op);
            twice.confirm(op);
            let before = twice.columns(&THREADS, &["name", "project", "status", "entry_count"]);
            twice.confirm(op);
            prop_assert_eq!(
                before,
                twice.columns(&THREADS, &["name", "project", "status", "entry_count"])
            );
        }
        prop_assert_eq!(sequence(&once), sequence(&twice));
    }
}
