//! The prepared tenant file: a copy that a new replica takes instead of the whole log.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::TenantFile;
use crate::file::{FileOptions, OpenError, StoreError};
use crate::records::drop_indexes;
use crate::schema;

impl TenantFile {
    /// Writes a compact copy of the log and its view to `path`, without what the server notes beside
    /// them. `path` must not exist.
    pub fn write_prepared(&self, path: &Path) -> Result<(), StoreError> {
        let text = path
            .to_str()
            .ok_or(StoreError::damaged("its path is not UTF-8"))?;
        self.connection.execute("VACUUM INTO ?", [text])?;
        let copy = open_beside(path, self.vfs.as_deref())?;
        // A copy that is not whole is made again: no write of it waits for the disk.
        copy.execute_batch(
            "PRAGMA synchronous = OFF; PRAGMA secure_delete = ON; PRAGMA journal_mode = DELETE; \
             BEGIN; \
             DELETE FROM clients; DELETE FROM actors; DELETE FROM refusals; DELETE FROM times; \
             DELETE FROM confirmed_rows; DELETE FROM erasures; UPDATE state SET folded_order = 0; \
             COMMIT;",
        )?;
        drop_indexes(&copy)?;
        if copy.query_row("SELECT words > 0 FROM upkeep", [], |row| row.get(0))? {
            schema::forget_deleted_words(&copy)?;
        }
        if crate::shapes::drop_tables(&copy)? {
            copy.execute_batch("VACUUM")?;
        }
        copy.execute_batch("UPDATE upkeep SET words = 0, traces = 0, judged = 0")?;
        Ok(())
    }

    /// Opens a file that was fetched, if it is whole and its schema is ours, text for text.
    pub fn adopt(path: &Path, options: &FileOptions) -> Result<Self, OpenError> {
        let check = || -> Result<bool, StoreError> {
            let connection = open_beside(path, options.vfs.as_deref())?;
            connection.pragma_update(None, "trusted_schema", "OFF")?;
            connection.pragma_update(None, "cell_size_check", "ON")?;
            if schema::schema_text(&connection)? != schema::expected_text()? {
                return Ok(false);
            }
            let verdict: String =
                connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            Ok(verdict == "ok")
        };
        match check() {
            Ok(true) => Self::open(path, options),
            Ok(false) => Err(OpenError::Foreign {
                path: path.to_owned(),
            }),
            Err(source) => Err(OpenError::store(path, source)),
        }
    }
}

/// Opens a file that is there, as SQLite would by itself.
fn open_beside(path: &Path, vfs: Option<&str>) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    crate::records::register(&connection)?;
    Ok(connection)
}
