use std::path::{Path, PathBuf};

use super::compaction::{rename, write_op};
use super::*;
use crate::{LaterWords, NewOp};

#[test]
fn a_lost_reply_to_a_push_doubles_nothing() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", ONCE);
    a.settle(&mut server);
    a.write(&["once"]);
    a.tell(EngineEvent::Wake);
    let mut losses = 3;
    a.settle_with(&mut server, &mut |call, answer| {
        if call.path == "sync/push" && losses > 0 {
            losses -= 1;
            return Err(lost());
        }
        Ok(answer)
    });
    assert_eq!(losses, 0);
    assert_eq!((server.head(), a.waiting()), (ServerSeq(2), 0));
    assert_eq!(a.contents(), ["once"]);
}

#[test]
fn replies_cut_at_any_byte_lose_and_double_nothing() {
    let cut_each = |every: usize| {
        let (machines, mut server) = (Machines::new(), WireServer::new());
        let mut a = machines.node("a", ONCE);
        a.write(&["one", "two"]);
        let mut left = Some(every);
        a.settle_with(&mut server, &mut |_, mut answer| {
            let AnswerBody::Bytes(body) = &mut answer.body else {
                return Ok(answer);
            };
            match left {
                Some(cut) if cut < body.len() => {
                    body.truncate(cut);
                    left = None;
                }
                Some(cut) => left = Some(cut - body.len()),
                None => {}
            }
            Ok(answer)
        });
        assert_eq!(
            (server.head(), a.waiting()),
            (ServerSeq(3), 0),
            "cut at {every}"
        );
        assert_eq!(a.contents(), ["one", "two"]);
        left.is_none()
    };
    let mut at = 0;
    while cut_each(at) {
        at += 23;
    }
    assert!(at > 500, "answers were cut, up to byte {at} of all");
}

#[test]
fn a_refused_op_is_quarantined_also_when_the_refusal_was_lost() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", ONCE);
    a.write(&["before", REFUSED, "after"]);
    let mut first = true;
    a.settle_with(&mut server, &mut |call, answer| {
        if call.path == "sync/push" && std::mem::take(&mut first) {
            return Err(lost());
        }
        Ok(answer)
    });
    assert_eq!(a.contents(), ["before", "after"]);
    assert_eq!(a.waiting(), 0);
    let held = a.engine.replica().quarantined().unwrap();
    assert_eq!((held.len(), held[0].code.as_str()), (1, "invalid_op"));
    assert_eq!(
        a.engine.replica().state_of(&held[0].key).unwrap(),
        OpState::Quarantined
    );
}

#[test]
fn a_push_that_is_too_large_is_halved_and_an_op_too_large_alone_is_quarantined() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    server.push_ops_max = 3;
    let mut a = machines.node("a", ONCE);
    a.write(&["1", "2", "3", "4", "5", "6", "7"]);
    a.settle(&mut server);
    assert_eq!((server.head(), a.waiting()), (ServerSeq(8), 0));
    server.push_ops_max = 0;
    a.write(&["huge"]);
    a.tell(EngineEvent::Wake);
    a.settle(&mut server);
    let held = a.engine.replica().quarantined().unwrap();
    assert!(held.iter().all(|op| op.code == "too_large"));
    assert_eq!((held.len(), a.waiting()), (2, 0));
}

#[test]
fn a_login_that_ran_out_keeps_the_outbox_until_the_next() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    server.logged_in = false;
    a.write(&["waits"]);
    a.settle(&mut server);
    assert!(matches!(a.engine.state(), State::LoggedOut));
    assert_eq!(a.engine.failure().unwrap().code, "unauthorized");
    assert_eq!(a.waiting(), 2);
    server.logged_in = true;
    a.tell(EngineEvent::LoginChanged);
    a.settle(&mut server);
    assert_eq!((a.waiting(), a.engine.failure()), (0, None));
}

#[test]
fn answers_to_calls_that_nobody_waits_for_are_passed_over() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", ONCE);
    let (call, request) = a.sent.clone().unwrap();
    let answer = server.answer(&request, &*a.host);
    a.tell(EngineEvent::Configured(Settings::Off));
    assert!(a.sent.is_none());
    a.tell(EngineEvent::Answered {
        call,
        answer: Ok(answer),
    });
    assert!(matches!(a.engine.state(), State::Disabled));
    let refusal = error(ErrorCode::Unauthorized, Details::None);
    a.tell(EngineEvent::StreamRefused {
        stream: StreamId(9),
        answer: refusal,
    });
    assert!(matches!(a.engine.state(), State::Disabled));
}

#[test]
fn no_call_is_made_before_an_endpoint_is_set() {
    let machines = Machines::new();
    let mut a = machines.node("a", Settings::Off);
    a.write(&["offline"]);
    a.tell(EngineEvent::Wake);
    assert!(a.sent.is_none() && a.opening.is_none());
    assert_eq!(a.engine.replica().status().unwrap().cursor, Cursor::ORIGIN);
}

