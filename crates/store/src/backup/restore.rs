//! Putting a backup back.
//!
//! What is put back is made whole in a directory of its own first, `restored` in the end. From the
//! moment that it has this name the restore is decided: what is left are renames, which whoever locks
//! the data directory next takes up again after a crash. What was there before is moved aside, never
//! removed.

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use syncline_model::{ActorId, ClientId, Cursor, Epoch, EpochMode, Mark, Timestamp};

use super::copy::{copy_database, make_private, sync, sync_directory};
use super::exchange::finish_replica_restore;
use super::finish::{SQLITE_SUFFIXES, TENANTS, beside, finish};
use super::kin::{Joined, OtherLog, check_replica_kin, join, strangers};
use super::staging::{Staging, unfinished};
use super::{BackupError, BackupKind, Reached, io_error, verify};
use crate::control::{CONTROL_FILE_NAME, DataDirectory, ServeLock, forget_server};
use crate::file::{Durability, FileOptions, OpenError};
use crate::local::LocalFile;
use crate::tenant::{LogStart, TenantFile};

/// What the one who restores chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreChoice {
    /// Whether replicas offer again what they hold above the backup, or let go of it.
    pub mode: EpochMode,
    pub other: OtherLog,
    pub now: Timestamp,
}

/// A log that was put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoredTenant {
    /// Its file's name.
    pub file: String,
    /// The epoch that it begins.
    pub epoch: Epoch,
    /// Where it stands.
    pub cursor: Cursor,
    /// What it has of a log that had nothing in common with it.
    pub joined: Joined,
}

/// What was put back, and where what was there before is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    pub tenants: Vec<RestoredTenant>,
    /// Files of logs that were to begin anew, empty, and can't be read; they are as they were.
    pub unreadable: Vec<String>,
    /// None where nothing was replaced.
    pub aside: Option<PathBuf>,
    /// How many ops a replica that was replaced had not sent, as it was when it was; none where that can't be read.
    pub unsent: Option<u64>,
}

/// Puts the backup of a server, or of one of its tenants, back into `data`, after verifying it.
///
/// Each log begins a new epoch, which names the one that it had and those that the log in its place
/// has had since. The control file of `data` stays, so that no token that was revoked is good again;
/// only where there is none, that of the backup is taken. Tenants that the backup doesn't hold aren't
/// touched; but where a whole server is put back so that later writes are discarded, they begin anew,
/// empty, unless the backup had to leave them out, or they can't be read. `random` gives fresh random
/// bytes.
pub fn restore_server(
    backup: &Path,
    data: &DataDirectory,
    _lock: &ServeLock,
    choice: RestoreChoice,
    mut random: impl FnMut() -> [u8; 16],
    reached: impl FnMut(Reached),
) -> Result<Restored, BackupError> {
    let manifest = verify(backup, reached)?;
    if manifest.kind == BackupKind::Replica {
        return Err(BackupError::OtherKind {
            found: manifest.kind,
            expected: BackupKind::Server,
        });
    }
    let staging = Staging::begin(data.path(), choice.now)?;
    make_private(&staging.path.join(TENANTS))?;
    staging.check_moves_to(&data.path().join(TENANTS))?;
    let mut tenants = Vec::new();
    for file in manifest.files.iter().filter(|file| file.log.is_some()) {
        let (from, to) = (backup.join(&file.name), staging.path.join(&file.name));
        copy_database(&from, &to)?;
        let live = data.path().join(&file.name);
        tenants.push(take_the_place_of(
            &live,
            &to,
            (manifest.kind, &file.name),
            &choice,
            &mut random,
        )?);
    }
    let unreadable = match (manifest.kind, choice.mode) {
        (BackupKind::Server, EpochMode::Follow) => {
            let left = |name: &str| manifest.left_out.iter().any(|left| left.name == name);
            empty_others(data, &staging.path, left, &mut random)?
        }
        _ => Vec::new(),
    };
    let control = backup.join(CONTROL_FILE_NAME);
    if !data.path().join(CONTROL_FILE_NAME).exists() && control.exists() {
        let to = staging.path.join(CONTROL_FILE_NAME);
        copy_database(&control, &to)?;
        // The one that it was made of may still make its own.
        forget_server(&to)?;
        sync(&to)?;
    }
    sync_directory(&staging.path.join(TENANTS))?;
    let aside = staging.decide()?;
    finish(data.path()).map_err(unfinished(data.path()))?;
    Ok(Restored {
        tenants,
        unreadable,
        aside: Some(aside).filter(|path| path.exists()),
        unsent: Some(0),
    })
}

/// Lets the copy at `to`, of what is called `name` in a backup, take the place of the log at `live`.
fn take_the_place_of(
    live: &Path,
    to: &Path,
    (kind, name): (BackupKind, &str),
    choice: &RestoreChoice,
    random: &mut impl FnMut() -> [u8; 16],
) -> Result<RestoredTenant, BackupError> {
    let strangers = strangers(to, live)?;
    let is_other = strangers.is_some();
    if let (Some(strangers), OtherLog::Stays) = (strangers, choice.other) {
        return Err(strangers.refused(kind, name));
    }
    let start = LogStart::Restored(choice.mode);
    let (epoch, mut cursor) = begin_epoch(to, live, start, random)?;
    let mut joined = Joined::default();
    if is_other {
        (joined, cursor) = join(to, live)?;
    }
    Ok(RestoredTenant {
        file: name.to_owned(),
        epoch,
        cursor,
        joined,
    })
}

