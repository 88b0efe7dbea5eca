//! The server over real TCP, URL by URL.
#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail as its own lines do"
)]

mod bad_input;
mod bootstrap;
mod document;
mod health;
mod limits;
mod matrix;
mod pull;
mod push;
mod reset;
mod stream;
mod support;
mod threads;
mod tokens;
