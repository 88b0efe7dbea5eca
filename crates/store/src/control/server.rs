//! What the server that runs on a data directory has said of itself, for commands beside it.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::{ControlError, ControlFile, failed};
use crate::file::{StoreError, connect_to_read};

/// How a server was last started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerNote {
    /// Tells its backups from those of others.
    pub name: String,
    /// Ops that came within this time stay in the logs.
    pub retention: Duration,
    /// Clients idle for longer hold nothing.
    pub idle: Duration,
}

impl ControlFile {
    /// Notes how the server is started; its first name stands.
    pub fn note_server(&self, note: &ServerNote) -> Result<(), ControlError> {
        self.connection
            .execute(
                "INSERT INTO server (id, name, retention_ms, idle_ms) VALUES (1, ?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE
                 SET retention_ms = excluded.retention_ms, idle_ms = excluded.idle_ms",
                params![note.name, millis(note.retention), millis(note.idle)],
            )
            .map_err(failed("note how the server is started"))?;
        Ok(())
    }

    /// How the server was last started; none: never, or by a version that did not note it.
    pub fn server(&self) -> Result<Option<ServerNote>, ControlError> {
        self.connection
            .query_row(
                "SELECT name, retention_ms, idle_ms FROM server",
                [],
                |row| {
                    let span = |column| {
                        row.get(column)
                            .map(|millis: i64| Duration::from_millis(millis as u64))
                    };
                    Ok(ServerNote {
                        name: row.get(0)?,
                        retention: span(1)?,
                        idle: span(2)?,
                    })
                },
            )
            .optional()
            .map_err(failed("read how the server was started"))
    }
}

/// The name of the server whose control file this is a copy of; none: it has none.
pub(crate) fn server_name(copy: &Path) -> Result<Option<String>, StoreError> {
    if !copy.exists() {
        return Ok(None);
    }
    let connection =
        connect_to_read(copy).map_err(|_| StoreError::damaged("a copy can't be read"))?;
    if !has_server(&connection)? {
        return Ok(None);
    }
    let name = connection.query_row("SELECT name FROM server", [], |row| row.get(0));
    Ok(name.optional()?)
}

/// Lets a copied control file be that of another server.
pub(crate) fn forget_server(copy: &Path) -> Result<(), StoreError> {
    let connection = Connection::open(copy)?;
    if has_server(&connection)? {
        connection.execute("DELETE FROM server", [])?;
    }
    Ok(())
}

/// Whether the file is of a format with the table.
fn has_server(connection: &Connection) -> Result<bool, StoreError> {
    let has = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'server')";
    Ok(connection.query_row(has, [], |row| row.get(0))?)
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
