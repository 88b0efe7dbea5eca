//! The wire, the stream, the admission and the session, seen from outside.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail as its own lines do"
)]

mod admission;
mod answers;
mod document;
mod generators;
mod liveness;
mod pages;
mod pushes;
mod queries;
mod recoveries;
mod refusals;
mod sessions;
mod streams;
