//! The local file: what a replica alone knows. Its identity, its outbox, its quarantine, and the name
//! of its current tenant file.
//!
//! A write is done when this file has it, so its commits wait for the disk. Three kinds of commit
//! don't, because their loss does no harm: an acknowledgement (the op is pushed again, and answered
//! as a duplicate), the removal of an op that was pulled (it is found in the log and removed again, and what
//! it has lost is noted again), and the notes about the last sync.
//!
//! Many processes write here at once. No transaction on this file waits for the tenant file: those
//! that need something from it only read, and readers of a tenant file never wait.

mod columns;
mod compaction;
mod desk;
mod format;
mod history;
mod import;
mod judged;
mod lost;
mod notes;
mod outbox;
mod overlay;
mod quarantine;
mod rows;
mod settle;
mod switch;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use syncline_model::{ActorId, ClientId, IdError, TenantId, UserId};

use crate::file::{
    Durability, Existence, FileOptions, OpenError, StoreError, connect, connect_to_read, format_of,
};

pub use compaction::CompactionNote;
pub use desk::Desk;
use format::FORMAT;
pub use history::{LIST_STEPS_BYTES_MAX, LIST_STEPS_MAX, ListChange, ListStep, Stack, StepPlace};
pub use import::{ImportNotes, ImportedFile, ImportedMarks, ImportedUnit};
pub use judged::{Judged, JudgedError};
pub use lost::{LOST_EDITS_MAX, LostEdit, UntoldLoss};
pub use notes::{Cut, SyncError, SyncNotes};
pub use outbox::{NewOp, OutboxBatch, OutboxCount, OutboxRow, OutboxState, WriteError, Written};
pub use quarantine::{QuarantineId, QuarantinedOp};
pub use settle::{Settled, Verdict};
pub use switch::{AcknowledgedOps, OldFile, Switch, SwitchError};

/// The name of a replica's local file in its directory.
pub const LOCAL_FILE_NAME: &str = "local.db";
/// `SYNL` in a file's header.
const APPLICATION: i32 = 0x5359_4e4c;
/// How often an open is tried while other processes make or recover the same file. SQLite answers
/// some of those moments with "busy" at once, without the connection's own waiting.
const OPEN_ATTEMPTS: u32 = 200;
const OPEN_PAUSE: Duration = Duration::from_millis(10);

/// How a commit that waits for the disk is made.
const WAITING: &str = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000";
/// How one of many large ones is made, one after another: with a checkpoint after several of them.
const WAITING_IN_A_ROW: &str = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000";
/// How one that doesn't is made: without a checkpoint after it, as SQLite tells nobody when the sync
/// of that fails.
const NOT_WAITING: &str = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0";

/// A replica's local file, open for reading and writing.
#[derive(Debug)]
pub struct LocalFile {
    connection: Connection,
    path: PathBuf,
    /// Whether a commit has failed since the write-ahead log was last known to be whole.
    in_doubt: bool,
}

/// Who a replica is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its id on the wire.
    pub replica: ClientId,
    /// Who stamps its ops.
    pub actor: ActorId,
    /// The highest clock taken here, or seen when the tenant file was last exchanged; 0: none.
    pub clock: u64,
    /// Machine, device and inode on which the file was last opened; none: not noted yet.
    pub host: Option<String>,
    /// The tenant and user that it syncs as; none: it never has.
    pub member: Option<(TenantId, UserId)>,
    /// The name of its tenant file, in its own directory.
    pub tenant_file: String,
}

impl LocalFile {
    /// Opens the file; [`OpenError::Missing`] if there is none.
    pub fn open(path: &Path, options: &FileOptions) -> Result<Self, OpenError> {
        patiently(|| {
            let mut file = Self::connect(path, options, Existence::Required)?;
            match format_of(&file.connection, path, APPLICATION, FORMAT)? {
                // Another process has made the file, and not yet its tables.
                0 => {
                    return Err(OpenError::Missing {
                        path: path.to_owned(),
                    });
                }
                FORMAT => {}
                _ => file
                    .bring_to_format(None)
                    .map_err(|error| OpenError::store(path, error))?,
            }
            Ok(file)
        })
    }

