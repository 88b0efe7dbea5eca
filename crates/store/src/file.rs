//! Opening SQLite files: where they live, how durable a commit is, and what an open refuses.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use crate::private;

/// The oldest SQLite without the WAL-reset corruption.
const SQLITE_VERSION_MIN: i32 = 3_051_003;
/// How long a connection waits for another process's write transaction.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// How long others may keep a write-ahead log from being emptied, in one try.
const EMPTY_WAIT: Duration = Duration::from_millis(5);
/// The most pages of a write-ahead log that are left at a close: a MiB is read again in about the
/// time of one sync.
const LOG_PAGES_LEFT: i64 = 256;

/// How a file is opened.
#[derive(Debug, Clone, Default)]
pub struct FileOptions {
    /// The SQLite VFS to use; none: the system's own.
    pub vfs: Option<String>,
    pub durability: Durability,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// Until the disk has it: it survives a power cut.
    Full,
    /// Until the system has it: a power cut may undo the last commits, in order.
    #[default]
    Normal,
}

/// A failure of SQLite or of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("there is no room for it")]
    Full(#[source] rusqlite::Error),
    #[error("the file is damaged: {what}")]
    Damaged {
        what: &'static str,
        #[source]
        source: Option<rusqlite::Error>,
    },
    #[error("another process holds the file for too long")]
    Busy(#[source] rusqlite::Error),
    #[error("a newer version has folded the view: update syncline, or start it again")]
    NewerFold { found: i64, known: i64 },
    #[error("could not read or write the file")]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    pub(crate) fn damaged(what: &'static str) -> Self {
        Self::Damaged { what, source: None }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            _ if is_disk_full(&error) => Self::Full(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged {
                what: "SQLite can't read it",
                source: Some(error),
            },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy(error),
            _ => Self::Sqlite(error),
        }
    }
}

/// Whether there was no room for what SQLite had to write, a write-ahead log's shared index included.
pub(crate) fn is_disk_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|failure| {
        failure.code == ErrorCode::DiskFull || failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE
    })
}

/// Why a file can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no file {}", path.display())]
    Missing { path: PathBuf },
    #[error("{} has format {found}, newer than the {known} that this version knows; update syncline", path.display())]
    NewerFormat {
        path: PathBuf,
        found: i64,
        known: i64,
    },
    #[error("{} is there already", path.display())]
    Exists { path: PathBuf },
    #[error("{} is not a file of this kind", path.display())]
    Foreign { path: PathBuf },
    #[error("could not keep other users from {}", path.display())]
    Private {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("SQLite {found} is older than 3.51.3")]
    OldSqlite { found: &'static str },
    #[error("could not open {}", path.display())]
    Store {
        path: PathBuf,
        #[source]
        source: StoreError,
    },
}

impl OpenError {
    pub(crate) fn store(path: &Path, source: impl Into<StoreError>) -> Self {
        Self::Store {
            path: path.to_owned(),
            source: source.into(),
        }
    }

    /// Whether the file's content is at fault, so that it can only be replaced.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Foreign { .. }
                | Self::Store {
                    source: StoreError::Damaged { .. },
                    ..
                }
        )
    }
}

/// The version of the SQLite that is linked in.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Whether an open may make the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existence {
    Required,
    Created,
}

/// Opens `path` with the settings that all our files share.
pub(crate) fn connect(
    path: &Path,
    options: &FileOptions,
    existence: Existence,
) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::OldSqlite {
            found: rusqlite::version(),
        });
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if existence == Existence::Created {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection =
        open_settled(path, flags, options).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen)
                if existence == Existence::Required && options.vfs.is_some() =>
            {
                OpenError::Missing {
                    path: path.to_owned(),
                }
            }
            Some(ErrorCode::CannotOpen) if existence == Existence::Required && !path.exists() => {
                OpenError::Missing {
                    path: path.to_owned(),
                }
            }
            _ => OpenError::store(path, error),
        })?;
    if options.vfs.is_none() {
        // Before the first page is written: what SQLite makes beside the file gets the file's mode.
        private::keep_private(path).map_err(|source| OpenError::Private {
            path: path.to_owned(),
            source,
        })?;
    }
    configure(&connection, options).map_err(|error| OpenError::store(path, error))?;
    Ok(connection)
}

/// Opens a file that nobody writes to, for reading alone.
pub(crate) fn connect_to_read(path: &Path) -> Result<Connection, OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing {
            path: path.to_owned(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| OpenError::store(path, error))?;
    connection
        .pragma_update(None, "trusted_schema", "OFF")
        .and_then(|()| crate::records::register(&connection))
        .map_err(|error| OpenError::store(path, error))?;
    Ok(connection)
}

