//! The client's side of the protocol: what a replica does next, given what has happened.
//!
//! A [`Session`] is told [`Event`]s and answers with [`Action`]s. It holds no data: ops, pages and
//! files stay with the driver that performs the actions, the real one and the simulator's alike.
//! Every state defines every event; the table in `docs/protocol.md` is printed from this code.

mod action;
mod cycle;
mod event;
mod live;
mod recovery;
mod resting;
mod search;
mod state;
mod step;
pub(crate) mod table;

use std::time::Duration;

use syncline_model::Epoch;

use crate::{Backoff, RetryClass};

pub use action::{Action, Common, Plan, Probe};
pub use event::{
    Applied, Delivery, Event, Failure, FileReply, LocalFailure, PullReply, Settings, Settled,
};
pub use search::{Cause, Search};
pub use state::{Fetch, Resume, State};
use step::{Held, Step, release};

/// How long a stream must stay open to count as working: the failures before it are forgotten.
pub const STREAM_PROVEN: Duration = Duration::from_secs(30);
/// New actors in a row before the client slows down. One suffices; more mean that somebody else
/// writes with our actor at this moment, or that a server answers nonsense.
pub const RENEWALS_MAX: u32 = 3;
/// Tries to fetch the prepared file before the log is fetched page by page.
pub const FILE_TRIES_MAX: u32 = 2;

/// A replica's sync session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    state: State,
    settings: Settings,
    /// Somebody wants more than what is under way brings.
    again: Again,
    /// Whether the log was pulled since the last push.
    pulled: Pulled,
    /// The server takes no pushes for this long; pulls go on.
    push_wait: Option<Duration>,
    backoff: Backoff,
    /// Calls that failed since one succeeded.
    call_failures: u32,
    /// Pushes that failed since one succeeded.
    push_failures: u32,
    /// Streams that failed since one proved to work.
    stream_failures: u32,
    /// Recoveries begun since a page was applied.
    recoveries: u32,
    /// New actors since a push settled.
    renewals: u32,
    /// The epoch of a log that was found to have nothing of this replica's.
    foreign: Option<Epoch>,
}

/// Whether to push and pull once more before resting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    Yes,
}

/// Whether what was pushed has been pulled back. An outbox that is found empty is the end of a
/// cycle only then: a page may put ops back into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pulled {
    No,
    Yes,
}

impl Session {
    /// A session that waits for its settings; `seed` decides its waits.
    pub const fn new(seed: u64) -> Self {
        Self {
            state: State::Disabled,
            settings: Settings::Off,
            again: Again::No,
            pulled: Pulled::No,
            push_wait: None,
            backoff: Backoff::new(seed),
            call_failures: 0,
            push_failures: 0,
            stream_failures: 0,
            recoveries: 0,
            renewals: 0,
            foreign: None,
        }
    }

    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes note of an event, and says what to do now.
    #[must_use = "actions that are not performed leave the session waiting for ever"]
    pub fn handle(&mut self, event: Event) -> Vec<Action> {
        match self.step(event.clone()) {
            Step::Ignore(_) | Step::Note(_) => Vec::new(),
            Step::Go {
                next,
                held,
                mut actions,
            } => {
                let before = std::mem::replace(&mut self.state, next);
                if held == Held::Released {
                    actions.splice(0..0, release(&before, &event, &next));
                }
                actions
            }
        }
    }

    fn step(&mut self, event: Event) -> Step {
        match self.state {
            State::Stopped => self.when_stopped(event),
            State::Disabled => self.when_disabled(event),
            State::LoggedOut => self.when_logged_out(event),
            State::Apart => self.when_apart(event),
            State::Idle => self.when_idle(event),
            State::Polling => self.when_polling(event),
            State::BackingOff(resume) => self.when_backing_off(resume, event),
            State::Pushing => self.when_pushing(event),
            State::Settling => self.when_settling(event),
            State::Pulling => self.when_pulling(event),
            State::Applying => self.when_applying(event),
            State::Live => self.when_live(event),
            State::LivePushing => self.when_live_pushing(event),
            State::LiveSettling => self.when_live_settling(event),
            State::LiveHolding => self.when_live_holding(event),
            State::Searching(search) => self.when_searching(search, event),
            State::Probing(search) => self.when_probing(search, event),
            State::FetchingFile(fetch) => self.when_fetching_file(fetch, event),
            State::FetchingPages(plan) => self.when_fetching_pages(plan, event),
            State::Filling(plan) => self.when_filling(plan, event),
            State::Switching(plan) => self.when_switching(plan, event),
        }
    }

    /// Begins anew under these settings.
    fn configured(&mut self, settings: Settings) -> Step {
        self.settings = settings;
        self.again = Again::No;
        self.pulled = Pulled::No;
        self.push_wait = None;
        self.call_failures = 0;
        self.push_failures = 0;
        self.stream_failures = 0;
        self.recoveries = 0;
        self.renewals = 0;
        self.foreign = None;
        match settings {
            Settings::Off => Step::leave(State::Disabled, []),
            Settings::On(_) => Step::leave(State::Pushing, [Action::Push]),
        }
    }

