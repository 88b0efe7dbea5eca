//! A restore that is being made, in a directory of its own, until it is decided.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use syncline_model::Timestamp;

use super::copy::{make_private, sync, sync_directory};
use super::finish::{ASIDE, DECIDED_RESTORE};
use super::{BackupError, io_error};

/// Its directory, and that of one that is done, until it is removed.
pub(super) const STAGING: &str = "restoring";
/// An empty file in it, which is moved to see whether files can be.
const PROBE: &str = "restoring.probe";

/// A restore that is not yet decided; nothing of it stays if it isn't.
pub(super) struct Staging {
    pub(super) path: PathBuf,
    root: PathBuf,
    aside: PathBuf,
}

impl Staging {
    pub(super) fn begin(root: &Path, now: Timestamp) -> Result<Self, BackupError> {
        let path = root.join(STAGING);
        remove_staging(root)?;
        make_private(&path)?;
        let name = free_name(root, now);
        let aside = root.join(&name);
        let note = path.join(ASIDE);
        fs::write(&note, name).map_err(io_error("write", &note))?;
        sync(&note)?;
        Ok(Self {
            path,
            root: root.to_owned(),
            aside,
        })
    }

    /// Refuses a directory into which nothing can be moved from here, as one that lies on another filesystem: once
    /// it is decided, a restore that can't be finished would keep the data from being used.
    pub(super) fn check_moves_to(&self, place: &Path) -> Result<(), BackupError> {
        if !place.exists() {
            return Ok(());
        }
        let (probe, moved) = (self.path.join(PROBE), place.join(PROBE));
        fs::write(&probe, "").map_err(io_error("write", &probe))?;
        match fs::rename(&probe, &moved) {
            Ok(()) => fs::remove_file(&moved).map_err(io_error("remove", &moved)),
            Err(error) if error.kind() == ErrorKind::CrossesDevices => Err(BackupError::Apart {
                path: place.to_owned(),
            }),
            Err(error) => Err(io_error("make", &moved)(error)),
        }
    }

    pub(super) fn decide(self) -> Result<PathBuf, BackupError> {
        sync_directory(&self.path)?;
        let decided = self.root.join(DECIDED_RESTORE);
        fs::rename(&self.path, &decided).map_err(io_error("make", &decided))?;
        sync_directory(&self.root).map_err(unfinished(&self.root))?;
        Ok(self.aside.clone())
    }
}

/// Whether a restore into `root` was killed before it was decided, or when it was done, or is being made.
pub fn is_unfinished(root: &Path) -> bool {
    root.join(STAGING).is_dir()
}

/// Removes what is left in `root` of a restore that was killed before it was decided, or when it was done; where it
/// can't be removed, it is in nobody's way but the next restore's. The caller alone works in `root`.
pub fn drop_unfinished(root: &Path) {
    if let Err(error) = remove_staging(root) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what a restore has left could not be removed"
        );
    }
}

fn remove_staging(root: &Path) -> Result<(), BackupError> {
    let path = root.join(STAGING);
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(io_error("remove", &path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What fails once a restore is decided doesn't undo it.
pub(super) fn unfinished(root: &Path) -> impl FnOnce(BackupError) -> BackupError {
    let path = root.to_owned();
    move |source| BackupError::Unfinished {
        path,
        source: Box::new(source),
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // A decided one has another name.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The name of a directory in `root` for what is replaced now: one that is not there, as what an earlier
/// restore has put there would be in the way once this one is decided.
fn free_name(root: &Path, now: Timestamp) -> String {
    let first = format!("replaced-{}", now.to_string().replace(':', "-"));
    let next = (2..).map(|n| format!("{first}-{n}"));
    std::iter::once(first.clone())
        .chain(next)
        .find(|name| !root.join(name).exists())
        .expect("there are more names than directories")
}
