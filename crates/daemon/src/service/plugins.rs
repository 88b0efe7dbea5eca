//! The socket where plugins that were made for clankers look: one process at a time answers there.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::socket::{Listener, SocketError};

/// How often it is looked whether who listens there has gone.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The socket, and why it is not answered here.
#[derive(Debug)]
pub(super) struct PluginSocket {
    path: PathBuf,
    error: Mutex<Option<String>>,
}

/// What became of a try to answer there.
#[derive(Debug)]
pub(super) enum Claim {
    Listens(Listener),
    /// Another process does, for now.
    Waits(SocketError),
    Refused(SocketError),
}

impl Claim {
    fn of(path: &Path) -> Self {
        match Listener::bind_shared(path) {
            Ok(listener) => Self::Listens(listener),
            Err(error @ SocketError::Taken { .. }) => Self::Waits(error),
            Err(error) => Self::Refused(error),
        }
    }

    pub(super) fn error(&self) -> Option<&SocketError> {
        match self {
            Self::Listens(_) => None,
            Self::Waits(error) | Self::Refused(error) => Some(error),
        }
    }
}

impl PluginSocket {
    pub(super) fn claim(path: PathBuf) -> (Self, Claim) {
        let claim = Claim::of(&path);
        if let Some(error) = claim.error() {
            tracing::warn!(%error, "plugins of clankers are not answered");
        }
        let error = Mutex::new(claim.error().map(ToString::to_string));
        (Self { path, error }, claim)
    }

    /// The listener, once nobody else listens there.
    pub(super) async fn listener(&self, claim: Claim) -> Listener {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let mut claim = claim;
        loop {
            match claim {
                Claim::Listens(listener) => return listener,
                Claim::Refused(_) => return std::future::pending().await,
                Claim::Waits(_) => {}
            }
            looks.tick().await;
            claim = Claim::of(&self.path);
            let error = claim.error().map(ToString::to_string);
            if error.is_none() {
                tracing::info!(socket = %self.path.display(), "plugins of clankers are answered from now on");
            }
            *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error;
        }
    }

    /// As a status shows it.
    pub(super) fn shown(&self) -> Value {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        json!({ "path": self.path.to_string_lossy(), "error": *error })
    }
}
