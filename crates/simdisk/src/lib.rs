//! A simulated disk under real SQLite: what was not synced is lost or torn when the power goes.
//!
//! A [`Disk`] is a set of files in memory and any number of [`Process`]es over them. Each process has a
//! SQLite VFS of its own, by whose name a connection opens its files; locks, shared memory, crashes and
//! faults then work between processes as they do on one machine. One number decides all that chance
//! decides, so a run can be had again.
//!
//! A path is a plain name. Names that begin alike belong together: a prefix such as `r1/` is a machine.
//! End it with `/`, or `r1` is `r10` as well.
//!
//! What a power loss does: each write since a file's last sync is kept, dropped or torn at sectors of 512
//! bytes, and each name made, removed or renamed since its directory's last sync is either kept or not. What a
//! killed process leaves is what it had written, synced or not.
//!
//! ```
//! use rusqlite::{Connection, OpenFlags};
//! use syncline_simdisk::{Disk, Fault};
//!
//! let disk = Disk::new(7);
//! let process = disk.process("r1/");
//! process.arm(Fault::power_loss_at(12));
//! let flags = OpenFlags::default();
//! let database = Connection::open_with_flags_and_vfs("r1/a.db", flags, process.vfs_name())?;
//! let done = database.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
//! assert!(done.is_err() && !process.is_alive());
//! drop(database); // What died is dropped before its process is started again.
//! process.revive();
//! let database = Connection::open_with_flags_and_vfs("r1/a.db", flags, process.vfs_name())?;
//! let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
//! assert_eq!(verdict, "ok");
//! # Ok::<(), rusqlite::Error>(())
//! ```
//!
//! The salts in a write-ahead log come from SQLite's own generator, which one process shares: files of two
//! runs may differ in them, and in nothing that a query can see.
//!
//! **Invariant:** `unsafe` is in the module `vfs` alone, which translates between SQLite's pointers and the
//! safe `state`. Nothing here reads a real file, a real clock or real randomness.

mod content;
mod directory;
mod disk;
mod fault;
mod inode;
mod lock;
mod process;
mod shared_memory;
mod snapshot;
mod state;
#[allow(
    unsafe_code,
    reason = "SQLite takes a file system as a table of C functions"
)]
mod vfs;

pub use disk::Disk;
pub use fault::{Effect, Fault, Verb, When};
pub use process::{FileError, FileId, FileLock, Process};
pub use snapshot::Snapshot;
pub use state::Counters;
