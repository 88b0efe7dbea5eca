//! A row of the route table.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use syncline_store::control::Rights;

use super::{Answer, Call};
use crate::error::ApiError;
use crate::metrics::{Counter, Histogram};

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
    pub(crate) contract: Contract,
    pub(crate) counts: RouteCounts,
}

impl Route {
    /// A route that takes no body, knows no query, and answers 200.
    pub(crate) fn new(
        method: Method,
        path: &'static str,
        access: Access,
        summary: &'static str,
        handler: Handler,
    ) -> Self {
        Self {
            method,
            path,
            access,
            body: BodyRule::Ignored,
            handler,
            summary,
            query: &[],
            success: 200,
            contract: Contract::Own,
            counts: RouteCounts::default(),
        }
    }

    #[must_use]
    pub(crate) fn body(mut self, body: BodyRule) -> Self {
        self.body = body;
        self
    }

    #[must_use]
    pub(crate) fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Self {
        self.query = query;
        self
    }

    #[must_use]
    pub(crate) fn contract(mut self, contract: Contract) -> Self {
        self.contract = contract;
        self
    }

    #[must_use]
    pub(crate) fn success(mut self, status: u16) -> Self {
        self.success = status;
        self
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// How often a route was answered, and how fast.
#[derive(Debug)]
pub(crate) struct RouteCounts {
    /// By class of status: 1xx to 5xx.
    pub(crate) by_class: [Counter; 5],
    pub(crate) durations: Histogram,
}

impl Default for RouteCounts {
    fn default() -> Self {
        Self {
            by_class: Default::default(),
            durations: Histogram::seconds(),
        }
    }
}

impl RouteCounts {
    pub(crate) fn observe(&self, status: StatusCode, duration: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.by_class[class - 1].add(1);
        self.durations.observe_duration(duration);
    }
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, without a credential.
    Open,
    /// Whoever has these rights.
    Needs(Rights),
    /// Who runs the server: no tenant's token reaches it.
    Operator,
}

/// Whose words a route speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contract {
    /// Ours: errors in our form, nothing kept by caches, pages of our own origin.
    Own,
    /// Electric's: answers say how long they keep, pages of any origin may ask, and a credential may be
    /// a parameter.
    Shapes,
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
