//! Servers that have compacted their log past what a replica has applied.

use syncline_model::thread::{ThreadOp, Update};
use syncline_model::{ListId, ResourceId, Scope, Timestamp};
use syncline_store::Collecting;

use super::*;
use crate::NewOp;
use crate::testing::{compact, thread};

pub(super) fn rename(name: &str) -> NewOp {
    let op = ThreadOp::Update(Update {
        name: Some(name.into()),
        project: None,
        status: None,
        at: Timestamp::from_millis(name.len() as i64).unwrap(),
    });
    NewOp {
        scope: Scope::thread(),
        resource: thread().into(),
        payload: op.payload().unwrap(),
    }
}

pub(super) fn list_op(payload: &str) -> NewOp {
    NewOp {
        scope: Scope::new(Scope::LIST).unwrap(),
        resource: ResourceId::new(ListId::from(ResourceId::new("groceries").unwrap()).as_str())
            .unwrap(),
        payload: syncline_model::Payload::parse(payload).unwrap(),
    }
}

pub(super) fn write_op(node: &mut Node, op: NewOp, server: &mut WireServer) {
    node.engine.replica().write(&[op]).unwrap();
    node.tell(EngineEvent::LocalWrite);
    node.settle(server);
}

/// Gives how many ops the sleeper offers when it is back.
fn slept_below_the_floor(fetch_file: u64) -> usize {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut sleeper = machines.node("sleeper", LIVE);
    sleeper.settle(&mut server);
    for n in 0..10 {
        sleeper.write(&[&format!("early {n}")]);
        sleeper.settle(&mut server);
        write_op(&mut sleeper, rename(&format!("name {n}")), &mut server);
    }
    sleeper.stop();
    let mut other = machines.node("other", LIVE);
    other.settle(&mut server);
    write_op(&mut other, rename("the last"), &mut server);
    other.write(&["while it slept"]);
    other.settle(&mut server);
    let (head, before) = (server.head(), server.keys().len());
    server.compact(head);
    assert!(server.keys().len() < before);
    let mut sleeper = machines.node("sleeper", Settings::Off);
    sleeper.engine.fetch_file_from(fetch_file);
    sleeper.write(&["written asleep"]);
    sleeper.tell(EngineEvent::Configured(LIVE));
    let mut offered = 0;
    sleeper.settle_with(&mut server, &mut |call, answer| {
        if call.path == "sync/push" {
            let body = call.body.as_deref().unwrap();
            offered += syncline_protocol::ReceivedPush::decode(body, &Default::default())
                .unwrap()
                .ops
                .len();
        }
        Ok(answer)
    });
    other.settle(&mut server);
    assert_eq!(sleeper.contents().last().unwrap(), "written asleep");
    equal_views(&mut [&mut sleeper, &mut other]);
    assert_eq!((sleeper.waiting(), other.waiting()), (0, 0));
    offered
}

#[test]
fn a_replica_that_slept_below_the_floor_keeps_its_outbox() {
    // Of the ops below the floor that a page lacks, nothing says that they were there: offered again,
    // they are duplicates.
    assert!(slept_below_the_floor(u64::MAX) > 4);
}

#[test]
fn with_a_prepared_file_it_offers_nothing_that_was_compacted() {
    // Its own two, once below the floor, and once after the rebuild.
    assert_eq!(slept_below_the_floor(0), 4);
}

