//! Backing up a replica that is in use, and putting a backup back.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use syncline_model::Timestamp;
use syncline_store::FileOptions;
use syncline_store::backup::{
    BackupError, Manifest, Reached, Restored, back_up_replica, finish_replica_restore,
    restore_replica,
};

use crate::place::{DAEMON_LOCK_NAME, IMPORT_LEASE_NAME, Place};
use crate::{LOCAL_FILE_NAME, RealHost, ReplicaError};

/// Why a backup could not be put back in the place of a replica.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// With the process that its lock names.
    #[error("a daemon has the replica open")]
    DaemonRuns { process: Option<u32> },
    #[error("another process syncs the replica, or imports into it")]
    InUse,
    #[error("could not take the replica for itself")]
    Replica(#[from] ReplicaError),
    #[error(transparent)]
    Backup(#[from] BackupError),
}

/// Copies the replica in `directory` to `to`, which must not exist, and verifies the copy. The replica
/// may be in use.
pub fn back_up(
    directory: &Path,
    to: &Path,
    now: Timestamp,
    reached: impl FnMut(Reached),
) -> Result<Manifest, BackupError> {
    back_up_replica(directory, LOCAL_FILE_NAME, to, now, reached)
}

/// Verifies the backup at `from`, and puts it in the place of the replica in `directory`, if there is
/// one. What was there is moved aside.
///
/// What comes of it is another replica, as one that was copied is: its outbox is sent (what the server
/// has already is not taken twice), and the log is pulled from where the backup stood.
pub fn restore(
    directory: &Path,
    from: &Path,
    reached: impl FnMut(Reached),
) -> Result<Restored, RestoreError> {
    let place = Place {
        host: Arc::new(RealHost::new()),
        directory: directory.to_owned(),
        files: FileOptions::default(),
    };
    // A daemon that has no server holds no lease.
    let daemon = place.path_of(DAEMON_LOCK_NAME);
    let Some(_daemon) = place.try_named_lease(DAEMON_LOCK_NAME)? else {
        return Err(RestoreError::DaemonRuns {
            process: named_in(&daemon),
        });
    };
    let (Some(_lease), Some(_import)) = (
        place.try_lease()?,
        place.try_named_lease(IMPORT_LEASE_NAME)?,
    ) else {
        return Err(RestoreError::InUse);
    };
    finish_replica_restore(directory)?;
    let names = (&place.new_replica(), &place.new_actor());
    let now = place.host.now();
    let restored = restore_replica(from, directory, LOCAL_FILE_NAME, names, now, reached)?;
    Ok(restored)
}

/// The process that a daemon's lock names.
fn named_in(lock: &Path) -> Option<u32> {
    fs::read_to_string(lock).ok()?.trim().parse().ok()
}
