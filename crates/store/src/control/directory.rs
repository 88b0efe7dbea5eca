//! The server's data directory: who may look into it, and where a tenant's file is.

use std::collections::HashMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use syncline_model::TenantId;

use super::{CONTROL_FILE_NAME, KnownTenant};
use crate::backup::{BackupError, MANIFEST_NAME, drop_unfinished, finish_restore};

/// The longest part of a file name made of a tenant's name, in bytes. Room is left under the usual
/// 255 for SQLite's suffixes and for those of files made beside it.
const STEM_BYTES_MAX: usize = 200;
/// The directory of the tenant files.
pub(crate) const TENANTS: &str = "tenants";
const LOCK: &str = "serve.lock";
/// How often it is tried to take the lock, and what is waited between: one who asks whether it is held
/// has it for microseconds.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(5);
/// Locked while the control file is opened.
const OPENING: &str = "control.opening";
/// What is written to see whether there is room, for a moment.
const ROOM: &str = "room.tmp";

/// Why the data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirectoryError {
    #[error("could not make {}", path.display())]
    Make {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not finish the restore into {}", path.display())]
    Restore {
        path: PathBuf,
        #[source]
        source: Box<BackupError>,
    },
    #[error("another server works on {}", path.display())]
    Locked { path: PathBuf },
    /// Whoever works on it changes it, and then it can't be put back any more.
    #[error("{} is a backup", path.display())]
    Backup { path: PathBuf },
}

/// A server's data directory: `control.db`, `tenants/`, and the lock of the server that runs on it.
#[derive(Debug, Clone)]
pub struct DataDirectory {
    path: PathBuf,
}

/// The right to serve a data directory; freed when dropped, and by the death of the process.
#[derive(Debug)]
#[must_use = "the directory is free for another server once this is dropped"]
pub struct ServeLock {
    _file: File,
}

impl DataDirectory {
    /// Uses `path` if a server has kept its data there; none: it has not. Makes nothing.
    pub fn find(path: impl Into<PathBuf>) -> Result<Option<Self>, DataDirectoryError> {
        let found = Self::of(path.into())?;
        // A backup of one that was put back has no control file before it is served. Where that can't be
        // listed, nothing can be worked on.
        let has_logs = || {
            let files = found.tenant_files().unwrap_or_default();
            let names = files.iter().filter_map(|path| path.file_name()?.to_str());
            names.into_iter().any(|name| name.starts_with("t-"))
        };
        let is_data = found.path.join(CONTROL_FILE_NAME).is_file() || has_logs();
        Ok(is_data.then_some(found))
    }

    fn of(path: PathBuf) -> Result<Self, DataDirectoryError> {
        if path.join(MANIFEST_NAME).exists() {
            return Err(DataDirectoryError::Backup { path });
        }
        Ok(Self { path })
    }

