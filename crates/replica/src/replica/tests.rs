use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syncline_model::{Clock, Cursor, Epoch, EpochMode, Mark, Op, OpKey, Scope, ServerSeq};
use syncline_store::local::{OutboxRow, Verdict};
use syncline_store::{Appended, FileOptions, PageLimit, PulledPage, TenantFile};
use uuid::Uuid;

use super::apply::NewClock;
use super::open::Depth;
use super::rebuild::Offer;
use super::{Looked, OpState, Replica, ReplicaOptions};
use crate::testing::{at, contents, create, entries, entry, thread};
use crate::{Changes, ReplicaError};

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
                Appended::Duplicate(None) => Verdict::Covered,
                Appended::Conflict(_) => Verdict::WriteAnew,
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
    };
    let actor = replica.place.new_actor();
    replica
        .local
        .settle(&[(written.keys[1].clone(), refused)], &actor, 0, at())
        .unwrap();
    drop(replica);
    assert!(contents(&mut place.open("a")).is_empty());
}

#[test]
fn a_retried_op_is_pending_again_and_a_dropped_one_is_gone() {
    let place = Place::new();
    let mut replica = place.open("a");
    let written = replica.write(&[create(), entry("x"), entry("y")]).unwrap();
    refuse(&mut replica, &written.keys[1]);
    refuse(&mut replica, &written.keys[2]);
    let held = replica.quarantined().unwrap();
    let key = replica.retry_quarantined(held[0].id).unwrap().unwrap();
    assert!(key.clock > written.keys[2].clock);
    assert_eq!(replica.state_of(&key).unwrap(), OpState::Pending);
    assert!(replica.drop_quarantined(held[1].id).unwrap().is_some());
    assert_eq!(contents(&mut replica), ["x"]);
    assert!(replica.quarantined().unwrap().is_empty());
}

#[test]
fn a_key_conflict_makes_a_new_actor_and_loses_nothing() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    let written = replica.write(&[create(), entry("mine")]).unwrap();
    // Somebody has the same actor: the log holds another payload under the second key.
    let other = entry("theirs");
    server.add(&Op {
        key: written.keys[1].clone(),
        payload: other.payload,
    });
    let actor = replica.status().unwrap().actor;
    push(&mut replica, &mut server);
    assert_ne!(replica.status().unwrap().actor, actor);
    pull(&mut replica, &server);
    assert_eq!(contents(&mut replica), ["theirs", "mine"]);
    assert_eq!(outbox(&replica), 0);
}

#[test]
fn a_copied_directory_is_a_new_replica_and_both_sync() {
    let place = Place::new();
    let (mut original, mut server) = (place.open("a"), place.server("s"));
    start(&mut original, &server);
    original
        .write(&[create(), entry("before the copy")])
        .unwrap();
    let status = original.status().unwrap();
    drop(original);
    let (from, to) = (place.path("a"), place.path("b"));
    for file in fs::read_dir(&from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
    let (mut original, mut copy) = (place.open("a"), place.open("b"));
    assert_eq!(original.status().unwrap().replica, status.replica);
    assert_ne!(copy.status().unwrap().replica, status.replica);
    assert_ne!(copy.status().unwrap().actor, status.actor);
    original.write(&[entry("original")]).unwrap();
    copy.write(&[entry("copy")]).unwrap();
    sync(&mut original, &mut server);
    sync(&mut copy, &mut server);
    pull(&mut original, &server);
    assert_eq!(
        contents(&mut original),
        ["before the copy", "original", "copy"]
    );
    equal_views(&mut original, &mut copy);
    assert_eq!((outbox(&original), outbox(&copy)), (0, 0));
}

#[test]
fn a_pulled_op_of_ones_own_actor_that_was_never_written_here_makes_a_new_actor() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    let actor = replica.status().unwrap().actor;
    let stranger = entry("written before the replica was put back");
    let key = OpKey {
        actor: actor.clone(),
        clock: Clock::new(7).unwrap(),
        scope: stranger.scope,
        resource: stranger.resource,
    };
    server.add(&Op {
        key,
        payload: stranger.payload,
    });
    pull(&mut replica, &server);
    assert_ne!(replica.status().unwrap().actor, actor);
}

