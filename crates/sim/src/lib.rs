//! Seeded worlds of replicas and a server that prove the promises of sync, or break them.
//!
//! A world is one number: it decides how many machines there are, what their users write, what the
//! network loses, and what befalls the disks. All code that is tested is the real one; clock,
//! network, randomness and disk are substituted. When the trouble is over everything heals, and the
//! world must come to rest: every op that was reported as written is in the log once, all replicas
//! are equal row by row, no outbox holds anything.
//!
//! A seed replays exactly. [`run`] gives a digest of the history, by which two runs are compared.
//!
//! **Invariant:** no second log, fold or session is here. The oracle knows ops by the digest of their
//! payload, and nothing of places, keys or rows.

mod chance;
mod coverage;
mod defects;
mod dials;
mod host;
mod oracle;
mod runner;
mod schedule;
mod server;
mod trace;
mod workload;
mod world;

pub use coverage::{Coverage, Happening};
pub use defects::{Found, defect_named, first_seed_that_finds};
pub use oracle::{Tally, Violation};
pub use runner::{Failure, Outcome, Report, run, run_many, run_traced};
pub use trace::Sink;
