//! A stream: an answer that goes on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use syncline_replica::{Answer, AnswerBody, Call};
use tokio::time::{Instant, timeout_at};

use super::incoming::Incoming;
use super::{Coding, Head, Transport, TransportError, failure, head_of_answer};
use crate::traffic::Traffic;

/// An open stream of bytes.
#[derive(Debug)]
pub(crate) struct EventStream {
    response: Response,
    silence_max: Duration,
    /// When the peer counts as dead.
    dead_at: Instant,
    traffic: Arc<Traffic>,
}

/// What came of asking for a stream.
#[derive(Debug)]
pub(crate) enum Opened {
    Open(Box<EventStream>),
    /// Any answer but 200.
    Refused(Answer),
}

impl Transport {
    /// Opens a stream. When nothing, not even a heartbeat, comes for `silence_max`, it has failed.
    pub(crate) async fn open_stream(
        &self,
        call: Call,
        silence_max: Duration,
    ) -> Result<Opened, TransportError> {
        let bytes_max = call.answer_bytes_max;
        // Of a stream each event is wanted as it is written: it is not asked for as Zstandard.
        let response = head_of_answer(self.request(call)).await?;
        let incoming = Incoming::begin(response, Coding::Plain)?;
        if incoming.response().status() == StatusCode::OK {
            return Ok(Opened::Open(Box::new(EventStream {
                response: incoming.into_response(),
                silence_max,
                dead_at: Instant::now() + silence_max,
                traffic: Arc::clone(&self.traffic),
            })));
        }
        let head = Head::of(incoming.response());
        let body = self.whole_body(incoming, bytes_max).await?;
        Ok(Opened::Refused(head.with(AnswerBody::Bytes(body))))
    }
}

impl EventStream {
    /// The next bytes. The stream's end is an error too: it is not meant to have one.
    ///
    /// May be dropped before it is done, and called again: neither bytes nor silence are lost.
    pub(crate) async fn chunk(&mut self) -> Result<Bytes, TransportError> {
        let chunk = timeout_at(self.dead_at, self.response.chunk())
            .await
            .map_err(|_| TransportError::TimedOut)?
            .map_err(failure)?
            .ok_or(TransportError::StreamOver)?;
        self.dead_at = Instant::now() + self.silence_max;
        self.traffic.count_received(chunk.len());
        Ok(chunk)
    }

    /// Takes note that nobody listened for this long: that silence was ours.
    pub(crate) fn excuse(&mut self, busy: Duration) {
        self.dead_at += busy;
    }
}
