//! Which backup of a directory was last verified.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use syncline_model::Timestamp;

use super::{BackupError, io_error};

const NAME: &str = "last_backup.json";

/// The last backup that was made of a directory, and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBackup {
    pub verified_at: Timestamp,
    pub path: PathBuf,
    pub bytes: u64,
    /// Logs that could not be copied, and are not in it.
    #[serde(default)]
    pub left_out: usize,
}

/// The last verified backup of the data directory or replica in `directory`; none yet.
pub fn last_backup(directory: &Path) -> Result<Option<LastBackup>, BackupError> {
    let path = directory.join(NAME);
    match fs::read(&path) {
        Ok(text) => {
            serde_json::from_slice(&text)
                .map(Some)
                .map_err(|source| BackupError::Foreign {
                    path,
                    source: Some(source),
                })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("read", &path)(error)),
    }
}

pub(super) fn note(directory: &Path, last: &LastBackup) -> Result<(), BackupError> {
    let (path, new) = (directory.join(NAME), directory.join("last_backup.json.new"));
    let text = serde_json::to_vec(last).expect("a note is plain data");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&new, &path)
    };
    write().map_err(io_error("write", &path))
}
