//! The log, the overlay and the prepared file, on real SQLite files.

use std::borrow::Cow;

use proptest::prelude::*;
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
fn pending_entries_stand_last_until_they_are_pulled() {
    let dir = Dir::new();
    let (mut server, mut replica) = (dir.create("s.db"), dir.create("r.db"));
    append(
        &mut server,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, "one")),
        ],
    );
    pull(&server, &mut replica, &[], 10);
    let mine = [
        op("b", 3, thread(1), &entry(2, "mine")),
        op("b", 4, thread(1), &entry(3, "later")),
    ];
    let outbox = pending(&mine);
    replica.fold_outbox(&outbox[..]).unwrap();
    let theirs = op("a", 3, thread(1), &entry(4, "theirs"));
    append(&mut server, &[theirs, mine[0].clone()]);
    replica
        .apply(&page(&server, ServerSeq(2), 1), &outbox[..])
        .unwrap();
    let own = |n, text: &str| (n, text.to_owned());
    assert_eq!(
        texts(&replica),
        [
            own(Some(0), "one"),
            own(Some(1), "theirs"),
            own(None, "mine"),
            own(None, "later")
        ]
    );
    pull(&server, &mut replica, &outbox, 10);
    assert_eq!(
        texts(&replica),
        [
            own(Some(0), "one"),
            own(Some(1), "theirs"),
            own(Some(2), "mine"),
            own(None, "later")
        ]
    );
    assert_eq!(found(&replica, "later"), 1);
}

#[test]
fn a_refused_op_leaves_the_view_and_later_ones_stay() {
    let dir = Dir::new();
    let mut replica = dir.create("r.db");
    let ops = [
        op("b", 1, thread(1), &create(1)),
        op("b", 2, thread(1), &entry(1, "refused")),
        op("b", 3, thread(1), &entry(2, "kept")),
    ];
    let mut outbox = pending(&ops);
    replica.fold_outbox(&outbox[..]).unwrap();
    outbox.remove(1);
    let resource = (Scope::thread(), ResourceId::from(thread(1)));
    replica.refold(&[resource], &outbox[..]).unwrap();
    assert_eq!(texts(&replica), [(None, "kept".to_owned())]);
    assert_eq!(
        (found(&replica, "refused"), found(&replica, "kept")),
        (0, 1)
    );
}

#[test]
fn a_pending_delete_is_undone_whole() {
    let dir = Dir::new();
    let (mut server, mut replica) = (dir.create("s.db"), dir.create("r.db"));
    let tag = ThreadOp::Tag(Tag {
        entry_id: None,
        tag: "x".into(),
        present: true,
    });
    append(
        &mut server,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, "precious")),
            op("a", 3, thread(1), &tag),
        ],
    );
    pull(&server, &mut replica, &[], 10);
    let before = replica.dump_view().unwrap();
    let outbox = pending(&[op("b", 9, thread(1), &delete(1))]);
    replica.fold_outbox(&outbox[..]).unwrap();
    assert_eq!((texts(&replica).len(), found(&replica, "precious")), (0, 0));
    replica
        .refold(&[(Scope::thread(), ResourceId::from(thread(1)))], &[][..])
        .unwrap();
    assert_eq!(replica.dump_view().unwrap(), before);
    assert_eq!(found(&replica, "precious"), 1);
}

