//! Tombstones that a server has collected, met by those who come late and by those who come meanwhile.

use syncline_model::{Clock, ListId, OpKey, Payload, Scope};
use syncline_store::{Appended, Collecting, Compaction, PendingOp, Stepped};

use super::compaction::{list_op, rename, write_op};
use super::*;
use crate::{LaterWords, NewOp, QuarantinedOp, Retried};

fn has_list(server: &WireServer) -> bool {
    let keys = server.keys();
    keys.iter().any(|key| key.scope.as_str() == Scope::LIST)
}

#[test]
fn an_own_write_that_a_log_put_back_lost_and_a_collected_tombstone_outran_waits_for_its_user() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut c) = (machines.node("a", LIVE), machines.node("c", LIVE));
    a.write(&["kept"]);
    a.settle(&mut server);
    c.settle(&mut server);
    let copy = server.back_up();
    let insert = r#"{"type":"insert","itemId":"bread","payload":{"text":"bread","pos":[{"digit":1,"actor":"a"}]}}"#;
    write_op(&mut a, list_op(insert), &mut server);
    a.stop();
    server.restore(&copy);
    for n in 0..5 {
        write_op(&mut c, rename(&format!("name {n}")), &mut server);
    }
    let insert = r#"{"type":"insert","itemId":"milk","payload":{"text":"milk","pos":[{"digit":1,"actor":"c"}]}}"#;
    write_op(&mut c, list_op(insert), &mut server);
    let remove = r#"{"type":"remove","itemId":"milk"}"#;
    write_op(&mut c, list_op(remove), &mut server);
    write_op(&mut c, rename("the end"), &mut server);
    let head = server.head();
    server.compact(head);
    assert!(!has_list(&server), "the tombstone is collected");
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    c.settle(&mut server);
    let waiting = a.engine.replica().quarantined().unwrap();
    assert_eq!(waiting.len(), 1);
    assert!(!has_list(&server));
    assert_eq!((a.waiting(), c.waiting()), (0, 0));
    equal_views(&mut [&mut a, &mut c]);
    a.engine
        .replica()
        .retry_quarantined(&[waiting[0].id], LaterWords::Stay)
        .unwrap();
    a.tell(EngineEvent::LocalWrite);
    a.settle(&mut server);
    c.settle(&mut server);
    assert!(has_list(&server), "its user has asked for it");
    equal_views(&mut [&mut a, &mut c]);
}

/// Inserts an item of the list.
fn insert(item: &str) -> NewOp {
    list_op(&format!(
        r#"{{"type":"insert","itemId":"{item}","payload":{{"text":"{item}","pos":[{{"digit":1,"actor":"a"}}]}}}}"#
    ))
}

/// World 5376: the log has dropped a younger op of the same writer with a tombstone, and can't tell that this
/// one went before, with the log that was put back. Counted as dropped, it was lost without a word.
#[test]
fn an_acknowledged_write_that_went_with_a_log_put_back_waits_behind_a_collected_one_of_its_writer()
{
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut c) = (machines.node("a", LIVE), machines.node("c", LIVE));
    a.write(&["kept"]);
    a.settle(&mut server);
    c.settle(&mut server);
    let copy = server.back_up();
    a.engine.replica().write(&[insert("bread")]).unwrap();
    a.tell(EngineEvent::LocalWrite);
    let (call, request) = a.sent.take().unwrap();
    let answer = Ok(server.answer(&request, &*a.host));
    a.tell(EngineEvent::Answered { call, answer });
    let mut a = a.stop();
    assert_eq!(a.status().unwrap().acknowledged(), 1);
    server.restore(&copy);
    a.write(&[insert("milk")]).unwrap();
    let a = Node::start(a, LIVE);
    let (_, request) = a.sent.as_ref().unwrap();
    drop(server.answer(request, &*a.host));
    drop(a.stop());
    c.settle(&mut server);
    let remove = r#"{"type":"remove","itemId":"milk"}"#;
    write_op(&mut c, list_op(remove), &mut server);
    write_op(&mut c, rename("the end"), &mut server);
    let head = server.head();
    server.compact(head);
    assert!(!has_list(&server), "the tombstone is collected");
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    c.settle(&mut server);
    assert!(!has_list(&server), "what was removed stays so");
    assert_eq!(a.waiting(), 0);
    let waiting = a.engine.replica().quarantined().unwrap();
    let told = waiting.iter().map(|op| {
        let payload = op.payload.as_ref().unwrap().as_str();
        (payload.contains("bread"), op.code.as_str())
    });
    let told: Vec<_> = told.collect();
    // Of the milk it was right: nothing tells the two apart.
    assert_eq!(told, [(true, "maybe_covered"), (false, "maybe_covered")]);
    a.engine
        .replica()
        .retry_quarantined(&[waiting[0].id], LaterWords::Stay)
        .unwrap();
    a.tell(EngineEvent::LocalWrite);
    a.settle(&mut server);
    c.settle(&mut server);
    assert!(has_list(&server), "its user has asked for it");
    equal_views(&mut [&mut a, &mut c]);
}

