//! Replicas and a real server, over real sockets.
#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail as its own lines do"
)]

mod compaction;
mod house;
mod live;
mod login;
mod processes;
mod proxy;
mod recovery;
mod roles;
mod trouble;
