//! The states with a stream: pages may come at any time, also while a push is out.

use std::time::Duration;

use super::action::Action;
use super::cycle::NEXT_CALL_CARRIES_IT;
use super::event::{Applied, Delivery, Event, Failure, Settings, Settled};
use super::search::Cause;
use super::state::{Resume, State};
use super::step::Step;
use super::{Again, NO_CALL, NO_LOCAL, RENEWALS_MAX, Session};
use crate::{RetryClass, WAIT_MAX};

impl Session {
    pub(super) fn when_live(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::LocalWrite | Event::Wake => Step::to(State::LivePushing, [Action::Push]),
            Event::TimerFired => self.stream_proven(),
            Event::StreamOpened => Step::Ignore(OPENING_IS_OPEN),
            Event::StreamPage => Step::to(State::Live, [Action::Apply]),
            // A page may have put ops back into the outbox.
            Event::Applied(Applied::CaughtUp | Applied::More) => {
                self.recoveries = 0;
                Step::to(State::LivePushing, [Action::Push])
            }
            Event::Applied(Applied::Diverged) => self.search(Cause::Diverged, None),
            Event::StreamHint => Step::to(State::Pulling, [Action::CloseStream, Action::Pull]),
            Event::StreamEnded(failure) => self.stream_failed(failure),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Cycle),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::Settled(_) | Event::MarkFound(_) | Event::Switched => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_live_pushing(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::NothingToPush => {
                self.push_failures = 0;
                if self.again == Again::Yes {
                    self.again = Again::No;
                    return Step::to(State::LivePushing, [Action::Push]);
                }
                Step::to(State::Live, [])
            }
            Event::PushAnswered => {
                self.call_failures = 0;
                self.push_failures = 0;
                Step::to(State::LiveSettling, [Action::Settle])
            }
            Event::CallFailed(failure) => self.live_push_failed(failure),
            Event::LocalWrite | Event::Wake => self.note_again(),
            Event::TimerFired => self.stream_proven(),
            Event::StreamOpened => Step::Ignore(OPENING_IS_OPEN),
            Event::StreamPage => Step::to(State::LivePushing, [Action::Apply]),
            Event::Applied(applied) => self.applied_live(applied),
            Event::StreamHint => Step::to(State::Pushing, [Action::CloseStream]),
            Event::StreamEnded(Failure::Retry { .. } | Failure::Refused | Failure::TooLarge) => {
                self.stream_failures = self.stream_failures.saturating_add(1);
                Step::to(State::Pushing, [])
            }
            Event::StreamEnded(failure) => self.stream_failed(failure),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Cycle),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::PullAnswered(_) | Event::ProbeAnswered | Event::FileAnswered(_) => {
                Step::Ignore(NO_CALL)
            }
            Event::Settled(_) | Event::MarkFound(_) | Event::Switched => Step::Ignore(NO_LOCAL),
        }
    }

    /// A push that is refused holds pushes back, and leaves the stream open.
    fn live_push_failed(&mut self, failure: Failure) -> Step {
        let (class, asked) = match failure {
            Failure::TooLarge => {
                return Step::to(State::LivePushing, [Action::ShrinkBatch, Action::Push]);
            }
            Failure::Refused | Failure::Forbidden => (RetryClass::Refused, None),
            Failure::Retry { class, after } => (class, after),
            Failure::Unauthorized
            | Failure::EpochChanged(_)
            | Failure::LogDiverged { .. }
            | Failure::RebuildRequired => return self.failed(failure, Resume::Cycle),
        };
        let wait = self.wait_for_push(class, asked);
        Step::to(State::LiveHolding, [Action::SetTimer(wait)])
    }

    pub(super) fn when_live_settling(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::Settled(Settled::Done) => {
                self.renewals = 0;
                self.again = Again::No;
                Step::to(State::LivePushing, [Action::Push])
            }
            Event::Settled(Settled::Renewed) => {
                self.renewals += 1;
                if self.renewals > RENEWALS_MAX {
                    let wait = self.wait_for_push(RetryClass::Recovery, None);
                    return Step::to(State::LiveHolding, [Action::SetTimer(wait)]);
                }
                Step::to(State::LivePushing, [Action::Push])
            }
            Event::LocalWrite | Event::Wake => Step::Ignore("the outbox is looked at next"),
            Event::TimerFired => self.stream_proven(),
            Event::StreamOpened => Step::Ignore(OPENING_IS_OPEN),
            Event::StreamPage => Step::to(State::LiveSettling, [Action::Apply]),
            Event::Applied(applied) => self.applied_live(applied),
            Event::StreamHint => Step::to(State::Settling, [Action::CloseStream]),
            Event::StreamEnded(Failure::Retry { .. } | Failure::Refused | Failure::TooLarge) => {
                self.stream_failures = self.stream_failures.saturating_add(1);
                Step::to(State::Settling, [])
            }
            Event::StreamEnded(failure) => self.stream_failed(failure),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Cycle),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::MarkFound(_) | Event::Switched => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_live_holding(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::LoginChanged | Event::Wake | Event::TimerFired => {
                Step::to(State::LivePushing, [Action::Push])
            }
            Event::LocalWrite => Step::Ignore("the outbox waits for the timer"),
            Event::StreamOpened => Step::Ignore(OPENING_IS_OPEN),
            Event::StreamPage => Step::to(State::LiveHolding, [Action::Apply]),
            Event::Applied(applied) => self.applied_live(applied),
            Event::StreamHint => Step::to(State::BackingOff(Resume::Cycle), [Action::CloseStream]),
            Event::StreamEnded(Failure::Retry { .. } | Failure::Refused | Failure::TooLarge) => {
                self.stream_failures = self.stream_failures.saturating_add(1);
                Step::to(State::BackingOff(Resume::Cycle), [])
            }
            Event::StreamEnded(failure) => self.stream_failed(failure),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Cycle),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::Settled(_) | Event::MarkFound(_) | Event::Switched => Step::Ignore(NO_LOCAL),
        }
    }

    /// A page of the stream is applied: the stream goes on, whatever else is under way.
    fn applied_live(&mut self, applied: Applied) -> Step {
        match applied {
            Applied::CaughtUp | Applied::More => {
                self.recoveries = 0;
                Step::Note("the stream goes on")
            }
            Applied::Diverged => self.search(Cause::Diverged, None),
        }
    }

    fn stream_proven(&mut self) -> Step {
        self.stream_failures = 0;
        Step::Note("the stream works; its failures are forgotten")
    }

    /// The stream is gone and no push is out: a failure that may pass is polled over.
    fn stream_failed(&mut self, failure: Failure) -> Step {
        match failure {
            Failure::Unauthorized
            | Failure::Forbidden
            | Failure::EpochChanged(_)
            | Failure::LogDiverged { .. }
            | Failure::RebuildRequired => self.failed(failure, Resume::Cycle),
            Failure::TooLarge | Failure::Refused => self.poll_over(RetryClass::Refused, None),
            Failure::Retry { class, after } => self.poll_over(class, after),
        }
    }

    /// Waits no longer than a poll would; the next cycle tries the stream again.
    fn poll_over(&mut self, class: RetryClass, asked: Option<Duration>) -> Step {
        self.stream_failures = self.stream_failures.saturating_add(1);
        let wait = self.backoff.wait(class, self.stream_failures, None);
        let interval = match self.settings {
            Settings::On(Delivery::Live { interval } | Delivery::Poll { interval }) => interval,
            Settings::On(Delivery::Once) | Settings::Off => WAIT_MAX,
        };
        let wait = wait
            .min(interval)
            .max(asked.unwrap_or_default())
            .min(WAIT_MAX);
        Step::leave(State::Polling, [Action::SetTimer(wait)])
    }
}

const OPENING_IS_OPEN: &str = "a stream counts as open once it is asked for";
