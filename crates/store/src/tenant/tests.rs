//! The log, the overlay and the prepared file, on real SQLite files.

use std::borrow::Cow;

use syncline_model::thread::{
    Create, Delete, Entry, Status, Tag, ThreadId, ThreadOp, Update, thread_id,
};
use syncline_model::{
    ActorId, Clock, Epoch, Folded, Mark, Op, OpKey, Payload, ResourceId, Scope, ServerSeq,
    Timestamp,
};
use uuid::Uuid;

use super::*;
use crate::{EpochMode, LogStart};

mod compaction;
mod convergence;
mod overlay;
mod records;
mod sessions;

const EVERYTHING: PageLimit = PageLimit {
    ops: usize::MAX >> 1,
    bytes: usize::MAX,
};

fn epoch(n: u128) -> Epoch {
    Epoch::new(Uuid::from_u128(n))
}

struct Dir(tempfile::TempDir);

impl Dir {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn create(&self, name: &str) -> TenantFile {
        let path = self.0.path().join(name);
        TenantFile::create(
            &path,
            &FileOptions::default(),
            epoch(1),
            Mark::origin([7; 16]),
        )
        .unwrap()
    }

    fn open(&self, name: &str) -> TenantFile {
        TenantFile::open(&self.0.path().join(name), &FileOptions::default()).unwrap()
    }
}

fn at(n: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + n).unwrap()
}

fn op(actor: &str, clock: u64, thread: ThreadId, payload: &ThreadOp<'_>) -> Op {
    Op {
        key: OpKey {
            actor: ActorId::new(actor).unwrap(),
            clock: Clock::new(clock).unwrap(),
            scope: Scope::thread(),
            resource: ResourceId::from(thread),
        },
        payload: payload.payload().unwrap(),
    }
}

fn create(n: u64) -> ThreadOp<'static> {
    ThreadOp::Create(Create {
        project: "p".into(),
        key: Cow::Owned(format!("k{n}")),
        generation: 0,
        name: Cow::Owned(format!("Thread {n}")),
        at: at(0),
    })
}

fn entry(id: u128, content: &str) -> ThreadOp<'_> {
    ThreadOp::Entry(Entry {
        entry_id: Uuid::from_u128(id).into(),
        author: "user".into(),
        content: content.into(),
        name: None,
        at: at(1),
    })
}

fn delete(n: u64) -> ThreadOp<'static> {
    ThreadOp::Delete(Delete {
        project: "p".into(),
        key: Cow::Owned(format!("k{n}")),
        generation: 0,
        at: at(2),
    })
}

fn thread(n: u64) -> ThreadId {
    thread_id("p", &format!("k{n}"), 0)
}

fn append(file: &mut TenantFile, ops: &[Op]) -> Vec<Appended> {
    let mut batch = file.begin().unwrap();
    let appended = ops
        .iter()
        .map(|op| {
            batch
                .append(&op.key, Some(&op.payload), op.payload.hash())
                .unwrap()
        })
        .collect();
    batch.commit().unwrap();
    appended
}

fn page(server: &TenantFile, since: ServerSeq, ops: usize) -> PulledPage {
    let head = server.head().unwrap();
    let ops = server
        .ops_after(
            since,
            PageLimit {
                ops,
                bytes: usize::MAX,
            },
        )
        .unwrap();
    let reached = ops.last().map_or(since, |op| op.seq);
    PulledPage {
        epoch: head.epoch,
        floor: head.floor,
        since,
        cursor: server.cursor_at_or_below(reached).unwrap(),
        ops,
    }
}

fn pull(server: &TenantFile, replica: &mut TenantFile, outbox: &[PendingOp], limit: usize) {
    loop {
        let since = replica.head().unwrap().cursor.server_seq;
        let page = page(server, since, limit);
        if page.ops.is_empty() {
            return;
        }
        replica.apply(&page, outbox).unwrap();
    }
}

