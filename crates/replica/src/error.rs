//! What can go wrong with a replica's files.

use std::io;
use std::path::PathBuf;

use syncline_model::{ClockError, TenantId, UserId};
use syncline_store::backup::BackupError;
use syncline_store::local::{JudgedError, SwitchError, WriteError};
use syncline_store::{OpenError, StoreError};

/// Why something could not be done with a replica. Nothing that was reported as written is lost by
/// any of these.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    #[error("could not open the replica's local file")]
    OpenLocal(#[source] OpenError),
    #[error("could not open the replica's tenant file")]
    OpenTenant(#[source] OpenError),
    #[error("could not work with the replica's local file")]
    Local(#[source] StoreError),
    #[error("could not work with the replica's tenant file")]
    Tenant(#[source] StoreError),
    #[error("could not switch to a new tenant file")]
    Switch(#[source] SwitchError),
    #[error("could not {attempt} {}", path.display())]
    File {
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not finish a restore, or make sure that there is none")]
    Restore(#[source] BackupError),
    #[error("the clock has reached its end")]
    ClockEnd(#[source] ClockError),
    #[error("the replica's files kept changing while they were being opened")]
    Restless,
    /// By a rebuild in another process, or because it was damaged. What it has led to was not done.
    #[error("another tenant file was put in the place of the one that was open")]
    Exchanged,
    /// By a restore. Nothing was written.
    #[error("another replica was put in the place of this one")]
    Replaced {
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    #[error(
        "this replica holds tenant {} of user {}, and the token is for tenant {} of user {}",
        held.0, held.1, offered.0, offered.1
    )]
    OtherTenant {
        held: Box<(TenantId, UserId)>,
        offered: Box<(TenantId, UserId)>,
    },
}

impl ReplicaError {
    /// Whether the tenant file's content is at fault, so that it is to be made anew.
    pub fn is_tenant_damage(&self) -> bool {
        match self {
            Self::OpenTenant(error) => error.is_damage(),
            Self::Tenant(StoreError::Damaged { .. }) => true,
            Self::OpenLocal(_)
            | Self::Local(_)
            | Self::Tenant(_)
            | Self::Switch(_)
            | Self::File { .. }
            | Self::Restore(_)
            | Self::ClockEnd(_)
            | Self::Restless
            | Self::Exchanged
            | Self::Replaced { .. }
            | Self::OtherTenant { .. } => false,
        }
    }

    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::OpenLocal(error) | Self::OpenTenant(error) => error.is_disk_full(),
            Self::Local(source)
            | Self::Tenant(source)
            | Self::Switch(SwitchError::Store(source)) => matches!(source, StoreError::Full(_)),
            Self::File { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Restore(source) => source.is_disk_full(),
            Self::Switch(_)
            | Self::ClockEnd(_)
            | Self::Restless
            | Self::Exchanged
            | Self::Replaced { .. }
            | Self::OtherTenant { .. } => false,
        }
    }
}

impl From<JudgedError> for ReplicaError {
    fn from(error: JudgedError) -> Self {
        match error {
            JudgedError::Exchanged => Self::Exchanged,
            JudgedError::ClockEnd(source) => Self::ClockEnd(source),
            JudgedError::Store(source) => Self::Local(source),
        }
    }
}

impl From<WriteError> for ReplicaError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::ClockEnd(source) => Self::ClockEnd(source),
            WriteError::Store(source) => Self::Local(source),
            WriteError::Replaced { source } => Self::Replaced { source },
        }
    }
}
