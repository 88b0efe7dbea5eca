//! What was erased is in no byte of a replica's files once it has had a moment's rest.

use std::path::Path;

use syncline_model::thread::{Create, Delete, Entry, EntryId, ThreadOp, thread_id};
use syncline_model::{ResourceId, Scope};
use syncline_store::{FileOptions, PageLimit, TenantFile};

use super::*;
use crate::NewOp;
use crate::testing::{at, thread};

const EVERYTHING: PageLimit = PageLimit {
    ops: usize::MAX >> 1,
    bytes: usize::MAX >> 1,
};
/// A word that full-text search keeps as it is.
const SECRET: &str = "plutonium";

fn delete() -> NewOp {
    let op = ThreadOp::Delete(Delete {
        project: "default".into(),
        key: "plans".into(),
        generation: 1,
        at: at(),
    });
    of_thread(thread().into(), &op)
}

fn of_thread(resource: ResourceId, op: &ThreadOp<'_>) -> NewOp {
    NewOp {
        scope: Scope::thread(),
        resource,
        payload: op.payload().unwrap(),
    }
}

/// Secrets among much else, so that pages are shared, full and split, and too few of an index's words
/// are deleted for it to be merged by itself.
fn write_much(node: &mut Node) {
    for n in 0..200_u64 {
        let key = format!("other-{n}");
        let create = ThreadOp::Create(Create {
            project: "default".into(),
            key: key.as_str().into(),
            generation: 1,
            name: "Other".into(),
            at: at(),
        });
        let entry = ThreadOp::Entry(Entry {
            entry_id: EntryId::new(Uuid::now_v7()),
            author: "ada".into(),
            content: format!("harmless words {n} {}", "and more ".repeat(n as usize % 17)).into(),
            name: None,
            at: at(),
        });
        let resource: ResourceId = thread_id("default", &key, 1).into();
        let ops = [&create, &entry].map(|op| of_thread(resource.clone(), op));
        node.engine.replica().write(&ops).unwrap();
        let secret = format!(
            "{n} is {SECRET} {}",
            "and on ".repeat(n as usize * 13 % 400)
        );
        node.write(&[&secret]);
    }
}

fn write_one(node: &mut Node, op: NewOp) {
    node.engine.replica().write(&[op]).unwrap();
    node.tell(EngineEvent::LocalWrite);
}

fn rest(node: &mut Node) {
    for _ in 0..1_000 {
        if !node.engine.could_compact() {
            return;
        }
        node.tell(EngineEvent::Rest { ops: 500 });
    }
    panic!("it never has done with it");
}

/// The files of a replica in whose bytes the secret can be read.
fn telling(machines: &Machines, name: &str) -> Vec<String> {
    let directory = machines.root.path().join(name);
    let tells = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes())
    };
    let files = std::fs::read_dir(directory).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file() && tells(path));
    files
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_text_erased_elsewhere_is_gone_from_all_files() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    for node in [&mut a, &mut b] {
        node.settle(&mut server);
    }
    write_much(&mut a);
    a.settle(&mut server);
    b.settle(&mut server);
    assert!(!telling(&machines, "a").is_empty() && !telling(&machines, "b").is_empty());
    write_one(&mut a, delete());
    a.settle(&mut server);
    b.settle(&mut server);
    for (name, node) in [("a", &mut a), ("b", &mut b)] {
        rest(node);
        assert_eq!(telling(&machines, name), [""; 0], "{name}");
    }
}

#[test]
fn a_text_erased_before_it_was_ever_sent_is_gone_from_all_files() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", Settings::Off);
    write_much(&mut a);
    write_one(&mut a, delete());
    assert!(!telling(&machines, "a").is_empty());
    a.tell(EngineEvent::Configured(ONCE));
    a.settle(&mut server);
    rest(&mut a);
    assert_eq!(telling(&machines, "a"), [""; 0]);
}

