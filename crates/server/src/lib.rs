//! The server: tenants, tokens, and the log over HTTP.

mod auth;
mod metrics;

pub mod tenant;

pub use auth::*;
