//! The engine: a replica and the protocol's session, driven by events, without a network of its own.
//!
//! It does what the session asks for: local work at once, on the replica; calls and streams by
//! [`Output`]s, for whoever carries them. The client carries them by HTTP, the simulator through its
//! lossy network; everything between is this code.
//!
//! While it lives it holds the replica's sync lease, so no other process pushes or applies pages.

mod answer;
mod call;
mod compact;
mod notes;
mod perform;
mod recover;
mod settle;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use syncline_model::{Epoch, OpKey, ServerSeq};
use syncline_protocol::limits::{PREPARED_FILE_FROM, PUSH_BYTES, PUSH_OPS};
use syncline_protocol::session::{Event, LocalFailure, Session, Settings, State};
use syncline_protocol::{PullPage, ReceivedAnswer, StreamParser};
use syncline_store::PageLimit;

use crate::place::NO_EPOCH;
use crate::replica::{Depth, Rebuild};
use crate::{Lease, Replica, ReplicaError, SyncError};

pub use call::{
    Answer, AnswerBody, Call, CallId, EngineEvent, Method, Output, PREPARED_FILE_TYPE, StreamId,
    Unanswered,
};
use compact::Leisure;
use notes::Notes;

/// The bounds of a push, where the server has not asked for less.
const BATCH: PageLimit = PageLimit {
    ops: PUSH_OPS,
    bytes: PUSH_BYTES,
};

/// Whether a replica could be taken for syncing.
#[derive(Debug)]
pub enum Start {
    Ready(Box<Engine>),
    /// Another process, or another handle of this one, syncs it already.
    Busy(Box<Replica>),
}

/// Why a replica could not be taken for syncing. It is as it was.
#[derive(Debug, thiserror::Error)]
#[error("could not begin to sync the replica")]
pub struct NotStarted {
    pub replica: Box<Replica>,
    #[source]
    pub error: ReplicaError,
}

/// Syncs a replica.
#[derive(Debug)]
pub struct Engine {
    replica: Replica,
    /// Held, never looked at.
    _lease: Lease,
    session: Session,
    notes: Notes,
    /// The call that is out.
    out: Option<OutCall>,
    calls: u64,
    stream: Option<OpenStream>,
    streams: u64,
    batch_limit: PageLimit,
    /// The ops of the last push, for [`ShrinkBatch`](syncline_protocol::session::Action::ShrinkBatch).
    last_batch: Vec<OpKey>,
    /// The answer to the last push, until it is settled.
    push_answer: Option<PushAnswered>,
    /// The page that came last, until it is applied.
    page: Option<CameAfter>,
    /// The first page of a log that this replica has nothing of: it need not be fetched twice.
    first_page: Option<PullPage>,
    rebuild: Option<RebuildUnderWay>,
    leisure: Leisure,
    /// Ops by which the server's log must be ahead for the prepared file to be fetched.
    file_from: u64,
    outputs: Vec<Output>,
}

/// A call that is out, and what it is for.
#[derive(Debug)]
struct OutCall {
    id: CallId,
    purpose: Purpose,
}

#[derive(Debug)]
enum Purpose {
    Push {
        sent: Vec<OpKey>,
        /// Ops of the outbox after this order had never been sent before.
        sent_before: u64,
    },
    /// The page after this place.
    Pull {
        since: ServerSeq,
    },
    Probe,
    FetchFile,
    FetchPage {
        since: ServerSeq,
    },
}

#[derive(Debug)]
struct OpenStream {
    id: StreamId,
    parser: StreamParser,
    /// The place up to which it has delivered.
    at: ServerSeq,
}

#[derive(Debug)]
struct PushAnswered {
    sent: Vec<OpKey>,
    sent_before: u64,
    answer: ReceivedAnswer,
}

/// A page, and the place after which it begins.
#[derive(Debug)]
struct CameAfter {
    since: ServerSeq,
    page: PullPage,
}

