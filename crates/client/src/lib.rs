//! Joins a replica to a server: HTTP, server-sent events, and the loop between them.
//!
//! It decides nothing about ops. It carries the calls of [`syncline_replica`]'s engine to the server
//! and the answers back, keeps time, and tells what sync is doing. Nothing is sent anywhere before
//! an [`Endpoint`] is given.

mod endpoint;
mod token;
mod traffic;
mod transport;
#[cfg(test)]
mod scripted;

pub use endpoint::{Endpoint, EndpointError};
pub use token::{Token, TokenError};
pub use traffic::TrafficCount;
pub use transport::TransportError;
