//! Why a whole request is refused; nothing of it is then in the log.

use std::time::Duration;

use syncline_model::{Epoch, Lineage, ServerSeq};
use syncline_protocol::{Details, ErrorCode};
use syncline_store::backup::BackupError;
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
    #[error("the log could not be read")]
    Unread(#[source] StoreError),
    #[error("the log could not be opened")]
    Open(#[source] OpenError),
    #[error("the log is damaged")]
    Damaged(#[source] StoreError),
    #[error("could not start a thread for the log")]
    Thread(#[source] std::io::Error),
    #[error("could not make a file beside the log")]
    File(#[source] std::io::Error),
    #[error("could not keep the log before it is reset")]
    NotKept(#[source] Box<BackupError>),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) => Self::StorageFull(error),
            StoreError::Damaged { .. } => Self::Damaged(error),
            StoreError::Busy(_) | StoreError::Sqlite(_) | StoreError::NewerFold { .. } => {
                Self::Unavailable(error)
            }
        }
    }
}

impl Refused {
    /// What a failure is called where nothing was to be written.
    pub fn of_read(self) -> Self {
        match self {
            Self::Unavailable(error) => Self::Unread(error),
            other => other,
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

impl Refused {
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::EpochChanged { .. } => ErrorCode::EpochChanged,
            Self::LogDiverged { .. } => ErrorCode::LogDiverged,
            Self::RebuildRequired { .. } => ErrorCode::RebuildRequired,
            Self::ForeignClient => ErrorCode::Forbidden,
            Self::EpochMismatch { .. } => ErrorCode::PreconditionFailed,
            Self::ClocksExhausted | Self::Panicked => ErrorCode::Internal,
            Self::StorageFull(_) => ErrorCode::StorageFull,
            Self::File(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                ErrorCode::StorageFull
            }
            Self::NotKept(error) if error.is_disk_full() => ErrorCode::StorageFull,
            Self::NotCommitted
            | Self::NotKept(_)
            | Self::Unavailable(_)
            | Self::Unread(_)
            | Self::Open(_)
            | Self::Damaged(_)
            | Self::Thread(_)
            | Self::File(_) => ErrorCode::Unavailable,
        }
    }

    /// What has happened and what to do, for who asked.
    pub fn advice(&self) -> String {
        match self {
            Self::EpochChanged { epoch, .. } => {
                format!(
                    "the log is in epoch {epoch}: take it over, and rebuild if its parent says so"
                )
            }
            Self::LogDiverged { head } => format!(
                "the place and mark are not this log's, whose head is {head}: \
                 find the last common place, and rebuild"
            ),
            Self::RebuildRequired { floor } => format!(
                "the log is kept from place {floor} on: rebuild from place 0; \
                 what is in the outbox stays"
            ),
            Self::ForeignClient => {
                "the clientId is another user's: take a new one, or log in as that user".into()
            }
            Self::EpochMismatch { epoch } => {
                format!("the log is in epoch {epoch}: look at it again before resetting it")
            }
            Self::ClocksExhausted => {
                "the log's clocks are used up: reset can't help, take a new tenant".into()
            }
            Self::Panicked => {
                "the server has failed on this request; its log has the cause under this request id"
                    .into()
            }
            Self::StorageFull(_) => {
                "the server's disk is full; nothing of the request was kept, try again later".into()
            }
            Self::NotKept(_) => {
                "the log could not be copied before it is reset, and stays as it is; the server's \
                 operator finds the cause in its log"
                    .into()
            }
            Self::NotCommitted | Self::Unavailable(_) => {
                "the log could not be written; ask again, what was kept counts once".into()
            }
            Self::Unread(_) => "the log could not be read; ask again".into(),
            Self::Open(_) | Self::Damaged(_) | Self::Thread(_) | Self::File(_) => {
                "the tenant's log can't be opened; the server's operator finds the cause in its log"
                    .into()
            }
        }
    }

    /// What a client needs to go on by itself.
    pub fn details(&self) -> Details {
        match self {
            Self::EpochChanged { epoch, lineage } => Details::EpochChanged {
                epoch: *epoch,
                lineage: lineage.clone(),
            },
            Self::LogDiverged { head } => Details::LogDiverged { head: *head },
            Self::RebuildRequired { floor } => Details::RebuildRequired { floor: *floor },
            Self::EpochMismatch { .. }
            | Self::ForeignClient
            | Self::ClocksExhausted
            | Self::Panicked
            | Self::NotCommitted
            | Self::StorageFull(_)
            | Self::Unavailable(_)
            | Self::Unread(_)
            | Self::Open(_)
            | Self::Damaged(_)
            | Self::Thread(_)
            | Self::File(_)
            | Self::NotKept(_) => Details::None,
        }
    }

    /// How long to wait before asking again; none: asking again does not help by itself.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::StorageFull(_)
            | Self::Open(_)
            | Self::Damaged(_)
            | Self::Thread(_)
            | Self::File(_)
            | Self::NotKept(_) => Some(FULL_RETRY_AFTER),
            Self::NotCommitted | Self::Unavailable(_) | Self::Unread(_) => {
                Some(UNAVAILABLE_RETRY_AFTER)
            }
            Self::EpochChanged { .. }
            | Self::LogDiverged { .. }
            | Self::RebuildRequired { .. }
            | Self::ForeignClient
            | Self::EpochMismatch { .. }
            | Self::ClocksExhausted
            | Self::Panicked => None,
        }
    }
}
