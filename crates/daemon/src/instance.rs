//! One daemon per profile: a lock that its process's death frees.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why this process can't be the daemon.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error("a daemon already runs for this profile")]
    Running,
    #[error("could not lock {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The right to be the daemon, held until it is dropped or the process ends.
#[derive(Debug)]
#[must_use = "the lock is free again when this is dropped"]
pub struct Instance {
    _lock: File,
}

impl Instance {
    /// Takes the lock at `path`, and notes the process in it for people to read.
    pub fn claim(path: &Path) -> Result<Self, InstanceError> {
        let fail = |source| InstanceError::Io {
            path: path.to_owned(),
            source,
        };
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut lock = options.open(path).map_err(fail)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(InstanceError::Running),
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        lock.set_len(0).map_err(fail)?;
        writeln!(lock, "{}", std::process::id()).map_err(fail)?;
        Ok(Self { _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_instance_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("daemon.lock");
        let first = Instance::claim(&path).unwrap();
        assert!(matches!(
            Instance::claim(&path),
            Err(InstanceError::Running)
        ));
        drop(first);
        drop(Instance::claim(&path).unwrap());
    }
}
