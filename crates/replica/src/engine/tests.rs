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
use crate::{Host, Looked, OpState, Replica, ReplicaError, ReplicaOptions};

mod calls;
mod collected;
mod compaction;
mod crashes;
mod erasure;
mod fetching;
mod foreign;
mod recovery;
mod repeated;
mod set_aside;

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
            if self.answer(server, tamper) {
                continue;
            }
            if matches!(
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

    /// Answers the call that is out, or opens the stream; whether there was one.
    fn answer(&mut self, server: &mut WireServer, tamper: &mut Tamper<'_>) -> bool {
        if let Some((call, request)) = self.sent.take() {
            let answer = server.answer(&request, &*self.host);
            self.tell(EngineEvent::Answered {
                call,
                answer: tamper(&request, answer),
            });
            return true;
        }
        let Some((stream, request)) = self.opening.take() else {
            return false;
        };
        match server.stream(&request.query) {
            Err(answer) => self.tell(EngineEvent::StreamRefused { stream, answer }),
            Ok((reached, bytes)) => {
                self.stream = Some((stream, reached));
                self.tell(EngineEvent::StreamOpened { stream });
                self.tell(EngineEvent::StreamBytes { stream, bytes });
            }
        }
        true
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
