//! Why a whole request is refused; nothing of it is then in the log.

use std::time::Duration;

use syncline_model::{Epoch, Lineage, ServerSeq};
use syncline_store::{OpenError, StoreError};

/// How long a client waits before it tries again where the disk is full: somebody must make room.
pub const FULL_RETRY_AFTER: Duration = Duration::from_secs(30);
/// How long a client waits before it tries again after a failed commit: the file is opened anew at
/// once.
pub const UNAVAILABLE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a whole request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("the log is in another epoch")]
    EpochChanged {
        epoch: Epoch,
        /// The epochs that the log has had, oldest first.
        lineage: Vec<Lineage>,
    },
    #[error("the place is not one of this log")]
    LogDiverged { head: ServerSeq },
    #[error("the place is below the floor")]
    RebuildRequired { floor: ServerSeq },
    #[error("the client id is another user's")]
    ForeignClient,
    #[error("the epoch is not the one that the request is for")]
    EpochMismatch { epoch: Epoch },
    /// Somebody has pushed the last clock there is; only a new tenant helps.
    #[error("the log's clocks are used up")]
    ClocksExhausted,
    #[error("the request made the server panic")]
    Panicked,
    #[error("the commit that the request was part of has failed")]
    NotCommitted,
    #[error("the disk is full")]
    StorageFull(#[source] StoreError),
    /// The outcome is not known: the client asks again, and what took a place is a duplicate then.
    #[error("the log could not be written")]
    Unavailable(#[source] StoreError),
    #[error("the log could not be opened")]
    Open(#[source] OpenError),
    #[error("the log is damaged")]
    Damaged(#[source] StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) => Self::StorageFull(error),
            StoreError::Damaged { .. } => Self::Damaged(error),
            StoreError::Busy(_) | StoreError::Sqlite(_) => Self::Unavailable(error),
        }
    }
}

impl From<OpenError> for Refused {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Store {
                source: source @ StoreError::Full(_),
                ..
            } => Self::StorageFull(source),
            other => Self::Open(other),
        }
    }
}
