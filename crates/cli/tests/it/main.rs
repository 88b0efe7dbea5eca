//! The real binary, run as a user or an agent would, each time on a machine of its own.

mod config;
mod doctor;
mod logs;
mod machine;
mod reference;
mod thread_read;
mod thread_transfer;
mod thread_write;
mod token;
mod usage;
