//! What is left of a restore that is decided: moving aside what it replaces, and putting it in its place.

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::copy::{make_private, sync_directory};
use super::staging::{STAGING, drop_unfinished};
use super::{BackupError, io_error};
use crate::local::{LOCAL_FILE_NAME, LocalFile};

/// The directory of a restore that is decided and not finished.
pub(super) const DECIDED_RESTORE: &str = "restored";
pub(super) const TENANTS: &str = "tenants";
/// What SQLite keeps beside a database, which is moved last.
pub(super) const SQLITE_SUFFIXES: [&str; 3] = ["-wal", "-shm", ""];
/// How a file ends that was prepared of the log beside it, by this build and by builds before.
const PREPARED: [&str; 2] = ["prepared.zst", "prepared.gz"];
/// In a decided restore: the name of the directory to which what it replaces is moved.
pub(super) const ASIDE: &str = "replaces";

/// Whether a restore into `root` is decided and not finished.
pub(crate) fn is_decided(root: &Path) -> bool {
    root.join(DECIDED_RESTORE).is_dir()
}

/// Does what is left of a decided restore: moves aside what it replaces, and puts it in its place.
/// Nothing, where there is none. The caller alone works in `root`.
pub(crate) fn finish(root: &Path) -> Result<(), BackupError> {
    let decided = root.join(DECIDED_RESTORE);
    if !decided.is_dir() {
        return Ok(());
    }
    let note = decided.join(ASIDE);
    let aside = match fs::read_to_string(&note) {
        Ok(name) => root.join(name),
        // A build before was killed while it removed what was done.
        Err(error) if error.kind() == ErrorKind::NotFound && is_done(&decided)? => {
            return put_away(root, &decided);
        }
        Err(error) => return Err(io_error("read", &note)(error)),
    };
    let tenants = decided.join(TENANTS);
    if tenants.is_dir() {
        // Each by itself: those of which it has nothing are not touched.
        let place = root.join(TENANTS);
        make_private(&place)?;
        for new in entries_of(&tenants)? {
            put(&new, &place, &aside.join(TENANTS))?;
        }
        sync_directory(&place)?;
    }
    let local = decided.join(LOCAL_FILE_NAME);
    if local.exists() {
        // First, so that no log is in its place yet: that of the local file that is there may have another name.
        move_named_aside(root, &decided, &aside)?;
        put(&local, root, &aside)?;
    }
    for new in entries_of(&decided)? {
        if new != note && new != tenants {
            put(&new, root, &aside)?;
        }
    }
    sync_directory(root)?;
    put_away(root, &decided)
}

/// Whether all of a restore is in its place.
fn is_done(decided: &Path) -> Result<bool, BackupError> {
    let tenants = decided.join(TENANTS);
    Ok(entries_of(decided)?.iter().all(|new| *new == tenants)
        && (!tenants.is_dir() || entries_of(&tenants)?.is_empty()))
}

/// Removes what is left of a restore that is done. Under its name it would be taken up again, without the
/// note of what it replaces, too.
fn put_away(root: &Path, decided: &Path) -> Result<(), BackupError> {
    let done = root.join(STAGING);
    fs::rename(decided, &done).map_err(io_error("put away", decided))?;
    sync_directory(root)?;
    drop_unfinished(root);
    Ok(())
}

fn entries_of(directory: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = fs::read_dir(directory).map_err(io_error("list", directory))?;
    entries
        .map(|entry| Ok(entry.map_err(io_error("list", directory))?.path()))
        .collect()
}

/// Moves the log aside that the local file in `root` names, where what is put back has none of that name. Who was
/// killed once the local file was being moved had done this.
fn move_named_aside(root: &Path, decided: &Path, aside: &Path) -> Result<(), BackupError> {
    let local = root.join(LOCAL_FILE_NAME);
    let is_moved = |suffix| beside(&aside.join(LOCAL_FILE_NAME), suffix).exists();
    // Without what SQLite keeps beside it, it would name an older log, and be given that anew.
    if !local.exists() || SQLITE_SUFFIXES.into_iter().any(is_moved) {
        return Ok(());
    }
    match LocalFile::identity_of_copy(&local) {
        Ok(old) if decided.join(&old.tenant_file).exists() => Ok(()),
        // A build before had put the new log in its place when it was killed: the old one would be written over.
        Ok(old) if aside.join(&old.tenant_file).exists() => Ok(()),
        Ok(old) => move_database_aside(&root.join(old.tenant_file), aside),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn Error, file.local = %local.display(),
                "the local file that is replaced can't be read; a log that it names may stay where it is"
            );
            Ok(())
        }
    }
}

/// Moves `new` into the directory `place`, and what it replaces there into `aside`.
fn put(new: &Path, place: &Path, aside: &Path) -> Result<(), BackupError> {
    let to = place.join(new.file_name().expect("what is put back has a name"));
    move_database_aside(&to, aside)?;
    fs::rename(new, &to).map_err(io_error("make", &to))
}

/// A database with what is beside it, and what was prepared of it, as far as that is there.
fn move_database_aside(path: &Path, aside: &Path) -> Result<(), BackupError> {
    let replaced = SQLITE_SUFFIXES.map(|suffix| beside(path, suffix));
    let prepared = PREPARED.map(|end| path.with_extension(end));
    for path in replaced.iter().chain(&prepared) {
        if path.exists() {
            move_aside(path, aside)?;
        }
    }
    Ok(())
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(suffix);
    PathBuf::from(beside)
}

fn move_aside(path: &Path, aside: &Path) -> Result<(), BackupError> {
    make_private(aside)?;
    let to = aside.join(path.file_name().expect("what is replaced has a name"));
    fs::rename(path, &to).map_err(io_error("move", path))?;
    sync_directory(aside)
}
