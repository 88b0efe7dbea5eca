//! What documents are resolved to.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod fixtures;
mod golden;
mod properties;
