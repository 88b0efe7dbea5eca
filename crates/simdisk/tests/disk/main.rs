//! Real SQLite on the simulated disk.
#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod faults;
mod files;
mod power;
mod sharing;
mod workload;
mod worlds;

use rusqlite::{Connection, OpenFlags, Result};
use syncline_simdisk::Process;

/// Opens `path` as `process`, waiting for nobody.
fn open(process: &Process, path: &str) -> Result<Connection> {
    let connection =
        Connection::open_with_flags_and_vfs(path, OpenFlags::default(), process.vfs_name())?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    Ok(connection)
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn text(connection: &Connection, sql: &str) -> String {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn code(error: &rusqlite::Error) -> rusqlite::ErrorCode {
    error.sqlite_error_code().unwrap()
}
