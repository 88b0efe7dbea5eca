//! What coding agents leave on a machine, read into ops: transcripts, hooks, and the secrets taken out
//! before anything is written.
//!
//! It reads agents' files and never changes them.

pub mod agent;
pub mod places;
pub mod tail;
pub mod walk;