#[test]
fn a_text_written_to_a_thread_that_was_deleted_meanwhile_is_gone_from_all_files() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.write(&["harmless"]);
    a.settle(&mut server);
    b.settle(&mut server);
    let mut b = Node::start(b.stop(), Settings::Off);
    write_much(&mut b);
    write_one(&mut a, delete());
    a.settle(&mut server);
    b.tell(EngineEvent::Configured(LIVE));
    b.settle(&mut server);
    rest(&mut b);
    assert_eq!(telling(&machines, "b"), [""; 0]);
}

#[test]
fn a_replica_that_stops_before_it_has_rested_goes_on_when_it_next_syncs() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    write_much(&mut a);
    a.settle(&mut server);
    write_one(&mut a, delete());
    a.settle(&mut server);
    a.tell(EngineEvent::Rest { ops: 1 });
    drop(a.stop());
    let mut a = machines.node("a", ONCE);
    a.settle(&mut server);
    assert!(a.engine.owes_erasure());
    rest(&mut a);
    assert!(!a.engine.owes_erasure());
    assert_eq!(telling(&machines, "a"), [""; 0]);
}

#[test]
fn a_reader_only_puts_it_off() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    write_much(&mut a);
    a.settle(&mut server);
    let mut reader = machines.replica("a");
    let reading = reader.view().unwrap().connection();
    reading
        .execute_batch("BEGIN; SELECT count(*) FROM ops")
        .unwrap();
    write_one(&mut a, delete());
    a.settle(&mut server);
    rest(&mut a);
    assert!(!telling(&machines, "a").is_empty());
    reading.execute_batch("COMMIT").unwrap();
    write_one(&mut a, create());
    a.settle(&mut server);
    rest(&mut a);
    assert_eq!(telling(&machines, "a"), [""; 0]);
}

/// A log of which a fetch meets the first page erased, and then what `between` has made of it.
fn fetched_across(between: impl FnOnce(&mut WireServer, &Path)) -> (Machines, WireServer, Node) {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.write(&["1", "2", "3"]);
    a.settle(&mut server);
    let copy = server.back_up();
    write_one(&mut a, delete());
    a.settle(&mut server);
    server.page_ops = 2;
    let mut b = machines.node("b", ONCE);
    let (call, request) = b.sent.take().unwrap();
    let answer = Ok(server.answer(&request, &*b.host));
    b.tell(EngineEvent::Answered { call, answer });
    between(&mut server, &copy);
    b.settle(&mut server);
    (machines, server, b)
}

#[test]
fn a_page_erased_by_a_delete_that_the_log_lost_is_fetched_anew() {
    let (_machines, _server, mut b) = fetched_across(|server, copy| server.restore(copy));
    assert_eq!(b.contents(), ["1", "2", "3"]);
}

#[test]
fn an_erasure_that_no_delete_explains_is_fetched_anew_once() {
    let (_machines, mut server, mut b) = fetched_across(|server, copy| {
        // A replica that stands where the other did has offered again what it holds.
        server.restore(copy);
        let epoch = server.file.head().unwrap().epoch;
        let mut lost = WireServer::new();
        std::mem::swap(&mut lost.file, &mut server.file);
        let ops = lost.file.ops_after(ServerSeq::ZERO, EVERYTHING).unwrap();
        let origin = lost.file.mark_at(ServerSeq::ZERO).unwrap().unwrap();
        let path = copy.with_extension("erased");
        server.file = TenantFile::create(&path, &FileOptions::default(), epoch, origin).unwrap();
        let mut batch = server.file.begin().unwrap();
        for op in ops {
            batch.append(&op.key, None, op.payload_hash).unwrap();
        }
        batch.commit().unwrap();
    });
    assert!(b.contents().is_empty());
    let mut fetches = 0;
    for _ in 0..3 {
        b.tell(EngineEvent::Wake);
        b.settle_with(&mut server, &mut |call, answer| {
            fetches += usize::from(call.query.contains("since=0"));
            Ok(answer)
        });
    }
    assert_eq!(fetches, 0);
}
