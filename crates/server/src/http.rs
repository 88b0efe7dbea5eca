//! What every request goes through: its id, who asks, what it may do, its body, and its answer.

mod answer;
mod body;
mod call;
mod dispatch;
mod request_id;
mod route;

pub(crate) use answer::{Answer, Coding};
pub(crate) use body::BodyBudget;
pub(crate) use call::{Call, read_json};
pub(crate) use dispatch::router;
pub(crate) use request_id::RequestId;
pub(crate) use route::{Access, BodyRule, Handler, Route};
