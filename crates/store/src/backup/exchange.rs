//! Who exchanges the files of a replica that is restored, and who opens them, one after the other.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::finish::{finish, is_decided};
use super::{BackupError, io_error};

/// The file whose lock keeps them apart.
const LOCK_NAME: &str = "restore.lock";
/// It is held for a few renames, or while two files are opened: who holds it for longer folds a large log anew, after an
/// update, or is stopped, or hangs.
const LOCK_WAIT: Duration = Duration::from_secs(10);
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// As long as this is there, no restore exchanges the files of a replica: its local file and its log are
/// of one replica, whoever looks at them by their names.
#[derive(Debug)]
#[must_use = "what is dropped keeps no restore away"]
pub struct KeptFromRestores(#[expect(dead_code, reason = "held, never looked at")] File);

/// Finishes the decided restore of a replica in `directory`, if there is one; processes that come at
/// once wait for the first, and it for those who open the replica.
pub fn finish_replica_restore(directory: &Path) -> Result<(), BackupError> {
    finish_within(directory, LOCK_WAIT)
}

fn finish_within(directory: &Path, wait: Duration) -> Result<(), BackupError> {
    if !is_decided(directory) {
        return Ok(());
    }
    let path = directory.join(LOCK_NAME);
    let lock = make(&path).map_err(io_error("make", &path))?;
    lock_within(|| lock.try_lock(), &path, wait)?;
    finish(directory)
}

/// Finishes the decided restore of a replica in `directory`, if there is one, and lets no other begin to exchange
/// its files. Who holds what this gives must not ask for it again, nor finish a restore: it would wait for itself.
pub fn keep_from_restores(directory: &Path) -> Result<KeptFromRestores, BackupError> {
    keep_within(directory, LOCK_WAIT)
}

fn keep_within(directory: &Path, wait: Duration) -> Result<KeptFromRestores, BackupError> {
    let path = directory.join(LOCK_NAME);
    loop {
        finish_within(directory, wait)?;
        let lock = open_or_make(&path).map_err(io_error("open", &path))?;
        lock_within(|| lock.try_lock_shared(), &path, wait)?;
        if !is_decided(directory) {
            return Ok(KeptFromRestores(lock));
        }
    }
}

/// Tries for a lock until it has it, or `wait` is over.
fn lock_within(
    try_lock: impl Fn() -> Result<(), TryLockError>,
    path: &Path,
    wait: Duration,
) -> Result<(), BackupError> {
    let begun = Instant::now();
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if begun.elapsed() < wait => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(BackupError::Held {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io_error("lock", path)(error)),
        }
    }
}

/// Opens a file that may be another user's, who has made it readable.
fn open_or_make(path: &Path) -> io::Result<File> {
    match options().read(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make(path),
        opened => opened,
    }
}

/// Makes it as a file of whoever the directory belongs to: they could not open one of root's. One that is there is not
/// given to anybody: they may have put any file of root's in its place.
fn make(path: &Path) -> io::Result<File> {
    let lock = match options().write(true).create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return options().write(true).open(path);
        }
        made => made?,
    };
    #[cfg(unix)]
    if let Err(error) = give_to_owner(&lock, path) {
        // It is locked all the same; its directory's owner is told when they can't open it.
        tracing::warn!(
            error = &error as &dyn std::error::Error, file.lock = %path.display(),
            "a lock can't be given to the owner of its directory"
        );
    }
    Ok(lock)
}

/// It is never a link: what one leads to is not of this directory.
fn options() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is nothing to set"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        let no_link = rustix::fs::OFlags::NOFOLLOW.bits();
        options.mode(0o600).custom_flags(no_link.cast_signed());
    }
    options
}

#[cfg(unix)]
fn give_to_owner(lock: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let directory = path.parent().expect("it is in a directory").metadata()?;
    if lock.metadata()?.uid() == directory.uid() {
        return Ok(());
    }
    fchown(lock, Some(directory.uid()), Some(directory.gid()))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;
    use crate::backup::finish::{ASIDE, DECIDED_RESTORE};

    #[test]
    fn the_lock_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let _kept = keep_from_restores(dir.path()).unwrap();
        let made = dir.path().join(LOCK_NAME).metadata().unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o600);
    }

    /// As root may for another user, with `sudo`.
    #[test]
    fn the_lock_belongs_to_whom_the_directory_belongs() {
        let dir = tempfile::tempdir().unwrap();
        let is_given = std::os::unix::fs::chown(dir.path(), Some(1), Some(1)).is_ok();
        let _kept = keep_from_restores(dir.path()).unwrap();
        let owner = |path: &Path| path.metadata().map(|of| (of.uid(), of.gid())).unwrap();
        assert_eq!(owner(&dir.path().join(LOCK_NAME)), owner(dir.path()));
        assert!(!is_given || owner(dir.path()) == (1, 1));
    }

    /// Root runs commands in directories of others, who may have planted it.
    #[test]
    fn what_a_link_in_place_of_the_lock_leads_to_is_given_to_nobody() {
        let elsewhere = tempfile::tempdir().unwrap();
        let kept = elsewhere.path().join("kept");
        fs::write(&kept, "root's").unwrap();
        let owner = |path: &Path| path.metadata().map(|of| (of.uid(), of.gid())).unwrap();
        let before = owner(&kept);
        for target in [&kept, &elsewhere.path().join("none")] {
            let dir = tempfile::tempdir().unwrap();
            // It can't be given away where the tests do not run as root.
            drop(std::os::unix::fs::chown(dir.path(), Some(1), Some(1)));
            let lock = dir.path().join(LOCK_NAME);
            std::os::unix::fs::symlink(target, &lock).unwrap();
            let opened = keep_from_restores(dir.path()).map(drop);
            fs::create_dir(dir.path().join(DECIDED_RESTORE)).unwrap();
            let made = finish_replica_restore(dir.path());
            for met in [opened, made] {
                let told = met.unwrap_err().to_string();
                assert!(told.contains(LOCK_NAME), "{told}");
            }
        }
        assert_eq!(owner(&kept), before);
        assert!(!elsewhere.path().join("none").exists());
        // A second name of a file is no link that is met by opening it.
        let dir = tempfile::tempdir().unwrap();
        drop(std::os::unix::fs::chown(dir.path(), Some(1), Some(1)));
        fs::hard_link(&kept, dir.path().join(LOCK_NAME)).unwrap();
        drop(make(&dir.path().join(LOCK_NAME)).unwrap());
        assert_eq!(owner(&kept), before);
    }

    #[test]
    fn who_meets_a_lock_that_is_not_let_go_of_is_told_and_the_next_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let (root, at_once) = (dir.path(), Duration::ZERO);
        let stopped = keep_from_restores(root).unwrap();
        let decided = root.join(DECIDED_RESTORE);
        fs::create_dir(&decided).unwrap();
        fs::write(decided.join(ASIDE), "replaced-x").unwrap();
        for met in [
            finish_within(root, at_once),
            keep_within(root, at_once).map(drop),
        ] {
            assert!(matches!(met, Err(BackupError::Held { .. })), "{met:?}");
        }
        drop(stopped);
        let restoring = File::open(root.join(LOCK_NAME)).unwrap();
        restoring.lock().unwrap();
        fs::rename(&decided, root.join("held")).unwrap();
        let met = keep_within(root, at_once);
        assert!(matches!(met, Err(BackupError::Held { .. })), "{met:?}");
        drop(restoring);
        fs::rename(root.join("held"), &decided).unwrap();
        finish_within(root, at_once).unwrap();
        assert!(!decided.exists());
    }
}
