//! Making a backup of what is in use.

use std::error::Error;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use syncline_model::{TenantId, Timestamp};

use super::check::{census, digest, whole};
use super::exchange::finish_replica_restore;
use super::finish::is_decided;
use super::note::{LastBackup, note};
use super::rotate::{hold_part, is_of_a_backup, part_name, sweep_parts};
use super::{
    BackupError, BackupFile, BackupKind, LeftOut, MANIFEST_NAME, Manifest, Reached, io_error,
};
use crate::control::{CONTROL_FILE_NAME, DataDirectory, server_name};
use crate::file::FileOptions;
use crate::local::LocalFile;
use crate::tenant::TenantFile;

/// How often a replica's files may be exchanged by a rebuild while they are copied.
const REPLICA_TRIES: u32 = 5;
/// How long a copy waits for whoever holds a file for itself.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// What a file of a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Log,
    Other,
}

/// Backs up a server's data directory to `to`, which must not exist: the control file, and every
/// tenant's file as it is at one moment of its own.
///
/// A tenant's file that can't be read, or not by this version, is left out, and the manifest says so:
/// the others are worth having. Where all are, the first failure is the whole one's.
pub fn back_up_server(
    data: &DataDirectory,
    to: &Path,
    now: Timestamp,
    mut reached: impl FnMut(Reached),
) -> Result<Manifest, BackupError> {
    if is_decided(data.path()) {
        return Err(BackupError::Restoring {
            path: data.path().to_owned(),
        });
    }
    check_place(to, data.path())?;
    let tenants = data.tenant_files()?;
    let whole = tenants.iter().map(|path| length(path)).sum();
    let control = data.path().join(CONTROL_FILE_NAME);
    let mut copy = Copy::begin(to, server_name(&control)?.as_deref(), whole, now)?;
    if control.exists() {
        copy.add(&control, CONTROL_FILE_NAME, Content::Other, &mut reached)?;
    }
    for path in &tenants {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.expect("a tenant file has a name of ours");
        let name = format!("tenants/{name}");
        match copy.add(path, &name, Content::Log, &mut reached) {
            Err(error) if error.is_of_source() && tenants.len() > 1 => {
                copy.leave_out(name, &error)?
            }
            added => added?,
        }
    }
    if copy.files.is_empty() {
        return Err(BackupError::Nothing {
            path: data.path().to_owned(),
        });
    }
    let manifest = copy.finish(BackupKind::Server, now)?;
    note_verified(data.path(), to, &manifest);
    Ok(manifest)
}

/// Backs up one tenant of a server to `to`, which must not exist.
pub fn back_up_tenant(
    data: &DataDirectory,
    tenant: &TenantId,
    to: &Path,
    now: Timestamp,
) -> Result<Manifest, BackupError> {
    let path = data.tenant_file(tenant);
    let mut copy = Copy::begin(to, None, length(&path), now)?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = format!(
        "tenants/{}",
        name.expect("a tenant file has a name of ours")
    );
    copy.add(&path, &name, Content::Log, &mut |_| ())?;
    copy.finish(BackupKind::Tenant, now)
}

/// Backs up the replica in `directory` to `to`, which must not exist.
pub fn back_up_replica(
    directory: &Path,
    local_name: &str,
    to: &Path,
    now: Timestamp,
    mut reached: impl FnMut(Reached),
) -> Result<Manifest, BackupError> {
    finish_replica_restore(directory)?;
    let local = directory.join(local_name);
    if !local.exists() {
        return Err(BackupError::Nothing {
            path: directory.to_owned(),
        });
    }
    check_place(to, directory)?;
    for _ in 0..REPLICA_TRIES {
        let tenant = tenant_file_of(&local)?;
        let whole = length(&local) + length(&directory.join(&tenant));
        let mut copy = Copy::begin(to, None, whole, now)?;
        let of_one_log = match copy.add_replica(directory, local_name, &tenant, &mut reached) {
            Err(BackupError::Io { .. } | BackupError::Copy { .. } | BackupError::Open(_))
                if tenant_file_of(&local)? != tenant =>
            {
                continue;
            }
            added => added?,
        };
        if of_one_log && tenant_file_of(&local)? == tenant {
            let copied = copy.staging.join(local_name);
            copy.pending = Some(LocalFile::pending_of_copy(&copied)?);
            let manifest = copy.finish(BackupKind::Replica, now)?;
            note_verified(directory, to, &manifest);
            return Ok(manifest);
        }
    }
    Err(BackupError::Rebuilding)
}

