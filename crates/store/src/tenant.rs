//! The tenant file: a tenant's log, and the view folded from it.

mod apply;
mod batch;
mod compact;
mod durable;
mod epoch;
mod erasures;
mod members;
mod prepared;
mod read;
pub(crate) mod requests;
#[cfg(test)]
mod tests;
mod times;
mod unread;
mod upkeep;
mod verify;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use syncline_model::{Cursor, Epoch, Mark, Op, ResourceId, Scope, ServerSeq};

use crate::file::{
    Existence, FileOptions, OpenError, StoreError, connect, connect_to_read, format_of,
};
use crate::schema;

pub use apply::{Applied, ApplyError, PulledPage};
pub use batch::{AppendError, Appended, Batch};
pub use compact::{
    Collecting, Compacted, Compaction, EmptyTries, Fill, Forgetting, LogLeft, OneIn, Stepped,
};
pub use epoch::LogStart;
pub use members::{ClientRecord, Contact, REFUSALS_MAX, Refusal};
pub use read::{PageLimit, RawOp, ViewTotals};
pub use requests::{DROPPED_REQUESTS_MAX, KnownRequest, REQUEST_ACTOR, RequestTrace};
pub use syncline_model::{EpochMode, Lineage, Parent};
pub use upkeep::Owed;
pub use verify::{LogCensus, VerifyError};

/// A resource with its scope.
pub type ResourceKey = (Scope, ResourceId);

/// Where a log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub epoch: Epoch,
    pub cursor: Cursor,
    /// The place at or below which compaction has dropped covered ops.
    pub floor: ServerSeq,
    /// The highest clock ever accepted; 0: none.
    pub clock_max: u64,
}

/// An op of the outbox; `order` rises with each write of the replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingOp {
    pub order: u64,
    pub op: Op,
}

/// The outbox, as a tenant file reads it inside its own write transaction.
pub trait Outbox {
    /// The ops written after `order`, oldest first.
    fn after(&self, order: u64) -> Result<Vec<PendingOp>, StoreError>;

    /// The ops that touch any of these resources, oldest first.
    fn of_resources(&self, resources: &[ResourceKey]) -> Result<Vec<PendingOp>, StoreError>;

    /// Whether there is no op in it.
    fn is_empty(&self) -> Result<bool, StoreError>;
}

impl Outbox for [PendingOp] {
    fn after(&self, order: u64) -> Result<Vec<PendingOp>, StoreError> {
        Ok(self
            .iter()
            .filter(|pending| pending.order > order)
            .cloned()
            .collect())
    }

    fn of_resources(&self, resources: &[ResourceKey]) -> Result<Vec<PendingOp>, StoreError> {
        let of = |pending: &&PendingOp| {
            let touched = syncline_model::touched(&pending.op.key, Some(&pending.op.payload));
            touched.iter().any(|one| resources.contains(one))
        };
        Ok(self.iter().filter(of).cloned().collect())
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(<[PendingOp]>::is_empty(self))
    }
}

/// One tenant's log and view, open for reading and writing.
#[derive(Debug)]
pub struct TenantFile {
    pub(crate) connection: Connection,
    path: PathBuf,
    /// The SQLite VFS that it is on; none: the system's own.
    vfs: Option<String>,
}

impl TenantFile {
    /// Makes the file of an empty log; fails where one is.
    pub fn create(
        path: &Path,
        options: &FileOptions,
        epoch: Epoch,
        origin: Mark,
    ) -> Result<Self, OpenError> {
        let connection = connect(path, options, Existence::Created)?;
        if format_of(&connection, path, schema::APPLICATION, schema::FORMAT)? != 0 {
            return Err(OpenError::Exists {
                path: path.to_owned(),
            });
        }
        let file = Self {
            connection,
            path: path.to_owned(),
            vfs: options.vfs.clone(),
        };
        file.initialize(epoch, origin)
            .map_err(|error| OpenError::store(path, error))?;
        Ok(file)
    }