#[test]
fn a_fetch_under_which_a_tombstone_was_collected_begins_anew() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    let insert = r#"{"type":"insert","itemId":"milk","payload":{"text":"milk","pos":[{"digit":1,"actor":"a"}]}}"#;
    write_op(&mut a, list_op(insert), &mut server);
    // The first is covered by the second: from then on the log has a floor.
    for n in 0..2 {
        write_op(&mut a, rename(&format!("name {n}")), &mut server);
    }
    a.write(&["1", "2", "3", "4", "5", "6"]);
    a.settle(&mut server);
    let remove = r#"{"type":"remove","itemId":"milk"}"#;
    write_op(&mut a, list_op(remove), &mut server);
    write_op(&mut a, rename("the end"), &mut server);
    let nothing: &[PendingOp] = &[];
    let mut run = Compaction::begin(&server.file, server.head(), Collecting::Tombstones).unwrap();
    server.file.compact_step(&mut run, 1_000, nothing).unwrap();
    assert!(server.file.head().unwrap().floor > ServerSeq::ZERO);
    server.page_ops = 3;
    let mut b = machines.node("b", LIVE);
    for _ in 0..2 {
        let (call, request) = b.sent.take().unwrap();
        let answer = Ok(server.answer(&request, &*b.host));
        b.tell(EngineEvent::Answered { call, answer });
    }
    while server.file.compact_step(&mut run, 1_000, nothing).unwrap() == Stepped::More {}
    assert!(!has_list(&server), "the tombstone is collected");
    b.settle(&mut server);
    a.settle(&mut server);
    equal_views(&mut [&mut a, &mut b]);
}

const INSERT: &str = r#"{"type":"insert","itemId":"bread","payload":{"text":"as added","pos":[{"digit":1,"actor":"a"}]}}"#;
const EDIT: &str = r#"{"type":"update","itemId":"bread","payload":{"text":"as edited"}}"#;

/// A server that has collected a tombstone of the list, and a replica that has added an item to the list
/// before that, and edited it after more than one push of other things, without having heard of it.
fn late_to_a_collected_tombstone(machines: &Machines) -> (WireServer, Node) {
    let mut server = WireServer::new();
    let (mut a, mut c) = (machines.node("a", LIVE), machines.node("c", LIVE));
    a.settle(&mut server);
    c.settle(&mut server);
    a.engine.replica().write(&[list_op(INSERT)]).unwrap();
    for n in 0..8 {
        let other = rename(&format!("name {n}"));
        a.engine.replica().write(&[other]).unwrap();
    }
    a.engine.replica().write(&[list_op(EDIT)]).unwrap();
    let insert = r#"{"type":"insert","itemId":"milk","payload":{"text":"milk","pos":[{"digit":1,"actor":"c"}]}}"#;
    write_op(&mut c, list_op(insert), &mut server);
    let remove = r#"{"type":"remove","itemId":"milk"}"#;
    write_op(&mut c, list_op(remove), &mut server);
    write_op(&mut c, rename("the end"), &mut server);
    let head = server.head();
    server.compact(head);
    assert!(!has_list(&server), "the tombstone is collected");
    (server, a)
}