    /// Makes the file, or opens the one that another process has made meanwhile: its identity stands.
    pub fn open_or_create(
        path: &Path,
        options: &FileOptions,
        fresh: &Identity,
    ) -> Result<Self, OpenError> {
        patiently(|| {
            let mut file = Self::connect(path, options, Existence::Created)?;
            if format_of(&file.connection, path, APPLICATION, FORMAT)? != FORMAT {
                file.bring_to_format(Some(fresh))
                    .map_err(|error| OpenError::store(path, error))?;
            }
            Ok(file)
        })
    }

    fn connect(
        path: &Path,
        options: &FileOptions,
        existence: Existence,
    ) -> Result<Self, OpenError> {
        let options = FileOptions {
            durability: Durability::Full,
            ..options.clone()
        };
        let connection = connect(path, &options, existence)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            in_doubt: false,
        })
    }

    /// Who the replica was of whose local file this is a copy that nobody writes to.
    pub fn identity_of_copy(path: &Path) -> Result<Identity, OpenError> {
        let connection = connect_to_read(path)?;
        match format_of(&connection, path, APPLICATION, FORMAT)? {
            0 => Err(OpenError::Foreign {
                path: path.to_owned(),
            }),
            _ => read_identity(&connection).map_err(|error| OpenError::store(path, error)),
        }
    }

    /// How many ops waited for the server in the local file whose copy this is, or that was moved aside.
    pub fn pending_of_copy(path: &Path) -> Result<u64, OpenError> {
        let sql = "SELECT count(*) FROM outbox WHERE acknowledged_seq IS NULL";
        let count = connect_to_read(path)?.query_row(sql, [], |row| row.get::<_, i64>(0));
        let count = count.map_err(|error| OpenError::store(path, error))?;
        Ok(count as u64)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who this replica is by now: another process may have changed it.
    pub fn identity(&self) -> Result<Identity, StoreError> {
        read_identity(&self.connection)
    }

    /// What SQLite's own check finds wrong first; `ok` where that is nothing. Reads the whole file.
    pub fn integrity(&self) -> Result<String, StoreError> {
        crate::file::integrity(&self.connection)
    }

    /// A number that changes with each commit of another connection.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Notes the machine, device and inode of a file that had none noted.
    pub fn note_host(&mut self, host: &str) -> Result<(), StoreError> {
        self.durable(|transaction| {
            transaction.execute("UPDATE identity SET host = ? WHERE host IS NULL", [host])?;
            Ok(())
        })
    }

    /// Gives the file to another replica, on `host`: it was copied, or another user took it over.
    ///
    /// Ops that wait in the outbox keep their keys: the replica that it was copied from may send the
    /// same, and then they are one. Nothing happens where `from` is no longer the file's replica.
    pub fn become_replica(
        &mut self,
        from: &ClientId,
        replica: &ClientId,
        actor: &ActorId,
        host: &str,
    ) -> Result<(), StoreError> {
        self.durable(|transaction| {
            transaction.execute(
                "UPDATE identity SET replica = ?, actor = ?, host = ? WHERE replica = ?",
                (replica.as_str(), actor.as_str(), host, from.as_str()),
            )?;
            Ok(())
        })
    }

    /// Lets go of the note of where the file was last opened: it is put where it belongs, on purpose.
    pub fn forget_host(&mut self) -> Result<(), StoreError> {
        self.durable(|transaction| {
            transaction.execute("UPDATE identity SET host = NULL", [])?;
            Ok(())
        })
    }

    /// Moves the whole write-ahead log into the file. Nobody else may have the file open.
    pub fn write_through(&self) -> Result<(), StoreError> {
        Ok(self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }

    /// Moves the write-ahead log into the file and empties it, so that it holds no op any more that
    /// has left the outbox; says whether it could, which it can't while somebody reads.
    pub fn empty_log(&self) -> Result<bool, StoreError> {
        crate::file::empty_log(&self.connection)
    }

    /// Takes a new actor for the writes to come, unless another process already has.
    pub fn take_actor(&mut self, from: &ActorId, actor: &ActorId) -> Result<(), StoreError> {
        self.durable(|transaction| {
            transaction.execute(
                "UPDATE identity SET actor = ? WHERE actor = ?",
                (actor.as_str(), from.as_str()),
            )?;
            Ok(())
        })
    }

    /// Notes the tenant and user that this replica syncs as.
    pub fn note_member(&mut self, tenant: &TenantId, user: &UserId) -> Result<(), StoreError> {
        self.durable(|transaction| {
            transaction.execute(
                "UPDATE identity SET tenant = ?, user_id = ?",
                (tenant.as_str(), user.as_str()),
            )?;
            Ok(())
        })
    }

    /// Spares the close of this file a checkpoint, where its write-ahead log is small and whole.
    pub fn leave_small_log(&self) {
        if !self.in_doubt {
            crate::file::leave_small_log(&self.connection);
        }
    }

    /// Runs a transaction whose commit waits for the disk.
    fn durable<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.durable_by(WAITING, work)
    }

    fn durable_by<T, E: From<StoreError>>(
        &mut self,
        commits: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.end_doubt()?;
        self.set_commits(commits).map_err(E::from)?;
        let transaction = self.begin()?;
        let done = work(&transaction)?;
        let committed = transaction.commit().map_err(StoreError::from);
        if let Err(error) = committed {
            self.in_doubt = true;
            if let Err(error) = self.end_doubt() {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the local file's write-ahead log stays in doubt");
            }
            return Err(error.into());
        }
        Ok(done)
    }

    /// Runs a transaction whose loss at a power cut does no harm: its commit does not wait for the
    /// disk. Commits before it are not lost with it.
    fn relaxed<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.end_doubt()?;
        self.set_commits(NOT_WAITING)?;
        let transaction = self.begin()?;
        let done = work(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(done)
    }

    fn set_commits(&self, pragmas: &str) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch(pragmas)?)
    }

    /// Begins a write transaction, waiting for other processes' to end.
    fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        Ok(self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// Makes the file good again after a commit that the disk did not take.
    ///
    /// A sync that fails may have lost earlier commits that were not waited for; a later one behind
    /// them would be cut off with them at a power cut, however well it was synced. So everything
    /// goes from the write-ahead log into the file, and the log begins anew.
    fn end_doubt(&mut self) -> Result<(), StoreError> {
        if !self.in_doubt {
            return Ok(());
        }
        let busy: i64 =
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Err(StoreError::Busy(rusqlite::Error::QueryReturnedNoRows));
        }
        self.in_doubt = false;
        Ok(())
    }
}

