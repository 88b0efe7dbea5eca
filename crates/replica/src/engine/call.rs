//! What an engine asks of its transport, and what it is told.

use std::path::PathBuf;
use std::time::Duration;

use syncline_protocol::session::Settings;

/// The media type of a prepared tenant file.
pub const PREPARED_FILE_TYPE: &str = "application/vnd.sqlite3";

/// Names a call. An answer to a call that was cancelled, or to any but the last, is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// Names a stream. What comes of one that was closed is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
}

/// A request, for a transport to carry. It adds the endpoint and the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: Method,
    /// Below the endpoint, without a leading slash: `sync/push`.
    pub path: &'static str,
    /// Percent-encoded, without the question mark; empty: none.
    pub query: String,
    /// The media type wanted.
    pub accept: &'static str,
    /// JSON.
    pub body: Option<Vec<u8>>,
    /// Where an answer of status 200 and of the type [`PREPARED_FILE_TYPE`] goes, expanded, by
    /// [`Host::write`](crate::Host::write). Any other answer is taken into memory.
    pub save_to: Option<PathBuf>,
    /// The largest body to take into memory, expanded, in bytes.
    pub answer_bytes_max: usize,
}

/// What the server answered, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Without its parameters, in lower case.
    pub media_type: Option<String>,
    /// The value of `Retry-After`.
    pub retry_after: Option<Duration>,
    pub body: AnswerBody,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerBody {
    /// Expanded.
    Bytes(Vec<u8>),
    /// The body is in the file that the call named.
    Saved,
}

/// There was no whole answer; the request may or may not have been done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// Why, with its causes, for people.
    pub message: String,
}

/// Something that has happened, told to an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineEvent {
    /// Whether and how to sync; at the start, and whenever it changes, also to another endpoint.
    Configured(Settings),
    /// There is a new token.
    LoginChanged,
    /// The outbox may have gained ops, through another handle or process.
    LocalWrite,
    /// Somebody asks for a sync now.
    Wake,
    /// The time asked for by the last [`Output::WakeAfter`] has passed.
    TimerFired,
    /// The process ends.
    Stopped,
    /// There is time for a step of compaction, over so many ops; see [`Engine::could_compact`].
    ///
    /// [`Engine::could_compact`]: super::Engine::could_compact
    Rest { ops: usize },
    /// A call has ended.
    Answered {
        call: CallId,
        answer: Result<Answer, Unanswered>,
    },
    /// A stream was answered 200.
    StreamOpened { stream: StreamId },
    /// A stream was answered otherwise.
    StreamRefused { stream: StreamId, answer: Answer },
    /// Bytes of a stream, cut anywhere.
    StreamBytes { stream: StreamId, bytes: Vec<u8> },
    /// A stream could not be opened, fell silent, or has ended.
    StreamEnded { stream: StreamId, cause: Unanswered },
}

/// Something for the transport to do, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Carry a call; its end is [`EngineEvent::Answered`]. At most one is out at a time.
    Send {
        call: CallId,
        request: Call,
    },
    /// Nobody waits for this call any more.
    Cancel(CallId),
    /// Open a stream of server-sent events. At most one is open at a time.
    OpenStream {
        stream: StreamId,
        request: Call,
    },
    CloseStream(StreamId),
    /// Tell [`EngineEvent::TimerFired`] after this time, instead of any asked for before.
    WakeAfter(Duration),
    /// Everything is pushed and pulled; with [`Delivery::Once`] nothing more will happen.
    ///
    /// [`Delivery::Once`]: syncline_protocol::session::Delivery::Once
    Finished,
}
