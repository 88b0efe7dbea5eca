//! Whose a token is.

use std::time::Duration;

use serde::Deserialize;
use syncline_model::{TenantId, Timestamp, UserId};
use syncline_replica::Method;

use crate::Remote;
use crate::ask::{AskError, ask_blocking, call, read};
use crate::transport::Transport;

/// What a server says about a credential.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member {
    pub tenant: TenantId,
    pub user: UserId,
    /// `read`, `sync` or `admin`; a newer server may know others.
    pub rights: String,
    /// None: it does not expire.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Asks the server whose the token is. Blocks, for `patience` at most.
pub fn whoami(remote: &Remote, patience: Duration) -> Result<Member, AskError> {
    ask_blocking(remote, patience, async |transport| ask(&transport).await)
}

/// Asks the server whose the transport's token is.
pub(crate) async fn ask(transport: &Transport) -> Result<Member, AskError> {
    let answer = transport.call(call(Method::Get, "api/whoami", None)).await;
    read(&answer.map_err(AskError::Transport)?)
}
