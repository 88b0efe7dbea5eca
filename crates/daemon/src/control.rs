//! The control socket's serving side: frames in, frames out, each connection on its own.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use syncline_capture::redact::read_json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::frame::{FrameError, framed, read_frame};
use crate::rpc::{Request, Response, RpcError};
use crate::socket::{Listener, Stream};

/// The most connections served at once.
const CONNECTIONS_MAX: usize = 256;
/// How long one more waits for another to end before it is told that there is no place for it.
const PLACE_WAIT: Duration = Duration::from_secs(1);
/// The most requests of one batch.
const BATCH_MAX: usize = 10_000;
/// How long a connection may be silent between messages: a plugin that comes back connects again, and one
/// that forgets its connections does not take all of them.
const IDLE: Duration = Duration::from_secs(600);
/// How long a message may take to come, once it has begun, and an answer to be read.
const STALL: Duration = Duration::from_secs(30);

/// A call: its method and parameters.
pub(crate) type Call = (String, Value);

/// What answers the calls of the control socket.
pub(crate) trait Methods: Send + Sync + 'static {
    /// Does calls in their order; an answer for each.
    fn call_all(
        &self,
        calls: Vec<Call>,
    ) -> impl Future<Output = Vec<Result<Value, RpcError>>> + Send;
}

/// Serves connections until the task is dropped.
pub(crate) async fn serve(mut listener: Listener, methods: Arc<impl Methods>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        match listener.accept().await {
            Ok(stream) => {
                let free = Arc::clone(&places).acquire_owned();
                let Ok(place) = timeout(PLACE_WAIT, free).await else {
                    send_away(stream).await;
                    continue;
                };
                let place = place.expect("it is never closed");
                let methods = Arc::clone(&methods);
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &*methods).await {
                        tracing::debug!(%error, "a control connection ended early");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, say: others must close before this can go on.
                tracing::warn!(%error, "could not accept a control connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Tells who connects that there is no place. It is told before anything is read, so that a caller who never
/// says a word holds nobody up.
async fn send_away(mut stream: Stream) {
    let message = format!("{CONNECTIONS_MAX} connections are open already: end one, or try again");
    let error = RpcError::new(RpcError::TOO_MANY_CONNECTIONS, message);
    let answer = framed(&written(&Response::new(Value::Null, Err(error))));
    let telling = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        Ok(())
    };
    if let Err(error) = within(PLACE_WAIT, telling).await {
        tracing::debug!(%error, "who found no place was not told");
    }
}

async fn converse(stream: Stream, methods: &impl Methods) -> Result<(), FrameError> {
    let mut stream = BufReader::new(stream);
    loop {
        match timeout(IDLE, stream.fill_buf()).await {
            Ok(begun) => {
                if begun?.is_empty() {
                    return Ok(());
                }
            }
            Err(_) => return Ok(()),
        }
        let body = within(STALL, read_frame(&mut stream)).await?;
        let Some(body) = body else { return Ok(()) };
        let Some(answer) = answer(body, methods).await else {
            continue;
        };
        let answer = framed(&answer);
        let writing = async {
            stream.get_mut().write_all(&answer).await?;
            stream.get_mut().flush().await?;
            Ok(())
        };
        within(STALL, writing).await?;
    }
}

/// Work on a connection that its peer must not hold up for longer.
async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, FrameError>>,
) -> Result<T, FrameError> {
    let done = timeout(patience, work).await;
    done.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

/// The answer to one message, a request or a batch of them; none to one that wants none.
async fn answer(body: Vec<u8>, methods: &impl Methods) -> Option<Vec<u8>> {
    let message = match read_json(&body) {
        Ok(message) => message,
        Err(error) => {
            let error = RpcError::new(RpcError::PARSE, format!("not JSON: {error}"));
            return Some(written(&Response::new(Value::Null, Err(error))));
        }
    };
    drop(body);
    match message {
        Value::Array(batch) if batch.is_empty() => Some(written(&refused("the batch is empty"))),
        Value::Array(batch) if batch.len() > BATCH_MAX => {
            let message = format!("the batch has more than {BATCH_MAX} requests");
            Some(written(&refused(message)))
        }
        Value::Array(batch) => {
            let responses = respond(batch, methods).await;
            (!responses.is_empty()).then(|| written(&responses))
        }
        single => {
            let responses = respond(vec![single], methods).await;
            responses.first().map(written)
        }
    }
}

fn written(answer: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).expect("a response is plain data")
}

fn refused(message: impl Into<String>) -> Response {
    let error = RpcError::new(RpcError::INVALID_REQUEST, message);
    Response::new(Value::Null, Err(error))
}

/// Does requests in their order; responses to those that want one.
async fn respond(messages: Vec<Value>, methods: &impl Methods) -> Vec<Response> {
    let mut calls = Vec::new();
    // What each message comes to: a call with the id of its answer, or a refusal.
    let mut fates = Vec::new();
    for message in messages {
        match serde_json::from_value::<Request>(message) {
            Ok(request) => {
                calls.push((request.method, request.params));
                fates.push(Ok(request.id));
            }
            Err(error) => fates.push(Err(refused(format!("not a JSON-RPC 2.0 request: {error}")))),
        }
    }
    let mut outcomes = methods.call_all(calls).await.into_iter();
    let responses = fates.into_iter().filter_map(|fate| match fate {
        Ok(id) => {
            let outcome = outcomes.next().expect("each call has an answer");
            id.map(|id| Response::new(id, outcome))
        }
        Err(refusal) => Some(refusal),
    });
    responses.collect()
}