/// Checks that `to`, which need not be there, lies neither inside `of`, which is to be backed up, nor inside
/// another backup: what a copy holds is to be what was copied, and nothing else.
pub fn check_place(to: &Path, of: &Path) -> Result<(), BackupError> {
    let inside = |outer: &Path, what| BackupError::Inside {
        path: to.to_owned(),
        outer: outer.to_owned(),
        what,
    };
    let (place, source) = (settled(to)?, settled(of)?);
    for outer in place.ancestors() {
        if outer == source {
            return Err(inside(of, "which is what is backed up"));
        }
        if outer.join(MANIFEST_NAME).is_file() && outer != place {
            return Err(inside(outer, "which is another backup"));
        }
    }
    Ok(())
}

/// The path without links, as far as it is there.
fn settled(path: &Path) -> Result<PathBuf, BackupError> {
    let path = std::path::absolute(path).map_err(io_error("look for", path))?;
    let mut there = path.as_path();
    let found = loop {
        match (there.canonicalize(), there.parent()) {
            (Ok(found), _) => break found,
            (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => there = parent,
            (Err(error), _) => return Err(io_error("look for", there)(error)),
        }
    };
    let rest = path.strip_prefix(there).expect("it was cut from its end");
    Ok(found.join(rest))
}

pub(super) fn tenant_file_of(local: &Path) -> Result<String, BackupError> {
    Ok(LocalFile::open(local, &FileOptions::default())?
        .identity()?
        .tenant_file)
}

/// Notes that a backup is whole. It is so without the note as well.
fn note_verified(of: &Path, at: &Path, manifest: &Manifest) {
    let last = LastBackup {
        verified_at: manifest.made_at,
        path: fs::canonicalize(at).unwrap_or_else(|_| at.to_owned()),
        bytes: manifest.bytes(),
        left_out: manifest.left_out.len(),
    };
    if let Err(error) = note(of, &last) {
        tracing::warn!(
            error = &error as &dyn Error, backup.path = %last.path.display(),
            "the backup is whole, but it could not be noted that it is"
        );
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// A backup that is being made, in a directory beside its place; removed if it isn't finished.
struct Copy {
    to: PathBuf,
    staging: PathBuf,
    _held: Option<File>,
    files: Vec<BackupFile>,
    pending: Option<u64>,
    left_out: Vec<LeftOut>,
    reached: Reached,
}

impl Copy {
    fn begin(
        to: &Path,
        server: Option<&str>,
        whole: u64,
        now: Timestamp,
    ) -> Result<Self, BackupError> {
        if to.exists() {
            return Err(BackupError::Exists {
                path: to.to_owned(),
            });
        }
        let name = to.file_name().ok_or_else(|| BackupError::Exists {
            path: to.to_owned(),
        })?;
        let staging = to.with_file_name(part_name(name, server));
        if let Some(parent) = to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(io_error("make", parent))?;
        }
        sweep_parts(to, server, now)?;
        // Left by a process of the same number that was killed, where the system can't tell.
        if staging.exists() {
            if !is_of_a_backup(&staging)? {
                return Err(BackupError::Exists { path: staging });
            }
            fs::remove_dir_all(&staging).map_err(io_error("remove", &staging))?;
        }
        make_private(&staging)?;
        Ok(Self {
            to: to.to_owned(),
            _held: hold_part(&staging),
            staging,
            files: Vec::new(),
            pending: None,
            left_out: Vec::new(),
            reached: Reached { done: 0, whole },
        })
    }

    /// Copies outbox and log of a replica; says whether both copies are of the log `tenant`, in one epoch of it.
    fn add_replica(
        &mut self,
        directory: &Path,
        local_name: &str,
        tenant: &str,
        reached: &mut impl FnMut(Reached),
    ) -> Result<bool, BackupError> {
        let log = directory.join(tenant);
        // A log may begin another epoch in its place, and what it settles in the outbox stands there before.
        let epoch = TenantFile::open_to_read(&log)?.head()?.epoch;
        // The outbox first: what leaves it meanwhile is in the log's copy. The other way round, it could be in neither.
        let local = directory.join(local_name);
        self.add(&local, local_name, Content::Other, reached)?;
        self.add(&log, tenant, Content::Log, reached)?;
        let outbox_of = LocalFile::identity_of_copy(&self.staging.join(local_name))?.tenant_file;
        let copied = self.files.last().and_then(|file| file.log);
        Ok(outbox_of == tenant && copied.is_some_and(|log| log.epoch == epoch))
    }

    /// Copies the SQLite file `from` as it is at one moment, and verifies the copy.
    fn add(
        &mut self,
        from: &Path,
        name: &str,
        content: Content,
        reached: &mut impl FnMut(Reached),
    ) -> Result<(), BackupError> {
        reached(self.reached);
        let path = self.staging.join(name);
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            make_private(parent)?;
        }
        copy_database(from, &path)?;
        let log = match content {
            Content::Log => Some(census(name, &path)?),
            Content::Other if whole(&path)? == "ok" => None,
            Content::Other => {
                return Err(BackupError::Damaged {
                    name: name.to_owned(),
                    what: "SQLite finds a fault in it",
                });
            }
        };
        sync(&path)?;
        let (bytes, sha256) = digest(&path).map_err(io_error("read", &path))?;
        self.files.push(BackupFile {
            name: name.to_owned(),
            bytes,
            sha256,
            log,
        });
        self.reached.done += length(from);
        Ok(())
    }

    /// Goes on without a file that could not be copied.
    fn leave_out(&mut self, name: String, error: &BackupError) -> Result<(), BackupError> {
        let path = self.staging.join(&name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(io_error("remove", &path)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let (mut causes, mut cause) = (Vec::new(), Some(error as &dyn Error));
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        self.left_out.push(LeftOut { name, causes });
        Ok(())
    }

    /// Gives the backup its name, once all of it is on the disk.
    fn finish(mut self, kind: BackupKind, now: Timestamp) -> Result<Manifest, BackupError> {
        let mut manifest = Manifest::new(kind, now, std::mem::take(&mut self.files));
        manifest.pending = self.pending;
        manifest.left_out = std::mem::take(&mut self.left_out);
        manifest.server = server_name(&self.staging.join(CONTROL_FILE_NAME))?;
        manifest.write(&self.staging)?;
        let tenants = self.staging.join("tenants");
        if tenants.is_dir() {
            sync_directory(&tenants)?;
        }
        sync_directory(&self.staging)?;
        fs::rename(&self.staging, &self.to).map_err(io_error("make", &self.to))?;
        match self.to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent)?,
            _ => sync_directory(Path::new("."))?,
        }
        Ok(manifest)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // A finished one is no longer there.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

/// Writes what the SQLite file `from` holds at one moment to `to`, without its free pages.
pub(super) fn copy_database(from: &Path, to: &Path) -> Result<(), BackupError> {
    let text = to.to_str().ok_or_else(|| BackupError::Foreign {
        path: to.to_owned(),
        source: None,
    })?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copy = || -> rusqlite::Result<()> {
        let connection = Connection::open_with_flags(from, flags)?;
        connection.busy_timeout(PATIENCE)?;
        crate::records::register(&connection)?;
        connection.execute("VACUUM INTO ?", [text])?;
        Ok(())
    };
    copy().map_err(|error| BackupError::Copy {
        path: from.to_owned(),
        source: error.into(),
    })?;
    make_file_private(to)
}

#[cfg(unix)]
fn make_file_private(path: &Path) -> Result<(), BackupError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(io_error("close", path))
}

#[cfg(not(unix))]
fn make_file_private(_path: &Path) -> Result<(), BackupError> {
    Ok(())
}

pub(super) fn make_private(path: &Path) -> Result<(), BackupError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(io_error("make", path))
}

pub(super) fn sync(path: &Path) -> Result<(), BackupError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(io_error("sync", path))
}

pub(super) fn sync_directory(path: &Path) -> Result<(), BackupError> {
    if cfg!(unix) { sync(path) } else { Ok(()) }
}
