//! Ops that come after younger ones of their actor were dropped: they were lost with a log that was
//! put back, or dropped themselves.

use super::*;
use crate::schema;
use crate::tenant::Owed;

fn on_list(actor: &str, clock: u64, payload: &str) -> Op {
    let mut op = custom(actor, clock, "false");
    op.key.scope = Scope::new(Scope::LIST).unwrap();
    op.payload = Payload::parse(payload).unwrap();
    op
}

fn insert(actor: &str, clock: u64, item: &str) -> Op {
    let payload = format!(
        r#"{{"type":"insert","itemId":"{item}","payload":{{"text":"t","done":false,"note":"","pos":[{{"digit":{clock},"actor":"a"}}]}}}}"#
    );
    on_list(actor, clock, &payload)
}

fn tick(actor: &str, clock: u64, item: &str) -> Op {
    let payload = format!(r#"{{"type":"update","itemId":"{item}","payload":{{"done":true}}}}"#);
    on_list(actor, clock, &payload)
}

fn remove(actor: &str, clock: u64, item: &str) -> Op {
    let payload = format!(r#"{{"type":"remove","itemId":"{item}","payload":null}}"#);
    on_list(actor, clock, &payload)
}

fn offer_lost(file: &mut TenantFile, op: &Op) -> Appended {
    let mut batch = file.begin().unwrap();
    let appended = batch.append_lost(&op.key, Some(&op.payload), op.payload.hash());
    batch.commit().unwrap();
    appended.unwrap()
}

/// A log that has dropped the tick of `a` at clock 5, which one of `b` covers.
fn without_a_tick(file: &mut TenantFile) {
    let ops = [insert("b", 1, "j"), tick("a", 5, "j"), tick("b", 6, "j")];
    append(file, &ops);
    append(file, &[insert("b", 7, "k")]);
    assert_eq!(compact_all(file, 4).totals().dropped, 1);
}

#[test]
fn what_a_row_needs_was_never_here_and_is_taken() {
    let dir = Dir::new();
    let (mut file, mut whole) = (dir.create("t.db"), dir.create("w.db"));
    without_a_tick(&mut file);
    without_a_tick(&mut whole);
    let lost = insert("a", 2, "i");
    let taken = append(&mut file, std::slice::from_ref(&lost));
    assert_eq!(taken, [Appended::At(ServerSeq(5), Folded::Applied)]);
    assert_eq!(offer_lost(&mut whole, &lost), taken[0]);
    assert_eq!(file.dump_view().unwrap(), whole.dump_view().unwrap());
    let again = append(&mut file, &[lost]);
    assert_eq!(again, [Appended::Duplicate(Some(ServerSeq(5)))]);
}

#[test]
fn what_was_dropped_or_would_be_is_a_duplicate() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    without_a_tick(&mut file);
    let before = file.dump_view().unwrap();
    for covered in [tick("a", 5, "j"), tick("a", 3, "j")] {
        assert_eq!(append(&mut file, &[covered]), [Appended::Duplicate(None)]);
    }
    assert_eq!(file.dump_view().unwrap(), before);
}

#[test]
fn what_a_collected_tombstone_may_have_covered_is_in_doubt_unless_it_was_surely_lost() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &[insert("a", 1, "i"), remove("a", 9, "i")]);
    append(&mut file, &[insert("b", 10, "k")]);
    assert_eq!(compact_all(&mut file, 3).totals().collected, 1);
    let old = insert("a", 3, "other");
    assert_eq!(
        append(&mut file, std::slice::from_ref(&old)),
        [Appended::MaybeCovered]
    );
    let Appended::Behind(clock) = offer_lost(&mut file, &old) else {
        panic!("it was taken for one that was dropped")
    };
    assert_eq!(clock.get(), 9);
}

/// A removal of one item has no say in what came to another, which is there to tell.
#[test]
fn what_an_item_needs_that_is_seen_is_taken_also_below_the_clock_of_a_collected_tombstone() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    append(&mut file, &[insert("b", 1, "j"), insert("a", 2, "i")]);
    append(&mut file, &[remove("a", 9, "i"), insert("b", 10, "k")]);
    assert_eq!(compact_all(&mut file, 4).totals().collected, 1);
    let lost = tick("a", 5, "j");
    let offered = syncline_model::LoggedOp {
        seq: ServerSeq(7),
        key: lost.key.clone(),
        payload: Some(lost.payload.clone()),
        payload_hash: lost.payload.hash(),
    };
    assert!(!file.counts_as_dropped(&offered).unwrap());
    let taken = append(&mut file, std::slice::from_ref(&lost));
    assert_eq!(taken, [Appended::At(ServerSeq(5), Folded::Applied)]);
    let unseen = append(&mut file, &[tick("a", 4, "i")]);
    assert_eq!(unseen, [Appended::MaybeCovered]);
}

