//! What sessions repeat of others that another replica has brought.

use syncline_model::session::{SessionId, session_id};
use syncline_model::{Payload, Scope};
use syncline_store::sessions::{PriceTable, figures};

use super::*;
use crate::NewOp;

fn id(name: &str) -> SessionId {
    session_id("claude-code", name, "")
}

fn patch(name: &str, patch: &str) -> NewOp {
    NewOp {
        scope: Scope::session(),
        resource: id(name).into(),
        payload: Payload::parse(&format!(r#"{{"type":"patch","patch":{patch}}}"#)).unwrap(),
    }
}

/// A session with a prompt and an answer that others repeat, and a prompt of its own.
fn session(name: &str, forked_from: Option<&str>) -> Vec<NewOp> {
    let parent = forked_from.map_or(String::new(), |origin| {
        format!(r#","parentSession":"{}","parentKind":"fork""#, id(origin))
    });
    let about = format!(r#""session":{{"agent":"claude-code","nativeId":"{name}"{parent}}}"#);
    let said = format!(
        r#""messages":[{{"id":"u1","role":"user","order":1}},
             {{"id":"m1:r1","role":"assistant","responseId":"m1:r1","order":2}},
             {{"id":"{name}","role":"user","order":5}}],
           "tools":[{{"id":"t1","messageId":"m1:r1","name":"Bash","order":3}}],
           "errors":[{{"id":"e1","message":"overloaded","order":4}}],
           "usage":[{{"id":"m1:r1","messageId":"m1:r1","order":2,"input":10,"output":7}}]"#
    );
    vec![patch(name, &format!("{{{about},{said}}}"))]
}

/// Messages, tool calls, errors and written tokens of a session.
fn counts(node: &mut Node, name: &str) -> [u64; 4] {
    let connection = node.engine.replica().view().unwrap().connection();
    let figures = figures(connection, id(name), &PriceTable::built_in()).unwrap();
    [
        figures.messages,
        figures.tool_calls,
        figures.errors,
        figures.tokens.output,
    ]
}

fn tell(node: &mut Node, ops: &[NewOp]) {
    node.engine.replica().write(ops).unwrap();
    node.tell(EngineEvent::LocalWrite);
}

const OWN: [u64; 4] = [1, 0, 0, 0];
const ALL: [u64; 4] = [3, 1, 1, 7];

#[test]
fn a_fork_counts_its_own_alone_once_its_origin_comes_from_elsewhere() {
    for (settings, fork_first) in [(ONCE, false), (ONCE, true), (LIVE, false), (LIVE, true)] {
        let (machines, mut server) = (Machines::new(), WireServer::new());
        let (mut a, mut b) = (machines.node("a", settings), machines.node("b", settings));
        tell(&mut a, &session("origin", None));
        tell(&mut b, &session("fork", Some("origin")));
        let mut nodes = [&mut a, &mut b];
        if fork_first {
            nodes.reverse();
        }
        for _ in 0..3 {
            for node in &mut nodes {
                node.tell(EngineEvent::Wake);
                node.settle(&mut server);
            }
        }
        for node in &mut nodes {
            assert_eq!((counts(node, "origin"), counts(node, "fork")), (ALL, OWN));
            assert_eq!(node.waiting(), 0);
        }
        equal_views(&mut nodes);
    }
}

/// Has a node push what it wrote, and go before it pulls.
fn push_and_go(mut node: Node, server: &mut WireServer) {
    let before = server.head();
    node.tell(EngineEvent::Wake);
    while server.head() == before {
        let (call, request) = node.sent.take().unwrap();
        let answer = server.answer(&request, &*node.host);
        let answer = Ok(answer);
        node.tell(EngineEvent::Answered { call, answer });
    }
}

#[test]
fn what_is_repeated_is_told_by_who_has_brought_any_of_it() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let [mut a, mut b, mut c] = ["a", "b", "c"].map(|name| machines.node(name, ONCE));
    for node in [&mut a, &mut b, &mut c] {
        node.settle(&mut server);
    }
    tell(&mut a, &session("origin", None));
    a.settle(&mut server);
    b.engine
        .replica()
        .write(&session("fork", Some("origin")))
        .unwrap();
    push_and_go(b, &mut server);
    c.write(&["something else"]);
    c.settle(&mut server);
    let told = server.head();
    assert_eq!(
        (counts(&mut c, "origin"), counts(&mut c, "fork")),
        (ALL, ALL)
    );
    for _ in 0..2 {
        for node in [&mut a, &mut c] {
            node.tell(EngineEvent::Wake);
            node.settle(&mut server);
        }
    }
    assert_eq!(
        (counts(&mut c, "origin"), counts(&mut c, "fork")),
        (ALL, OWN)
    );
    assert_eq!(server.head(), ServerSeq(told.get() + 1));
    equal_views(&mut [&mut a, &mut c]);
}