    fn stopped(&self) -> Step {
        Step::leave(State::Stopped, [])
    }

    /// Pushes now, then pulls, without regard to any wait.
    fn cycle(&mut self) -> Step {
        self.again = Again::No;
        self.pulled = Pulled::No;
        self.push_wait = None;
        Step::to(State::Pushing, [Action::Push])
    }

    /// Remembers to push and pull once more.
    fn note_again(&mut self) -> Step {
        self.again = Again::Yes;
        Step::Note("the outbox is looked at again")
    }

    /// Waits, and then goes on with `resume`.
    fn back_off(&mut self, class: RetryClass, asked: Option<Duration>, resume: Resume) -> Step {
        self.call_failures = self.call_failures.saturating_add(1);
        let wait = self.backoff.wait(class, self.call_failures, asked);
        Step::leave(State::BackingOff(resume), [Action::SetTimer(wait)])
    }

    /// Waits for a new login; rights may also change at the server, so it tries again, slowly.
    fn log_out(&mut self) -> Step {
        let wait = self.backoff.jitter(crate::WAIT_MAX);
        Step::leave(State::LoggedOut, [Action::SetTimer(wait)])
    }

    /// What a failed call, or an ended stream, leads to where nothing is special about it.
    fn failed(&mut self, failure: Failure, resume: Resume) -> Step {
        match failure {
            Failure::Unauthorized | Failure::Forbidden => self.log_out(),
            Failure::EpochChanged(change)
                if self.foreign == Some(change.epoch) && self.again == Again::No =>
            {
                self.keep_apart(self.foreign)
            }
            Failure::EpochChanged(change) => self.search(Cause::Epoch(change), None),
            Failure::LogDiverged { head } => self.search(Cause::Diverged, head),
            Failure::RebuildRequired => self.recover(Resume::Rebuild(Plan::COMPARING)),
            Failure::TooLarge | Failure::Refused => {
                self.back_off(RetryClass::Refused, None, resume)
            }
            Failure::Retry { class, after } => self.back_off(class, after, resume),
        }
    }

    /// What a local failure leads to.
    fn failed_locally(&mut self, failure: LocalFailure, resume: Resume) -> Step {
        match failure {
            LocalFailure::Disk => self.back_off(RetryClass::Local, None, resume),
            LocalFailure::Damaged => self.recover(Resume::Rebuild(Plan::NOTHING_LACKS)),
            LocalFailure::Foreign => self.keep_apart(None),
        }
    }

    /// Keeps away from a log of this epoch, but looks now and then whether the server has its own again.
    fn keep_apart(&mut self, foreign: Option<Epoch>) -> Step {
        self.foreign = foreign;
        self.recoveries = 0;
        let wait = self.backoff.jitter(crate::WAIT_MAX);
        Step::leave(State::Apart, [Action::SetTimer(wait)])
    }

    /// Pulls before anything is pushed: what is here is not for another's log.
    fn ask_for_own_log(&mut self) -> Step {
        self.again = Again::No;
        self.pulled = Pulled::No;
        self.push_wait = None;
        Step::to(State::Pulling, [Action::Pull])
    }

    fn search(&mut self, cause: Cause, head: Option<syncline_model::ServerSeq>) -> Step {
        self.recover(Resume::Search(Search::begin(cause, head)))
    }

    /// Begins a recovery: at once, unless it follows on another without progress between.
    fn recover(&mut self, resume: Resume) -> Step {
        self.recoveries = self.recoveries.saturating_add(1);
        if self.recoveries == 1 {
            return self.resume(resume).released();
        }
        let wait = self
            .backoff
            .wait(RetryClass::Recovery, self.recoveries, None);
        Step::leave(State::BackingOff(resume), [Action::SetTimer(wait)])
    }

    /// Goes on after a wait.
    fn resume(&mut self, resume: Resume) -> Step {
        match resume {
            Resume::Cycle => self.cycle(),
            Resume::Search(search) => Step::to(
                State::Searching(search),
                [Action::FindMark {
                    at_or_below: search.asked(),
                }],
            ),
            Resume::Rebuild(plan) => Step::to(
                State::FetchingFile(Fetch { plan, failed: 0 }),
                [Action::BeginRebuild(plan), Action::FetchFile],
            ),
            Resume::File(fetch) => Step::to(State::FetchingFile(fetch), [Action::FetchFile]),
            Resume::Pages(plan) => Step::to(State::FetchingPages(plan), [Action::FetchPage]),
            Resume::Switch(plan) => Step::to(State::Switching(plan), [Action::Switch(plan)]),
        }
    }
}

const NO_CALL: &str = "no such call is out";
const NO_STREAM: &str = "no stream is open";
const NO_LOCAL: &str = "no such local action is under way";