#[test]
fn a_delete_erases_the_payloads_before_and_after_it() {
    let dir = Dir::new();
    let mut server = dir.create("s.db");
    append(
        &mut server,
        &[
            op("a", 1, thread(1), &create(1)),
            op("a", 2, thread(1), &entry(1, "secret")),
            op("a", 3, thread(2), &create(2)),
            op("a", 4, thread(1), &delete(1)),
            op("b", 4, thread(1), &entry(2, "late")),
        ],
    );
    let kept: Vec<bool> = server
        .ops_after(ServerSeq::ZERO, EVERYTHING)
        .unwrap()
        .iter()
        .map(|op| op.payload.is_some())
        .collect();
    assert_eq!(kept, [false, false, true, true, false]);
    assert_eq!((found(&server, "secret"), found(&server, "late")), (0, 0));
    let live = server.dump_view().unwrap();
    server.fold_again().unwrap();
    assert_eq!(server.dump_view().unwrap(), live);
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

#[derive(Debug, Clone)]
enum Step {
    /// A replica writes an op of this kind on this thread.
    Write {
        replica: usize,
        thread: u64,
        kind: u8,
    },
    /// A replica sends its outbox to the server.
    Push(usize),
    /// A replica pulls pages of this size.
    Pull(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_usize, 0..3_u64, 0..9_u8)
            .prop_map(|(replica, thread, kind)| Step::Write { replica, thread, kind }),
        2 => (0..3_usize).prop_map(Step::Push),
        2 => (0..3_usize, 1..5_usize).prop_map(|(replica, limit)| Step::Pull(replica, limit)),
    ];
    proptest::collection::vec(step, 1..60)
}

fn payload(kind: u8, thread: u64, unique: u64) -> Payload {
    let update = |name: Option<&'static str>, status| {
        ThreadOp::Update(Update {
            name: name.map(Cow::Borrowed),
            project: None,
            status,
            at: at(unique as i64),
        })
    };
    let tag = |present| {
        ThreadOp::Tag(Tag {
            entry_id: None,
            tag: "t".into(),
            present,
        })
    };
    let text = format!("entry {unique}");
    let op = match kind {
        0 => create(thread),
        1 => update(Some("renamed"), None),
        2 => update(None, Some(Status::Archived)),
        3 => tag(true),
        4 => tag(false),
        5 if unique.is_multiple_of(4) => delete(thread),
        6 => return Payload::parse(r#"{"type":"from the future","x":[1]}"#).unwrap(),
        _ => entry(u128::from(unique), &text),
    };
    op.payload().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is written where, and in whatever order it travels: replicas that have applied the
    /// same log hold the view that the server holds, and the one that the log alone gives.
    #[test]
    fn replicas_with_the_same_log_hold_equal_views(steps in steps()) {
        let dir = Dir::new();
        let mut server = dir.create("s.db");
        let mut replicas: Vec<_> = (0..3).map(|n| dir.create(&format!("r{n}.db"))).collect();
        let mut outboxes: Vec<Vec<PendingOp>> = vec![Vec::new(); 3];
        let mut unique = 0;
        for step in steps {
            match step {
                Step::Write { replica, thread: n, kind } => {
                    unique += 1;
                    let mut op = op(&format!("r{replica}"), unique, thread(n), &create(n));
                    op.payload = payload(kind, n, unique);
                    outboxes[replica].push(PendingOp { order: unique, op });
                    replicas[replica].fold_outbox(&outboxes[replica][..]).unwrap();
                }
                Step::Push(n) => {
                    let ops: Vec<Op> = outboxes[n].iter().map(|p| p.op.clone()).collect();
                    append(&mut server, &ops);
                }
                Step::Pull(n, limit) => pull(&server, &mut replicas[n], &outboxes[n], limit),
            }
        }
        for (n, outbox) in outboxes.iter().enumerate() {
            let ops: Vec<Op> = outbox.iter().map(|p| p.op.clone()).collect();
            append(&mut server, &ops);
            prop_assert!(replicas[n].head().unwrap().cursor.server_seq <= server.head().unwrap().cursor.server_seq);
        }
        let expected = server.dump_view().unwrap();
        for (replica, outbox) in replicas.iter_mut().zip(&outboxes) {
            pull(&server, replica, outbox, 7);
            prop_assert_eq!(&replica.dump_view().unwrap(), &expected);
            let images: i64 = replica.connection()
                .query_row("SELECT count(*) FROM confirmed_rows", [], |row| row.get(0)).unwrap();
            prop_assert_eq!(images, 0);
        }
        server.fold_again().unwrap();
        prop_assert_eq!(server.dump_view().unwrap(), expected);
    }
}
