//! The other end of the control socket: one call from a command to the daemon, without a runtime.

use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::frame::{FrameError, read_frame_blocking, write_frame};
use crate::rpc::{Outcome, Request, Response, RpcError};
use crate::socket;

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("no daemon runs")]
    NotRunning,
    #[error("the daemon did not answer in time")]
    TimedOut,
    #[error("the daemon's answer can't be read")]
    BadAnswer(#[source] Option<serde_json::Error>),
    #[error("the daemon refused the call")]
    Refused(#[source] RpcError),
    #[error("could not talk to the daemon")]
    Frame(#[source] FrameError),
}

/// Calls `method` on the daemon at `path`; waits for its answer for `patience` at most.
pub fn call(
    path: &Path,
    method: &str,
    params: Value,
    patience: Duration,
) -> Result<Value, CallError> {
    let mut stream = socket::connect(path, patience).map_err(|_| CallError::NotRunning)?;
    let request = serde_json::to_vec(&Request::call(method, params))
        .map_err(|error| CallError::BadAnswer(Some(error)))?;
    write_frame(&mut stream, &request).map_err(|error| frame_error(FrameError::Io(error)))?;
    let answer = read_frame_blocking(&mut BufReader::new(stream)).map_err(frame_error)?;
    let answer = answer.ok_or(CallError::BadAnswer(None))?;
    let response: Response =
        serde_json::from_slice(&answer).map_err(|error| CallError::BadAnswer(Some(error)))?;
    match response.outcome {
        Outcome::Result(result) => Ok(result),
        Outcome::Error(error) => Err(CallError::Refused(error)),
    }
}

fn frame_error(error: FrameError) -> CallError {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    match error {
        FrameError::Io(io) if matches!(io.kind(), TimedOut | WouldBlock) => CallError::TimedOut,
        error => CallError::Frame(error),
    }
}
