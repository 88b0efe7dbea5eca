//! Whose a token is.

use std::time::Duration;

use serde::Deserialize;
use syncline_model::{TenantId, Timestamp, UserId};
use syncline_protocol::{ErrorBody, ErrorCode};
use syncline_replica::{Answer, AnswerBody, Call, Host, Method, RealHost};

use crate::transport::{Transport, TransportError};
use crate::{Remote, StartError};

/// Far more than the answer holds, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

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

/// Why it is not known whose a token is.
#[derive(Debug, thiserror::Error)]
pub enum WhoamiError {
    #[error("could not ask the server")]
    Transport(#[source] TransportError),
    /// The server is one of ours, or at least speaks like one.
    #[error("the server refuses: {}", error.message)]
    Refused {
        error: ErrorBody,
        retry_after: Option<Duration>,
    },
    #[error("the answer is not that of a syncline server")]
    Unreadable(#[source] serde_json::Error),
    #[error("could not begin to ask")]
    Start(#[source] StartError),
}

/// Asks the server whose the token is. Blocks, for `patience` at most.
pub fn whoami(remote: &Remote, patience: Duration) -> Result<Member, WhoamiError> {
    let runtime =
        crate::driver::runtime().map_err(|error| WhoamiError::Start(StartError::Runtime(error)))?;
    let asked = runtime.block_on(async {
        let host = std::sync::Arc::new(RealHost::new()) as std::sync::Arc<dyn Host>;
        let transport = Transport::new(remote, host, std::sync::Arc::default())
            .map_err(WhoamiError::Transport)?;
        let asked = tokio::time::timeout(patience, ask(&transport)).await;
        asked.unwrap_or(Err(WhoamiError::Transport(TransportError::TimedOut)))
    });
    // A name look-up may still be under way; nobody waits for it.
    runtime.shutdown_background();
    asked
}

/// Asks the server whose the transport's token is.
pub(crate) async fn ask(transport: &Transport) -> Result<Member, WhoamiError> {
    let call = Call {
        method: Method::Get,
        path: "api/whoami",
        query: String::new(),
        accept: "application/json",
        body: None,
        save_to: None,
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    let answer = transport.call(call).await.map_err(WhoamiError::Transport)?;
    read(&answer)
}

fn read(answer: &Answer) -> Result<Member, WhoamiError> {
    let body = match &answer.body {
        AnswerBody::Bytes(bytes) => bytes.as_slice(),
        AnswerBody::Saved => &[],
    };
    if answer.status == 200 {
        return serde_json::from_slice(body).map_err(WhoamiError::Unreadable);
    }
    let mut error = ErrorBody::read(answer.status, body);
    if error.code == ErrorCode::NotFound {
        error.message = "there is no syncline server at this endpoint".to_owned();
    }
    Err(WhoamiError::Refused {
        error,
        retry_after: answer.retry_after,
    })
}
