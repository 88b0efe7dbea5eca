//! A log that is set aside, as one that is damaged, while an engine runs: here or by another process.

use super::compaction::{rename, write_op};
use super::*;

const POLL: Settings = Settings::On(Delivery::Poll {
    interval: Duration::from_secs(30),
});

/// The log is set aside, as one that is damaged.
pub(super) fn lose_log(node: &mut Node) {
    lose_log_of(node.engine.replica());
}

fn lose_log_of(replica: &mut Replica) {
    let cause = ReplicaError::Tenant(StoreError::Damaged {
        what: "test",
        source: None,
    });
    replica.set_aside_damaged(&cause).unwrap();
}

/// A replica that has synced an entry.
fn synced(settings: Settings) -> (Machines, WireServer, Node) {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", settings);
    a.settle(&mut server);
    a.write(&["kept"]);
    a.settle(&mut server);
    (machines, server, a)
}

#[test]
fn a_tenant_file_damaged_under_a_running_engine_is_fetched_again() {
    let (_machines, mut server, mut a) = synced(LIVE);
    lose_log(&mut a);
    a.write(&["pending"]);
    a.settle(&mut server);
    assert_eq!(a.contents(), ["kept", "pending"]);
    assert_eq!(a.waiting(), 0);
}

#[test]
fn a_tenant_file_that_another_process_has_set_aside_is_fetched_again_though_nothing_comes() {
    let (_machines, mut server, mut a) = synced(LIVE);
    for call in [EngineEvent::LocalWrite, EngineEvent::Wake] {
        // What is open here is the one of before until it is looked for.
        lose_log_of(&mut a.engine.replica().another().unwrap());
        a.tell(call);
        assert_ne!(a.engine.state(), State::Live);
        a.settle(&mut server);
        assert_eq!(a.contents(), ["kept"]);
    }
}

#[test]
fn a_log_that_was_set_aside_is_something_new_also_for_who_has_turned_to_it_already() {
    let machines = Machines::new();
    let mut a = machines.node("a", LIVE);
    a.write(&["kept"]);
    let replica = a.engine.replica();
    replica.look().unwrap();
    lose_log_of(&mut replica.another().unwrap());
    replica.status().unwrap();
    assert_eq!(replica.look().unwrap(), Looked::Changed);
    assert_eq!(replica.look().unwrap(), Looked::Same);
}

#[test]
fn a_log_that_was_set_aside_is_fetched_again_also_while_the_server_takes_no_pushes() {
    let (_machines, mut server, mut a) = synced(LIVE);
    a.write(&["held"]);
    for call in [EngineEvent::LocalWrite, EngineEvent::Wake] {
        until_held_back(&mut a, &mut server);
        lose_log_of(&mut a.engine.replica().another().unwrap());
        a.tell(call);
        until_held_back(&mut a, &mut server);
        assert_eq!(a.contents(), ["kept", "held"]);
    }
}

/// Refuses pushes, and answers all else, until a push is held back beside an open stream.
fn until_held_back(node: &mut Node, server: &mut WireServer) {
    for _ in 0..STEPS_MAX {
        if let Some((call, _)) = node.sent.take_if(|(_, call)| call.path == "sync/push") {
            let answer = Ok(error(ErrorCode::Forbidden, Details::None));
            node.tell(EngineEvent::Answered { call, answer });
        } else if !node.answer(server, &mut |_, answer| Ok(answer)) {
            match node.engine.state() {
                State::LiveHolding => return,
                State::BackingOff(_) | State::Polling => node.tell(EngineEvent::TimerFired),
                state => panic!("it waits for nothing that comes: {state:?}"),
            }
        }
    }
    panic!("no push is held back: {:?}", node.engine.state());
}

#[test]
fn a_log_that_was_set_aside_is_fetched_again_by_the_next_poll() {
    let (_machines, mut server, mut a) = synced(POLL);
    lose_log_of(&mut a.engine.replica().another().unwrap());
    a.tell(EngineEvent::Wake);
    a.settle(&mut server);
    assert_eq!(a.contents(), ["kept"]);
}

/// What comes after the last op of a log that was compacted goes on with any place below it.
#[test]
fn a_log_that_is_set_aside_while_a_page_is_asked_for_is_fetched_from_its_beginning() {
    let (_machines, mut server, mut a) = synced(POLL);
    for name in ["early", "latter"] {
        write_op(&mut a, rename(name), &mut server);
    }
    server.compact(server.head());
    assert_eq!(server.file.head().unwrap().floor, server.head());
    a.tell(EngineEvent::Wake);
    assert_eq!(a.engine.state(), State::Pulling);
    lose_log_of(&mut a.engine.replica().another().unwrap());
    a.engine.replica().status().unwrap();
    a.settle(&mut server);
    assert_eq!(a.contents(), ["kept"]);
}
