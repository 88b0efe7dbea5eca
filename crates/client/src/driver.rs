//! The event loop: wishes, what comes over the network, and the clock, one at a time.
//!
//! The loop owns the replica while it runs. It takes the sync lease, asks the server whose the token
//! is, and only then lets the engine make calls. Everything that touches the files runs between two
//! waits of the loop, so ending it never cuts a write.

mod contact;
mod introduction;
#[cfg(test)]
mod tests;
mod waiters;
mod wire;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use syncline_protocol::Backoff;
use syncline_protocol::session::{Settings, State};
use syncline_replica::{Engine, EngineEvent, Looked, Replica, Subscription};
use tokio::runtime::Runtime;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::inbox::{Inbox, Wishes};
use crate::status::Board;
use crate::{Phase, SyncEnd, SyncFailure, SyncSettings};
use contact::{Contact, News};
use waiters::{Waiters, Waiting};
use wire::Wire;

/// How often a loop that goes on looks for what other processes have written, or whether the sync
/// lease is free. Commands tell a daemon at once; this is for those that could not.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The same where somebody waits for the loop's end.
const LOOK_EVERY_ONCE: Duration = Duration::from_millis(10);

/// The loop's runtime: one thread, which is the one that runs it.
pub(crate) fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Ops gone over in one step while nothing else is to be done: some milliseconds, for which whoever
/// writes has to wait at most.
const REST_OPS: usize = 500;
/// How long a command that has synced everything may go on to make the replica's file smaller.
const REST_ONCE_MAX: Duration = Duration::from_millis(100);
/// The same where something was erased that may still be read in the file.
const FORGET_ONCE_MAX: Duration = Duration::from_secs(3);

/// How long the loop runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Until it is stopped.
    Lasting,
    /// Until everybody who waited has an answer.
    Once,
    /// As `Once`, and a moment longer where the replica's file can be made smaller.
    OnceAndRest,
}

/// The state of the loop.
pub(crate) struct Driver {
    /// None only while it changes hands.
    held: Option<Held>,
    manner: Manner,
    settings: SyncSettings,
    contact: Contact,
    waiters: Waiters,
    backoff: Backoff,
    /// Failed introductions in a row.
    failures: u32,
    /// Why the last introduction failed.
    trouble: Option<SyncFailure>,
    board: Arc<Board>,
}

/// The replica, with or without the right to sync it.
enum Held {
    Resting(Box<Replica>),
    Syncing(Box<Engine>),
}

/// What the loop waited for.
enum Happened {
    Wishes(Wishes),
    News(News),
    Look,
    Deadline,
    /// Nothing: there is time for what can wait.
    Nothing,
}

/// Whether the loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Course {
    On,
    End,
}

impl Driver {
    pub(crate) fn new(replica: Replica, manner: Manner, board: Arc<Board>) -> Self {
        let random = replica.host().random();
        let seed = u64::from_le_bytes(*random.first_chunk().expect("sixteen bytes hold eight"));
        Self {
            held: Some(Held::Resting(Box::new(replica))),
            manner,
            settings: SyncSettings::Off,
            contact: Contact::Off,
            waiters: Waiters::default(),
            backoff: Backoff::new(seed),
            failures: 0,
            trouble: None,
            board,
        }
    }

