//! Who exchanges the files of a replica that is restored, and who opens them, one after the other.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::finish::{finish, is_decided};
use super::{BackupError, io_error};

/// The file whose lock keeps them apart.
const LOCK_NAME: &str = "restore.lock";

/// As long as this is there, no restore exchanges the files of a replica: its local file and its log are
/// of one replica, whoever looks at them by their names.
#[derive(Debug)]
#[must_use = "what is dropped keeps no restore away"]
pub struct KeptFromRestores(#[expect(dead_code, reason = "held, never looked at")] File);

/// Finishes the decided restore of a replica in `directory`, if there is one; processes that come at
/// once wait for the first, and it for those who open the replica.
pub fn finish_replica_restore(directory: &Path) -> Result<(), BackupError> {
    if !is_decided(directory) {
        return Ok(());
    }
    let path = directory.join(LOCK_NAME);
    let lock = make(&path).map_err(io_error("make", &path))?;
    lock.lock().map_err(io_error("lock", &path))?;
    finish(directory)
}

/// Finishes the decided restore of a replica in `directory`, if there is one, and lets no other begin to exchange
/// its files. Who holds what this gives must not ask for it again, nor finish a restore: it would wait for itself.
pub fn keep_from_restores(directory: &Path) -> Result<KeptFromRestores, BackupError> {
    let path = directory.join(LOCK_NAME);
    loop {
        finish_replica_restore(directory)?;
        let lock = open_or_make(&path).map_err(io_error("open", &path))?;
        lock.lock_shared().map_err(io_error("lock", &path))?;
        if !is_decided(directory) {
            return Ok(KeptFromRestores(lock));
        }
    }
}

/// Opens a file that may be another user's, who has made it readable.
fn open_or_make(path: &Path) -> io::Result<File> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make(path),
        opened => opened,
    }
}

fn make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_lock_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let _kept = keep_from_restores(dir.path()).unwrap();
        let made = dir.path().join(LOCK_NAME).metadata().unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600);
    }
}