#[test]
fn an_op_of_an_erased_thread_is_a_duplicate_also_where_no_fold_reads_it() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let mut unreadable = op("a", 2, thread(1), &create(1));
    unreadable.payload = Payload::parse(r#"{"type":"none of ours"}"#).unwrap();
    append(
        &mut file,
        &[op("a", 1, thread(1), &create(1)), unreadable.clone()],
    );
    append(&mut file, &[op("a", 3, thread(1), &delete(1))]);
    append(&mut file, &[insert("b", 4, "k")]);
    compact_all(&mut file, 4);
    assert_eq!(file.find(&unreadable.key).unwrap(), None);
    let offered = append(&mut file, &[unreadable]);
    assert_eq!(offered, [Appended::Duplicate(None)]);
}

#[test]
fn a_file_of_the_first_format_owes_the_words_of_what_was_erased() {
    let dir = Dir::new();
    let path = dir.0.path().join("t.db");
    let mut file = dir.create("t.db");
    append(&mut file, &[op("a", 1, thread(1), &create(1))]);
    append(&mut file, &[op("a", 2, thread(1), &delete(1))]);
    let first =
        "DROP TABLE upkeep; DROP TABLE erasures; DROP TABLE collections; PRAGMA user_version = 1";
    file.connection().execute_batch(first).unwrap();
    drop(file);
    let file = TenantFile::open(&path, &FileOptions::default()).unwrap();
    let owed = Owed {
        words: 1,
        traces: 1,
        rewrites: 0,
    };
    assert_eq!(file.owed().unwrap(), owed);
    let text = schema::schema_text(file.connection()).unwrap();
    assert_eq!(text, schema::expected_text().unwrap());
}

#[test]
fn what_is_owed_stays_owed_until_all_of_it_was_seen_to() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    without_a_tick(&mut file);
    let owed = file.owed().unwrap();
    assert!(owed.traces > 0);
    assert_eq!(owed.words, 0);
    let mut run = Forgetting::begin(&file, EmptyTries(3)).unwrap();
    assert_eq!(run.done(), Owed::default());
    while file.forget_step(&mut run, 64).unwrap() == Stepped::More {}
    // Something more is erased before it is taken off.
    append(&mut file, &[op("a", 20, thread(1), &create(1))]);
    append(&mut file, &[op("a", 21, thread(1), &delete(1))]);
    file.settle_owed(run.done()).unwrap();
    let left = Owed {
        words: 1,
        traces: 1,
        rewrites: 0,
    };
    assert_eq!(file.owed().unwrap(), left);
}

/// World 4864: the thread's last time is that of the dropped rename, as another op is of the same moment.
#[test]
fn a_dropped_rename_is_a_duplicate_though_the_thread_was_last_changed_in_the_moment_that_it_names()
{
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let renamed = |actor: &str, clock: u64, name: &str, second: u8| {
        let mut op = op(actor, clock, thread(1), &create(1));
        let payload = format!(
            r#"{{"type":"update","name":"{name}","at":"2026-01-01T00:00:{second:02}.000Z"}}"#
        );
        op.payload = Payload::parse(&payload).unwrap();
        op
    };
    append(&mut file, &[op("z", 1, thread(1), &create(1))]);
    let dropped = renamed("a", 5, "former", 5);
    append(&mut file, &[dropped.clone(), renamed("b", 6, "later", 6)]);
    append(&mut file, &[insert("b", 7, "k")]);
    assert_eq!(compact_all(&mut file, 4).totals().dropped, 1);
    append(&mut file, &[renamed("c", 8, "last", 5)]);
    let again = append(&mut file, &[dropped]);
    assert_eq!(again, [Appended::Duplicate(None)]);
}

fn decided(clock: u64, action: &str, title: &str) -> Op {
    let mut op = custom("a", clock, "false");
    op.key.scope = Scope::record();
    op.key.resource = ResourceId::new("notes/n").unwrap();
    let payload = format!(
        r#"{{"decided":[{{"entity":"notes","id":"n","action":"{action}","values":{{"title":"{title}"}}}}],"by":"u","at":"2026-01-02T03:04:05.678Z"}}"#
    );
    op.payload = Payload::parse(&payload).unwrap();
    op
}

fn schema(clock: u64) -> Op {
    let mut op = custom("a", clock, "false");
    op.key.scope = Scope::schema();
    op.key.resource = ResourceId::new("schema").unwrap();
    op.payload = Payload::parse(r#"{"entities":[]}"#).unwrap();
    op
}

/// There the op wins that comes last: an old one would stand over all that was written since.
#[test]
fn of_records_and_schemas_what_was_dropped_changes_nothing_that_stands() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let made = decided(1, "create", "made");
    let changed = decided(3, "update", "changed");
    let ops = [made, schema(2), changed.clone(), schema(4)];
    append(&mut file, &ops);
    append(
        &mut file,
        &[decided(5, "update", "last"), insert("b", 6, "k")],
    );
    compact_all(&mut file, 6);
    let before = file.dump_view().unwrap();
    for dropped in [changed, schema(2)] {
        assert_eq!(file.find(&dropped.key).unwrap(), None);
        assert_eq!(append(&mut file, &[dropped]), [Appended::Duplicate(None)]);
    }
    assert_eq!(file.dump_view().unwrap(), before);
}
