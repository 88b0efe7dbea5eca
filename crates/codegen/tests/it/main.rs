//! What documents are resolved to.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod access;
mod bad_input;
mod client;
mod contradictions;
mod declared;
mod documents;
mod entities;
mod extensions;
mod fields;
mod fixtures;
mod golden;
mod groups;
mod layout;
mod nested;
mod properties;
mod sample;
mod schemas;
mod strays;
mod typescript;
mod unions;
