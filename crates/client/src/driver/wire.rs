//! What is out: the call, the stream and the timer that an engine has asked for.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use syncline_protocol::limits::STREAM_SILENCE_MAX;
use syncline_replica::{Answer, Call, CallId, EngineEvent, Output, StreamId, Unanswered};
use tokio::time::{Instant, sleep_until};

use crate::transport::{EventStream, Opened, Transport, TransportError};

/// Carries an engine's outputs through a transport.
pub(super) struct Wire {
    transport: Transport,
    call: Option<(CallId, BoxFuture<'static, Result<Answer, TransportError>>)>,
    stream: Option<(StreamId, Stream)>,
    timer: Option<Instant>,
}

enum Stream {
    Opening(BoxFuture<'static, Result<Opened, TransportError>>),
    Open(Box<EventStream>),
}

impl Wire {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            transport,
            call: None,
            stream: None,
            timer: None,
        }
    }

    /// Does what an engine asks for.
    pub(super) fn carry(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { call, request } => self.call = Some((call, self.send(request))),
                Output::Cancel(call) => {
                    self.call.take_if(|(out, _)| *out == call);
                }
                Output::OpenStream { stream, request } => {
                    self.stream = Some((stream, Stream::Opening(self.open(request))));
                }
                Output::CloseStream(stream) => {
                    self.stream.take_if(|(open, _)| *open == stream);
                }
                Output::WakeAfter(time) => self.timer = Some(Instant::now() + time),
                // The session's state says the same.
                Output::Finished => {}
            }
        }
    }

    fn send(&self, request: Call) -> BoxFuture<'static, Result<Answer, TransportError>> {
        let transport = self.transport.clone();
        async move { transport.call(request).await }.boxed()
    }

    fn open(&self, request: Call) -> BoxFuture<'static, Result<Opened, TransportError>> {
        let transport = self.transport.clone();
        async move { transport.open_stream(request, STREAM_SILENCE_MAX).await }.boxed()
    }

    /// What happens next. May be dropped before it is done, and called again.
    pub(super) async fn next(&mut self) -> EngineEvent {
        tokio::select! {
            event = ended(&mut self.call) => event,
            event = heard(&mut self.stream) => event,
            () = due(&mut self.timer) => EngineEvent::TimerFired,
        }
    }

    /// Takes note that nobody listened for this long.
    pub(super) fn excuse(&mut self, busy: Duration) {
        if let Some((_, Stream::Open(stream))) = &mut self.stream {
            stream.excuse(busy);
        }
    }
}

/// The end of the call that is out.
async fn ended(
    slot: &mut Option<(CallId, BoxFuture<'static, Result<Answer, TransportError>>)>,
) -> EngineEvent {
    let Some((call, future)) = slot else {
        return std::future::pending().await;
    };
    let (call, answer) = (*call, future.await);
    *slot = None;
    EngineEvent::Answered {
        call,
        answer: answer.map_err(unanswered),
    }
}

/// What the stream brings.
async fn heard(slot: &mut Option<(StreamId, Stream)>) -> EngineEvent {
    let Some((stream, state)) = slot else {
        return std::future::pending().await;
    };
    let stream = *stream;
    let outcome = match state {
        Stream::Opening(opening) => match opening.await {
            Ok(Opened::Open(open)) => {
                *state = Stream::Open(open);
                return EngineEvent::StreamOpened { stream };
            }
            Ok(Opened::Refused(answer)) => Ok(answer),
            Err(error) => Err(error),
        },
        Stream::Open(open) => match open.chunk().await {
            Ok(bytes) => {
                return EngineEvent::StreamBytes {
                    stream,
                    bytes: bytes.into(),
                };
            }
            Err(error) => Err(error),
        },
    };
    *slot = None;
    match outcome {
        Ok(answer) => EngineEvent::StreamRefused { stream, answer },
        Err(error) => EngineEvent::StreamEnded {
            stream,
            cause: unanswered(error),
        },
    }
}

async fn due(timer: &mut Option<Instant>) {
    let Some(at) = *timer else {
        return std::future::pending().await;
    };
    sleep_until(at).await;
    *timer = None;
}

fn unanswered(error: TransportError) -> Unanswered {
    error.into_unanswered()
}
