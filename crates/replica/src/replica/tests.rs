use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syncline_model::{Clock, Cursor, Epoch, EpochMode, Mark, Op, OpKey, Scope, ServerSeq};
use syncline_store::local::{OutboxRow, QuarantineId, Verdict};
use syncline_store::{Appended, FileOptions, PageLimit, PulledPage, TenantFile};
use uuid::Uuid;

use super::apply::NewClock;
use super::rebuild::Offer;
use super::reconcile::Depth;
use super::{LaterWords, Looked, OpState, Replica, ReplicaOptions, Retried};
use crate::testing::{at, contents, create, entries, entry, thread};
use crate::{Changes, LOCAL_FILE_NAME, ReplicaError, set_aside_if_damaged};

mod erasing;
mod exchanged;
mod handles;
mod lists;
mod records;
mod recovery;
mod replaced;
mod retried;

const WHOLE: PageLimit = PageLimit {
    ops: 10_000,
    bytes: 1 << 24,
};

struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.root.path().join(name);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn open(&self, name: &str) -> Replica {
        open(&self.path(name))
    }

    /// The log of a server, in a tenant file of its own.
    fn server(&self, name: &str) -> Server {
        let path = self.root.path().join(format!("server-{name}.db"));
        let epoch = Epoch::new(Uuid::now_v7());
        let mark = Mark::origin(*Uuid::now_v7().as_bytes());
        let file = TenantFile::create(&path, &FileOptions::default(), epoch, mark).unwrap();
        Server { file }
    }
}

fn open(path: &Path) -> Replica {
    Replica::open(path, ReplicaOptions::default()).unwrap()
}

struct Server {
    file: TenantFile,
}

impl Server {
    fn push(&mut self, rows: &[OutboxRow]) -> Vec<(OpKey, Verdict)> {
        let mut batch = self.file.begin().unwrap();
        let verdict = |row: &OutboxRow| {
            let done = batch
                .append(&row.key, row.payload.as_ref(), row.payload_hash)
                .unwrap();
            let verdict = match done {
                Appended::At(seq, _) | Appended::Duplicate(Some(seq)) => Verdict::Acknowledged(seq),
                Appended::Duplicate(None) | Appended::MaybeCovered => Verdict::Covered,
                Appended::Conflict(_) => Verdict::KeyTaken,
                Appended::Behind(_) => Verdict::Behind,
            };
            (row.key.clone(), verdict)
        };
        let verdicts = rows.iter().map(verdict).collect();
        batch.commit().unwrap();
        verdicts
    }

    fn add(&mut self, op: &Op) {
        let mut batch = self.file.begin().unwrap();
        batch
            .append(&op.key, Some(&op.payload), op.payload.hash())
            .unwrap();
        batch.commit().unwrap();
    }

    fn page(&self, since: ServerSeq) -> PulledPage {
        let head = self.file.head().unwrap();
        PulledPage {
            epoch: head.epoch,
            floor: head.floor,
            since,
            ops: self.file.ops_after(since, WHOLE).unwrap(),
            cursor: head.cursor,
        }
    }
}

/// Joins the replica to the server's log, as a first sync does.
fn start(replica: &mut Replica, server: &Server) {
    rebuild(
        replica,
        server,
        Offer {
            common: Cursor::ORIGIN,
            up_to: ServerSeq::ZERO,
            mode: EpochMode::Heal,
        },
    );
}

fn rebuild(replica: &mut Replica, server: &Server, offer: Offer) -> usize {
    let mut rebuild = replica.begin_rebuild().unwrap();
    replica
        .apply_fetched(&mut rebuild, &server.page(ServerSeq::ZERO))
        .unwrap();
    replica.switch(&mut rebuild, offer).unwrap()
}

fn push(replica: &mut Replica, server: &mut Server) {
    while let Some(batch) = replica.next_batch(WHOLE).unwrap() {
        let verdicts = server.push(&batch.ops);
        replica.settle(&verdicts, NewClock::Onward).unwrap();
    }
}

