//! The server over real TCP, URL by URL.
#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail as its own lines do"
)]

mod admin;
mod bad_input;
mod batch;
mod bootstrap;
mod disk;
mod document;
mod erasure;
mod health;
mod jwt;
mod limits;
mod lists;
mod log;
mod matrix;
mod nonsense;
mod pull;
mod push;
mod records;
mod reset;
mod sessions;
mod shapes;
mod stream;
mod support;
mod tenants;
mod threads;
mod tokens;
