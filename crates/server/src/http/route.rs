//! A row of the route table.

use std::pin::Pin;

use axum::http::Method;
use syncline_store::control::Rights;

use super::{Answer, Call};
use crate::error::ApiError;

/// What answers a request.
pub(crate) type Handler =
    fn(Call) -> Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>;

/// A method of a path: who may call it, and what answers. The table of these makes the router, the
/// OpenAPI document and the test of who may do what.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// As axum writes paths: `/api/threads/{id}`.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) body: BodyRule,
    pub(crate) handler: Handler,
    /// One sentence for the OpenAPI document.
    pub(crate) summary: &'static str,
    /// The parameters of the query: name and meaning.
    pub(crate) query: &'static [(&'static str, &'static str)],
    /// The status of success.
    pub(crate) success: u16,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, without a credential.
    Open,
    /// Whoever has these rights.
    Needs(Rights),
}

/// What body a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyRule {
    /// None: one that is sent is not read.
    Ignored,
    /// Up to the server's limit for pushes.
    Log,
    /// Up to so many bytes, expanded.
    Small(usize),
}
