use syncline_store::Appended;

use super::compaction::{rename, write_op};
use super::set_aside::lose_log;
use super::*;

#[test]
fn a_server_that_lost_everything_gets_everything_back() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    for (node, text) in [(&mut a, "1"), (&mut b, "2")] {
        node.settle(&mut server);
        node.write(&[text]);
        node.settle(&mut server);
    }
    a.settle(&mut server);
    let mut server = WireServer::new();
    for node in [&mut a, &mut b] {
        node.write(&["pending"]);
        node.settle(&mut server);
    }
    a.settle(&mut server);
    assert_eq!(a.contents(), ["1", "2", "pending", "pending"]);
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
    equal_views(&mut [&mut a, &mut b]);
    let keys = server.keys();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
}

/// A server put back to a copy of itself, under the same epoch, and written to since by another.
fn rolled_back(regrow: &[&str]) {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.settle(&mut server);
    b.settle(&mut server);
    for n in 0..20 {
        a.write(&[&format!("kept {n}")]);
        a.settle(&mut server);
    }
    let copy = server.back_up();
    for n in 0..5 {
        a.write(&[&format!("lost {n}")]);
        a.settle(&mut server);
    }
    b.stop();
    server.restore(&copy);
    let mut c = machines.node("c", LIVE);
    c.settle(&mut server);
    for text in regrow {
        c.write(&[text]);
        c.settle(&mut server);
    }
    a.write(&["pending"]);
    a.settle(&mut server);
    let mut b = machines.node("b", LIVE);
    b.settle(&mut server);
    c.settle(&mut server);
    equal_views(&mut [&mut a, &mut b, &mut c]);
    let mut expected: Vec<String> = (0..20).map(|n| format!("kept {n}")).collect();
    expected.extend(regrow.iter().map(ToString::to_string));
    expected.extend((0..5).map(|n| format!("lost {n}")));
    expected.push("pending".to_owned());
    assert_eq!(a.contents(), expected);
    assert_eq!((a.waiting(), b.waiting(), c.waiting()), (0, 0, 0));
}

#[test]
fn a_server_rolled_back_gets_what_it_lost_in_the_old_order() {
    rolled_back(&[]);
}

#[test]
fn a_server_rolled_back_and_regrown_gets_what_it_lost() {
    rolled_back(&["new 0", "new 1"]);
}

#[test]
fn a_server_regrown_past_old_cursors_gets_what_it_lost() {
    let texts: Vec<String> = (0..30).map(|n| format!("new {n}")).collect();
    rolled_back(&texts.iter().map(String::as_str).collect::<Vec<_>>());
}

/// World 1546: the log was put back once more, to where the place that it had verified is another's.
#[test]
fn a_place_that_was_common_before_the_log_was_put_back_again_is_no_common_place() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    let mut copies = Vec::new();
    for text in ["1", "2", "3"] {
        a.write(&[text]);
        a.settle(&mut server);
        copies.push(server.back_up());
    }
    server.restore(&copies[1]);
    a.write(&["pending"]);
    let mut probed = false;
    while !probed {
        probed = matches!(a.engine.state(), State::Probing(_));
        let (call, request) = a.sent.take().unwrap();
        let answer = Ok(server.answer(&request, &*a.host));
        a.tell(EngineEvent::Answered { call, answer });
    }
    server.restore(&copies[0]);
    let mut c = machines.node("c", LIVE);
    c.write(&["of c", "of c"]);
    c.settle(&mut server);
    a.settle(&mut server);
    c.settle(&mut server);
    assert_eq!(a.contents(), ["1", "of c", "of c", "2", "3", "pending"]);
    assert_eq!((a.waiting(), c.waiting()), (0, 0));
    equal_views(&mut [&mut a, &mut c]);
}

/// The op was acknowledged, the log put back, and nobody has written since: no place passes its own.
#[test]
fn an_acknowledged_op_above_the_head_of_a_server_put_back_is_offered_again() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", ONCE);
    a.write(&["kept"]);
    a.settle(&mut server);
    let copy = server.back_up();
    a.write(&["lost"]);
    let (call, request) = a.sent.take().unwrap();
    let answer = server.answer(&request, &*a.host);
    server.restore(&copy);
    a.tell(EngineEvent::Answered {
        call,
        answer: Ok(answer),
    });
    assert_eq!(a.waiting(), 2);
    a.settle(&mut server);
    assert_eq!(
        (a.waiting(), a.contents()),
        (0, vec!["kept".into(), "lost".into()])
    );
}

fn restored(mode: EpochMode) -> (Vec<String>, u64) {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    a.write(&["kept"]);
    a.settle(&mut server);
    let copy = server.back_up();
    a.write(&["later"]);
    a.settle(&mut server);
    server.restore(&copy);
    let old = server.file.head().unwrap().epoch;
    let next = Epoch::new(Uuid::now_v7());
    server
        .file
        .start_epoch(old, next, LogStart::Restored(mode))
        .unwrap();
    a.write(&["pending"]);
    a.settle(&mut server);
    assert_eq!(a.engine.replica().status().unwrap().epoch, Some(next));
    (a.contents(), a.waiting())
}