    /// Opens the file; a view of an older fold version is folded again from the log.
    pub fn open(path: &Path, options: &FileOptions) -> Result<Self, OpenError> {
        let connection = connect(path, options, Existence::Required)?;
        match format_of(&connection, path, schema::APPLICATION, schema::FORMAT)? {
            0 => {
                return Err(OpenError::Foreign {
                    path: path.to_owned(),
                });
            }
            schema::FORMAT => {}
            _ => schema::bring_to_format(&connection)
                .map_err(|error| OpenError::store(path, error))?,
        }
        let mut file = Self {
            connection,
            path: path.to_owned(),
            vfs: options.vfs.clone(),
        };
        let found = file
            .fold_version()
            .map_err(|error| OpenError::store(path, error))?;
        if found > schema::fold_version() {
            let known = schema::fold_version();
            return Err(OpenError::NewerFormat {
                path: path.to_owned(),
                found,
                known,
            });
        }
        if found < schema::fold_version() {
            file.fold_again()
                .map_err(|error| OpenError::store(path, error))?;
        }
        Ok(file)
    }

    /// Opens a file for reading alone, such as a copy, and changes nothing in it.
    pub fn open_to_read(path: &Path) -> Result<Self, OpenError> {
        let connection = connect_to_read(path)?;
        if format_of(&connection, path, schema::APPLICATION, schema::FORMAT)? == 0 {
            return Err(OpenError::Foreign {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            connection,
            path: path.to_owned(),
            vfs: None,
        })
    }

    /// Opens the file, or makes it if there is none.
    pub fn open_or_create(
        path: &Path,
        options: &FileOptions,
        start: impl FnOnce() -> (Epoch, Mark),
    ) -> Result<Self, OpenError> {
        let connection = connect(path, options, Existence::Created)?;
        let format = format_of(&connection, path, schema::APPLICATION, schema::FORMAT)?;
        drop(connection);
        if format == 0 {
            let (epoch, origin) = start();
            Self::create(path, options, epoch, origin)
        } else {
            Self::open(path, options)
        }
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection, for the queries on the view.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where the log stands.
    pub fn head(&self) -> Result<Head, StoreError> {
        read_head(&self.connection)
    }

    /// The order up to which the outbox is folded on top.
    pub fn folded_order(&self) -> Result<u64, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT folded_order FROM state")?;
        Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as u64)
    }

    /// Leaves checkpoints to [`TenantFile::checkpoint`], so that no commit pays for one.
    pub fn checkpoint_by_hand(&self) -> Result<(), StoreError> {
        Ok(self
            .connection
            .pragma_update(None, "wal_autocheckpoint", 0)?)
    }

    /// Moves what the write-ahead log holds into the file, as far as no reader is in the way; gives
    /// the pages that the log still holds.
    pub fn checkpoint(&self) -> Result<u64, StoreError> {
        let left = self
            .connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?)
            })?;
        Ok(left.max(0) as u64)
    }

    fn initialize(&self, epoch: Epoch, origin: Mark) -> Result<(), StoreError> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        schema::create(&self.connection)?;
        self.connection.execute(
            "INSERT INTO state (id, epoch, origin, head, mark, floor, clock_max, folded_order, fold_version) \
             VALUES (1, ?, ?, 0, ?, 0, 0, 0, ?)",
            (epoch.to_string(), origin.as_bytes(), origin.as_bytes(), schema::fold_version()),
        )?;
        self.connection.execute(
            "INSERT INTO epochs (ordinal, epoch) VALUES (1, ?)",
            [epoch.to_string()],
        )?;
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    /// The version of the folds that have made the view.
    pub fn fold_version(&self) -> Result<i64, StoreError> {
        let found = self
            .connection
            .query_row("SELECT fold_version FROM state", [], |row| row.get(0))
            .optional()?;
        found.ok_or(StoreError::damaged("it has no state"))
    }
}

pub(crate) fn read_head(connection: &Connection) -> Result<Head, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT epoch, head, mark, floor, clock_max FROM state")?;
    let (epoch, head, mark, floor, clock_max) = statement.query_row([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, Vec<u8>>(2)?,
            row.get::<_, i64>(3)?,
            row.get::<_, i64>(4)?,
        ))
    })?;
    Ok(Head {
        epoch: epoch
            .parse()
            .map_err(|_| StoreError::damaged("its epoch is no UUID"))?,
        cursor: Cursor {
            server_seq: ServerSeq(head as u64),
            mark: stored_mark(&mark)?,
        },
        floor: ServerSeq(floor as u64),
        clock_max: clock_max as u64,
    })
}

pub(crate) fn stored_mark(bytes: &[u8]) -> Result<Mark, StoreError> {
    Mark::from_slice(bytes).map_err(|_| StoreError::damaged("a mark is not 16 bytes"))
}
