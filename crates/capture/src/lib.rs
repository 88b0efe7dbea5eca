//! What coding agents leave on a machine, read into ops: transcripts, hooks, and the secrets taken out
//! before anything is written.
//!
//! It reads agents' files and never changes them.

pub mod agent;
mod aider;
mod clankers;
pub mod claude_code;
pub mod codex;
mod cursor;
pub mod facts;
mod gemini;
pub mod hook;
pub mod import;
mod machine;
mod opencode;
pub mod places;
pub mod privacy;
mod prompt;
mod reader;
mod recorded;
mod reference;
pub mod retention;
pub mod tail;
pub mod told;
mod unit;
mod value;
pub mod walk;

pub use syncline_redact as redact;
