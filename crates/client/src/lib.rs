//! Joins a replica to a server: HTTP, server-sent events, and the loop between them.
//!
//! It decides nothing about ops. It carries the calls of [`syncline_replica`]'s engine to the server
//! and the answers back, keeps time, and tells what sync is doing. Nothing is sent anywhere before
//! an [`Endpoint`] is given.

mod ask;
mod document;
mod driver;
mod endpoint;
mod handle;
mod inbox;
mod operator;
mod schema;
#[cfg(test)]
mod scripted;
mod settings;
mod status;
mod token;
mod traffic;
mod transport;
mod whoami;

pub use ask::AskError;
pub use document::{FetchError, fetch_text, told_address};
pub use endpoint::{Endpoint, EndpointError};
pub use handle::{
    StartError, SyncEnd, SyncHandle, SyncOutcome, start, sync_once, sync_once_and_compact,
};
pub use operator::{Health, health, reset};
pub use schema::{
    SchemaApplied, SchemaChange, SchemaOnServer, ViolatingRecords, apply_schema, breaking_changes,
    diff_schema, schema,
};
pub use settings::{Delivery, Remote, SyncSettings};
pub use status::{Phase, SyncFailure, SyncStatus};
pub use token::{Token, TokenError};
pub use traffic::TrafficCount;
pub use transport::TransportError;
pub use whoami::{Member, whoami};
