//! Setting a tenant file aside that is damaged where no open meets it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use syncline_store::local::LocalFile;
use syncline_store::{FileOptions, OpenError, quick_check};

use crate::place::{NamedFile, Place};
use crate::{FileIdentity, RealHost, ReplicaError};

/// Reads all of the tenant file of the replica in `directory`, and sets it aside if it is damaged, as an open does
/// that meets the damage; sync fetches the log again. The replica may be in use.
pub fn set_aside_if_damaged(directory: &Path) -> Result<(), ReplicaError> {
    set_aside_if(directory, problem_of)
}

/// What is wrong with a file, and with its content at that.
type Problem = Option<Box<dyn Error>>;

pub(crate) fn set_aside_if(
    directory: &Path,
    problem_of: impl FnOnce(&Path) -> Result<Problem, OpenError>,
) -> Result<(), ReplicaError> {
    let place = Place {
        host: Arc::new(RealHost::new()),
        directory: directory.to_owned(),
        files: FileOptions::default(),
    };
    let kept = place.keep_from_restores()?;
    let looked_at = CurrentLog::at(&place)?;
    // A large file is read for longer than restores wait, and those who wait for them.
    drop(kept);
    let Some(problem) = problem_of(&looked_at.path).map_err(ReplicaError::OpenTenant)? else {
        return Ok(());
    };
    let _kept = place.keep_from_restores()?;
    let mut now = CurrentLog::at(&place)?;
    // What was put in its place meanwhile may bear its name, or have its inode, and is whole.
    if (&now.name, &now.file) != (&looked_at.name, &looked_at.file) {
        return Ok(());
    }
    place.set_aside(&mut now.local, &now.name, &*problem)
}

/// The tenant file of a replica, and which file that is. No restore may exchange the files while it is looked at.
struct CurrentLog {
    local: LocalFile,
    name: String,
    path: PathBuf,
    file: Option<FileIdentity>,
}

impl CurrentLog {
    fn at(place: &Place) -> Result<Self, ReplicaError> {
        let mut local = place.open_local()?.file;
        let NamedFile { name, file } = place.open_tenant(&mut local)?;
        drop(file);
        let path = place.path_of(&name);
        let found = place.host.identity(&path);
        let file = found.map_err(|source| ReplicaError::File {
            attempt: "look at",
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            local,
            name,
            path,
            file,
        })
    }
}

fn problem_of(path: &Path) -> Result<Problem, OpenError> {
    match quick_check(path) {
        Ok(problems) => Ok(problems.into_iter().next().map(Box::from)),
        Err(error) if error.is_damage() => Ok(Some(Box::from(error))),
        // Another process has exchanged it, and nothing is known of the new one.
        Err(OpenError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