#[test]
fn a_restore_is_healed() {
    assert_eq!(
        restored(EpochMode::Heal),
        (vec!["kept".into(), "later".into(), "pending".into()], 0)
    );
}

#[test]
fn a_restore_that_discards_stays_discarded_and_keeps_the_outbox() {
    assert_eq!(
        restored(EpochMode::Follow),
        (vec!["kept".into(), "pending".into()], 0)
    );
}

#[test]
fn a_restore_of_the_newest_copy_is_taken_without_a_rebuild() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    a.write(&["kept"]);
    a.settle(&mut server);
    let name = a.engine.replica().tenant_name.clone();
    let old = server.file.head().unwrap().epoch;
    let next = Epoch::new(Uuid::now_v7());
    server
        .file
        .start_epoch(old, next, LogStart::Restored(EpochMode::Heal))
        .unwrap();
    a.write(&["pending"]);
    a.settle(&mut server);
    assert_eq!(a.contents(), ["kept", "pending"]);
    assert_eq!(a.engine.replica().tenant_name, name);
    assert_eq!(a.waiting(), 0);
}

#[test]
fn a_reset_empties_the_view_and_keeps_the_outbox() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    a.write(&["gone"]);
    a.settle(&mut server);
    let head = server.file.head().unwrap();
    let start = LogStart::Reset {
        origin: syncline_model::Mark::origin([9; 16]),
    };
    server
        .file
        .start_epoch(head.epoch, Epoch::new(Uuid::now_v7()), start)
        .unwrap();
    a.write(&["pending"]);
    a.settle(&mut server);
    assert_eq!(a.contents(), ["pending"]);
    assert_eq!(a.waiting(), 0);
}

#[test]
fn a_clock_that_leads_too_far_makes_a_new_actor_and_keeps_the_order() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut replica = machines.replica("a");
    let far = 1 << 40;
    let ops = [create(), entry("1"), entry("2")];
    replica
        .local
        .write(&ops, || Ok(far), crate::testing::at())
        .unwrap();
    let actor = replica.status().unwrap().actor;
    let mut a = Node::start(replica, ONCE);
    a.settle(&mut server);
    assert_ne!(a.engine.replica().status().unwrap().actor, actor);
    assert_eq!(
        entries(a.engine.replica()),
        [("1".into(), Some(0)), ("2".into(), Some(1))]
    );
    assert_eq!(a.waiting(), 0);
    a.write(&["3"]);
    a.tell(EngineEvent::Wake);
    a.settle(&mut server);
    assert_eq!(a.contents(), ["1", "2", "3"]);
}

/// World 2288: the tenant file is gone, and with it how high the log's clocks are.
#[test]
fn what_is_written_anew_stands_above_the_log_also_where_the_log_is_still_to_be_fetched() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    a.write(&["1", "2", "3"]);
    write_op(&mut a, rename("early"), &mut server);
    lose_log(&mut a);
    let late = [rename("late")];
    let far = || Ok(1 << 40);
    let local = &mut a.engine.replica().local;
    local.write(&late, far, crate::testing::at()).unwrap();
    a.tell(EngineEvent::LocalWrite);
    a.settle(&mut server);
    assert_eq!(a.waiting(), 0);
    let connection = a.engine.replica().view().unwrap().connection();
    let shown = syncline_store::threads::thread(connection, crate::testing::thread()).unwrap();
    assert_eq!(shown.unwrap().name, "late");
}

/// The log takes what it has refused a replica.
fn take_refused(server: &mut WireServer, from: &mut Node) {
    let op = from.engine.replica().quarantined().unwrap().remove(0);
    let mut batch = server.file.begin().unwrap();
    let taken = batch.append(&op.key, op.payload.as_ref(), op.payload_hash);
    assert!(matches!(taken.unwrap(), Appended::At(..)));
    batch.commit().unwrap();
}

/// World 1950: a log that was put back refuses clocks far above its own. Once it has come to higher ones, another
/// replica offers what this one was refused.
#[test]
fn what_a_log_has_come_to_hold_leaves_the_quarantine() {
    for is_rebuilt in [false, true] {
        let (machines, mut server) = (Machines::new(), WireServer::new());
        let mut a = machines.node("a", LIVE);
        a.write(&["kept"]);
        a.settle(&mut server);
        let copy = server.back_up();
        a.write(&[REFUSED, "more"]);
        a.settle(&mut server);
        if is_rebuilt {
            server.restore(&copy);
        }
        take_refused(&mut server, &mut a);
        a.write(&["last"]);
        a.settle(&mut server);
        assert_eq!(a.engine.replica().quarantined().unwrap(), []);
        let mut shown = a.contents();
        shown.sort();
        assert_eq!(shown, [REFUSED, "kept", "last", "more"]);
        assert_eq!(a.waiting(), 0);
    }
}
