use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use syncline_model::{Cursor, Epoch, EpochMode, ServerSeq};
use syncline_protocol::session::{Delivery, Settings, State};
use syncline_protocol::{Details, ErrorCode};
use syncline_simdisk::Process;
use syncline_store::{LogStart, StoreError};
use uuid::Uuid;

use super::{
    Answer, AnswerBody, Call, CallId, Engine, EngineEvent, Output, Start, StreamId, Unanswered,
};
use crate::testing::{REFUSED, WireServer, contents, create, entries, entry, error};
use crate::{Host, OpState, Replica, ReplicaError, ReplicaOptions};

mod crashes;

const LIVE: Settings = Settings::On(Delivery::Live {
    interval: Duration::from_secs(30),
});
const ONCE: Settings = Settings::On(Delivery::Once);

/// How often an engine may be answered before a test takes it for one that never rests.
const STEPS_MAX: usize = 2_000;

/// What becomes of the next call's answer.
type Tamper<'a> = dyn FnMut(&Call, Answer) -> Result<Answer, Unanswered> + 'a;

/// An engine with its side of the network.
struct Node {
    engine: Engine,
    host: Arc<dyn Host>,
    sent: Option<(CallId, Call)>,
    stream: Option<(StreamId, ServerSeq)>,
    opening: Option<(StreamId, Call)>,
    finished: bool,
    /// Where the engine runs on a simulated machine, which may have died under it.
    process: Option<Arc<Process>>,
}

impl Node {
    fn start(replica: Replica, settings: Settings) -> Self {
        Self::try_start(replica, settings).unwrap()
    }

    fn try_start(replica: Replica, settings: Settings) -> Result<Self, ReplicaError> {
        let host = Arc::clone(replica.host());
        let Start::Ready(engine) = Engine::start(replica).map_err(|not| not.error)? else {
            panic!("the lease is taken")
        };
        let mut node = Self {
            engine: *engine,
            host,
            sent: None,
            stream: None,
            opening: None,
            finished: false,
            process: None,
        };
        node.tell(EngineEvent::Configured(settings));
        Ok(node)
    }

    fn tell(&mut self, event: EngineEvent) {
        for output in self.engine.handle(event) {
            match output {
                Output::Send { call, request } => {
                    assert!(self.sent.is_none(), "one call is out at most");
                    self.sent = Some((call, request));
                }
                Output::Cancel(call) => {
                    assert_eq!(self.sent.take().map(|(id, _)| id), Some(call));
                }
                Output::OpenStream { stream, request } => {
                    assert!(self.stream.is_none() && self.opening.is_none());
                    self.opening = Some((stream, request));
                }
                Output::CloseStream(stream) => {
                    let open = self.stream.take().map(|(id, _)| id);
                    let opening = self.opening.take().map(|(id, _)| id);
                    assert_eq!(open.or(opening), Some(stream));
                }
                Output::WakeAfter(_) => {}
                Output::Finished => self.finished = true,
            }
        }
    }

    /// Answers calls, opens streams and lets time pass, until there is nothing to do but wait.
    fn settle(&mut self, server: &mut WireServer) {
        self.settle_with(server, &mut |_, answer| Ok(answer));
    }

    fn settle_with(&mut self, server: &mut WireServer, tamper: &mut Tamper<'_>) {
        for _ in 0..STEPS_MAX {
            if self
                .process
                .as_ref()
                .is_some_and(|process| !process.is_alive())
            {
                return;
            }
            if let Some((call, request)) = self.sent.take() {
                let answer = server.answer(&request, &*self.host);
                self.tell(EngineEvent::Answered {
                    call,
                    answer: tamper(&request, answer),
                });
            } else if let Some((stream, request)) = self.opening.take() {
                match server.stream(&request.query) {
                    Err(answer) => self.tell(EngineEvent::StreamRefused { stream, answer }),
                    Ok((reached, bytes)) => {
                        self.stream = Some((stream, reached));
                        self.tell(EngineEvent::StreamOpened { stream });
                        self.tell(EngineEvent::StreamBytes { stream, bytes });
                    }
                }
            } else if matches!(
                self.engine.state(),
                State::BackingOff(_) | State::LiveHolding
            ) {
                self.tell(EngineEvent::TimerFired);
            } else if !self.deliver(server) {
                return;
            }
        }
        panic!("the engine does not rest: {:?}", self.engine.state());
    }

    /// Sends what the log has gained down the open stream.
    fn deliver(&mut self, server: &WireServer) -> bool {
        let Some((stream, at)) = self.stream else {
            return false;
        };
        let (reached, bytes) = server.event_after(at);
        if bytes.is_empty() {
            return false;
        }
        self.stream = Some((stream, reached));
        self.tell(EngineEvent::StreamBytes { stream, bytes });
        true
    }

    fn write(&mut self, texts: &[&str]) {
        let mut ops = vec![create()];
        ops.extend(texts.iter().map(|text| entry(text)));
        self.engine.replica().write(&ops).unwrap();
        self.tell(EngineEvent::LocalWrite);
    }

    fn contents(&mut self) -> Vec<String> {
        contents(self.engine.replica())
    }

    fn waiting(&mut self) -> u64 {
        let status = self.engine.replica().status().unwrap();
        status.pending() + status.acknowledged()
    }

    fn stop(mut self) -> Replica {
        self.tell(EngineEvent::Stopped);
        self.engine.into_replica()
    }
}

struct Machines {
    root: tempfile::TempDir,
}

impl Machines {
    fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    fn replica(&self, name: &str) -> Replica {
        let path = self.root.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Replica::open(&path, ReplicaOptions::default()).unwrap()
    }

    fn node(&self, name: &str, settings: Settings) -> Node {
        Node::start(self.replica(name), settings)
    }
}

