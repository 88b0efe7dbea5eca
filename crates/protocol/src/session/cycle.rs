//! Push until the outbox is empty, pull until the log is: the states without a stream.

use std::time::Duration;

use super::action::{Action, Plan};
use super::event::{Applied, Delivery, Event, Failure, PullReply, Settings, Settled};
use super::search::Cause;
use super::state::{Resume, State};
use super::step::Step;
use super::{Again, NO_CALL, NO_LOCAL, NO_STREAM, Pulled, RENEWALS_MAX, STREAM_PROVEN, Session};
use crate::RetryClass;

impl Session {
    pub(super) fn when_pushing(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::NothingToPush => self.nothing_to_push(),
            Event::PushAnswered => {
                self.call_failures = 0;
                self.push_failures = 0;
                self.pulled = Pulled::No;
                Step::to(State::Settling, [Action::Settle])
            }
            Event::CallFailed(failure) => self.push_failed(failure),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Cycle),
            Event::LocalWrite | Event::Wake => self.note_again(),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::TimerFired => Step::Ignore("no timer is waited for"),
            Event::PullAnswered(_) | Event::ProbeAnswered | Event::FileAnswered(_) => {
                Step::Ignore(NO_CALL)
            }
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_) | Event::Applied(_) | Event::MarkFound(_) | Event::Switched => {
                Step::Ignore(NO_LOCAL)
            }
        }
    }

    /// The outbox is empty: the log is pulled, or it was and this was the last look.
    fn nothing_to_push(&mut self) -> Step {
        self.push_failures = 0;
        match (self.again, self.pulled) {
            (Again::Yes, _) => self.cycle(),
            (Again::No, Pulled::Yes) => self.rest(),
            (Again::No, Pulled::No) => Step::to(State::Pulling, [Action::Pull]),
        }
    }

    /// A push that is refused while pulls may pass doesn't keep others' writes from this replica.
    fn push_failed(&mut self, failure: Failure) -> Step {
        match failure {
            Failure::TooLarge => Step::to(State::Pushing, [Action::ShrinkBatch, Action::Push]),
            Failure::Refused | Failure::Forbidden => {
                self.hold_pushes(RetryClass::Refused, None);
                Step::to(State::Pulling, [Action::Pull])
            }
            Failure::Retry {
                class: RetryClass::StorageFull,
                after,
            } => {
                self.hold_pushes(RetryClass::StorageFull, after);
                Step::to(State::Pulling, [Action::Pull])
            }
            Failure::Unauthorized
            | Failure::EpochChanged(_)
            | Failure::LogDiverged { .. }
            | Failure::RebuildRequired
            | Failure::Retry { .. } => self.failed(failure, Resume::Cycle),
        }
    }

    pub(super) fn when_settling(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::Settled(Settled::Done) => {
                self.renewals = 0;
                // What was written meanwhile is in the outbox that is looked at now.
                self.again = Again::No;
                Step::to(State::Pushing, [Action::Push])
            }
            Event::Settled(Settled::Renewed) => {
                self.renewals += 1;
                if self.renewals > RENEWALS_MAX {
                    return self.back_off(RetryClass::Recovery, None, Resume::Cycle);
                }
                // What is written anew is stamped above every clock of the log: pull them first.
                Step::to(State::Pulling, [Action::Pull])
            }
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Cycle),
            Event::LocalWrite | Event::Wake => Step::Ignore("the outbox is looked at next"),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::TimerFired => Step::Ignore("no timer is waited for"),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Applied(_) | Event::MarkFound(_) | Event::Switched => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_pulling(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::PullAnswered(PullReply::Page) => {
                self.call_failures = 0;
                Step::to(State::Applying, [Action::Apply])
            }
            Event::PullAnswered(PullReply::StartFresh) => {
                self.call_failures = 0;
                self.recover(Resume::Rebuild(Plan::NOTHING_LACKS))
            }
            Event::CallFailed(failure) => self.failed(failure, Resume::Cycle),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Cycle),
            Event::LocalWrite => Step::Ignore("the outbox is looked at after this page"),
            Event::Wake => self.note_again(),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::TimerFired => Step::Ignore("no timer is waited for"),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_) | Event::Applied(_) | Event::MarkFound(_) | Event::Switched => {
                Step::Ignore(NO_LOCAL)
            }
        }
    }

    pub(super) fn when_applying(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::Applied(Applied::CaughtUp) => {
                self.recoveries = 0;
                self.pulled = Pulled::Yes;
                self.look_again_or_rest()
            }
            Event::Applied(Applied::More) => {
                self.recoveries = 0;
                self.look_again_or_pull()
            }
            Event::Applied(Applied::Diverged) => self.search(Cause::Diverged, None),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Cycle),
            Event::LocalWrite => Step::Ignore("the outbox is looked at after this page"),
            Event::Wake => self.note_again(),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::TimerFired => Step::Ignore("no timer is waited for"),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_) | Event::MarkFound(_) | Event::Switched => Step::Ignore(NO_LOCAL),
        }
    }

    /// A page may have put ops back into the outbox, and others were written meanwhile.
    fn look_again_or_rest(&mut self) -> Step {
        match self.push_wait {
            None => Step::to(State::Pushing, [Action::Push]),
            Some(_) => self.rest(),
        }
    }

    /// What was written meanwhile goes before the next page.
    fn look_again_or_pull(&mut self) -> Step {
        match self.push_wait {
            None => Step::to(State::Pushing, [Action::Push]),
            Some(_) => Step::to(State::Pulling, [Action::Pull]),
        }
    }

    fn hold_pushes(&mut self, class: RetryClass, asked: Option<Duration>) {
        self.push_wait = Some(self.wait_for_push(class, asked));
    }

    /// How long to hold pushes back after one more that failed.
    pub(super) fn wait_for_push(&mut self, class: RetryClass, asked: Option<Duration>) -> Duration {
        self.push_failures = self.push_failures.saturating_add(1);
        self.backoff.wait(class, self.push_failures, asked)
    }

    /// Goes where the settings say, with the log pulled and the outbox pushed or held back.
    fn rest(&mut self) -> Step {
        if self.again == Again::Yes {
            return self.cycle();
        }
        self.pulled = Pulled::No;
        let delivery = match self.settings {
            Settings::On(delivery) => delivery,
            Settings::Off => return Step::leave(State::Disabled, []),
        };
        match (delivery, self.push_wait.take()) {
            (Delivery::Once, None) => Step::to(State::Idle, [Action::Finished]),
            (Delivery::Once, Some(wait)) => {
                Step::to(State::BackingOff(Resume::Cycle), [Action::SetTimer(wait)])
            }
            (Delivery::Poll { interval }, wait) => {
                Step::to(State::Polling, [Action::SetTimer(wait.unwrap_or(interval))])
            }
            (Delivery::Live { .. }, None) => Step::to(
                State::Live,
                [Action::OpenStream, Action::SetTimer(STREAM_PROVEN)],
            ),
            (Delivery::Live { .. }, Some(wait)) => Step::to(
                State::LiveHolding,
                [Action::OpenStream, Action::SetTimer(wait)],
            ),
        }
    }
}

pub(super) const NEXT_CALL_CARRIES_IT: &str = "the next call carries the new token";