/// Without a new epoch the server can't tell, and below its floor neither can its marks: the files do.
fn regrown_and_compacted(fetch_file: u64) {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    for n in 0..5 {
        a.write(&[&format!("kept {n}")]);
        a.settle(&mut server);
        write_op(&mut a, rename(&format!("name {n}")), &mut server);
    }
    let copy = server.back_up();
    for n in 0..5 {
        a.write(&[&format!("lost {n}")]);
        a.settle(&mut server);
    }
    write_op(&mut a, rename("lost too"), &mut server);
    a.stop();
    server.restore(&copy);
    let mut c = machines.node("c", LIVE);
    c.settle(&mut server);
    for n in 0..30 {
        c.write(&[&format!("new {n}")]);
        c.settle(&mut server);
        write_op(&mut c, rename(&format!("other {n}")), &mut server);
    }
    let head = server.head();
    server.compact(head);
    let mut a = machines.node("a", Settings::Off);
    a.engine.fetch_file_from(fetch_file);
    a.write(&["pending"]);
    a.tell(EngineEvent::Configured(LIVE));
    a.settle(&mut server);
    c.settle(&mut server);
    equal_views(&mut [&mut a, &mut c]);
    let contents = a.contents();
    for n in 0..5 {
        let found = contents.iter().filter(|text| **text == format!("lost {n}"));
        assert_eq!(found.count(), 1, "{contents:?}");
    }
    assert_eq!(contents.len(), 5 + 5 + 30 + 1);
    assert_eq!((a.waiting(), c.waiting()), (0, 0));
}

#[test]
fn a_server_put_back_regrown_and_compacted_past_a_cursor_gets_what_it_lost() {
    regrown_and_compacted(u64::MAX);
}

#[test]
fn a_prepared_file_of_such_a_server_is_compared_alike() {
    regrown_and_compacted(0);
}

#[test]
fn a_server_put_back_below_the_floor_is_healed_by_replicas_that_have_compacted() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.settle(&mut server);
    b.settle(&mut server);
    for n in 0..6 {
        a.write(&[&format!("old {n}")]);
        a.settle(&mut server);
        write_op(&mut a, rename(&format!("name {n}")), &mut server);
    }
    let insert = r#"{"type":"insert","itemId":"milk","payload":{"text":"milk","pos":[{"digit":1,"actor":"a"}]}}"#;
    write_op(&mut a, list_op(insert), &mut server);
    let copy = server.back_up();
    for n in 0..6 {
        b.settle(&mut server);
        b.write(&[&format!("newer {n}")]);
        b.settle(&mut server);
        write_op(&mut b, rename(&format!("later {n}")), &mut server);
    }
    write_op(
        &mut b,
        list_op(r#"{"type":"remove","itemId":"milk"}"#),
        &mut server,
    );
    b.settle(&mut server);
    a.settle(&mut server);
    let floor = server.head();
    server.compact(floor);
    for node in [&mut a, &mut b] {
        compact(
            &mut node.engine.replica().tenant,
            floor,
            Collecting::Nothing,
        );
    }
    equal_views(&mut [&mut a, &mut b]);
    let expected = a.engine.replica().view().unwrap().dump_view().unwrap();
    server.restore(&copy);
    a.stop();
    b.stop();
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    for _ in 0..2 {
        a.settle(&mut server);
        b.settle(&mut server);
    }
    equal_views(&mut [&mut a, &mut b]);
    assert_eq!(server.file.dump_view().unwrap(), expected);
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
}

#[test]
fn a_write_from_before_a_tombstone_was_collected_is_stamped_anew_and_arrives() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.settle(&mut server);
    b.settle(&mut server);
    b.stop();
    let mut c = machines.node("c", Settings::Off);
    c.write(&["the end"]);
    for n in 0..5 {
        write_op(&mut a, rename(&format!("name {n}")), &mut server);
    }
    let insert = r#"{"type":"insert","itemId":"milk","payload":{"text":"milk","pos":[{"digit":1,"actor":"a"}]}}"#;
    write_op(&mut a, list_op(insert), &mut server);
    write_op(
        &mut a,
        list_op(r#"{"type":"remove","itemId":"milk"}"#),
        &mut server,
    );
    // No clock that is left in the log leads to those that are collected.
    c.tell(EngineEvent::Configured(LIVE));
    c.settle(&mut server);
    let head = server.head();
    server.compact(head);
    let has_list = |server: &WireServer| {
        let keys = server.keys();
        keys.iter().any(|key| key.scope.as_str() == Scope::LIST)
    };
    assert!(!has_list(&server), "the tombstone is collected");
    let mut b = machines.node("b", Settings::Off);
    let insert = r#"{"type":"insert","itemId":"bread","payload":{"text":"bread","pos":[{"digit":1,"actor":"a"}]}}"#;
    b.engine.replica().write(&[list_op(insert)]).unwrap();
    let actor = b.engine.replica().status().unwrap().actor;
    b.tell(EngineEvent::Configured(LIVE));
    b.settle(&mut server);
    a.settle(&mut server);
    assert!(has_list(&server));
    assert_ne!(b.engine.replica().status().unwrap().actor, actor);
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
    assert!(b.engine.replica().quarantined().unwrap().is_empty());
    equal_views(&mut [&mut a, &mut b]);
}

