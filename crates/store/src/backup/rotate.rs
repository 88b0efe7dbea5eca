//! Backups made again and again, each in a directory of its own, the oldest dropped.

use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use syncline_model::Timestamp;

use super::{BackupError, MANIFEST_NAME, Manifest, io_error};

const PREFIX: &str = "syncline-";
/// Stands in the name of a backup that is being made, before the number of the process.
pub(super) const PART: &str = ".part-";

/// The name of a backup made at `at`: names sort as times do.
pub fn backup_name(at: Timestamp) -> String {
    // Colons are not allowed in file names everywhere.
    format!("{PREFIX}{}", at.to_string().replace(':', "-"))
}

/// The finished backups in `directory`, oldest first; none where there is no such directory.
pub fn backups_in(directory: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let (mut backups, _) = listed(directory)?;
    backups.retain(|path| path.join(MANIFEST_NAME).is_file());
    Ok(backups)
}

/// The newest finished backup in `directory` of the server of this name; none yet.
pub fn newest_of(directory: &Path, server: Option<&str>) -> Result<Option<Manifest>, BackupError> {
    let of_server = backups_of(directory, server)?;
    of_server
        .last()
        .map(|path| Manifest::read(path))
        .transpose()
}

/// As [`backups_in`], of one server. Those that say no name may be anybody's, and count as its own.
fn backups_of(directory: &Path, server: Option<&str>) -> Result<Vec<PathBuf>, BackupError> {
    let mut backups = backups_in(directory)?;
    backups.retain(|path| {
        // One that can't be read is left alone.
        Manifest::read(path)
            .is_ok_and(|manifest| manifest.server.is_none() || manifest.server.as_deref() == server)
    });
    Ok(backups)
}

/// What has the name of a backup in `directory`, and that of one which is being made, or was when its
/// process was killed; each oldest first.
fn listed(directory: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), BackupError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(io_error("list", directory)(error)),
    };
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for entry in entries {
        let path = entry.map_err(io_error("list", directory))?.path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some(name) if !name.starts_with(PREFIX) => {}
            Some(name) if name.contains(PART) => parts.push(path),
            Some(_) => whole.push(path),
            None => {}
        }
    }
    whole.sort();
    parts.sort();
    Ok((whole, parts))
}

/// Removes the oldest backups of a server in `directory` until `keep` are left, and parts of backups
/// that are older than those that are left; gives the backups that were removed. Other servers' stay.
pub fn drop_oldest(
    directory: &Path,
    server: Option<&str>,
    keep: NonZeroUsize,
) -> Result<Vec<PathBuf>, BackupError> {
    let mut backups = backups_of(directory, server)?;
    let kept = backups.split_off(backups.len().saturating_sub(keep.get()));
    if let Some(oldest) = kept.first() {
        let (_, mut parts) = listed(directory)?;
        // Of a process that was killed: no backup takes as long as until here.
        parts.retain(|part| part < oldest);
        for path in &parts {
            fs::remove_dir_all(path).map_err(io_error("remove", path))?;
        }
    }
    for path in &backups {
        // Its manifest first: what is half gone is no backup.
        let manifest = path.join(MANIFEST_NAME);
        fs::remove_file(&manifest).map_err(io_error("remove", &manifest))?;
        fs::remove_dir_all(path).map_err(io_error("remove", path))?;
    }
    Ok(backups)
}
