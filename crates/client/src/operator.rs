//! What an operator asks of a server, apart from sync.

use std::time::Duration;

use serde::Deserialize;
use syncline_model::{Epoch, TenantId, Timestamp};
use syncline_protocol::ResetRequest;
use syncline_replica::Method;

use crate::Remote;
use crate::ask::{AskError, ask_blocking, call, read};

/// What a server says about itself to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Health {
    /// `healthy`, or how a newer server may feel.
    pub status: String,
    pub version: String,
    /// `none`, `token`, or what a newer server may know.
    pub auth_mode: String,
    /// When the last backup was made that is verified; none: there is none that the server knows of.
    pub last_verified_backup_at: Option<Timestamp>,
    /// Logs that it lacks.
    #[serde(default)]
    pub last_backup_left_out: u64,
    /// When a regular backup last failed, where none was made since; none also from an older server.
    pub last_backup_failed_at: Option<Timestamp>,
    /// The code of that failure.
    pub last_backup_failure: Option<String>,
    /// `ok`, `full` where writes are refused for want of room, `failing` where they fail on the disk for another
    /// cause; none: an older server, which doesn't say.
    pub storage: Option<String>,
}

impl Health {
    pub fn is_healthy(&self) -> bool {
        self.status == "healthy"
    }

    /// Whether the server's disk has no room for what is written to it.
    pub fn is_full(&self) -> bool {
        self.storage.as_deref() == Some("full")
    }

    /// Whether the server's disk takes no writes, for another cause.
    pub fn is_failing(&self) -> bool {
        self.storage.as_deref() == Some("failing")
    }
}

#[derive(Deserialize)]
struct Reset {
    epoch: Epoch,
}

/// Asks whether the server lives. Blocks, for `patience` at most.
pub fn health(remote: &Remote, patience: Duration) -> Result<Health, AskError> {
    // It needs no token, so none is shown.
    let remote = Remote {
        token: None,
        ..remote.clone()
    };
    ask_blocking(&remote, patience, async |transport| {
        let answer = transport.call(call(Method::Get, "health", None)).await;
        read(&answer.map_err(AskError::Transport)?)
    })
}

/// Empties the log of `tenant` on the server if its epoch is still `epoch`; gives the new one.
/// Replicas follow it. Blocks, for `patience` at most.
pub fn reset(
    remote: &Remote,
    tenant: &TenantId,
    epoch: Epoch,
    patience: Duration,
) -> Result<Epoch, AskError> {
    let request = ResetRequest {
        confirm: tenant.as_str().to_owned(),
    };
    let call = call(Method::Post, "sync/reset", Some(request.encode()));
    let reset: Reset = ask_blocking(remote, patience, async |transport| {
        let answer = transport.call_matching(call, &format!("\"{epoch}\"")).await;
        read(&answer.map_err(AskError::Transport)?)
    })?;
    Ok(reset.epoch)
}
