//! What the log remembers of requests whose ops it has dropped.

use super::*;
use crate::{DROPPED_REQUESTS_MAX, KnownRequest};

fn requester(unique: u64) -> ActorId {
    ActorId::new(format!("request-{unique:08}-0123456789abcdef")).unwrap()
}

/// An item, and edits of its text, each by a request with a key of its own.
fn edits(count: u64) -> Vec<Op> {
    let edit = |unique| {
        let mut op = list(1, u8::from(unique > 1), 0, unique);
        op.key.actor = requester(unique);
        op
    };
    (1..=count).map(edit).collect()
}

fn remembered(file: &TenantFile) -> i64 {
    let sql = "SELECT count(*) FROM pruned WHERE actor <> 'request-'";
    file.connection()
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn of_dropped_requests_the_last_are_remembered_and_no_more_however_many_there_were() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let bound = DROPPED_REQUESTS_MAX as u64;
    let count = 2 * bound + 500;
    append(&mut file, &edits(count));
    append(&mut file, &[op("z", count + 1, thread(1), &create(1))]);
    let view = file.dump_view().unwrap();
    // The insert stays, and the last edit.
    compact_all(&mut file, bound);
    assert_eq!(remembered(&file), bound as i64 - 2);
    let dropped = compact_all(&mut file, count + 1).totals().dropped;
    assert_eq!(dropped, bound + 500);
    assert_eq!(remembered(&file), bound as i64);
    assert_eq!(file.dump_view().unwrap(), view);

    let known = |unique| file.request(&requester(unique)).unwrap();
    assert!(matches!(known(count), Some(KnownRequest::Written { .. })));
    for unique in [count - 1, count - bound] {
        assert_eq!(known(unique), Some(KnownRequest::Dropped), "{unique}");
    }
    assert_eq!(known(count - bound - 1), None);
}

#[test]
fn no_step_forgets_more_requests_than_it_is_to_look_at() {
    const COUNT: usize = 100;
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let old = 1_050;
    append(&mut file, &edits(DROPPED_REQUESTS_MAX as u64 + old + 2));
    let head = file.head().unwrap().cursor.server_seq;
    let mut run = Compaction::begin(&file, head, Collecting::Tombstones).unwrap();
    let (mut before, mut steps) = (0, Vec::new());
    loop {
        let stepped = file.compact_step(&mut run, COUNT, NO_OUTBOX).unwrap();
        let after = remembered(&file);
        if after < before {
            steps.push((before - after) as usize);
        }
        before = after;
        if stepped == Stepped::Done {
            break;
        }
    }
    assert_eq!(before, DROPPED_REQUESTS_MAX as i64);
    let whole = old as usize / COUNT;
    assert_eq!(
        steps,
        [vec![COUNT; whole], vec![old as usize % COUNT]].concat()
    );
}

#[test]
fn a_forgotten_request_that_is_offered_again_is_known_by_the_clock_of_its_list_unless_a_row_needs_it()
 {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let count = DROPPED_REQUESTS_MAX as u64 + 10;
    let edits = edits(count);
    append(&mut file, &edits);
    append(&mut file, &[op("z", count + 1, thread(1), &create(1))]);
    compact_all(&mut file, count + 1);
    let view = file.dump_view().unwrap();
    assert_eq!(file.request(&requester(3)).unwrap(), None);
    let offered = append(&mut file, &edits[1..5]);
    assert_eq!(offered, [const { Appended::Duplicate(None) }; 4]);
    assert_eq!(file.dump_view().unwrap(), view);
    let mut lost = list(2, 0, 0, 3);
    lost.key.actor = requester(7_000_000);
    let taken = append(&mut file, &[lost]);
    assert!(
        matches!(taken[..], [Appended::At(_, Folded::Applied)]),
        "{taken:?}"
    );
}