/// Tries an open again while the file is locked in ways that SQLite does not wait for itself.
fn patiently(
    mut open: impl FnMut() -> Result<LocalFile, OpenError>,
) -> Result<LocalFile, OpenError> {
    for _ in 1..OPEN_ATTEMPTS {
        match open() {
            Err(OpenError::Store { source, .. }) if is_passing(&source) => {
                std::thread::sleep(OPEN_PAUSE);
            }
            done => return done,
        }
    }
    open()
}

fn is_passing(error: &StoreError) -> bool {
    match error {
        StoreError::Busy(_) => true,
        StoreError::Sqlite(error) => {
            error.sqlite_error_code() == Some(ErrorCode::FileLockingProtocolFailed)
        }
        StoreError::Full(_) | StoreError::Damaged { .. } | StoreError::NewerFold { .. } => false,
    }
}

fn read_identity(connection: &Connection) -> Result<Identity, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT replica, actor, clock, host, tenant, user_id, tenant_file FROM identity",
    )?;
    let mut rows = statement.query([])?;
    let row = rows
        .next()?
        .ok_or(StoreError::damaged("it has no identity"))?;
    let tenant: Option<String> = row.get(4)?;
    let user: Option<String> = row.get(5)?;
    let member = match (tenant, user) {
        (Some(tenant), Some(user)) => Some((
            TenantId::new(tenant).map_err(no_id)?,
            UserId::new(user).map_err(no_id)?,
        )),
        (_, _) => None,
    };
    Ok(Identity {
        replica: ClientId::new(row.get::<_, String>(0)?).map_err(no_id)?,
        actor: ActorId::new(row.get::<_, String>(1)?).map_err(no_id)?,
        clock: row.get::<_, i64>(2)? as u64,
        host: row.get(3)?,
        member,
        tenant_file: row.get(6)?,
    })
}

fn no_id(_: IdError) -> StoreError {
    StoreError::damaged("an id of its identity is not one")
}
