//! The database of a vlt client, `vault.db`, and its queue of unsent entries, `sync_queue.json`.
//!
//! The file is another program's and may be anybody's: it is opened read-only, its schema is not
//! trusted, nothing but plain tables is read of it, and vectors and summaries in it are not looked at.

mod queue;
mod read;

use std::collections::VecDeque;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, foreign_entry_id};

use super::{ImportError, Item, Progress, Source, ThreadName};

/// How many nodes are read at a time.
const NODES_PER_READ: usize = 500;
/// The project of a node whose thread is not in the file.
const PROJECT_UNKNOWN: &str = "default";

/// Why a file can't be imported as a vault.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("there is no such file")]
    Missing,
    #[error("it is not a SQLite database")]
    NotSqlite(#[source] rusqlite::Error),
    #[error("it has no table {table} of threads and nodes, so it is not a vault")]
    NotVault { table: &'static str },
    #[error("its table {table} is not that of a vault")]
    Table {
        table: &'static str,
        #[source]
        source: rusqlite::Error,
    },
    #[error("SQLite can't read it")]
    Sqlite(#[source] rusqlite::Error),
}

/// A vault, as it is read: threads, then nodes in order, the queue, tags, and references.
#[derive(Debug)]
pub(super) struct VaultSource {
    connection: Connection,
    path: std::path::PathBuf,
    /// What is read and not yet given out.
    items: VecDeque<Item>,
    /// The nodes to be read, in order.
    nodes: VecDeque<i64>,
    /// What comes after the nodes.
    rest: VecDeque<Item>,
    progress: Progress,
}

impl VaultSource {
    pub(super) fn open(path: &Path) -> Result<Self, VaultError> {
        if !path.exists() {
            return Err(VaultError::Missing);
        }
        let connection = connect(path)?;
        for table in ["threads", "nodes"] {
            if !has_table(&connection, table)? {
                return Err(VaultError::NotVault { table });
            }
        }
        let nodes = read::node_order(&connection)?;
        let items = VecDeque::from(read::threads(&connection)?);
        let mut rest = VecDeque::from(queue::read(&connection, path)?);
        for (table, items) in [
            ("node_tags", read::tags as fn(&Connection) -> _),
            ("references", read::references),
        ] {
            if has_table(&connection, table)? {
                rest.extend(items(&connection)?);
            }
        }
        let whole = items.len() + nodes.len() + rest.len();
        Ok(Self {
            connection,
            path: path.to_owned(),
            items,
            nodes,
            rest,
            progress: Progress {
                done: 0,
                whole: Some(whole as u64),
            },
        })
    }
}

impl Source for VaultSource {
    fn next_item(&mut self) -> Result<Option<Item>, ImportError> {
        if self.items.is_empty() && !self.nodes.is_empty() {
            let part = self.nodes.len().min(NODES_PER_READ);
            let rows: Vec<i64> = self.nodes.drain(..part).collect();
            let items =
                read::nodes(&self.connection, &rows).map_err(|source| ImportError::Vault {
                    path: self.path.clone(),
                    source,
                })?;
            self.items.extend(items);
        }
        let item = self.items.pop_front().or_else(|| self.rest.pop_front());
        self.progress.done += u64::from(item.is_some());
        Ok(item)
    }

    fn progress(&self) -> Progress {
        self.progress
    }
}

fn connect(path: &Path) -> Result<Connection, VaultError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(VaultError::Sqlite)?;
    let guard = |connection: &Connection| {
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        connection.pragma_update(None, "cell_size_check", true)
    };
    guard(&connection).map_err(VaultError::Sqlite)?;
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => VaultError::NotSqlite(error),
            _ => VaultError::Sqlite(error),
        })?;
    Ok(connection)
}

/// Whether there is a plain table of that name; views and virtual tables run code of the file's own
/// choice.
fn has_table(connection: &Connection, name: &str) -> Result<bool, VaultError> {
    let sql: Option<String> = connection
        .query_row(
            "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?",
            [name],
            |row| row.get(0),
        )
        .optional()
        .map_err(VaultError::Sqlite)?
        .flatten();
    Ok(sql.is_some_and(|sql| !sql.to_ascii_uppercase().starts_with("CREATE VIRTUAL")))
}

/// A vault writes times without a zone, and means UTC.
fn read_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}

/// The id of a node: the vault's own, or, where that is no UUID, one that follows from it.
fn entry_id(thread: &ThreadName, id: &str) -> EntryId {
    id.parse()
        .unwrap_or_else(|_| foreign_entry_id(&thread.project, &thread.key, id))
}

/// A project can't hold a slash, which a vault's may.
fn thread_name(project: Option<&str>, key: &str) -> ThreadName {
    ThreadName {
        project: project.unwrap_or(PROJECT_UNKNOWN).replace('/', "-"),
        key: key.to_owned(),
    }
}
