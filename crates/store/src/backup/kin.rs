//! Whether a backup is of what it is to replace.

use std::path::Path;

use super::copy::tenant_file_of;
use super::{BackupError, Manifest};
use crate::file::FileOptions;
use crate::tenant::TenantFile;

/// Refuses to put the log at `copy`, called `name` in its backup, in the place of that at `live`, where
/// nothing tells that they are of one server. A log that is gone, or can't be read, is replaced by any.
pub(super) fn check_kin(name: &str, copy: &Path, live: &Path) -> Result<(), BackupError> {
    if !live.exists() {
        return Ok(());
    }
    let options = FileOptions::default();
    let live = match TenantFile::open(live, &options) {
        Ok(live) => live,
        Err(error) if error.is_damage() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let copy = TenantFile::open(copy, &options)?;
    if !copy.is_foreign_to(&live)? {
        return Ok(());
    }
    Err(BackupError::OtherLog {
        name: name.to_owned(),
        copy: copy.head()?.epoch,
        live: live.head()?.epoch,
    })
}

/// As [`check_kin`], of a replica with the local file `local`, and of the files in `copies`.
pub(super) fn check_replica_kin(
    manifest: &Manifest,
    copies: &Path,
    local: &Path,
) -> Result<(), BackupError> {
    let log = manifest.files.iter().find(|file| file.log.is_some());
    match (log, tenant_file_of(local)) {
        (Some(log), Ok(live)) => check_kin(
            &log.name,
            &copies.join(&log.name),
            &local.with_file_name(live),
        ),
        (None, _) | (_, Err(_)) => Ok(()),
    }
}