#[test]
fn a_damaged_tenant_file_is_set_aside_and_the_outbox_is_kept() {
    let place = Place::new();
    let (mut replica, mut server) = (place.open("a"), place.server("s"));
    start(&mut replica, &server);
    replica.write(&[create(), entry("pulled")]).unwrap();
    sync(&mut replica, &mut server);
    replica.write(&[entry("pending")]).unwrap();
    let (name, actor) = (replica.tenant_name.clone(), replica.status().unwrap().actor);
    drop(replica);
    fs::write(
        place.path("a").join(&name),
        "this is not a database, and never was",
    )
    .unwrap();
    let mut replica = place.open("a");
    let status = replica.status().unwrap();
    assert_eq!((status.pending(), status.epoch), (1, None));
    assert_eq!(status.notes.last_error.unwrap().code, "tenant_file_damaged");
    assert_ne!(status.actor, actor);
    assert!(place.path("a").join(format!("damaged-{name}")).exists());
    push(&mut replica, &mut server);
    start(&mut replica, &server);
    assert_eq!(contents(&mut replica), ["pulled", "pending"]);
    assert_eq!(outbox(&replica), 0);
}

#[test]
fn a_tenant_file_that_is_gone_is_fetched_again() {
    let place = Place::new();
    let mut replica = place.open("a");
    replica.write(&[create(), entry("pending")]).unwrap();
    let name = replica.tenant_name.clone();
    drop(replica);
    fs::remove_file(place.path("a").join(name)).unwrap();
    assert_eq!(contents(&mut place.open("a")), ["pending"]);
}

#[test]
fn files_of_a_newer_version_are_refused_and_left_as_they_are() {
    let place = Place::new();
    let replica = place.open("a");
    let name = replica.tenant_name.clone();
    drop(replica);
    let path = place.path("a").join(name);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let error = Replica::open(&place.path("a"), ReplicaOptions::default()).unwrap_err();
    assert!(matches!(error, ReplicaError::OpenTenant(_)));
    assert!(!error.is_tenant_damage());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_lost_server_gets_everything_again_in_the_old_order() {
    let place = Place::new();
    let (mut a, mut b, mut lost) = (place.open("a"), place.open("b"), place.server("lost"));
    start(&mut a, &lost);
    start(&mut b, &lost);
    a.write(&[create(), entry("1")]).unwrap();
    sync(&mut a, &mut lost);
    b.write(&[create(), entry("2")]).unwrap();
    sync(&mut b, &mut lost);
    pull(&mut a, &lost);
    a.write(&[entry("pending")]).unwrap();
    let mut server = place.server("new");
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
    };
    assert_eq!(rebuild(&mut a, &server, offer), 4);
    assert_eq!(
        contents(&mut a),
        ["1", "2", "pending"],
        "what is offered again stays in the view"
    );
    sync(&mut a, &mut server);
    assert_eq!(rebuild(&mut b, &server, offer), 0);
    assert_eq!(contents(&mut a), ["1", "2", "pending"]);
    equal_views(&mut a, &mut b);
}