fn texts(file: &TenantFile) -> Vec<(Option<i64>, String)> {
    let mut statement = file
        .connection()
        .prepare(
            "SELECT sequence_id, content FROM entries \
             ORDER BY thread_id, sequence_id IS NULL, sequence_id, pending_order",
        )
        .unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn found(file: &TenantFile, word: &str) -> i64 {
    file.connection()
        .query_row(
            "SELECT count(*) FROM entries_fts WHERE entries_fts MATCH ?",
            [format!("\"{word}\"")],
            |row| row.get(0),
        )
        .unwrap()
}

fn pending(ops: &[Op]) -> Vec<PendingOp> {
    (1..)
        .zip(ops)
        .map(|(order, op)| PendingOp {
            order,
            op: op.clone(),
        })
        .collect()
}

#[test]
fn appended_ops_take_dense_places_and_their_keys() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let first = op("a", 1, thread(1), &create(1));
    let second = op("a", 2, thread(1), &entry(1, "hello"));
    assert_eq!(
        append(&mut file, &[first.clone(), second.clone()]),
        [
            Appended::At(ServerSeq(1), Folded::Applied),
            Appended::At(ServerSeq(2), Folded::Applied)
        ]
    );
    assert_eq!(
        append(&mut file, std::slice::from_ref(&first)),
        [Appended::Duplicate(Some(ServerSeq(1)))]
    );
    let other = Op {
        payload: entry(9, "other").payload().unwrap(),
        ..second.clone()
    };
    assert_eq!(
        append(&mut file, &[other]),
        [Appended::Conflict(ServerSeq(2))]
    );
    let head = file.head().unwrap();
    let expected = Mark::origin([7; 16])
        .next(&first.key, &first.payload.hash())
        .next(&second.key, &second.payload.hash());
    assert_eq!(
        (head.cursor.server_seq, head.cursor.mark),
        (ServerSeq(2), expected)
    );
    assert_eq!(head.clock_max, 2);
}

#[test]
fn a_batch_that_is_dropped_never_was() {
    let dir = Dir::new();
    let mut file = dir.create("t.db");
    let before = file.head().unwrap();
    let mut batch = file.begin().unwrap();
    let op = op("a", 1, thread(1), &create(1));
    batch
        .append(&op.key, Some(&op.payload), op.payload.hash())
        .unwrap();
    drop(batch);
    assert_eq!(file.head().unwrap(), before);
    assert_eq!(dir.open("t.db").dump_view().unwrap(), "");
}

#[test]
fn a_page_of_another_history_is_not_applied() {
    let dir = Dir::new();
    let (mut server, mut replica) = (dir.create("s.db"), dir.create("r.db"));
    append(
        &mut server,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, "x")),
        ],
    );
    let good = page(&server, ServerSeq::ZERO, 10);
    let before = replica.head().unwrap();
    let apply = |replica: &mut TenantFile, page: PulledPage| replica.apply(&page, &[][..]);

    let mut forged = good.clone();
    forged.ops[0].payload_hash = Payload::parse("1").unwrap().hash();
    assert!(matches!(
        apply(&mut replica, forged),
        Err(ApplyError::Diverged { at: ServerSeq(2) })
    ));
    let mut gap = good.clone();
    gap.ops.remove(0);
    assert!(matches!(
        apply(&mut replica, gap),
        Err(ApplyError::Gap { .. })
    ));
    let short = PulledPage {
        ops: vec![],
        ..good.clone()
    };
    assert!(matches!(
        apply(&mut replica, short),
        Err(ApplyError::Gap { .. })
    ));
    let late = PulledPage {
        since: ServerSeq(1),
        ..good.clone()
    };
    assert!(matches!(
        apply(&mut replica, late),
        Err(ApplyError::NotAtCursor { .. })
    ));
    let foreign = PulledPage {
        epoch: epoch(2),
        ..good.clone()
    };
    assert!(matches!(
        apply(&mut replica, foreign),
        Err(ApplyError::Epoch { .. })
    ));
    assert_eq!(replica.head().unwrap(), before);
    apply(&mut replica, good).unwrap();
    assert_eq!(replica.dump_view().unwrap(), server.dump_view().unwrap());
}