fn texts(node: &mut Node) -> Vec<String> {
    let list = ListId::from(list_op(EDIT).resource);
    let view = node.engine.replica().view().unwrap();
    let items = syncline_store::lists::items(view.connection(), &list).unwrap();
    items.into_iter().map(|shown| shown.item.text).collect()
}

#[test]
fn an_edit_that_was_offered_once_follows_its_insert_that_is_stamped_anew() {
    let machines = Machines::new();
    let (mut server, mut a) = late_to_a_collected_tombstone(&machines);
    a.tell(EngineEvent::LocalWrite);
    // The request with all of it is lost on its way.
    let (call, request) = a.sent.take().unwrap();
    assert!(request.path == "sync/push");
    let answer = Err(lost());
    a.tell(EngineEvent::Answered { call, answer });
    // What goes through in the end is as small that the edit is not in it.
    server.push_ops_max = 5;
    a.settle(&mut server);
    assert_eq!(texts(&mut a), ["as edited"]);
    assert_eq!(a.waiting(), 0);
    assert!(a.engine.replica().quarantined().unwrap().is_empty());
    let mut b = machines.node("b", LIVE);
    b.settle(&mut server);
    equal_views(&mut [&mut a, &mut b]);
}

#[test]
fn an_insert_whose_edit_is_in_the_log_waits_for_its_user() {
    let machines = Machines::new();
    let (mut server, mut a) = late_to_a_collected_tombstone(&machines);
    let rows = a.engine.replica().local.outbox_after(0, 100).unwrap();
    let edit = rows.last().unwrap();
    // Somebody has healed a log that was put back with what they had of it.
    let mut batch = server.file.begin().unwrap();
    batch
        .append(&edit.key, edit.payload.as_ref(), edit.payload_hash)
        .unwrap();
    batch.commit().unwrap();
    a.tell(EngineEvent::LocalWrite);
    a.settle(&mut server);
    let waiting = a.engine.replica().quarantined().unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(
        (waiting[0].code.as_str(), &waiting[0].key),
        ("clock_behind", &rows[0].key)
    );
    assert_eq!(a.waiting(), 0);
    let ids = [waiting[0].id];
    let mut retry = |later| {
        let replica = a.engine.replica();
        replica.retry_quarantined(&ids, later).unwrap().remove(0)
    };
    let Retried::Outdone(words) = retry(LaterWords::Stay) else {
        panic!("its text was edited since");
    };
    assert_eq!((words.len(), words[0].column), (1, "text"));
    assert!(matches!(retry(LaterWords::Go), Retried::Anew(_)));
    a.tell(EngineEvent::LocalWrite);
    a.settle(&mut server);
    assert_eq!(texts(&mut a), ["as added"], "its user has asked for it");
}

/// A log put back without an item that two have, where a tombstone was collected since: both are refused it.
fn refused_twice(machines: &Machines) -> (WireServer, [Node; 3]) {
    let mut server = WireServer::new();
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(|name| machines.node(name, LIVE));
    for node in [&mut a, &mut b, &mut c] {
        node.settle(&mut server);
    }
    write_op(&mut c, rename("the list"), &mut server);
    let copy = server.back_up();
    write_op(&mut a, list_op(INSERT), &mut server);
    b.settle(&mut server);
    drop((a.stop(), b.stop()));
    server.restore(&copy);
    for n in 0..5 {
        write_op(&mut c, rename(&format!("name {n}")), &mut server);
    }
    let milk = r#"{"type":"insert","itemId":"milk","payload":{"text":"milk","pos":[{"digit":1,"actor":"c"}]}}"#;
    write_op(&mut c, list_op(milk), &mut server);
    let remove = r#"{"type":"remove","itemId":"milk"}"#;
    write_op(&mut c, list_op(remove), &mut server);
    write_op(&mut c, rename("the end"), &mut server);
    let head = server.head();
    server.compact(head);
    assert!(!has_list(&server), "the tombstone is collected");
    let [mut a, mut b] = ["a", "b"].map(|name| machines.node(name, LIVE));
    for node in [&mut a, &mut b] {
        node.settle(&mut server);
        assert_eq!(held(node).len(), 1);
    }
    (server, [a, b, c])
}

