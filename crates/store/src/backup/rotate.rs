//! Backups made again and again, each in a directory of its own, the oldest dropped.

use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use syncline_model::Timestamp;

use super::{BackupError, MANIFEST_NAME, io_error};

const PREFIX: &str = "syncline-";

/// The name of a backup made at `at`: names sort as times do.
pub fn backup_name(at: Timestamp) -> String {
    // Colons are not allowed in file names everywhere.
    format!("{PREFIX}{}", at.to_string().replace(':', "-"))
}

/// The finished backups in `directory`, oldest first; none where there is no such directory.
pub fn backups_in(directory: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_error("list", directory)(error)),
    };
    let mut backups = Vec::new();
    for entry in entries {
        let path = entry.map_err(io_error("list", directory))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with(PREFIX)) && path.join(MANIFEST_NAME).is_file() {
            backups.push(path);
        }
    }
    backups.sort();
    Ok(backups)
}

/// Removes the oldest backups in `directory` until `keep` are left; gives what was removed.
pub fn drop_oldest(directory: &Path, keep: NonZeroUsize) -> Result<Vec<PathBuf>, BackupError> {
    let mut backups = backups_in(directory)?;
    backups.truncate(backups.len().saturating_sub(keep.get()));
    for path in &backups {
        // Its manifest first: what is half gone is no backup.
        let manifest = path.join(MANIFEST_NAME);
        fs::remove_file(&manifest).map_err(io_error("remove", &manifest))?;
        fs::remove_dir_all(path).map_err(io_error("remove", path))?;
    }
    Ok(backups)
}
