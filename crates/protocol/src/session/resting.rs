//! The states in which no call is out and no stream is open.

use super::event::Event;
use super::state::Resume;
use super::step::Step;
use super::{NO_CALL, NO_LOCAL, NO_STREAM, Session};

impl Session {
    pub(super) fn when_stopped(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(_)
            | Event::LoginChanged
            | Event::Stopped
            | Event::LocalWrite
            | Event::Wake
            | Event::TimerFired
            | Event::NothingToPush
            | Event::PushAnswered
            | Event::Settled(_)
            | Event::PullAnswered(_)
            | Event::Applied(_)
            | Event::CallFailed(_)
            | Event::StreamOpened
            | Event::StreamPage
            | Event::StreamHint
            | Event::StreamEnded(_)
            | Event::MarkFound(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_)
            | Event::Switched
            | Event::LocalFailed(_) => Step::Ignore("stopped for good"),
        }
    }

    pub(super) fn when_disabled(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::LoginChanged | Event::LocalWrite | Event::Wake => {
                Step::Ignore("sync is off; the outbox waits")
            }
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
            Event::Settled(_)
            | Event::Applied(_)
            | Event::MarkFound(_)
            | Event::Switched
            | Event::LocalFailed(_) => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_logged_out(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::LoginChanged | Event::Wake | Event::TimerFired => self.cycle(),
            Event::LocalWrite => Step::Ignore("the outbox waits for the login"),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_)
            | Event::Applied(_)
            | Event::MarkFound(_)
            | Event::Switched
            | Event::LocalFailed(_) => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_apart(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::LoginChanged | Event::Wake => {
                self.foreign = None;
                self.ask_for_own_log()
            }
            Event::TimerFired => self.ask_for_own_log(),
            Event::LocalWrite => Step::Ignore("the outbox is not for this log"),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_)
            | Event::Applied(_)
            | Event::MarkFound(_)
            | Event::Switched
            | Event::LocalFailed(_) => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_idle(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::LoginChanged | Event::LocalWrite | Event::Wake => self.cycle(),
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
            Event::Settled(_)
            | Event::Applied(_)
            | Event::MarkFound(_)
            | Event::Switched
            | Event::LocalFailed(_) => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_polling(&mut self, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::LoginChanged | Event::LocalWrite | Event::Wake | Event::TimerFired => {
                self.cycle()
            }
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_)
            | Event::Applied(_)
            | Event::MarkFound(_)
            | Event::Switched
            | Event::LocalFailed(_) => Step::Ignore(NO_LOCAL),
        }
    }

    pub(super) fn when_backing_off(&mut self, resume: Resume, event: Event) -> Step {
        match event {
            Event::Configured(settings) => self.configured(settings),
            Event::Stopped => self.stopped(),
            Event::LoginChanged | Event::Wake | Event::TimerFired => self.resume(resume),
            Event::LocalWrite => Step::Ignore("the outbox waits for the timer"),
            Event::NothingToPush
            | Event::PushAnswered
            | Event::PullAnswered(_)
            | Event::CallFailed(_)
            | Event::ProbeAnswered
            | Event::FileAnswered(_) => Step::Ignore(NO_CALL),
            Event::StreamOpened | Event::StreamPage | Event::StreamHint | Event::StreamEnded(_) => {
                Step::Ignore(NO_STREAM)
            }
            Event::Settled(_)
            | Event::Applied(_)
            | Event::MarkFound(_)
            | Event::Switched
            | Event::LocalFailed(_) => Step::Ignore(NO_LOCAL),
        }
    }
}