fn count_ops(node: &mut Node) -> u64 {
    node.engine.replica().tenant.count_ops().unwrap()
}

/// Gives an engine all the time it wants; says how many steps it took.
fn rest(node: &mut Node, ops: usize) -> usize {
    for steps in 0..1_000 {
        if !node.engine.could_compact() {
            return steps;
        }
        node.tell(EngineEvent::Rest { ops });
    }
    panic!("it never has done with it");
}

/// Two replicas that hold the same log, of which the server has dropped the most.
fn compacted_by_the_server(machines: &Machines, server: &mut WireServer) -> (Node, Node) {
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    for node in [&mut a, &mut b] {
        node.engine.compact_from(1);
        node.settle(server);
    }
    a.write(&["an entry"]);
    a.settle(server);
    for n in 0..20 {
        write_op(&mut a, rename(&format!("name {n}")), server);
    }
    b.settle(server);
    let head = server.head();
    server.compact(head);
    // The floor comes with the next page.
    write_op(&mut b, rename("the last"), server);
    a.settle(server);
    (a, b)
}

#[test]
fn a_replica_with_nothing_to_do_drops_what_is_covered_below_the_floor_that_it_was_told() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = compacted_by_the_server(&machines, &mut server);
    let before = count_ops(&mut a);
    assert!(rest(&mut a, 3) > 3);
    assert_eq!(a.engine.dropped(), 19);
    assert_eq!(count_ops(&mut a), before - 19);
    equal_views(&mut [&mut a, &mut b]);
    drop(a.stop());
    let mut a = machines.node("a", LIVE);
    a.engine.compact_from(1);
    a.settle(&mut server);
    assert_eq!(rest(&mut a, 3), 0, "that it was done is remembered");
    write_op(&mut a, rename("after"), &mut server);
    b.settle(&mut server);
    equal_views(&mut [&mut a, &mut b]);
}

#[test]
fn a_compaction_that_was_cut_short_goes_on_where_it_was() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = compacted_by_the_server(&machines, &mut server);
    for _ in 0..2 {
        assert!(a.engine.could_compact());
        a.tell(EngineEvent::Rest { ops: 5 });
    }
    let first = a.engine.dropped();
    assert!(first > 0);
    drop(a.stop());
    let mut a = machines.node("a", LIVE);
    a.engine.compact_from(u64::MAX / 2);
    a.settle(&mut server);
    assert!(rest(&mut a, 5) > 0);
    assert_eq!(first + a.engine.dropped(), 19);
    equal_views(&mut [&mut a, &mut b]);
}

#[test]
fn nothing_is_compacted_while_sync_is_off_or_the_floor_has_risen_too_little() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = compacted_by_the_server(&machines, &mut server);
    a.tell(EngineEvent::Configured(Settings::Off));
    assert!(!a.engine.could_compact());
    let before = count_ops(&mut a);
    a.tell(EngineEvent::Rest { ops: 100 });
    assert_eq!(count_ops(&mut a), before);
    b.engine.compact_from(1_000);
    // What its rebuild has left in the files is seen to.
    assert!(rest(&mut b, 100) > 0);
    assert!(!b.engine.could_compact());
    assert_eq!(b.engine.dropped(), 0);
}

#[test]
fn what_a_pending_write_stands_on_stays() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, _) = compacted_by_the_server(&machines, &mut server);
    let before = count_ops(&mut a);
    // Nobody tells the engine of it: it rests.
    a.engine.replica().write(&[rename("pending")]).unwrap();
    assert!(rest(&mut a, 100) > 0);
    assert_eq!(count_ops(&mut a), before);
}