#[derive(Debug)]
struct RebuildUnderWay {
    rebuild: Rebuild,
    /// The epoch to fetch; none: whichever the server is in.
    epoch: Option<Epoch>,
    /// The sight of the pages fetched so far, if they name one.
    sight: Option<String>,
}

/// Why an action was not done.
enum Failed {
    /// The replica's own files.
    Replica(ReplicaError),
    /// The new tenant file, which is not the current one yet.
    NewFile(ReplicaError),
    /// The new tenant file is of a log of this epoch, which has nothing of the current one.
    Foreign(Epoch),
}

impl From<ReplicaError> for Failed {
    fn from(error: ReplicaError) -> Self {
        Self::Replica(error)
    }
}

impl Engine {
    /// Takes the replica's sync lease, and settles what the last holder left behind. Makes no call
    /// before it is [configured](EngineEvent::Configured).
    pub fn start(mut replica: Replica) -> Result<Start, NotStarted> {
        let (lease, notes) = match take(&mut replica) {
            Ok(Some(taken)) => taken,
            Ok(None) => return Ok(Start::Busy(Box::new(replica))),
            Err(error) => {
                let replica = Box::new(replica);
                return Err(NotStarted { replica, error });
            }
        };
        let random = replica.place.host.random();
        let seed = u64::from_le_bytes(*random.first_chunk().expect("sixteen bytes hold eight"));
        Ok(Start::Ready(Box::new(Self {
            replica,
            _lease: lease,
            session: Session::new(seed),
            notes,
            out: None,
            calls: 0,
            stream: None,
            streams: 0,
            batch_limit: BATCH,
            last_batch: Vec::new(),
            push_answer: None,
            page: None,
            first_page: None,
            rebuild: None,
            leisure: Leisure::new(),
            file_from: PREPARED_FILE_FROM,
            outputs: Vec::new(),
        })))
    }

    /// Takes note of what has happened, does what follows from it on the replica, and says what the
    /// transport is to do.
    ///
    /// It never fails: a local failure is the session's to wait over, and shows in
    /// [`Engine::failure`] and in `status`.
    #[must_use = "outputs that are not carried leave the engine waiting for ever"]
    pub fn handle(&mut self, event: EngineEvent) -> Vec<Output> {
        match event {
            EngineEvent::Configured(settings) => self.configured(settings),
            EngineEvent::LoginChanged => self.drive(Event::LoginChanged),
            EngineEvent::LocalWrite => self.called(Event::LocalWrite),
            EngineEvent::Wake => self.called(Event::Wake),
            EngineEvent::TimerFired => self.drive(Event::TimerFired),
            EngineEvent::Stopped => self.drive(Event::Stopped),
            EngineEvent::Rest { ops } => self.rest(ops),
            EngineEvent::Answered { call, answer } => self.answered(call, answer),
            EngineEvent::StreamOpened { stream } => {
                if self.is_open(stream) {
                    self.drive(Event::StreamOpened);
                }
            }
            EngineEvent::StreamRefused { stream, answer } => self.stream_refused(stream, &answer),
            EngineEvent::StreamBytes { stream, bytes } => self.stream_bytes(stream, &bytes),
            EngineEvent::StreamEnded { stream, cause } => self.stream_ended(stream, &cause),
        }
        if matches!(self.state(), State::Stopped) {
            self.notes.flush(&mut self.replica);
        } else {
            self.notes.flush_sometimes(&mut self.replica);
        }
        std::mem::take(&mut self.outputs)
    }

    /// What the session is doing.
    pub fn state(&self) -> State {
        self.session.state()
    }

    /// Why sync stands still, or stood still last; none: since then everything was synced.
    pub fn failure(&self) -> Option<&SyncError> {
        self.notes.failure()
    }

    /// Notes why no call is made at all, for a reason that the transport has found itself.
    pub fn note_failure(&mut self, code: &str, message: String) {
        self.notes.blocked(&self.replica, code, message);
        self.notes.flush_sometimes(&mut self.replica);
    }

