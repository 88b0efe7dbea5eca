//! The words that replica and server exchange, and both sides of a sync session as pure state machines.
//!
//! Nothing here does I/O, reads a clock or draws a random number: bytes, times and seeds are
//! arguments. The same code therefore runs under the real transports and in the simulator.

mod backoff;
mod lineage;

pub mod session;

pub use backoff::{Backoff, RetryClass, WAIT_MAX};
pub use lineage::{EpochChange, EpochMode, Lineage, Parent};
