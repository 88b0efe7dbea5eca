//! Finding the last common place, and the rebuild: the one recovery there is.

use super::action::{Action, Plan, Probe};
use super::cycle::NEXT_CALL_CARRIES_IT;
use super::event::{Applied, Event, Failure, FileReply, LocalFailure, PullReply};
use super::search::{Cause, Found, Next, Search};
use super::state::{Fetch, Resume, State};
use super::step::Step;
use super::{FILE_TRIES_MAX, NO_CALL, NO_LOCAL, NO_STREAM, Pulled, Session};
use crate::{EpochMode, RetryClass};

impl Session {
    pub(super) fn when_searching(&mut self, search: Search, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::MarkFound(cursor) => self.go_on(search.mark_found(cursor)),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Search(search)),
            Event::LocalWrite | Event::Wake => Step::Ignore(PUSHED_AFTERWARDS),
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
            Event::Settled(_) | Event::Applied(_) | Event::Switched => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_probing(&mut self, search: Search, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::ProbeAnswered => {
                self.call_failures = 0;
                self.go_on(search.verified())
            }
            Event::CallFailed(Failure::LogDiverged { head }) => {
                self.call_failures = 0;
                self.go_on(search.refuted(head))
            }
            Event::CallFailed(Failure::RebuildRequired) => {
                self.call_failures = 0;
                self.go_on(search.below_floor())
            }
            Event::CallFailed(
                failure @ (Failure::Unauthorized
                | Failure::Forbidden
                | Failure::EpochChanged(_)
                | Failure::TooLarge
                | Failure::Refused
                | Failure::Retry { .. }),
            ) => self.failed(failure, Resume::Search(search)),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Search(search)),
            Event::LocalWrite | Event::Wake => Step::Ignore(PUSHED_AFTERWARDS),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::TimerFired => Step::Ignore("no timer is waited for"),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_) | Event::Applied(_) | Event::MarkFound(_) | Event::Switched => {
                Step::Ignore(NO_LOCAL)
            }
        }
    }

    fn go_on(&mut self, next: Next) -> Step {
        match next {
            Next::FindMark(search, place) => Step::to(
                State::Searching(search),
                [Action::FindMark { at_or_below: place }],
            ),
            Next::Probe(search, place) => {
                let epoch = search.epoch();
                Step::to(
                    State::Probing(search),
                    [Action::Probe(Probe { place, epoch })],
                )
            }
            Next::Found(found) => self.found(found),
        }
    }

    /// Where the replica stands on the last common place, its file is good as it is; but one that
    /// comes here again without any progress is made anew. So is one that follows: a delete that was
    /// discarded may have erased ops of it that stand in the new log with their payloads.
    fn found(&mut self, found: Found) -> Step {
        if found.at_cursor {
            match found.cause {
                Cause::Epoch(change) if change.mode == EpochMode::Heal => {
                    let adopt = Action::AdoptEpoch {
                        epoch: change.epoch,
                        mode: change.mode,
                    };
                    self.pulled = Pulled::No;
                    return Step::to(State::Pushing, [adopt, Action::Push]);
                }
                Cause::Diverged if self.recoveries <= 1 => return self.cycle(),
                Cause::Epoch(_) | Cause::Diverged => {}
            }
        }
        self.resume(Resume::Rebuild(found.plan()))
    }

    pub(super) fn when_fetching_file(&mut self, fetch: Fetch, event: Event) -> Step {
        let plan = fetch.plan;
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::FileAnswered(FileReply::Adopted | FileReply::Unfit) => {
                self.call_failures = 0;
                self.resume(Resume::Pages(plan))
            }
            Event::CallFailed(Failure::Retry { class, after }) => {
                let failed = fetch.failed + 1;
                if failed >= FILE_TRIES_MAX {
                    return self.back_off(class, after, Resume::Pages(plan));
                }
                self.back_off(class, after, Resume::File(Fetch { plan, failed }))
            }
            Event::CallFailed(failure @ (Failure::Unauthorized | Failure::EpochChanged(_))) => {
                self.failed(failure, Resume::File(fetch))
            }
            // The file is an offer that a server need not make, nor to every role.
            Event::CallFailed(
                Failure::Forbidden
                | Failure::LogDiverged { .. }
                | Failure::RebuildRequired
                | Failure::TooLarge
                | Failure::Refused,
            ) => self.resume(Resume::Pages(plan)),
            Event::LocalFailed(failure) => self.fetch_failed(failure, plan),
            Event::LocalWrite | Event::Wake => Step::Ignore(PUSHED_AFTERWARDS),
            Event::LoginChanged => Step::Ignore(NEXT_CALL_CARRIES_IT),
            Event::TimerFired => Step::Ignore("no timer is waited for"),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::ProbeAnswered => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_) | Event::Applied(_) | Event::MarkFound(_) | Event::Switched => {
                Step::Ignore(NO_LOCAL)
            }
        }
    }

    pub(super) fn when_fetching_pages(&mut self, plan: Plan, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::PullAnswered(PullReply::Page | PullReply::StartFresh) => {
                self.call_failures = 0;
                Step::to(State::Filling(plan), [Action::ApplyFetched])
            }
            // The floor has moved: what was fetched may lack ops that the next page builds on.
            Event::CallFailed(Failure::RebuildRequired) => self.recover(Resume::Rebuild(plan)),
            Event::CallFailed(
                failure @ (Failure::Unauthorized
                | Failure::Forbidden
                | Failure::EpochChanged(_)
                | Failure::LogDiverged { .. }
                | Failure::TooLarge
                | Failure::Refused
                | Failure::Retry { .. }),
            ) => self.failed(failure, Resume::Pages(plan)),
            Event::LocalFailed(failure) => self.fetch_failed(failure, plan),
            Event::LocalWrite | Event::Wake => Step::Ignore(PUSHED_AFTERWARDS),
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

    pub(super) fn when_filling(&mut self, plan: Plan, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::Applied(Applied::More) => self.resume(Resume::Pages(plan)),
            Event::Applied(Applied::CaughtUp) => self.resume(Resume::Switch(plan)),
            Event::Applied(Applied::Diverged) => self.recover(Resume::Rebuild(plan)),
            Event::LocalFailed(failure) => self.fetch_failed(failure, plan),
            Event::LocalWrite | Event::Wake => Step::Ignore(PUSHED_AFTERWARDS),
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

    /// The new file can't be written, or is not what was written: it is begun anew.
    fn fetch_failed(&mut self, failure: LocalFailure, plan: Plan) -> Step {
        match failure {
            LocalFailure::Disk => self.back_off(RetryClass::Local, None, Resume::Rebuild(plan)),
            LocalFailure::Damaged => self.recover(Resume::Rebuild(plan)),
            LocalFailure::Foreign => self.keep_apart(plan.epoch),
        }
    }

    pub(super) fn when_switching(&mut self, plan: Plan, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::Switched => self.cycle(),
            Event::LocalFailed(LocalFailure::Foreign) => self.keep_apart(plan.epoch),
            Event::LocalFailed(failure) => self.failed_locally(failure, Resume::Switch(plan)),
            Event::LocalWrite | Event::Wake => Step::Ignore(PUSHED_AFTERWARDS),
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
            Event::Settled(_) | Event::Applied(_) | Event::MarkFound(_) => Step::Ignore(NO_LOCAL),
        }
    }
}

const PUSHED_AFTERWARDS: &str = "the outbox is pushed after the switch";