    /// Fetches the prepared file where the server's log is ahead by this many ops, instead of by
    /// [`PREPARED_FILE_FROM`].
    pub fn fetch_file_from(&mut self, ops: u64) {
        self.file_from = ops;
    }

    /// The replica, to be read and written meanwhile. Tell [`EngineEvent::LocalWrite`] after a write.
    pub fn replica(&mut self) -> &mut Replica {
        &mut self.replica
    }

    /// Ends syncing, frees the lease, and gives the replica back.
    pub fn into_replica(mut self) -> Replica {
        self.notes.flush(&mut self.replica);
        if let Some(RebuildUnderWay { rebuild, .. }) = self.rebuild.take()
            && let Err(error) = self.replica.abandon_rebuild(rebuild)
        {
            // It is noted as left over, and goes when the lease is next taken.
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a rebuild is left over"
            );
        }
        self.replica
    }

    fn configured(&mut self, settings: Settings) {
        // What was heard may be of another server.
        self.first_page = None;
        self.batch_limit = BATCH;
        self.drive(Event::Configured(settings));
    }

    /// Tells the session of what somebody has done here, who may be another process that has set the log aside, as
    /// damaged: a stream brings no more than what comes next, and all of it is fetched again.
    fn called(&mut self, event: Event) {
        if !self.state().has_stream() {
            return self.drive(event);
        }
        match self.replica.follow().and_then(|()| self.epoch()) {
            Ok(Some(_)) => self.drive(event),
            Ok(None) => self.drive(Event::LocalFailed(LocalFailure::Damaged)),
            Err(error) => {
                let failure = self.local_failure(Failed::Replica(error));
                self.drive(Event::LocalFailed(failure));
            }
        }
    }

    /// Tells the session of an event, does what it asks for, and goes on with what that leads to.
    fn drive(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let actions = self.session.handle(event);
            if self.session.state() == State::Apart {
                self.notes.foreign(&self.replica);
            }
            for action in actions {
                match self.perform(action) {
                    Ok(next) => events.extend(next),
                    Err(failed) => {
                        events.push_back(Event::LocalFailed(self.local_failure(failed)));
                        break;
                    }
                }
            }
        }
    }

    /// Sorts a local failure; a damaged tenant file is set aside at once.
    fn local_failure(&mut self, failed: Failed) -> LocalFailure {
        let (error, new_file) = match failed {
            Failed::Replica(error) => (error, false),
            Failed::NewFile(error) => (error, true),
            Failed::Foreign(epoch) => {
                tracing::warn!(%epoch, "the server's log has nothing of this replica's");
                return LocalFailure::Foreign;
            }
        };
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a step of sync failed here"
        );
        self.notes.failed_locally(&self.replica, &error);
        if !error.is_tenant_damage() {
            return LocalFailure::Disk;
        }
        if new_file {
            return LocalFailure::Damaged;
        }
        match self.replica.set_aside_damaged(&error) {
            Ok(()) => LocalFailure::Damaged,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "could not set the damaged tenant file aside");
                LocalFailure::Disk
            }
        }
    }

    fn is_open(&self, stream: StreamId) -> bool {
        self.stream.as_ref().is_some_and(|open| open.id == stream)
    }

    /// The epoch of the current tenant file, if it has one from a server.
    fn epoch(&self) -> Result<Option<Epoch>, ReplicaError> {
        let epoch = self
            .replica
            .tenant
            .head()
            .map_err(ReplicaError::Tenant)?
            .epoch;
        Ok((epoch != NO_EPOCH).then_some(epoch))
    }
}

/// Takes the sync lease, if it is free, and settles what the last holder left behind.
fn take(replica: &mut Replica) -> Result<Option<(Lease, Notes)>, ReplicaError> {
    let Some(lease) = replica.place.try_lease()? else {
        return Ok(None);
    };
    replica.refresh()?;
    replica.reconcile(Depth::All)?;
    replica.remove_leftovers()?;
    let notes = Notes::read(replica)?;
    Ok(Some((lease, notes)))
}