/// Lets each log of `data` of which `staging` has nothing begin anew there, empty, but for those that
/// are to be `left`; gives the names of those that can't be read.
fn empty_others(
    data: &DataDirectory,
    staging: &Path,
    left: impl Fn(&str) -> bool,
    random: &mut impl FnMut() -> [u8; 16],
) -> Result<Vec<String>, BackupError> {
    let mut unreadable = Vec::new();
    for live in data.tenant_files()? {
        let name = live.file_name().and_then(|name| name.to_str());
        let name = format!(
            "{TENANTS}/{}",
            name.expect("a tenant file has a name of ours")
        );
        let to = staging.join(&name);
        if to.exists() || left(&name) {
            continue;
        }
        let origin = Mark::origin(random());
        let emptied = copy_database(&live, &to)
            .and_then(|()| begin_epoch(&to, &live, LogStart::Reset { origin }, random));
        match emptied {
            Err(error) if error.is_of_source() => {
                tracing::warn!(
                    error = &error as &dyn Error, tenant.file = %live.display(),
                    "a log that was to begin anew can't be read; it is left as it is"
                );
                remove_database(&to)?;
                unreadable.push(name);
            }
            emptied => {
                emptied?;
            }
        }
    }
    Ok(unreadable)
}

/// Removes a database that is not to be put anywhere, if it is there.
fn remove_database(path: &Path) -> Result<(), BackupError> {
    for suffix in SQLITE_SUFFIXES {
        let path = beside(path, suffix);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(io_error("remove", &path)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Lets the copy at `path` begin a new epoch that knows those of the log at `live`, which it replaces.
fn begin_epoch(
    path: &Path,
    live: &Path,
    start: LogStart,
    random: &mut impl FnMut() -> [u8; 16],
) -> Result<(Epoch, Cursor), BackupError> {
    let options = FileOptions {
        durability: Durability::Full,
        ..FileOptions::default()
    };
    let mut file = TenantFile::open(path, &options)?;
    match TenantFile::open(live, &options) {
        Ok(live) => {
            file.remember_epochs(&live.lineage()?)?;
            file.raise_clock(live.head()?.clock_max)?;
        }
        // There is nothing to know of a log that is gone; replicas tell the rest.
        Err(error) if error.is_damage() || !live.exists() => {
            tracing::warn!(tenant.file = %live.display(), %error, "the log that is replaced can't be read");
        }
        Err(error) => return Err(error.into()),
    }
    let old = file.head()?.epoch;
    let epoch = Epoch::new(uuid::Builder::from_random_bytes(random()).into_uuid());
    let head = file.start_epoch(old, epoch, start)?;
    file.write_through()?;
    drop(file);
    sync(path)?;
    Ok((head.epoch, head.cursor))
}

/// Puts the backup of a replica back into `directory`, after verifying it; nobody may use the replica
/// meanwhile. It is another replica from then on, with `replica` and `actor`, so that what it writes
/// is never taken for what the one before it wrote.
pub fn restore_replica(
    backup: &Path,
    directory: &Path,
    local_name: &str,
    names: (&ClientId, &ActorId),
    now: Timestamp,
    reached: impl FnMut(Reached),
) -> Result<Restored, BackupError> {
    let manifest = verify(backup, reached)?;
    if manifest.kind != BackupKind::Replica {
        return Err(BackupError::OtherKind {
            found: manifest.kind,
            expected: BackupKind::Replica,
        });
    }
    make_private(directory)?;
    let staging = Staging::begin(directory, now)?;
    for file in &manifest.files {
        copy_database(&backup.join(&file.name), &staging.path.join(&file.name))?;
        sync(&staging.path.join(&file.name))?;
    }
    check_replica_kin(&manifest, &staging.path, &directory.join(local_name))?;
    take_names(&staging.path, local_name, names)?;
    let aside = staging.decide()?;
    finish_replica_restore(directory).map_err(unfinished(directory))?;
    Ok(Restored {
        tenants: Vec::new(),
        unreadable: Vec::new(),
        unsent: unsent_in(&aside.join(local_name)),
        aside: Some(aside).filter(|path| path.exists()),
    })
}

/// How many ops wait in a local file that was moved aside; none where it can't be read.
fn unsent_in(local: &Path) -> Option<u64> {
    match LocalFile::pending_of_copy(local) {
        Ok(unsent) => Some(unsent),
        Err(OpenError::Missing { .. }) => Some(0),
        // What is restored is in its place all the same.
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn Error, file.local = %local.display(),
                "what was replaced can't be read, so nobody tells what of it was not sent"
            );
            None
        }
    }
}

/// Makes the copies in `staging` another replica's, and folds the outbox on the log anew: they are of two
/// moments, and what the log's copy shows of its outbox is of the later one.
fn take_names(
    staging: &Path,
    local_name: &str,
    (replica, actor): (&ClientId, &ActorId),
) -> Result<(), BackupError> {
    let path = staging.join(local_name);
    let mut local = LocalFile::open(&path, &FileOptions::default())?;
    let old = local.identity()?;
    local.become_replica(&old.replica, replica, actor, "restored")?;
    local.forget_host()?;
    local.write_through()?;
    let log = staging.join(&old.tenant_file);
    let mut tenant = TenantFile::open(&log, &FileOptions::default())?;
    tenant.fold_outbox_anew(&local)?;
    tenant.write_through()?;
    drop((local, tenant));
    sync(&log)?;
    sync(&path)
}
