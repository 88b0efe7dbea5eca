//! The long-lived process of a machine: keeps one profile's replica in sync, captures what coding agents
//! do as they do it, and answers commands, plugins and hooks on a control socket.
//!
//! Everything works without it; with it, things happen sooner. It reads no configuration itself: its
//! caller says what to follow, and where it lies. It never prints.

mod caller;
mod capture;
mod control;
mod follow;
mod frame;
mod instance;
mod plugin;
mod read;
mod record;
mod rpc;
mod service;
mod socket;
mod watch;

pub use caller::{CallError, call};
pub use capture::{CaptureSettings, Captured};
pub use follow::{Followed, ReadSettings, Settings};
pub use frame::{FrameError, MESSAGE_BYTES_MAX, framed, read_frame_blocking, write_frame};
pub use instance::{Instance, InstanceError};
pub use rpc::{Outcome, Request, Response, RpcError, Version};
pub use service::{Config, DaemonError, PROTOCOL, ReadyDaemon, prepare};
pub use socket::SocketError;
