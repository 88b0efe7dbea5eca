//! A stream: an answer that goes on.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::{Answer, Request, Transport, TransportError, failure};
use crate::traffic::Traffic;

/// An open stream of bytes.
#[derive(Debug)]
pub(crate) struct EventStream {
    response: Response,
    silence_max: Duration,
    /// When the peer counts as dead.
    dead_at: Instant,
    traffic: std::sync::Arc<Traffic>,
}

/// What came of asking for a stream.
#[derive(Debug)]
pub(crate) enum Opened {
    Open(EventStream),
    /// Any answer but 200.
    Refused(Answer),
}

impl Transport {
    /// Opens a stream. When nothing, not even a heartbeat, comes for `silence_max`, it has failed.
    pub(crate) async fn open_stream(
        &self,
        request: Request,
        silence_max: Duration,
    ) -> Result<Opened, TransportError> {
        let bytes_max = request.answer_bytes_max;
        let response = self.send(request).await?;
        if response.status() == reqwest::StatusCode::OK {
            return Ok(Opened::Open(EventStream {
                response,
                silence_max,
                dead_at: Instant::now() + silence_max,
                traffic: std::sync::Arc::clone(&self.traffic),
            }));
        }
        Ok(Opened::Refused(
            self.whole_answer(response, bytes_max).await?,
        ))
    }
}

impl EventStream {
    /// The next bytes; none when the server has ended the stream.
    ///
    /// May be dropped before it is done, and called again: neither bytes nor silence are lost.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, TransportError> {
        let chunk = timeout_at(self.dead_at, self.response.chunk())
            .await
            .map_err(|_| TransportError::TimedOut)?
            .map_err(failure)?;
        self.dead_at = Instant::now() + self.silence_max;
        self.traffic
            .count_received(chunk.as_ref().map_or(0, Bytes::len));
        Ok(chunk)
    }

    /// Takes note that nobody listened for this long: that silence was ours.
    pub(crate) fn excuse(&mut self, busy: Duration) {
        self.dead_at += busy;
    }
}
