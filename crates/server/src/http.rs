//! What every request goes through: its id, who asks, what it may do, its body, and its answer.

mod answer;
mod body;
mod call;
mod coding;
mod direction;
mod dispatch;
mod etag;
mod path;
mod percent;
mod request_id;
mod route;
pub(crate) mod zstandard;

pub(crate) use answer::{Answer, COMPRESS_FROM, Content};
pub(crate) use body::{BodyBudget, BodyLimit, HeldBytes, ReceivedBody, read_body};
pub(crate) use call::{Call, asker_of};
pub(crate) use coding::{Coding, LogCoding, gzip, zstd};
pub(crate) use dispatch::router;
pub(crate) use etag::{IfMatch, is_known};
pub(crate) use path::settle_path;
pub(crate) use percent::decoded_text;
pub(crate) use request_id::RequestId;
pub(crate) use route::{Access, BodyRule, Contract, Route};
