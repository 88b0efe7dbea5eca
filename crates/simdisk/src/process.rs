//! A process on the disk: its SQLite VFS, its file verbs, its death.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::fault::{Fault, Realm};
use crate::state::{Counters, ProcessKey, Shared, Trouble};
use crate::vfs::Registration;

/// Which file it is, as an inode number tells: a copy has another, a renamed or rewritten file has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub(crate) u64);

impl FileId {
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Why a file verb failed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("no file {path:?}")]
    Missing { path: String },
    #[error("{path:?} is outside this process's home")]
    Outside { path: String },
    #[error("disk full at {path:?}")]
    Full { path: String },
    /// A fault was armed for this call.
    #[error("I/O error on {path:?}")]
    Failed { path: String },
    /// Killed, or without power: nothing works until it is revived.
    #[error("the process is dead")]
    Dead,
}

impl FileError {
    fn new(trouble: Trouble, path: &str) -> Self {
        let path = path.to_owned();
        match trouble {
            Trouble::Missing => Self::Missing { path },
            Trouble::Outside => Self::Outside { path },
            Trouble::Full => Self::Full { path },
            Trouble::Failed | Trouble::Busy => Self::Failed { path },
            Trouble::Dead => Self::Dead,
        }
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        let kind = match &error {
            FileError::Missing { .. } => io::ErrorKind::NotFound,
            FileError::Outside { .. } => io::ErrorKind::PermissionDenied,
            FileError::Full { .. } => io::ErrorKind::StorageFull,
            FileError::Failed { .. } | FileError::Dead => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// A process on a [`Disk`](crate::Disk): whoever opens files through its VFS or its verbs.
///
/// Dead, it answers every call with an error until it is revived; the VFS keeps its name. To drop it is to
/// kill it for good.
pub struct Process {
    shared: Arc<Shared>,
    key: ProcessKey,
    registration: Registration,
}

impl Process {
    pub(crate) fn new(shared: &Arc<Shared>, home: &str) -> Self {
        let key = shared.lock().add_process(home);
        Self {
            registration: Registration::new(shared, key),
            shared: Arc::clone(shared),
            key,
        }
    }

    /// The name by which SQLite opens files as this process.
    pub fn vfs_name(&self) -> &str {
        self.registration.name()
    }

    pub fn is_alive(&self) -> bool {
        self.shared.lock().is_alive(self.key)
    }

    /// Kills this process alone; see [`Disk::kill`](crate::Disk::kill).
    pub fn kill(&self) {
        self.shared.lock().kill_process(self.key);
    }

    /// Starts it again if it is dead.
    ///
    /// # Panics
    /// If a connection of it is still open: drop what died first.
    pub fn revive(&self) {
        self.shared.lock().revive_process(self.key);
    }

    /// Arms a fault for this process's calls. It stays armed over a death and a return.
    pub fn arm(&self, fault: Fault) {
        let realm = Realm::Process(self.key);
        self.shared.lock().faults.arm(realm, fault);
    }

    /// Takes back the faults armed for this process.
    pub fn disarm(&self) {
        self.shared.lock().faults.disarm(&Realm::Process(self.key));
    }

    /// The calls of this process so far, over all its lives.
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters(self.key)
    }

    /// Handles that this process has open, dead ones too.
    pub fn open_handles(&self) -> usize {
        self.shared.lock().open_handles(self.key)
    }

    pub fn exists(&self, path: &str) -> Result<bool, FileError> {
        let found = self.shared.lock().find(self.key, path);
        found
            .map(|found| found.is_some())
            .map_err(|trouble| FileError::new(trouble, path))
    }

    pub fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let read = self.shared.lock().read_file(self.key, path);
        read.map_err(|trouble| FileError::new(trouble, path))
    }

    /// Writes the whole file in place, or a new one. Neither content nor name is durable yet.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let done = self.shared.lock().write_file(self.key, path, bytes);
        done.map_err(|trouble| FileError::new(trouble, path))
    }

    /// Puts a new file in the place of `path`, at once and durably: a power loss finds the old one or the new.
    pub fn write_durably(&self, path: &str, bytes: &[u8]) -> Result<(), FileError> {
        let mut state = self.shared.lock();
        let done = state.write_file_durably(self.key, path, bytes);
        done.map_err(|trouble| FileError::new(trouble, path))
    }

    /// Copies a file to a new one, in the place of whatever had the name. Not durable.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), FileError> {
        let bytes = self.read(from)?;
        if self.exists(to)? {
            self.remove(to)?;
        }
        self.write(to, &bytes)
    }

    /// Makes the content of a file durable, and not its name: see [`sync_directory`](Self::sync_directory).
    pub fn sync(&self, path: &str) -> Result<(), FileError> {
        let done = self.shared.lock().sync_file(self.key, path);
        done.map_err(|trouble| FileError::new(trouble, path))
    }

    /// Makes the names of files under `prefix` durable: those made, removed and renamed.
    pub fn sync_directory(&self, prefix: &str) -> Result<(), FileError> {
        let done = self.shared.lock().sync_names(self.key, prefix);
        done.map_err(|trouble| FileError::new(trouble, prefix))
    }

    /// Removes a file's name; who has it open keeps it. Durable once the directory is synced.
    pub fn remove(&self, path: &str) -> Result<(), FileError> {
        let done = self.shared.lock().remove_file(self.key, path);
        done.map_err(|trouble| FileError::new(trouble, path))
    }

    /// Renames a file, in the place of whatever had the new name: whole or not at all, and durable once the
    /// directory is synced.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        let done = self.shared.lock().rename_file(self.key, from, to);
        done.map_err(|trouble| FileError::new(trouble, from))
    }

    /// The paths of the files under `prefix`, in order.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, FileError> {
        let listed = self.shared.lock().list(self.key, prefix);
        listed.map_err(|trouble| FileError::new(trouble, prefix))
    }

    /// Which file has the name `path` now; None: none has.
    pub fn identity(&self, path: &str) -> Result<Option<FileId>, FileError> {
        let found = self.shared.lock().identity(self.key, path);
        found.map_err(|trouble| FileError::new(trouble, path))
    }

    /// Takes the lock named `path`, of which no file need exist; None while anybody holds it.
    ///
    /// It is free again when the guard drops, and when the process dies.
    pub fn try_lock(&self, path: &str) -> Result<Option<FileLock>, FileError> {
        let taken = self.shared.lock().take_lock(self.key, path);
        let number = taken.map_err(|trouble| FileError::new(trouble, path))?;
        Ok(number.map(|number| FileLock {
            shared: Arc::clone(&self.shared),
            path: path.to_owned(),
            number,
        }))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("vfs_name", &self.vfs_name())
            .finish_non_exhaustive()
    }
}

/// A lock held by a process until this drops or the process dies.
#[must_use = "the lock is free again when this drops"]
pub struct FileLock {
    shared: Arc<Shared>,
    path: String,
    number: u64,
}

impl FileLock {
    /// Whether it is still held: a death of the process ended it.
    pub fn is_held(&self) -> bool {
        self.shared.lock().holds_lock(&self.path, self.number)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        self.shared.lock().release_lock(&self.path, self.number);
    }
}

impl fmt::Debug for FileLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileLock")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