#[test]
fn an_op_covered_between_two_arrivals_of_its_request_is_not_written_anew() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.settle(&mut server);
    b.settle(&mut server);
    a.engine.replica().write(&[rename("covered")]).unwrap();
    a.write(&["kept"]);
    let (call, request) = a.sent.take().unwrap();
    drop(server.answer(&request, &*a.host));
    b.settle(&mut server);
    write_op(&mut b, rename("the last"), &mut server);
    let head = server.head();
    server.compact(head);
    let (floor, keys) = (server.file.head().unwrap().floor, server.keys());
    assert!(floor > ServerSeq::ZERO, "the first name is dropped");
    let answer = Ok(server.answer(&request, &*a.host));
    a.tell(EngineEvent::Answered { call, answer });
    a.settle(&mut server);
    assert_eq!(server.keys(), keys);
    assert_eq!(a.waiting(), 0);
    assert!(a.engine.replica().quarantined().unwrap().is_empty());
    equal_views(&mut [&mut a, &mut b]);
}

/// An op of a scope that nobody folds, which replaces all before it.
fn sketch(number: u32) -> NewOp {
    let payload = format!(r#"{{"replaces":true,"n":{number}}}"#);
    NewOp {
        scope: "sketch".parse().unwrap(),
        resource: "s-1".parse().unwrap(),
        payload: syncline_model::Payload::parse(&payload).unwrap(),
    }
}

/// World 1292, of a scope whose rows no log asks: written anew, the op would replace younger ones.
#[test]
fn an_op_of_which_the_log_cant_tell_whether_it_was_covered_between_two_arrivals_waits_for_its_user()
{
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.settle(&mut server);
    b.settle(&mut server);
    a.engine.replica().write(&[sketch(1)]).unwrap();
    a.write(&["kept"]);
    let (call, request) = a.sent.take().unwrap();
    drop(server.answer(&request, &*a.host));
    b.settle(&mut server);
    write_op(&mut b, sketch(2), &mut server);
    write_op(&mut b, rename("the end"), &mut server);
    let head = server.head();
    server.compact(head);
    let keys = server.keys();
    assert_eq!(keys.len() as u64, head.get() - 1, "the first is dropped");
    let answer = Ok(server.answer(&request, &*a.host));
    a.tell(EngineEvent::Answered { call, answer });
    a.settle(&mut server);
    assert_eq!(server.keys(), keys);
    assert_eq!(a.waiting(), 0);
    let waiting = a.engine.replica().quarantined().unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].code, "maybe_covered");
    a.engine
        .replica()
        .retry_quarantined(&[waiting[0].id], LaterWords::Stay)
        .unwrap();
    a.tell(EngineEvent::LocalWrite);
    a.settle(&mut server);
    assert_eq!(server.keys().len(), keys.len() + 1, "its user has asked");
    equal_views(&mut [&mut a, &mut b]);
}

type Files = Vec<(PathBuf, Vec<u8>)>;

/// The files of a replica that nobody has open.
fn files_of(directory: &Path) -> Files {
    let paths = std::fs::read_dir(directory).unwrap();
    let paths = paths.map(|entry| entry.unwrap().path());
    paths
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// What was sent for the first time can't have been covered: a former life of the replica had its key.
#[test]
fn an_op_with_the_key_of_a_dropped_one_of_a_former_life_is_written_anew() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.settle(&mut server);
    b.settle(&mut server);
    drop(a.stop());
    let copy = files_of(&machines.root.path().join("a"));
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    write_op(&mut a, sketch(1), &mut server);
    let key = server.keys().pop().unwrap();
    drop(a.stop());
    b.settle(&mut server);
    write_op(&mut b, sketch(2), &mut server);
    b.write(&["kept"]);
    b.settle(&mut server);
    let head = server.head();
    server.compact(head);
    assert!(!server.keys().contains(&key), "the first is dropped");
    // Written over in place: it is the same machine and the same file.
    for (path, bytes) in copy {
        std::fs::write(path, bytes).unwrap();
    }
    let mut a = machines.node("a", LIVE);
    let written = a.engine.replica().write(&[sketch(3)]).unwrap();
    assert_eq!(written.keys, std::slice::from_ref(&key));
    a.tell(EngineEvent::LocalWrite);
    a.settle(&mut server);
    let last = server.keys().pop().unwrap();
    assert_eq!((&last.scope, last.clock), (&key.scope, key.clock));
    assert_ne!(last.actor, key.actor);
    assert_eq!(a.waiting(), 0);
    assert!(a.engine.replica().quarantined().unwrap().is_empty());
}