fn pull(replica: &mut Replica, server: &Server) {
    let since = replica.tenant.head().unwrap().cursor.server_seq;
    replica.apply(&server.page(since)).unwrap();
}

fn sync(replica: &mut Replica, server: &mut Server) {
    push(replica, server);
    pull(replica, server);
}

fn outbox(replica: &Replica) -> usize {
    replica.local.outbox_after(0, 100_000).unwrap().len()
}

fn equal_views(a: &mut Replica, b: &mut Replica) {
    assert_eq!(
        a.view().unwrap().dump_view().unwrap(),
        b.view().unwrap().dump_view().unwrap()
    );
}

fn refuse(replica: &mut Replica, key: &OpKey) {
    let verdict = Verdict::Refused {
        code: "invalid_op".to_owned(),
        message: "no".to_owned(),
        details: None,
    };
    replica
        .settle(&[(key.clone(), verdict)], NewClock::Onward)
        .unwrap();
}

#[test]
fn a_write_is_in_the_view_at_once_and_survives_reopening() {
    let place = Place::new();
    let mut replica = place.open("a");
    let written = replica.write(&[create(), entry("one")]).unwrap();
    assert_eq!(entries(&mut replica), [("one".to_owned(), None)]);
    assert_eq!(
        replica.state_of(&written.keys[1]).unwrap(),
        OpState::Pending
    );
    drop(replica);
    assert_eq!(contents(&mut place.open("a")), ["one"]);
}

#[test]
fn a_write_killed_before_its_fold_is_folded_by_the_next_open() {
    let place = Place::new();
    let mut replica = place.open("a");
    replica
        .local
        .write(&[create(), entry("one")], || Ok(0), at())
        .unwrap();
    drop(replica);
    assert_eq!(contents(&mut place.open("a")), ["one"]);
}

#[test]
fn a_pushed_op_is_acknowledged_and_leaves_the_outbox_when_it_is_pulled() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    let written = replica.write(&[create(), entry("one")]).unwrap();
    push(&mut replica, &mut server);
    let state = replica.state_of(&written.keys[1]).unwrap();
    assert_eq!(state, OpState::Acknowledged(ServerSeq(2)));
    assert_eq!(replica.status().unwrap().cursor.server_seq, ServerSeq(0));
    pull(&mut replica, &server);
    assert_eq!(
        replica.state_of(&written.keys[1]).unwrap(),
        OpState::Pulled(ServerSeq(2))
    );
    assert_eq!(outbox(&replica), 0);
    assert_eq!(entries(&mut replica), [("one".to_owned(), Some(0))]);
}

#[test]
fn two_replicas_and_a_write_between_hold_equal_views() {
    let place = Place::new();
    let (mut a, mut b, mut server) = (place.open("a"), place.open("b"), place.server("s"));
    start(&mut a, &server);
    start(&mut b, &server);
    a.write(&[create(), entry("from a")]).unwrap();
    b.write(&[create(), entry("from b")]).unwrap();
    sync(&mut a, &mut server);
    sync(&mut b, &mut server);
    pull(&mut a, &server);
    assert_eq!(contents(&mut a), ["from a", "from b"]);
    equal_views(&mut a, &mut b);
}

#[test]
fn a_page_applied_before_a_kill_takes_its_ops_out_of_the_outbox_at_the_next_open() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    replica.write(&[create(), entry("one")]).unwrap();
    push(&mut replica, &mut server);
    replica
        .tenant
        .apply(&server.page(ServerSeq::ZERO), &replica.local)
        .unwrap();
    assert_eq!(outbox(&replica), 2);
    drop(replica);
    let mut replica = place.open("a");
    assert_eq!(outbox(&replica), 0);
    assert_eq!(entries(&mut replica), [("one".to_owned(), Some(0))]);
}