/// Opens the file, and once more where another process made it meanwhile.
///
/// SQLite tries for reading alone what it can't open for writing: of a file that appears between the
/// two it gives a connection that can't write, and of one that appears after both, an error.
fn open_settled(
    path: &Path,
    flags: OpenFlags,
    options: &FileOptions,
) -> rusqlite::Result<Connection> {
    let open = || match &options.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str()),
        None => Connection::open_with_flags(path, flags),
    };
    match open() {
        Ok(connection) if connection.is_readonly("main")? => {
            drop(connection);
            open()
        }
        Err(error)
            if error.sqlite_error_code() == Some(ErrorCode::CannotOpen)
                && options.vfs.is_none()
                && path.exists() =>
        {
            open()
        }
        opened => opened,
    }
}

fn configure(connection: &Connection, options: &FileOptions) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    crate::records::register(connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Else SQLite looks at a bound LIMIT to plan, and prepares such a statement anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    let synchronous = match options.durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        // Before the first page is written, or it is too late: what is deleted can then be given back
        // to the system page by page. A file that has pages would be written to by this, at each open.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -16_000)
}

/// Keeps 1 MB of pages, and lets go of what is kept beyond that.
pub(crate) fn use_little_memory(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.pragma_update(None, "cache_size", -1_000)?)
}

/// Leaves a small write-ahead log to the next open when this connection is the last to close.
///
/// SQLite would move it into the file then and remove it, which costs a command that writes one row
/// more syncs than the row. A log that has grown is left to SQLite: every open reads it again.
pub(crate) fn leave_small_log(connection: &Connection) {
    let pages = connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| {
        row.get::<_, i64>(1)
    });
    if pages.is_ok_and(|pages| pages <= LOG_PAGES_LEFT) {
        // Where it can't be set, SQLite does as always.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
    }
}

/// Moves a write-ahead log into its file and empties it; says whether it could, which it can't while
/// somebody reads or does a checkpoint.
pub(crate) fn empty_log(connection: &Connection) -> Result<bool, StoreError> {
    // Others are hardly waited for: whoever asks does so again.
    let begun = Instant::now();
    connection.busy_timeout(EMPTY_WAIT)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, i64>(0)
    });
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let is_empty = match busy {
        Ok(busy) => busy == 0,
        Err(error) => match StoreError::from(error) {
            StoreError::Busy(_) => false,
            other => return Err(other),
        },
    };
    if !is_empty {
        // SQLite itself doesn't wait for another's checkpoint.
        thread::sleep(EMPTY_WAIT.saturating_sub(begun.elapsed()));
    }
    Ok(is_empty)
}

/// What SQLite's check of the whole file finds wrong first; `ok` where that is nothing.
pub(crate) fn integrity(connection: &Connection) -> Result<String, StoreError> {
    Ok(connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?)
}

/// Reads the format number of a file of the kind `application`; 0 for a new, empty file.
pub(crate) fn format_of(
    connection: &Connection,
    path: &Path,
    application: i32,
    known: i64,
) -> Result<i64, OpenError> {
    let header = || -> rusqlite::Result<(i64, i64, i64)> {
        // In one state of the file: another process may be making it.
        let transaction = connection.unchecked_transaction()?;
        let read = |name| transaction.pragma_query_value(None, name, |row| row.get(0));
        let tables =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((read("application_id")?, read("user_version")?, tables))
    };
    let (found_application, found, tables) =
        header().map_err(|error| OpenError::store(path, error))?;
    if tables == 0 && found == 0 {
        return Ok(0);
    }
    if found_application != i64::from(application) {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    if found > known {
        return Err(OpenError::NewerFormat {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;

    #[test]
    fn a_disk_without_room_for_a_shared_index_is_full() {
        let failure = ffi::Error::new(ffi::SQLITE_IOERR_SHMSIZE);
        let error = StoreError::from(rusqlite::Error::SqliteFailure(failure, None));
        assert!(matches!(error, StoreError::Full(_)), "{error:?}");
        let failure = ffi::Error::new(ffi::SQLITE_IOERR_READ);
        let error = StoreError::from(rusqlite::Error::SqliteFailure(failure, None));
        assert!(matches!(error, StoreError::Sqlite(_)), "{error:?}");
    }

    #[test]
    fn a_statement_whose_limit_is_bound_is_prepared_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file.db");
        let connection = connect(&path, &FileOptions::default(), Existence::Created).unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        let mut statement = connection
            .prepare("SELECT x FROM t WHERE rowid > ? LIMIT ?")
            .unwrap();
        for place in 0..3 {
            let mut rows = statement.query((place, place + 1)).unwrap();
            assert!(rows.next().unwrap().is_none());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