#[test]
fn a_reset_begins_an_empty_log_and_keeps_the_clock() {
    let dir = Dir::new();
    let mut server = dir.create("s.db");
    append(&mut server, &[op("a", 41, thread(1), &create(1))]);
    let reset = LogStart::Reset {
        origin: Mark::origin([8; 16]),
    };
    let head = server.start_epoch(epoch(1), epoch(2), reset).unwrap();
    assert_eq!(
        (head.epoch, head.cursor.server_seq, head.clock_max),
        (epoch(2), ServerSeq(0), 41)
    );
    assert_eq!(server.dump_view().unwrap(), "");
    let again = server.start_epoch(epoch(1), epoch(3), reset).unwrap();
    assert_eq!(again.epoch, epoch(2), "an epoch is replaced once");
    let lineage = server.lineage().unwrap();
    let parent = lineage[1].parent.unwrap();
    assert_eq!(
        (parent.epoch, parent.cursor.server_seq, parent.mode),
        (epoch(1), ServerSeq::ZERO, EpochMode::Follow)
    );
}

#[test]
fn a_file_returns_to_an_epoch_that_it_has_left() {
    let dir = Dir::new();
    let mut replica = dir.create("r.db");
    let heal = LogStart::Restored(EpochMode::Heal);
    replica.start_epoch(epoch(1), epoch(2), heal).unwrap();
    let head = replica.start_epoch(epoch(2), epoch(1), heal).unwrap();
    assert_eq!(head.epoch, epoch(1));
    assert_eq!(replica.lineage().unwrap().last().unwrap().epoch, epoch(1));
}

#[test]
fn a_restored_log_remembers_the_epochs_that_it_leaves_behind() {
    let dir = Dir::new();
    let (mut log, mut backup) = (dir.create("s.db"), dir.create("b.db"));
    let heal = LogStart::Restored(EpochMode::Heal);
    log.start_epoch(epoch(1), epoch(2), heal).unwrap();
    let left_behind = log.lineage().unwrap();
    backup.remember_epochs(&left_behind).unwrap();
    backup
        .start_epoch(epoch(1), epoch(3), LogStart::Restored(EpochMode::Follow))
        .unwrap();
    let epochs: Vec<_> = backup
        .lineage()
        .unwrap()
        .iter()
        .map(|step| step.epoch)
        .collect();
    assert_eq!(epochs, [epoch(1), epoch(2), epoch(3)]);
}

#[test]
fn a_prepared_file_is_adopted_and_a_foreign_one_is_not() {
    let dir = Dir::new();
    let mut server = dir.create("s.db");
    append(
        &mut server,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, "x")),
        ],
    );
    let path = dir.0.path().join("prepared.db");
    server.write_prepared(&path).unwrap();
    let adopted = TenantFile::adopt(&path, &FileOptions::default()).unwrap();
    assert_eq!(adopted.head().unwrap(), server.head().unwrap());
    assert_eq!(adopted.dump_view().unwrap(), server.dump_view().unwrap());
    assert_eq!(found(&adopted, "x"), 1);
    adopted
        .connection()
        .execute_batch("CREATE TRIGGER evil AFTER INSERT ON ops BEGIN SELECT 1; END")
        .unwrap();
    drop(adopted);
    let refused = TenantFile::adopt(&path, &FileOptions::default());
    assert!(matches!(refused, Err(OpenError::Foreign { .. })));
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let dir = Dir::new();
    let file = dir.create("t.db");
    file.connection()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    drop(file);
    let path = dir.0.path().join("t.db");
    let opened = TenantFile::open(&path, &FileOptions::default());
    assert!(matches!(
        opened,
        Err(OpenError::NewerFormat { found: 99, .. })
    ));
}
