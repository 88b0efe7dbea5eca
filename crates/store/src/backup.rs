//! Backups: verified copies of a server's data directory, of one tenant, or of a replica, made while
//! they are in use.
//!
//! A backup is a directory: `backup.json` says what is in it, and each SQLite file beside it is a
//! copy of one moment. It appears under its name only when it is whole, on the disk and verified.

mod check;
mod copy;
mod exchange;
mod finish;
mod kin;
mod manifest;
mod note;
mod restore;
mod rotate;
mod staging;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use syncline_model::Epoch;

use crate::control::{ControlError, ControlOpenError, DataDirectoryError};
use crate::file::{OpenError, StoreError};
use crate::tenant::VerifyError;

pub use check::verify;
pub use copy::{back_up_replica, back_up_server, back_up_tenant, check_place};
pub use exchange::{KeptFromRestores, finish_replica_restore, keep_from_restores};
pub(crate) use finish::finish as finish_restore;
pub use kin::{Joined, OtherLog};
pub use manifest::{BackupFile, BackupKind, BackupLog, LeftOut, MANIFEST_NAME, Manifest};
pub use note::{LastBackup, last_backup};
pub use restore::{RestoreChoice, Restored, RestoredTenant, restore_replica, restore_server};
pub use rotate::{backup_name, backups_in, drop_oldest, newest_of, remove_backup, sweep_own};
pub use staging::{drop_unfinished, is_unfinished};

/// How far a backup, its check or a restore is, in bytes of the files concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    pub done: u64,
    pub whole: u64,
}

/// Why a backup could not be made, is not one, or could not be put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{} is there already", path.display())]
    Exists { path: PathBuf },
    #[error("{} would lie inside {}, {what}", path.display(), outer.display())]
    Inside {
        path: PathBuf,
        outer: PathBuf,
        what: &'static str,
    },
    #[error("there is no backup at {}", path.display())]
    Missing { path: PathBuf },
    #[error("{} is no backup of syncline", path.display())]
    Foreign {
        path: PathBuf,
        #[source]
        source: Option<serde_json::Error>,
    },
    #[error(
        "the backup has format {found}, newer than the {known} that this version knows; update syncline"
    )]
    NewerFormat { found: u32, known: u32 },
    #[error("it is a backup of a {found}, not of a {expected}")]
    OtherKind {
        found: BackupKind,
        expected: BackupKind,
    },
    #[error(
        "{name} is of another log (epoch {copy}) than the one that is there (epoch {live}): they have \
         nothing in common"
    )]
    OtherLog {
        /// What it is a backup of.
        kind: BackupKind,
        name: String,
        copy: Epoch,
        live: Epoch,
    },
    #[error("{name} is not the file that was backed up: {what}")]
    Damaged { name: String, what: &'static str },
    #[error("{name} is damaged")]
    Log {
        name: String,
        #[source]
        source: VerifyError,
    },
    #[error("there is nothing to back up in {}", path.display())]
    Nothing { path: PathBuf },
    #[error("a restore into {} is not finished: start `syncline serve` on it, or restore again", path.display())]
    Restoring { path: PathBuf },
    #[error("{} is on another filesystem than the directory that it is in", path.display())]
    Apart { path: PathBuf },
    #[error("the replica is being rebuilt")]
    Rebuilding,
    #[error(
        "another process keeps {} locked: wait where it is at work, as on a large log after an update, and end it where \
         it is stopped or hangs",
        path.display()
    )]
    Held { path: PathBuf },
    /// It is decided all the same: whoever uses the directory next goes on with it.
    #[error("what is restored could not be put in its place in {}", path.display())]
    Unfinished {
        path: PathBuf,
        #[source]
        source: Box<Self>,
    },
    #[error("could not copy {}", path.display())]
    Copy {
        path: PathBuf,
        #[source]
        source: StoreError,
    },
    #[error("could not {attempt} {}", path.display())]
    Io {
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Directory(#[from] DataDirectoryError),
    #[error("could not read the control file")]
    Control(#[from] ControlOpenError),
    #[error(transparent)]
    Server(#[from] ControlError),
}

impl BackupError {
    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Open(error) => error.is_disk_full(),
            Self::Store(source) | Self::Copy { source, .. } => {
                matches!(source, StoreError::Full(_))
            }
            Self::Unfinished { source, .. } => source.is_disk_full(),
            Self::Exists { .. }
            | Self::Inside { .. }
            | Self::Missing { .. }
            | Self::Foreign { .. }
            | Self::NewerFormat { .. }
            | Self::OtherKind { .. }
            | Self::OtherLog { .. }
            | Self::Damaged { .. }
            | Self::Log { .. }
            | Self::Nothing { .. }
            | Self::Restoring { .. }
            | Self::Apart { .. }
            | Self::Rebuilding
            | Self::Held { .. }
            | Self::Directory(_)
            | Self::Control(_)
            | Self::Server(_) => false,
        }
    }
}

impl BackupError {
    /// Whether the file that is copied is at fault, and not where it is copied to.
    fn is_of_source(&self) -> bool {
        match self {
            Self::Damaged { .. }
            | Self::Log { .. }
            | Self::Open(_)
            | Self::Store(_)
            | Self::Copy { .. } => !self.is_disk_full(),
            Self::Exists { .. }
            | Self::Inside { .. }
            | Self::Missing { .. }
            | Self::Foreign { .. }
            | Self::NewerFormat { .. }
            | Self::OtherKind { .. }
            | Self::OtherLog { .. }
            | Self::Nothing { .. }
            | Self::Restoring { .. }
            | Self::Apart { .. }
            | Self::Rebuilding
            | Self::Held { .. }
            | Self::Unfinished { .. }
            | Self::Io { .. }
            | Self::Directory(_)
            | Self::Control(_)
            | Self::Server(_) => false,
        }
    }
}

fn io_error(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io {
        attempt,
        path,
        source,
    }
}
