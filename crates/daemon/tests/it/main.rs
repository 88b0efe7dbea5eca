//! Daemons on real sockets, with real replicas and servers.
#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail as its own lines do"
)]
#![cfg(unix)]

mod control_socket;
mod documented;
mod hooks;
mod house;
mod plugin;
mod plugin_calls;
mod plugin_socket;
mod plugins;
mod sync;
mod watching;