fn equal_views(nodes: &mut [&mut Node]) {
    let mut views = nodes
        .iter_mut()
        .map(|node| node.engine.replica().view().unwrap().dump_view().unwrap());
    let first = views.next().unwrap();
    views.for_each(|view| assert_eq!(first, view));
}

fn lost() -> Unanswered {
    Unanswered {
        message: "the connection was cut".to_owned(),
    }
}

#[test]
fn a_new_replica_takes_the_log_and_offers_what_it_wrote_before() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", ONCE);
    a.write(&["offline"]);
    a.settle(&mut server);
    assert!(a.finished);
    assert_eq!(
        entries(a.engine.replica()),
        [("offline".to_owned(), Some(0))]
    );
    let status = a.engine.replica().status().unwrap();
    assert_eq!(status.epoch, Some(server.file.head().unwrap().epoch));
    assert_eq!(status.server_seq, Some(ServerSeq(2)));
    assert!(status.notes.last_sync_at.is_some() && status.notes.last_error.is_none());
}

#[test]
fn a_write_reaches_a_live_replica_by_its_stream() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.settle(&mut server);
    b.settle(&mut server);
    a.write(&["hello"]);
    a.settle(&mut server);
    b.settle(&mut server);
    assert_eq!(b.contents(), ["hello"]);
    assert_eq!((a.waiting(), b.waiting()), (0, 0));
    assert!(matches!(
        (a.engine.state(), b.engine.state()),
        (State::Live, State::Live)
    ));
    equal_views(&mut [&mut a, &mut b]);
}

#[test]
fn a_stream_is_read_however_it_is_cut() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let (mut a, mut b) = (machines.node("a", LIVE), machines.node("b", LIVE));
    a.settle(&mut server);
    b.settle(&mut server);
    a.write(&["one", "two"]);
    a.settle(&mut server);
    let (stream, at) = b.stream.unwrap();
    let (reached, bytes) = server.event_after(at);
    b.stream = Some((stream, reached));
    for byte in bytes {
        b.tell(EngineEvent::StreamBytes {
            stream,
            bytes: vec![byte],
        });
    }
    assert_eq!(b.contents(), ["one", "two"]);
}

#[test]
fn garbage_on_the_stream_closes_it_and_sync_goes_on() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    let (stream, _) = a.stream.unwrap();
    a.tell(EngineEvent::StreamBytes {
        stream,
        bytes: b"event: ops\ndata: {\n\n".to_vec(),
    });
    assert!(a.stream.is_none());
    a.write(&["after"]);
    a.tell(EngineEvent::TimerFired);
    a.settle(&mut server);
    assert_eq!(a.waiting(), 0);
    assert_eq!(server.head(), ServerSeq(2));
}

#[test]
fn only_one_engine_syncs_a_replica_at_a_time() {
    let machines = Machines::new();
    let engine = Engine::start(machines.replica("a")).unwrap();
    assert!(matches!(engine, Start::Ready(_)));
    assert!(matches!(
        Engine::start(machines.replica("a")).unwrap(),
        Start::Busy(_)
    ));
    drop(engine);
    assert!(matches!(
        Engine::start(machines.replica("a")).unwrap(),
        Start::Ready(_)
    ));
}

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
fn a_log_is_fetched_page_by_page() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    server.page_ops = 7;
    let mut a = machines.node("a", ONCE);
    let texts: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    a.write(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    a.settle(&mut server);
    let mut b = machines.node("b", ONCE);
    b.settle(&mut server);
    assert_eq!(b.contents(), texts);
    equal_views(&mut [&mut a, &mut b]);
}

/// A log long enough for its prepared file to be fetched.
fn long_log(machines: &Machines, server: &mut WireServer) -> Node {
    let mut a = machines.node("a", ONCE);
    let texts: Vec<String> = (0..5_100).map(|n| n.to_string()).collect();
    a.write(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    a.settle(server);
    a
}

#[test]
fn a_prepared_file_is_adopted_and_the_rest_pulled() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = long_log(&machines, &mut server);
    let mut b = machines.node("b", ONCE);
    b.write(&["mine"]);
    let mut files = 0;
    b.settle_with(&mut server, &mut |call, answer| {
        files += usize::from(call.path == "sync/bootstrap" && answer.body == AnswerBody::Saved);
        Ok(answer)
    });
    assert_eq!(files, 1);
    a.tell(EngineEvent::Wake);
    a.settle(&mut server);
    assert_eq!(b.contents().last().unwrap(), "mine");
    assert_eq!(b.waiting(), 0);
    equal_views(&mut [&mut a, &mut b]);
}

#[test]
fn a_prepared_file_that_is_not_whole_is_not_taken() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = long_log(&machines, &mut server);
    let mut b = machines.node("b", ONCE);
    b.settle_with(&mut server, &mut |call, answer| {
        if let Some(path) = &call.save_to {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }
        Ok(answer)
    });
    equal_views(&mut [&mut a, &mut b]);
    assert!(b.finished);
}

#[test]
fn a_tenant_file_damaged_under_a_running_engine_is_fetched_again() {
    let (machines, mut server) = (Machines::new(), WireServer::new());
    let mut a = machines.node("a", LIVE);
    a.settle(&mut server);
    a.write(&["kept"]);
    a.settle(&mut server);
    let cause = crate::ReplicaError::Tenant(StoreError::Damaged {
        what: "test",
        source: None,
    });
    a.engine.replica().set_aside_damaged(&cause).unwrap();
    a.write(&["pending"]);
    a.settle(&mut server);
    assert_eq!(a.contents(), ["kept", "pending"]);
    assert_eq!(a.waiting(), 0);
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
