//! The long-lived process of a machine: keeps one profile's replica in sync, and answers commands on
//! a control socket.
//!
//! Everything works without it; with it, things happen sooner. It reads no configuration itself: its
//! caller says what to follow, and where it lies. It never prints.

mod caller;
mod control;
mod follow;
mod frame;
mod instance;
mod rpc;
mod service;
mod socket;

pub use caller::{CallError, call};
pub use follow::{Followed, ReadSettings};
pub use frame::{FrameError, MESSAGE_BYTES_MAX, framed, read_frame_blocking, write_frame};
pub use instance::{Instance, InstanceError};
pub use rpc::{Outcome, Request, Response, RpcError, Version};
pub use service::{Config, DaemonError, PROTOCOL, ReadyDaemon, prepare};
pub use socket::SocketError;
