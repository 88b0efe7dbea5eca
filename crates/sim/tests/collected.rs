//! Three defects of compaction that random worlds hardly meet: a tombstone has to be collected, and just
//! then a server be put back, an op come late that brings the item back, or a replica return that shows
//! the item still. Each is a world told in a few lines, which ends well without the defect.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets an error ends there, and shows it"
)]

use std::path::Path;

use syncline_model::planted::{Defect, plant};
use syncline_model::{
    ActorId, Clock, Epoch, Mark, Op, OpKey, Payload, ResourceId, Scope, ServerSeq,
};
use syncline_protocol::{Claims, PullPage};
use syncline_server::tenant::{Refused, read_page};
use syncline_simdisk::Disk;
use syncline_store::{
    Collecting, Compaction, FileOptions, PageLimit, PendingOp, PulledPage, Stepped, TenantFile,
};
use uuid::Uuid;

const EVERYTHING: PageLimit = PageLimit {
    ops: usize::MAX >> 1,
    bytes: usize::MAX >> 1,
};
const NO_OUTBOX: &[PendingOp] = &[];

fn op(actor: &str, clock: u64, payload: &str) -> Op {
    Op {
        key: OpKey {
            actor: ActorId::new(actor).unwrap(),
            clock: Clock::new(clock).unwrap(),
            scope: Scope::new(Scope::LIST).unwrap(),
            resource: ResourceId::new("one").unwrap(),
        },
        payload: Payload::parse(payload).unwrap(),
    }
}

fn insert(actor: &str, clock: u64, item: &str) -> Op {
    let payload = format!(
        r#"{{"type":"insert","itemId":"{item}","payload":{{"text":"t","done":false,"note":"","pos":[{{"digit":{clock},"actor":"{actor}"}}]}}}}"#
    );
    op(actor, clock, &payload)
}

