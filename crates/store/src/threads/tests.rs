//! Threads in a real tenant file.

mod plans;
mod queries;
mod references;
mod transfer;
mod vault;
pub(crate) mod world;