#[test]
fn ops_above_the_common_place_alone_are_offered_again() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    a.write(&[create(), entry("1")]).unwrap();
    sync(&mut a, &mut server);
    let backup = place.root.path().join("backup.db");
    server.file.write_prepared(&backup).unwrap();
    a.write(&[entry("2"), entry("3")]).unwrap();
    sync(&mut a, &mut server);
    let mut restored = Server {
        file: TenantFile::open(&backup, &FileOptions::default()).unwrap(),
    };
    let common = restored.file.head().unwrap().cursor;
    let offer = Offer {
        common,
        up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
    };
    assert_eq!(rebuild(&mut a, &restored, offer), 2);
    let batch = a.next_batch(WHOLE).unwrap().unwrap();
    assert_eq!(batch.heal, Some(common));
    sync(&mut a, &mut restored);
    let places: Vec<_> = entries(&mut a)
        .into_iter()
        .map(|(_, place)| place.unwrap())
        .collect();
    assert_eq!(places, [0, 1, 2]);
    assert_eq!(outbox(&a), 0);
}

#[test]
fn what_was_discarded_on_purpose_stays_discarded_and_the_outbox_is_kept() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    a.write(&[create(), entry("discarded")]).unwrap();
    sync(&mut a, &mut server);
    a.write(&[entry("acknowledged")]).unwrap();
    push(&mut a, &mut server);
    a.write(&[entry("pending")]).unwrap();
    let mut reset = place.server("reset");
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq::ZERO,
        mode: EpochMode::Follow,
    };
    assert_eq!(rebuild(&mut a, &reset, offer), 0);
    sync(&mut a, &mut reset);
    assert_eq!(contents(&mut a), ["pending"]);
}

#[test]
fn an_epoch_that_begins_at_the_cursor_is_taken_without_a_rebuild() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    a.write(&[create(), entry("pulled")]).unwrap();
    sync(&mut a, &mut server);
    let written = a.write(&[entry("acknowledged")]).unwrap();
    push(&mut a, &mut server);
    let epoch = Epoch::new(Uuid::now_v7());
    a.adopt_epoch(epoch, EpochMode::Heal).unwrap();
    let status = a.status().unwrap();
    assert_eq!((status.epoch, status.pending()), (Some(epoch), 1));
    assert_eq!(a.state_of(&written.keys[0]).unwrap(), OpState::Pending);
    assert_eq!(contents(&mut a), ["pulled", "acknowledged"]);
}

#[test]
fn an_acknowledged_op_that_the_log_lacks_is_offered_again() {
    let place = Place::new();
    let (mut a, mut server) = (place.open("a"), place.server("s"));
    start(&mut a, &server);
    let written = a.write(&[create(), entry("one")]).unwrap();
    push(&mut a, &mut server);
    // The acknowledgement was of a log that was put back since; others have grown it past.
    let mut other = place.open("b");
    let mut regrown = place.server("regrown");
    start(&mut other, &regrown);
    other.write(&[create(), entry("x"), entry("y")]).unwrap();
    sync(&mut other, &mut regrown);
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq(u64::MAX),
        mode: EpochMode::Heal,
    };
    rebuild(&mut a, &regrown, offer);
    assert_eq!(a.state_of(&written.keys[1]).unwrap(), OpState::Pending);
    sync(&mut a, &mut regrown);
    assert_eq!(contents(&mut a), ["x", "y", "one"]);
}

#[test]
fn a_write_during_a_rebuild_by_another_process_is_in_the_new_file() {
    let place = Place::new();
    let (mut syncing, mut server) = (place.open("a"), place.server("s"));
    start(&mut syncing, &server);
    let mut writing = place.open("a");
    writing.write(&[create(), entry("before")]).unwrap();
    let mut rebuild = syncing.begin_rebuild().unwrap();
    writing.write(&[entry("while")]).unwrap();
    syncing
        .apply_fetched(&mut rebuild, &server.page(ServerSeq::ZERO))
        .unwrap();
    let offer = Offer {
        common: Cursor::ORIGIN,
        up_to: ServerSeq::ZERO,
        mode: EpochMode::Heal,
    };
    syncing.switch(&mut rebuild, offer).unwrap();
    writing.write(&[entry("after")]).unwrap();
    assert_eq!(contents(&mut writing), ["before", "while", "after"]);
    sync(&mut syncing, &mut server);
    assert_eq!(entries(&mut writing), entries(&mut syncing));
    assert_eq!(contents(&mut writing), ["before", "while", "after"]);
}

