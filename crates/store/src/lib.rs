//! The tenant file: one tenant's log and the view folded from it, in one SQLite file, the same on a
//! server node and in a replica.
//!
//! All SQL of Syncline is here. A store never decides whether an op is taken: its caller does. It
//! never reads a clock, and it never reaches the network.

mod check;
mod failed_write;
mod file;
mod full;
mod hex;
mod private;
mod schema;
mod snapshot;
mod tenant;
mod view;

pub use check::quick_check;
pub use failed_write::{is_failed_write, is_refused_write};
pub use file::{Durability, FileOptions, OpenError, StoreError, sqlite_version};
pub use tenant::{
    AppendError, Appended, Applied, ApplyError, Batch, ClientRecord, Collecting, Compacted,
    Compaction, Contact, DROPPED_REQUESTS_MAX, EmptyTries, EpochMode, Fill, Forgetting, Head,
    KnownRequest, Lineage, LogCensus, LogLeft, LogStart, OneIn, Outbox, Owed, PageLimit, Parent,
    PendingOp, PulledPage, REFUSALS_MAX, REQUEST_ACTOR, RawOp, Refusal, RequestTrace, ResourceKey,
    Stepped, TenantFile, VerifyError, ViewTotals,
};

pub mod backup;
pub mod checklist;
pub mod control;
pub mod foreign;
pub mod lists;
pub mod local;
pub mod records;
pub mod search;
pub mod sessions;
pub mod shapes;
pub mod sql;
pub mod threads;
