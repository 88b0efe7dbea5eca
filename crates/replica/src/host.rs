//! The door to everything that is not SQLite: the wall clock, randomness, and the files around a
//! replica's databases.
//!
//! The real host is [`RealHost`]; the simulator has its own, over its own disk. Nothing else in this
//! crate reads a clock, draws a random number or touches a path, so a simulated replica is the real
//! one.

mod real;

use std::fmt;
use std::io;
use std::path::Path;

use syncline_model::Timestamp;

pub use real::RealHost;

/// What a replica asks of the machine it runs on.
pub trait Host: Send + Sync + fmt::Debug {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Sixteen bytes that nobody can guess, and that no other call has returned.
    fn random(&self) -> [u8; 16];

    /// Which file is at `path`, on which machine; none: there is no file.
    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>>;

    /// Takes the lock named by `path`, without waiting; none: another process, or another handle of
    /// this one, has it. It is freed when the lease is dropped, and when its process dies.
    fn try_lease(&self, path: &Path) -> io::Result<Option<Lease>>;

    /// Removes a file, if it is there.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Renames a file, replacing what is at `to`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Writes a whole file. When this returns, the disk has its content and its name; before, there
    /// is no file at `path`.
    fn write(&self, path: &Path, content: &mut dyn io::Read) -> io::Result<()>;
}

/// A file as its file system knows it: a copy has another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileIdentity {
    pub machine: String,
    pub device: u64,
    pub inode: u64,
}

impl fmt::Display for FileIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:x}:{:x}", self.machine, self.device, self.inode)
    }
}

/// A lock that is held until this is dropped.
#[must_use = "a lease that is dropped is free at once"]
pub struct Lease(#[expect(dead_code, reason = "held, never looked at")] Box<dyn Send>);

impl Lease {
    /// Wraps whatever frees the lock when it is dropped.
    pub fn new(held: impl Send + 'static) -> Self {
        Self(Box::new(held))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}
