//! The words that replica and server exchange, and both sides of a sync session as pure state machines.
//!
//! Nothing here does I/O, reads a clock or draws a random number: bytes, times and seeds are
//! arguments. The same code therefore runs under the real transports and in the simulator.

mod admit;
mod answer;
mod backoff;
mod code;
mod cursor;
mod decode;
mod echo;
mod error_body;
mod failure;
mod json;
mod judge;
mod lineage;
mod op;
mod page;
mod push;
mod query;
mod reset;
mod scan;
mod sse;

pub mod limits;
pub mod session;
pub mod tables;

pub use admit::{
    Admission, Claims, EpochClaim, FetchClaim, HealClaim, LogFacts, PlaceClaim, admit, decide,
};
pub use answer::{OpResult, PushAnswer, ReceivedAnswer, Verdict};
pub use backoff::{Backoff, RetryClass, WAIT_MAX};
pub use code::{ErrorCode, Remedy};
pub use cursor::{CursorTextError, cursor_text, parse_cursor_text};
pub use decode::DecodeError;
pub use echo::{EchoParts, KeyEcho};
pub use error_body::{Details, ErrorBody};
pub use failure::parse_retry_after;
pub use judge::{ActorOwner, KeyFacts, Offer, judge_envelope, judge_key};
pub use limits::Limits;
pub use lineage::{EpochChange, EpochMode, Kinship, Lineage, Parent};
pub use op::{OfferedOp, OpError, WireOp};
pub use page::{PageEncoder, PageEnd, PullPage};
pub use push::{PushRequest, ReceivedOp, ReceivedPush};
pub use query::{BootstrapQuery, PullQuery, StreamQuery};
pub use reset::{ResetAnswer, ResetRequest, parse_if_match};
pub use sse::{
    HEARTBEAT, STREAM_TYPE, StreamError, StreamEvent, StreamMessage, StreamParser, encode_event,
};