    /// Uses `path`, and makes it, closed to other users, if it is not there.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataDirectoryError> {
        let directory = Self::of(path.into())?;
        make_private_directory(&directory.path)?;
        make_private_directory(&directory.path.join(TENANTS))?;
        Ok(directory)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock that one server at a time may hold, finishes a restore that was decided, and removes what
    /// a killed one has left.
    pub fn lock(&self) -> Result<ServeLock, DataDirectoryError> {
        let path = self.private_file(LOCK)?;
        let file = File::open(&path).map_err(make(&path))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => {
                    finish_restore(&self.path).map_err(|source| DataDirectoryError::Restore {
                        path: self.path.clone(),
                        source: Box::new(source),
                    })?;
                    drop_unfinished(&self.path);
                    return Ok(ServeLock { _file: file });
                }
                // Who only asks holds it for a moment.
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(source)) => {
                    return Err(DataDirectoryError::Make { path, source });
                }
            }
        }
        Err(DataDirectoryError::Locked {
            path: self.path.clone(),
        })
    }

    /// Whether a process holds the lock. It is asked for together with others who ask, and nothing is
    /// done for having it.
    pub fn is_locked(&self) -> Result<bool, DataDirectoryError> {
        let path = self.path.join(LOCK);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(DataDirectoryError::Make { path, source }),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(DataDirectoryError::Make { path, source }),
        }
    }

    /// Waits for its turn among the processes that open the control file; given back when dropped.
    pub(super) fn opening(&self) -> Result<File, DataDirectoryError> {
        let file = self.private_log(OPENING)?;
        file.lock().map_err(make(&self.path.join(OPENING)))?;
        Ok(file)
    }

    /// Where the tenant file of `tenant` is, whether or not it has been made.
    ///
    /// Upper-case letters are written `=` and the lower-case one, so that names that differ in case
    /// alone stay apart on file systems that don't tell them apart; a name too long for that is
    /// written as its digest.
    pub fn tenant_file(&self, tenant: &TenantId) -> PathBuf {
        self.path.join(TENANTS).join(file_name(tenant, ".db"))
    }

    /// The tenant files that are there, in the order of their names.
    pub fn tenant_files(&self) -> Result<Vec<PathBuf>, DataDirectoryError> {
        let directory = self.path.join(TENANTS);
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(make(&directory)(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(make(&directory))?.path();
            if path.extension().is_some_and(|extension| extension == "db") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// The tenants whose files are there, in the order of the files' names. A name too long to stand in
    /// that of a file must be among the `known` ones to be told.
    pub fn tenants(&self, known: &[KnownTenant]) -> Result<Vec<TenantId>, DataDirectoryError> {
        let files = self.tenant_files()?;
        let mut by_file: HashMap<PathBuf, &TenantId> = known
            .iter()
            .map(|known| (self.tenant_file(&known.tenant), &known.tenant))
            .collect();
        let name = |path: &PathBuf| tenant_of(path).or_else(|| by_file.remove(path).cloned());
        Ok(files.iter().filter_map(name).collect())
    }

    /// Where files made from the tenant's file, which can be had again, are kept.
    pub fn prepared_file(&self, tenant: &TenantId) -> PathBuf {
        self.path
            .join(TENANTS)
            .join(file_name(tenant, ".prepared.zst"))
    }

    /// Where builds before kept the same as gzip: it is only there to be removed.
    pub fn former_prepared_file(&self, tenant: &TenantId) -> PathBuf {
        self.path
            .join(TENANTS)
            .join(file_name(tenant, ".prepared.gz"))
    }

    /// Whether so many bytes fit onto the directory's disk now, and onto that of the logs, which may be another.
    pub fn has_room(&self, bytes: usize) -> bool {
        let in_logs = format!("{TENANTS}/{ROOM}");
        [ROOM, &in_logs]
            .into_iter()
            .all(|name| self.takes(name, |file| file.write_all(&vec![b'x'; bytes])))
    }

    /// Whether something can be written beside the logs and is on the disk then, and their largest file may have so
    /// many bytes more. It takes no such room.
    pub fn takes_writes(&self, bytes: u64) -> bool {
        let largest = || {
            let entries = fs::read_dir(self.path.join(TENANTS))?;
            let lengths = entries.map(|entry| Ok(entry?.metadata()?.len()));
            lengths.collect::<io::Result<Vec<_>>>()
        };
        self.takes(&format!("{TENANTS}/{ROOM}"), |file| {
            let largest = largest()?.into_iter().max().unwrap_or(0);
            file.write_all(b"x")?;
            // A bound to the size of files may be that which the log has met.
            file.set_len(largest + bytes)?;
            file.sync_all()
        })
    }

    /// Whether a file can be made and written, and taken away again.
    fn takes(&self, name: &str, write: impl FnOnce(&mut File) -> io::Result<()>) -> bool {
        let opened = self.private_log(name).map_err(io::Error::other);
        let fits = opened.and_then(|mut file| write(&mut file)).is_ok();
        fs::remove_file(self.path.join(name)).is_ok() && fits
    }

    /// Makes an empty file that other users can't read, unless it is there; SQLite gives the files
    /// it makes beside one the same mode.
    pub fn private_file(&self, name: &str) -> Result<PathBuf, DataDirectoryError> {
        self.private_log(name)?;
        Ok(self.path.join(name))
    }

    /// Opens a file that other users can't read, to append to; makes it if it is not there.
    pub(super) fn private_log(&self, name: &str) -> Result<File, DataDirectoryError> {
        let path = self.path.join(name);
        let mut options = File::options();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(make(&path))
    }
}

fn file_name(tenant: &TenantId, suffix: &str) -> String {
    let mut stem = String::with_capacity(tenant.as_str().len());
    for letter in tenant.as_str().chars() {
        if letter.is_ascii_uppercase() {
            stem.push('=');
        }
        stem.push(letter.to_ascii_lowercase());
    }
    if stem.len() > STEM_BYTES_MAX {
        let digest = Sha256::digest(tenant.as_str());
        stem = std::iter::once("==".to_owned())
            .chain(digest.iter().map(|byte| format!("{byte:02x}")))
            .collect();
    }
    // The first letter keeps clear of names that an operating system reserves.
    format!("t-{stem}{suffix}")
}

/// The tenant that [`file_name`] has named this file for.
fn tenant_of(path: &Path) -> Option<TenantId> {
    let stem = path.file_stem()?.to_str()?.strip_prefix("t-")?;
    let mut name = String::with_capacity(stem.len());
    let mut letters = stem.chars();
    while let Some(letter) = letters.next() {
        name.push(match letter {
            '=' => letters
                .next()
                .filter(char::is_ascii_lowercase)?
                .to_ascii_uppercase(),
            other => other,
        });
    }
    TenantId::new(name).ok()
}

fn make_private_directory(path: &Path) -> Result<(), DataDirectoryError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(make(path))?;
    sync_names_above(path)
}

/// Makes a new directory's name durable: what is in a directory whose name a power loss takes is
/// lost with it. Names further up may be new as well, so they are synced as far as that goes.
fn sync_names_above(path: &Path) -> Result<(), DataDirectoryError> {
    let path = path.canonicalize().map_err(make(path))?;
    let sync = |above: &Path| File::open(above).and_then(|directory| directory.sync_all());
    let mut ancestors = path.ancestors().skip(1);
    if cfg!(unix)
        && let Some(parent) = ancestors.next()
    {
        sync(parent).map_err(make(parent))?;
    }
    // A directory that can't be opened or synced is not one that was made just now.
    let _ = ancestors.try_for_each(sync);
    Ok(())
}

fn make(path: &Path) -> impl FnOnce(io::Error) -> DataDirectoryError {
    let path = path.to_owned();
    move |source| DataDirectoryError::Make { path, source }
}