#[test]
fn a_refused_op_leaves_the_view_and_what_was_written_on_top_stays() {
    let place = Place::new();
    let mut replica = place.open("a");
    let written = replica
        .write(&[create(), entry("bad"), entry("good")])
        .unwrap();
    refuse(&mut replica, &written.keys[1]);
    assert_eq!(contents(&mut replica), ["good"]);
    assert_eq!(
        replica.state_of(&written.keys[1]).unwrap(),
        OpState::Quarantined
    );
    assert_eq!(replica.status().unwrap().quarantined, 1);
}

#[test]
fn a_refusal_killed_before_its_rewind_is_rewound_by_the_next_open() {
    let place = Place::new();
    let mut replica = place.open("a");
    let written = replica.write(&[create(), entry("bad")]).unwrap();
    let refused = Verdict::Refused {
        code: "c".to_owned(),
        message: "m".to_owned(),
        details: None,
    };
    let actor = replica.place.new_actor();
    replica
        .judged()
        .settle(&[(written.keys[1].clone(), refused)], &actor, 0, at())
        .unwrap();
    drop(replica);
    assert!(contents(&mut place.open("a")).is_empty());
}

/// Writes an op of the quarantine anew; gives its new key.
fn retry(replica: &mut Replica, id: QuarantineId) -> OpKey {
    let mut retried = replica.retry_quarantined(&[id], LaterWords::Stay).unwrap();
    match retried.pop() {
        Some(Retried::Anew(key)) => key,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_retried_op_is_pending_again_and_a_dropped_one_is_gone() {
    let place = Place::new();
    let mut replica = place.open("a");
    let written = replica.write(&[create(), entry("x"), entry("y")]).unwrap();
    refuse(&mut replica, &written.keys[1]);
    refuse(&mut replica, &written.keys[2]);
    let held = replica.quarantined().unwrap();
    let key = retry(&mut replica, held[0].id);
    assert!(key.clock > written.keys[2].clock);
    assert_eq!(replica.state_of(&key).unwrap(), OpState::Pending);
    assert!(replica.drop_quarantined(held[1].id).unwrap().is_some());
    assert_eq!(contents(&mut replica), ["x"]);
    assert!(replica.quarantined().unwrap().is_empty());
}

#[test]
fn what_took_another_key_on_its_way_was_sent_all_the_same() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    let keys = a.write(&[create(), entry("one")]).unwrap().keys;
    let before = a.before_sync().unwrap();
    let verdicts: Vec<_> = keys
        .into_iter()
        .map(|key| (key, Verdict::KeyTaken))
        .collect();
    a.settle(&verdicts, NewClock::Onward).unwrap();
    sync(&mut a, &mut server);
    let sent = before.compare(&mut a).unwrap().sent;
    assert_eq!((sent.threads, sent.entries), (1, 1));
}

#[test]
fn another_tenant_is_refused_and_another_user_is_another_replica() {
    let place = Place::new();
    let mut a = place.open("a");
    let (tenant, ada, bob) = (
        "t".parse().unwrap(),
        "ada".parse().unwrap(),
        "bob".parse().unwrap(),
    );
    a.belong_to(&tenant, &ada).unwrap();
    let first = a.status().unwrap().replica;
    a.belong_to(&tenant, &ada).unwrap();
    assert_eq!(a.status().unwrap().replica, first);
    a.belong_to(&tenant, &bob).unwrap();
    assert_ne!(a.status().unwrap().replica, first);
    let error = a.belong_to(&"other".parse().unwrap(), &bob).unwrap_err();
    assert!(matches!(error, ReplicaError::OtherTenant { .. }));
}

#[test]
fn reconciling_twice_changes_nothing() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    a.write(&[create(), entry("one"), entry("two")]).unwrap();
    push(&mut a, &mut server);
    a.write(&[entry("three")]).unwrap();
    let before = a.status().unwrap();
    a.reconcile(Depth::All).unwrap();
    a.reconcile(Depth::All).unwrap();
    let after = a.status().unwrap();
    assert_eq!(
        (before.pending(), before.acknowledged()),
        (after.pending(), after.acknowledged())
    );
    assert_eq!(contents(&mut a), ["one", "two", "three"]);
}