fn held(node: &mut Node) -> Vec<QuarantinedOp> {
    node.engine.replica().quarantined().unwrap()
}

#[test]
fn what_another_writes_anew_of_an_insert_that_was_refused_twice_leaves_the_quarantine() {
    let machines = Machines::new();
    let (mut server, [mut a, mut b, mut c]) = refused_twice(&machines);
    let id = held(&mut a)[0].id;
    a.engine
        .replica()
        .retry_quarantined(&[id], LaterWords::Stay)
        .unwrap();
    a.tell(EngineEvent::LocalWrite);
    a.settle(&mut server);
    c.settle(&mut server);
    write_op(&mut c, list_op(EDIT), &mut server);
    for node in [&mut a, &mut b] {
        node.settle(&mut server);
        assert_eq!(texts(node), ["as edited"]);
        assert!(held(node).is_empty(), "it is there");
    }
    equal_views(&mut [&mut a, &mut b, &mut c]);
}

#[test]
fn a_retried_insert_of_what_is_there_again_undoes_nothing_of_it() {
    let remove = r#"{"type":"remove","itemId":"bread"}"#;
    for (later, shown) in [(EDIT, &["as edited"][..]), (remove, &[])] {
        let machines = Machines::new();
        let (mut server, [mut a, mut b, mut c]) = refused_twice(&machines);
        let again = INSERT.replace("as added", "as added again");
        write_op(&mut c, list_op(&again), &mut server);
        write_op(&mut c, list_op(later), &mut server);
        b.settle(&mut server);
        let id = held(&mut b)[0].id;
        let retried = b
            .engine
            .replica()
            .retry_quarantined(&[id], LaterWords::Stay)
            .unwrap();
        assert_eq!(retried, [Retried::There]);
        assert!(held(&mut b).is_empty());
        b.tell(EngineEvent::LocalWrite);
        for node in [&mut b, &mut a, &mut c] {
            node.settle(&mut server);
            assert_eq!(texts(node), shown);
        }
        equal_views(&mut [&mut a, &mut b, &mut c]);
    }
}

/// An op of the replica's actor comes into the log, and the replica hears of it before it sends its own.
fn hears_of(a: &mut Node, server: &mut WireServer, key: &OpKey, payload: &Payload) {
    let mut batch = server.file.begin().unwrap();
    let appended = batch.append(key, Some(payload), payload.hash()).unwrap();
    assert!(matches!(appended, Appended::At(..)));
    batch.commit().unwrap();
    assert!(a.deliver(server));
}

/// World 8823: a replica was put back, and wrote to a list to which a life that it had forgotten had written
/// with higher clocks.
#[test]
fn a_first_write_is_stamped_anew_whatever_another_life_of_its_replica_has_written() {
    let machines = Machines::new();
    let (mut server, mut a) = late_to_a_collected_tombstone(&machines);
    let rows = a.engine.replica().local.outbox_after(0, 100).unwrap();
    let key = OpKey {
        clock: Clock::new(1_000).unwrap(),
        ..rows[0].key.clone()
    };
    let butter = r#"{"type":"insert","itemId":"butter","payload":{"text":"butter","pos":[{"digit":2,"actor":"a"}]}}"#;
    hears_of(&mut a, &mut server, &key, &list_op(butter).payload);
    a.settle(&mut server);
    assert!(a.engine.replica().quarantined().unwrap().is_empty());
    assert_eq!(texts(&mut a), ["as edited", "butter"]);
    assert_eq!(a.waiting(), 0);
}

#[test]
fn a_write_waits_for_its_user_where_a_later_one_came_back_before_it_was_sent() {
    let machines = Machines::new();
    let (mut server, mut a) = late_to_a_collected_tombstone(&machines);
    let rows = a.engine.replica().local.outbox_after(0, 100).unwrap();
    let edit = rows.last().unwrap();
    hears_of(
        &mut a,
        &mut server,
        &edit.key,
        edit.payload.as_ref().unwrap(),
    );
    a.settle(&mut server);
    let waiting = a.engine.replica().quarantined().unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].key, rows[0].key);
}
