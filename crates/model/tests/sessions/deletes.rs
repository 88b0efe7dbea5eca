//! A session that was deleted stays so.

use syncline_model::session::{SESSIONS, TABLES};
use syncline_model::{Folded, Op, Value};

use super::memory::{Memory, kept, op, patch};

fn delete(clock: u64, at: &str) -> Op {
    op("a", clock, &format!(r#"{{"type":"delete","at":"{at}"}}"#))
}

const FULL: &str = r#"{"session":{"title":"a secret"},"messages":[{"id":"m","role":"user"}],
    "parts":[{"messageId":"m","id":"0","kind":"text","order":0,"text":"a secret"}],
    "tools":[{"id":"t","error":"a secret"}],"usage":[{"id":"r","order":1,"output":3}],
    "errors":[{"id":"e","message":"a secret"}],"compactions":[{"id":"c","summary":"a secret"}],
    "links":[{"kind":"thread","target":"x","present":true}]}"#;

#[test]
fn a_delete_leaves_a_row_that_says_so_and_nothing_else() {
    let mut view = Memory::of(&[patch("a", 1, FULL)]);
    assert!(TABLES.iter().all(|table| !view.table(table).is_empty()));
    assert_eq!(
        view.fold(&delete(2, "2026-03-01T10:00:00.000Z")),
        Folded::Deleted
    );
    let rows = view.rows.values().collect::<Vec<_>>();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_ne!(view.of_session("deleted_at"), Value::Null);
    assert!(!format!("{view:?}").contains("secret"));
}

#[test]
fn what_comes_after_a_delete_changes_nothing_and_is_erased() {
    let mut view = Memory::of(&[patch("a", 1, FULL), delete(2, "2026-03-01T10:00:00Z")]);
    let before = view.clone();
    assert_eq!(view.fold(&patch("b", 99, FULL)), Folded::AfterDelete);
    assert_eq!(view, before);
}

#[test]
fn of_two_deletes_the_later_one_leaves_the_tombstone() {
    let log = [
        patch("a", 1, FULL),
        delete(2, "2026-03-01T10:00:00.000Z"),
        delete(1, "2026-03-02T10:00:00.000Z"),
    ];
    let view = Memory::of(&log);
    assert_eq!(view, Memory::of(&log[2..]), "the others may be erased");
    assert_eq!(kept(&log), log[2..]);
    assert_eq!(Memory::of(&kept(&log)), view);
    assert_eq!(view.table(&SESSIONS).len(), 1);
}
