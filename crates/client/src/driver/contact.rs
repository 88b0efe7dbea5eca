//! How far the loop is with the server of its settings.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use syncline_replica::EngineEvent;
use tokio::time::{Instant, sleep_until};

use super::Wire;
use crate::Phase;
use crate::ask::AskError;
use crate::transport::Transport;
use crate::whoami::{self, Member};

/// How far the loop is with the server of its settings.
pub(super) enum Contact {
    /// There is none.
    Off,
    /// Another process has the sync lease.
    Elsewhere,
    /// The server is asked whose the token is.
    Asking {
        /// None once it was taken.
        transport: Option<Transport>,
        answer: BoxFuture<'static, Result<Member, AskError>>,
    },
    /// It is asked again then; none: when something is wished for.
    Resting {
        phase: Phase,
        until: Option<Instant>,
    },
    /// The engine makes its calls.
    Joined(Wire),
}

/// What comes of the contact.
pub(super) enum News {
    Introduced(Result<Member, AskError>),
    AskAgain,
    Event(EngineEvent),
}

impl Contact {
    /// Asks whose the token is.
    pub(super) fn ask(transport: Transport) -> Self {
        let asking = transport.clone();
        let answer = async move { whoami::ask(&asking).await }.boxed();
        Self::Asking {
            transport: Some(transport),
            answer,
        }
    }

    pub(super) fn resting(phase: Phase, until: Option<Instant>) -> Self {
        Self::Resting { phase, until }
    }

    /// What happens next. May be dropped before it is done, and called again, but not after
    /// [`News::Introduced`]: the contact is to be another then.
    pub(super) async fn next(&mut self) -> News {
        match self {
            Self::Off | Self::Elsewhere | Self::Resting { until: None, .. } => {
                std::future::pending().await
            }
            Self::Asking { answer, .. } => News::Introduced(answer.await),
            Self::Resting {
                until: Some(until), ..
            } => {
                sleep_until(*until).await;
                News::AskAgain
            }
            Self::Joined(wire) => News::Event(wire.next().await),
        }
    }

    /// The transport by which the server was asked, with its open connection.
    pub(super) fn take_transport(&mut self) -> Option<Transport> {
        match self {
            Self::Asking { transport, .. } => transport.take(),
            Self::Off | Self::Elsewhere | Self::Resting { .. } | Self::Joined(_) => None,
        }
    }

    /// Takes note that nobody listened for this long.
    pub(super) fn excuse(&mut self, busy: Duration) {
        match self {
            Self::Joined(wire) => wire.excuse(busy),
            Self::Off | Self::Elsewhere | Self::Asking { .. } | Self::Resting { .. } => {}
        }
    }
}