#[test]
fn old_and_abandoned_tenant_files_are_removed() {
    let place = Place::new();
    let (mut a, server) = (place.open("a"), place.server("s"));
    let first = a.tenant_name.clone();
    start(&mut a, &server);
    assert!(!place.path("a").join(first).exists());
    let mut rebuild = a.begin_rebuild().unwrap();
    a.apply_fetched(&mut rebuild, &server.page(ServerSeq::ZERO))
        .unwrap();
    let path = a.path_of(&rebuild);
    drop((a, rebuild));
    assert!(path.exists());
    let mut a = place.open("a");
    a.remove_leftovers().unwrap();
    assert!(!path.exists());
    assert!(place.path("a").join(&a.tenant_name).exists());
}

#[test]
fn changes_of_other_handles_and_processes_are_told() {
    let place = Place::new();
    let mut reader = place.open("a");
    let subscription = reader.subscribe();
    let mut same_process = reader.another().unwrap();
    same_process.write(&[create()]).unwrap();
    let named: BTreeSet<_> = [(Scope::thread(), thread().into())].into();
    assert_eq!(subscription.take(), Some(Changes::Named(named)));
    reader.look().unwrap();
    subscription.take();
    assert_eq!(reader.look().unwrap(), Looked::Same);
    let mut other_process = place.open("a");
    other_process.write(&[entry("one")]).unwrap();
    assert_eq!(reader.look().unwrap(), Looked::Changed);
    assert_eq!(subscription.take(), Some(Changes::Unknown));
    assert_eq!(reader.look().unwrap(), Looked::Same);
}

/// Handles of one process share its limit of open files, and each has about eight.
const HANDLES: usize = 100;

#[test]
fn handles_that_open_a_new_replica_at_once_lose_nothing() {
    let place = Place::new();
    let path = place.path("a");
    std::thread::scope(|scope| {
        for n in 0..HANDLES {
            let path = &path;
            scope.spawn(move || {
                let mut replica = open(path);
                replica.write(&[create(), entry(&n.to_string())]).unwrap();
            });
        }
    });
    let mut replica = open(&path);
    let mut found = contents(&mut replica);
    found.sort_by_key(|text| text.parse::<u32>().unwrap());
    assert_eq!(
        found,
        (0..HANDLES).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    let rows = replica.local.outbox_after(0, 1000).unwrap();
    let clocks: BTreeSet<_> = rows.iter().map(|row| row.key.clock).collect();
    assert_eq!(
        (rows.len(), clocks.len()),
        (2 * HANDLES, 2 * HANDLES),
        "every op has a clock of its own"
    );
}

#[test]
fn writers_and_a_syncing_handle_work_at_once() {
    let place = Place::new();
    let (mut syncing, mut server) = (place.open("a"), place.server("s"));
    start(&mut syncing, &server);
    let path = place.path("a");
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let path = &path;
                scope.spawn(move || {
                    let mut replica = open(path);
                    for n in 0..25 {
                        replica
                            .write(&[create(), entry(&format!("{writer}-{n}"))])
                            .unwrap();
                    }
                })
            })
            .collect();
        while !writers
            .iter()
            .all(std::thread::ScopedJoinHandle::is_finished)
        {
            sync(&mut syncing, &mut server);
        }
    });
    sync(&mut syncing, &mut server);
    assert_eq!(outbox(&syncing), 0);
    let found = entries(&mut syncing);
    assert_eq!(found.len(), 100);
    for writer in 0..4 {
        let prefix = format!("{writer}-");
        let order: Vec<u32> = found
            .iter()
            .filter_map(|(text, _)| text.strip_prefix(&prefix)?.parse().ok())
            .collect();
        assert_eq!(
            order,
            (0..25).collect::<Vec<_>>(),
            "a writer's ops keep their order"
        );
    }
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
