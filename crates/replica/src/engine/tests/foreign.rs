//! Logs that have nothing of a replica's.

use super::*;

/// Two servers, with a replica of the first that has a write which waits.
fn two_servers(machines: &Machines) -> (Node, WireServer, WireServer) {
    let (mut own, mut other) = (WireServer::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    for (node, server, text) in [(&mut a, &mut own, "own"), (&mut b, &mut other, "other")] {
        node.write(&[text]);
        node.settle(server);
    }
    a.stop();
    let mut a = machines.node("a", LIVE);
    a.write(&["waits"]);
    (a, own, other)
}

#[test]
fn a_log_of_another_server_is_neither_taken_nor_given_anything() {
    let machines = Machines::new();
    let (mut a, mut own, mut other) = two_servers(&machines);
    let (keys, waiting) = (other.keys(), a.waiting());
    a.settle(&mut other);
    assert!(matches!(a.engine.state(), State::Apart));
    assert_eq!(a.engine.failure().unwrap().code, "log_foreign");
    assert_eq!(
        (a.contents(), a.waiting()),
        (vec!["own".into(), "waits".into()], waiting)
    );
    assert_eq!(other.keys(), keys);
    // It asks whether its own log is there again, and goes on saying why it waits.
    a.tell(EngineEvent::TimerFired);
    a.settle(&mut other);
    assert!(matches!(a.engine.state(), State::Apart));
    assert_eq!(a.engine.failure().unwrap().code, "log_foreign");
    a.tell(EngineEvent::TimerFired);
    a.settle(&mut own);
    assert_eq!(
        (a.contents(), a.waiting()),
        (vec!["own".into(), "waits".into()], 0)
    );
    assert!(a.engine.failure().is_none());
}

#[test]
fn a_person_may_let_two_logs_become_one() {
    let machines = Machines::new();
    let (mut a, _, mut other) = two_servers(&machines);
    a.settle(&mut other);
    a.engine.replica().join_foreign_log().unwrap();
    a.tell(EngineEvent::Wake);
    a.settle(&mut other);
    assert_eq!(
        (a.contents(), a.waiting()),
        (vec!["other".into(), "own".into(), "waits".into()], 0)
    );
    assert!(a.engine.failure().is_none());
}

#[test]
fn a_log_that_others_have_healed_after_a_loss_is_the_same_log() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.write(&["1"]);
    for node in [&mut a, &mut b] {
        node.settle(&mut server);
    }
    let mut begun_anew = WireServer::new();
    for node in [&mut a, &mut b] {
        node.write(&["since"]);
        node.settle(&mut begun_anew);
    }
    assert_eq!(
        (b.contents(), b.waiting()),
        (vec!["1".into(), "since".into(), "since".into()], 0)
    );
}
