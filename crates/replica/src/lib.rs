//! A replica: a local file and a tenant file in one directory, and the public API for applications.
//!
//! Open it, write ops, read the view, subscribe to changes; a sync engine (see [`Engine`]) joins it
//! to a server through any transport. A write is on the disk when it returns, with or without a
//! server.
//!
//! ```
//! use syncline_model::Payload;
//! use syncline_replica::{NewOp, Replica, ReplicaOptions};
//!
//! # let directory = tempfile::tempdir()?;
//! let mut replica = Replica::open(directory.path(), ReplicaOptions::default())?;
//! let subscription = replica.subscribe();
//! replica.write(&[NewOp {
//!     scope: "note".parse()?,
//!     resource: "n-1".parse()?,
//!     payload: Payload::parse(r#"{"text":"on the disk when this returns"}"#)?,
//! }])?;
//! assert!(subscription.take().is_some());
//! assert_eq!(replica.status()?.pending(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! This crate never reaches the network, and touches no file but through SQLite and its [`Host`].

mod backup;
mod changes;
mod engine;
mod error;
mod host;
mod mend;
mod place;
mod replica;
#[cfg(test)]
mod testing;

pub use backup::{RestoreError, back_up, restore};
pub use changes::{CHANGES_NAMED_MAX, Changes, Subscription};
pub use engine::{
    Answer, AnswerBody, Call, CallId, Engine, EngineEvent, Method, NotStarted, Output,
    PREPARED_FILE_TYPE, Start, StreamId, Unanswered,
};
pub use error::ReplicaError;
pub use host::{FileIdentity, Host, Lease, RealHost};
pub use mend::set_aside_if_damaged;
pub use place::DAEMON_LOCK_NAME;
pub use replica::{
    BeforeSync, LaterWords, ListError, ListHistory, ListsChanged, ListsReversed, Looked, OpState,
    PendingThings, RecordChange, RecordError, RecordOutcome, RecordsWritten, Replica,
    ReplicaOptions, Retried, ScopeStatus, Status, SyncedThings, Things, WriteWithError, Written,
};
pub use syncline_model::compaction::Outdone;
pub use syncline_store::local::{
    Cut, LOCAL_FILE_NAME, ListChange, ListStep, LostEdit, NewOp, QuarantineId, QuarantinedOp,
    SyncError, SyncNotes, UntoldLoss, WriteError,
};
