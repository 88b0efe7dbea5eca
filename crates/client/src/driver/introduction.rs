//! The introduction: the sync lease, and whose the token is. Nothing else is sent before.

use std::sync::Arc;
use std::time::Duration;

use syncline_protocol::session::{self, Settings};
use syncline_protocol::{ErrorCode, RetryClass, WAIT_MAX};
use syncline_replica::{Engine, EngineEvent, NotStarted, ReplicaError, Start};
use tokio::time::Instant;

use super::{Contact, Driver, Held, Manner, Wire};
use crate::ask::AskError;
use crate::status::chain;
use crate::transport::Transport;
use crate::whoami::Member;
use crate::{Phase, Remote, SyncFailure, SyncSettings};

impl Driver {
    /// Takes the sync lease and asks whose the token is; where another process has the lease, it is
    /// tried again at the next look.
    pub(super) fn begin(&mut self) {
        if let Some(Held::Resting(replica)) = self.held.take_if(Held::is_resting) {
            match Engine::start(*replica) {
                Ok(Start::Ready(engine)) => self.held = Some(Held::Syncing(engine)),
                Ok(Start::Busy(replica)) => {
                    self.held = Some(Held::Resting(replica));
                    self.contact = Contact::Elsewhere;
                    return;
                }
                Err(NotStarted { replica, error }) => {
                    self.held = Some(Held::Resting(replica));
                    self.fail("local_failure", &error);
                    self.rest(RetryClass::Local, None);
                    return;
                }
            }
        }
        self.ask();
    }

    /// Asks the server whose the token is. Nothing else is sent before the answer.
    fn ask(&mut self) {
        let SyncSettings::On(remote) = &self.settings else {
            return;
        };
        let remote = remote.clone();
        let host = Arc::clone(self.replica().host());
        match Transport::new(&remote, host, self.board.traffic()) {
            Ok(transport) => self.contact = Contact::ask(transport),
            Err(error) => self.introduced(Err(AskError::Transport(error))),
        }
    }

    /// Takes the answer to whose the token is.
    pub(super) fn introduced(&mut self, asked: Result<Member, AskError>) {
        let member = match asked {
            Ok(member) => member,
            Err(error) => return self.not_introduced(&error),
        };
        match self.replica().belong_to(&member.tenant, &member.user) {
            Ok(()) => self.join(),
            Err(error @ ReplicaError::OtherTenant { .. }) => {
                self.fail("other_tenant", &error);
                self.contact = Contact::resting(Phase::OtherTenant, None);
            }
            Err(error) => {
                self.fail("local_failure", &error);
                self.rest(RetryClass::Local, None);
            }
        }
    }

    fn not_introduced(&mut self, error: &AskError) {
        match error {
            AskError::Transport(_) | AskError::Start(_) => {
                self.fail("unreachable", error);
                self.rest(RetryClass::Transport, None);
            }
            AskError::Unreadable(_) => {
                self.fail("unreadable_answer", error);
                self.rest(RetryClass::Transport, None);
            }
            AskError::Refused {
                error: refusal,
                retry_after,
            } => {
                self.fail(refusal.code.as_str(), error);
                let retry_after = *retry_after;
                match class_of(refusal.code) {
                    Some(class) => self.rest(class, retry_after),
                    None => {
                        let until = Instant::now() + self.backoff.jitter(WAIT_MAX);
                        self.contact = Contact::resting(Phase::LoggedOut, Some(until));
                    }
                }
            }
        }
    }

    /// Waits before the next introduction.
    fn rest(&mut self, class: RetryClass, asked: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let until = Instant::now() + self.backoff.wait(class, self.failures, asked);
        self.contact = Contact::resting(Phase::BackingOff, Some(until));
    }

    /// Lets the engine make calls.
    fn join(&mut self) {
        self.failures = 0;
        let (SyncSettings::On(Remote { delivery, .. }), Some(transport)) =
            (&self.settings, self.contact.take_transport())
        else {
            return;
        };
        let delivery = match self.manner {
            Manner::Lasting => (*delivery).into(),
            Manner::Once | Manner::OnceAndRest => session::Delivery::Once,
        };
        self.contact = Contact::Joined(Wire::new(transport));
        self.tell(EngineEvent::Configured(Settings::On(delivery)));
    }

    /// Notes why there is no contact, for whoever asks, in any process.
    fn fail(&mut self, code: &str, error: &(dyn std::error::Error + 'static)) {
        tracing::warn!(error, error.code = code, "the server can't be synced with");
        let message = chain(error);
        if let Some(Held::Syncing(engine)) = &mut self.held {
            engine.note_failure(code, message.clone());
        }
        let code = code.to_owned();
        self.trouble = Some(SyncFailure { code, message });
    }
}

/// How to wait over a refused introduction; none: for a new login.
fn class_of(code: ErrorCode) -> Option<RetryClass> {
    match code {
        ErrorCode::Unauthorized | ErrorCode::Forbidden => None,
        ErrorCode::RateLimited => Some(RetryClass::RateLimited),
        ErrorCode::StorageFull => Some(RetryClass::StorageFull),
        code if code.is_retryable() => Some(RetryClass::Unavailable),
        _ => Some(RetryClass::Refused),
    }
}