    /// Runs until the loop's end, and gives the replica back.
    pub(crate) async fn run(mut self, inbox: &Arc<Inbox>) -> Replica {
        let own_writes = self.hear_own_process(inbox);
        let mut looks = interval(match self.manner {
            Manner::Lasting => LOOK_EVERY,
            Manner::Once | Manner::OnceAndRest => LOOK_EVERY_ONCE,
        });
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let could_rest = self.manner == Manner::Lasting && self.could_rest();
            let happened = tokio::select! {
                wishes = inbox.next() => Happened::Wishes(wishes),
                news = self.contact.next() => Happened::News(news),
                _ = looks.tick() => Happened::Look,
                () = self.waiters.deadline() => Happened::Deadline,
                () = tokio::task::yield_now(), if could_rest => Happened::Nothing,
            };
            let begun = Instant::now();
            let course = self.handle(happened, &own_writes);
            self.show();
            self.answer_waiters();
            let is_done = self.manner != Manner::Lasting && self.waiters.is_empty();
            if is_done && self.manner == Manner::OnceAndRest {
                self.rest_once();
            }
            if course == Course::End || is_done {
                return self.end();
            }
            self.contact.excuse(begun.elapsed());
        }
    }

    /// Hears of writes that other threads of this process make through their own handles.
    fn hear_own_process(&mut self, inbox: &Arc<Inbox>) -> Subscription {
        let (inbox, own) = (Arc::clone(inbox), std::thread::current().id());
        self.replica().subscribe_with(move || {
            if std::thread::current().id() != own {
                inbox.wish(Wishes::written);
            }
        })
    }

    fn handle(&mut self, happened: Happened, own_writes: &Subscription) -> Course {
        match happened {
            Happened::Wishes(wishes) => {
                if wishes.is_stop() {
                    return Course::End;
                }
                if wishes.is_written() {
                    // What was written is found in the outbox.
                    let _ = own_writes.take();
                }
                self.fulfil(wishes);
            }
            Happened::News(News::Event(event)) => self.tell(event),
            Happened::News(News::Introduced(asked)) => self.introduced(asked),
            Happened::News(News::AskAgain) => self.begin(),
            Happened::Look => self.look(),
            Happened::Deadline => {}
            Happened::Nothing => self.tell(EngineEvent::Rest { ops: REST_OPS }),
        }
        Course::On
    }

    /// Makes the replica's file smaller for a moment; the next command goes on where this one stops.
    fn rest_once(&mut self) {
        let begun = Instant::now();
        while self.could_rest() {
            let most = if self.owes_erasure() {
                FORGET_ONCE_MAX
            } else {
                REST_ONCE_MAX
            };
            if begun.elapsed() > most {
                return;
            }
            self.tell(EngineEvent::Rest { ops: REST_OPS });
        }
    }

    fn owes_erasure(&mut self) -> bool {
        match &mut self.held {
            Some(Held::Syncing(engine)) => engine.owes_erasure(),
            Some(Held::Resting(_)) | None => false,
        }
    }

    /// Whether the replica's file could be made smaller now.
    fn could_rest(&mut self) -> bool {
        match (&self.contact, &mut self.held) {
            (Contact::Joined(_), Some(Held::Syncing(engine))) => engine.could_compact(),
            (_, _) => false,
        }
    }

    fn fulfil(&mut self, wishes: Wishes) {
        let Wishes {
            wake,
            written,
            settings,
            stop: _,
            waiters,
        } = wishes;
        if let Some(settings) = settings.filter(|settings| *settings != self.settings) {
            self.configure(settings);
        }
        if wake.is_some() || !waiters.is_empty() {
            self.wake();
        } else if written.is_some() {
            self.tell(EngineEvent::LocalWrite);
        }
        for waiter in waiters {
            // Where the file can't be read, everything counts as waited for.
            let through = self.replica().written_through().unwrap_or(u64::MAX);
            self.waiters.add(Waiting { waiter, through });
        }
    }

    /// Leaves the server of before, and turns to that of the new settings.
    fn configure(&mut self, settings: SyncSettings) {
        self.leave();
        self.failures = 0;
        self.trouble = None;
        self.board.set_remote(&settings);
        self.settings = settings;
        match &self.settings {
            SyncSettings::Off => {
                self.contact = Contact::Off;
                let replica = Box::new(self.take_replica());
                self.held = Some(Held::Resting(replica));
            }
            SyncSettings::On(_) => self.begin(),
        }
    }

    /// Ends every call and stream.
    fn leave(&mut self) {
        if let (Contact::Joined(_), Some(Held::Syncing(engine))) = (&self.contact, &mut self.held) {
            // It asks for calls to be cancelled; they go with the wire.
            let _ = engine.handle(EngineEvent::Configured(Settings::Off));
        }
        self.contact = Contact::Off;
    }

    /// Tries now, whatever was being waited for.
    fn wake(&mut self) {
        match &self.contact {
            Contact::Off | Contact::Asking { .. } => {}
            Contact::Elsewhere | Contact::Resting { .. } => self.begin(),
            Contact::Joined(_) => self.tell(EngineEvent::Wake),
        }
    }

    /// Looks for what no one has told of.
    fn look(&mut self) {
        match &self.contact {
            Contact::Off => {}
            Contact::Elsewhere => {
                self.look_at_files();
                self.begin();
            }
            Contact::Asking { .. } | Contact::Resting { .. } => {}
            Contact::Joined(_) => {
                if self.look_at_files() == Looked::Changed {
                    self.tell(EngineEvent::LocalWrite);
                }
            }
        }
    }

    fn look_at_files(&mut self) -> Looked {
        self.replica().look().unwrap_or_else(|error| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not look for writes"
            );
            Looked::Same
        })
    }

    /// Tells the engine of an event, and does what it asks for.
    fn tell(&mut self, event: EngineEvent) {
        if let (Contact::Joined(wire), Some(Held::Syncing(engine))) =
            (&mut self.contact, &mut self.held)
        {
            wire.carry(engine.handle(event));
        }
    }

    /// Says on the board what sync is doing.
    fn show(&mut self) {
        let phase = self.phase();
        let now = self.replica().now();
        self.board.set_failure(self.failure());
        self.board.enter(phase, now);
    }

    fn phase(&self) -> Phase {
        match (&self.contact, &self.held) {
            (Contact::Off, _) => Phase::Off,
            (Contact::Elsewhere, _) => Phase::Elsewhere,
            (Contact::Asking { .. }, _) => Phase::Introducing,
            (Contact::Resting { phase, .. }, _) => *phase,
            (Contact::Joined(_), Some(Held::Syncing(engine))) => phase_of(engine.state()),
            (Contact::Joined(_), Some(Held::Resting(_)) | None) => Phase::Stopped,
        }
    }

    fn failure(&self) -> Option<SyncFailure> {
        let Some(Held::Syncing(engine)) = &self.held else {
            return self.trouble.clone();
        };
        engine.failure().map(|error| SyncFailure {
            code: error.code.clone(),
            message: error.message.clone(),
        })
    }

    /// Ends sync; whoever still waits is told so.
    fn end(mut self) -> Replica {
        self.leave();
        let replica = self.take_replica();
        self.board.enter(Phase::Stopped, replica.now());
        for Waiting { waiter, .. } in self.waiters.take() {
            let _ = waiter.reply.send(self.board.outcome(SyncEnd::Off));
        }
        replica
    }

    /// Takes the replica out of whatever holds it, and frees the lease.
    fn take_replica(&mut self) -> Replica {
        match self.held.take().expect(HELD) {
            Held::Resting(replica) => *replica,
            Held::Syncing(mut engine) => {
                let _ = engine.handle(EngineEvent::Stopped);
                engine.into_replica()
            }
        }
    }

    fn replica(&mut self) -> &mut Replica {
        match self.held.as_mut().expect(HELD) {
            Held::Resting(replica) => replica,
            Held::Syncing(engine) => engine.replica(),
        }
    }
}

impl Held {
    fn is_resting(&mut self) -> bool {
        matches!(self, Self::Resting(_))
    }
}

const HELD: &str = "the replica is put back wherever it is taken";

const fn phase_of(state: State) -> Phase {
    match state {
        State::Stopped => Phase::Stopped,
        State::Disabled => Phase::Off,
        State::LoggedOut => Phase::LoggedOut,
        State::Apart => Phase::Apart,
        State::Idle | State::Polling => Phase::Polling,
        State::BackingOff(_) | State::LiveHolding => Phase::BackingOff,
        State::Pushing
        | State::Settling
        | State::Pulling
        | State::Applying
        | State::LivePushing
        | State::LiveSettling => Phase::Syncing,
        State::Live => Phase::Live,
        State::Searching(_)
        | State::Probing(_)
        | State::FetchingFile(_)
        | State::FetchingPages(_)
        | State::Filling(_)
        | State::Switching(_) => Phase::Recovering,
    }
}
