//! One question to a server, apart from sync, and its answer.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use syncline_protocol::{ErrorBody, ErrorCode};
use syncline_replica::{Answer, AnswerBody, Call, Method, RealHost};

use crate::transport::{Transport, TransportError};
use crate::{Remote, StartError};

/// Far more than any of these answers holds, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
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

/// Asks on this thread, for `patience` at most.
pub(crate) fn ask_blocking<T>(
    remote: &Remote,
    patience: Duration,
    question: impl AsyncFnOnce(Transport) -> Result<T, AskError>,
) -> Result<T, AskError> {
    let runtime =
        crate::driver::runtime().map_err(|error| AskError::Start(StartError::Runtime(error)))?;
    let asked = runtime.block_on(async {
        let transport = Transport::new(remote, Arc::new(RealHost::new()), Arc::default())
            .map_err(AskError::Transport)?;
        let asked = tokio::time::timeout(patience, question(transport)).await;
        asked.unwrap_or(Err(AskError::Transport(TransportError::TimedOut)))
    });
    // A name look-up may still be under way; nobody waits for it.
    runtime.shutdown_background();
    asked
}

/// A call whose answer is a small JSON object.
pub(crate) fn call(method: Method, path: &'static str, body: Option<Vec<u8>>) -> Call {
    Call {
        method,
        path,
        query: String::new(),
        accept: "application/json",
        body,
        save_to: None,
        answer_bytes_max: ANSWER_BYTES_MAX,
    }
}

/// Reads an answer.
pub(crate) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, AskError> {
    let body = match &answer.body {
        AnswerBody::Bytes(bytes) => bytes.as_slice(),
        AnswerBody::Saved => &[],
    };
    if answer.status == 200 {
        return serde_json::from_slice(body).map_err(AskError::Unreadable);
    }
    let mut error = ErrorBody::read(answer.status, body);
    if error.code == ErrorCode::NotFound {
        error.message = "there is no syncline server at this endpoint".to_owned();
    }
    Err(AskError::Refused {
        error,
        retry_after: answer.retry_after,
    })
}
