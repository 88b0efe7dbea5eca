//! Whether, where and how to sync.

use std::time::Duration;

use syncline_protocol::session;

use crate::{Endpoint, Token};

/// Whether, where and how to sync.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SyncSettings {
    /// No endpoint is set, or sync is turned off: no network call is made.
    #[default]
    Off,
    On(Remote),
}

/// A server to sync with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    pub endpoint: Endpoint,
    /// None for a server that asks for none.
    pub token: Option<Token>,
    pub delivery: Delivery,
}

/// How to hear of others' writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once, by a stream; by polling at this interval where that fails.
    Live { interval: Duration },
    /// By polling at this interval.
    Poll { interval: Duration },
}

impl From<Delivery> for session::Delivery {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Live { interval } => Self::Live { interval },
            Delivery::Poll { interval } => Self::Poll { interval },
        }
    }
}