fn remove(actor: &str, clock: u64, item: &str) -> Op {
    let payload = format!(r#"{{"type":"remove","itemId":"{item}","payload":null}}"#);
    op(actor, clock, &payload)
}

/// Files on one simulated disk.
struct World {
    options: FileOptions,
    _process: syncline_simdisk::Process,
    _disk: Disk,
}

impl World {
    fn new() -> Self {
        let disk = Disk::new(1);
        let process = disk.process("w/");
        let options = FileOptions {
            vfs: Some(process.vfs_name().to_owned()),
            ..FileOptions::default()
        };
        Self {
            options,
            _process: process,
            _disk: disk,
        }
    }

    fn log(&self, name: &str) -> TenantFile {
        let path = format!("w/{name}.db");
        let epoch = Epoch::new(Uuid::from_u128(1));
        let origin = Mark::origin([7; 16]);
        TenantFile::create(Path::new(&path), &self.options, epoch, origin).unwrap()
    }
}

/// Offers ops in order; says whether each was taken.
fn offer(log: &mut TenantFile, ops: &[Op]) -> Vec<bool> {
    let mut batch = log.begin().unwrap();
    let mut taken = |op: &Op| {
        let appended = batch.append(&op.key, Some(&op.payload), op.payload.hash());
        matches!(appended.unwrap(), syncline_store::Appended::At(..))
    };
    let taken = ops.iter().map(&mut taken).collect();
    batch.commit().unwrap();
    taken
}

fn pull(from: &TenantFile, to: &mut TenantFile) {
    let (head, at) = (from.head().unwrap(), to.head().unwrap().cursor);
    let page = PulledPage {
        epoch: head.epoch,
        floor: head.cursor.server_seq,
        since: at.server_seq,
        ops: from.ops_after(at.server_seq, EVERYTHING).unwrap(),
        cursor: head.cursor,
    };
    to.apply(&page, NO_OUTBOX).unwrap();
}

fn compact(file: &mut TenantFile, collecting: Collecting) {
    let floor = file.head().unwrap().cursor.server_seq;
    let mut run = Compaction::begin(file, floor, collecting).unwrap();
    while file.compact_step(&mut run, 10, NO_OUTBOX).unwrap() == Stepped::More {}
}

/// An item is removed, and its server put back to before that; the one replica has compacted its log.
/// Says whether the item is removed again once the replica has offered what it holds.
fn a_removal_outlives_a_server_put_back() -> bool {
    let world = World::new();
    let (mut server, mut replica, mut copy) =
        (world.log("server"), world.log("replica"), world.log("copy"));
    let before = [insert("a", 1, "i"), insert("a", 2, "j")];
    for log in [&mut server, &mut copy] {
        offer(log, &before);
    }
    offer(&mut server, &[remove("a", 3, "i"), insert("a", 4, "k")]);
    pull(&server, &mut replica);
    compact(&mut replica, Collecting::Nothing);
    let held = replica.ops_after(ServerSeq(2), EVERYTHING).unwrap();
    let held: Vec<Op> = held
        .into_iter()
        .filter_map(|op| {
            Some(Op {
                key: op.key,
                payload: op.payload?,
            })
        })
        .collect();
    offer(&mut copy, &held);
    copy.dump_view().unwrap() == server.dump_view().unwrap()
}

/// An item is removed and collected; then comes an insert of it that is older than its removal. Says
/// whether the log shows what one shows that has kept the tombstone.
fn a_late_insert_stays_behind_a_removal() -> bool {
    let world = World::new();
    let (mut server, mut whole) = (world.log("server"), world.log("whole"));
    let ops = [
        insert("a", 1, "i"),
        remove("a", 5, "i"),
        insert("a", 6, "k"),
    ];
    for log in [&mut server, &mut whole] {
        offer(log, &ops);
    }
    compact(&mut server, Collecting::Tombstones);
    let late = insert("b", 3, "i");
    // Who is refused writes it anew, as a change after the removal: here, nobody does.
    offer(&mut server, std::slice::from_ref(&late));
    offer(&mut whole, &[late]);
    server.dump_view().unwrap() == whole.dump_view().unwrap()
}

/// Pulls what the server gives after the replica's place, as it goes over the wire; where it refuses to go
/// on from there, nothing.
fn ask(server: &TenantFile, replica: &mut TenantFile) -> Result<(), Refused> {
    let head = replica.head().unwrap();
    let at = head.cursor;
    let claims = Claims {
        epoch: Some(head.epoch),
        since: at.server_seq,
        mark: (at.server_seq > ServerSeq::ZERO).then_some(at.mark),
        ..Claims::default()
    };
    let (_, body) = read_page(server, &claims, EVERYTHING)?;
    let page = PullPage::decode(&body).unwrap();
    let pulled = PulledPage {
        epoch: page.epoch,
        floor: page.floor,
        since: at.server_seq,
        ops: page.ops,
        cursor: page.cursor,
    };
    replica.apply(&pulled, NO_OUTBOX).unwrap();
    Ok(())
}

/// A replica sleeps while an item that it shows is removed, and the server lets go of the tombstone. Says
/// whether both show the same once it has come back.
fn a_sleeper_learns_of_a_removal_that_was_collected() -> bool {
    let world = World::new();
    let (mut server, mut replica) = (world.log("server"), world.log("replica"));
    offer(&mut server, &[insert("a", 1, "i"), insert("a", 2, "j")]);
    ask(&server, &mut replica).unwrap();
    assert_eq!(replica.head().unwrap().cursor.server_seq, ServerSeq(2));
    offer(&mut server, &[remove("a", 3, "i"), insert("a", 4, "k")]);
    compact(&mut server, Collecting::Tombstones);
    assert_eq!(server.collections().unwrap(), 1);
    match ask(&server, &mut replica) {
        Ok(()) => {}
        Err(Refused::RebuildRequired { .. }) => {
            replica = world.log("anew");
            ask(&server, &mut replica).unwrap();
        }
        Err(other) => panic!("{other:?}"),
    }
    replica.dump_view().unwrap() == server.dump_view().unwrap()
}

fn with(defect: Option<Defect>, scenario: fn() -> bool) -> bool {
    plant(defect);
    let ends_well = scenario();
    plant(None);
    ends_well
}

#[test]
fn a_replica_that_collects_tombstones_is_found() {
    let scenario = a_removal_outlives_a_server_put_back;
    assert!(with(None, scenario));
    assert!(!with(Some(Defect::CollectInReplica), scenario));
}

#[test]
fn a_log_that_forgets_the_clocks_of_what_it_collected_is_found() {
    let scenario = a_late_insert_stays_behind_a_removal;
    assert!(with(None, scenario));
    assert!(!with(Some(Defect::ForgetCollectedClock), scenario));
}

#[test]
fn a_log_that_serves_who_comes_back_below_its_floor_is_found() {
    let scenario = a_sleeper_learns_of_a_removal_that_was_collected;
    assert!(with(None, scenario));
    assert!(!with(Some(Defect::NoFloorCheck), scenario));
}
