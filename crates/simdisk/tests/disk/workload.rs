//! A script of transactions, and what must hold of the file after it was cut off anywhere.

use std::error::Error;

use rusqlite::{Connection, Result, params};
use syncline_simdisk::Process;

use crate::open;

pub(crate) const PATH: &str = "r1/local.db";

/// Enough for several checkpoints.
pub(crate) const TRANSACTIONS: i64 = 24;

/// How the file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mode {
    pub(crate) journal: &'static str,
    pub(crate) synchronous: &'static str,
}

pub(crate) const WAL_FULL: Mode = Mode {
    journal: "WAL",
    synchronous: "FULL",
};

/// Runs the script, opening the file anew now and then; `committed` is how many transactions were
/// acknowledged, also when it fails.
pub(crate) fn run(process: &Process, mode: Mode, committed: &mut i64) -> Result<()> {
    while *committed < TRANSACTIONS {
        let mut connection = open(process, PATH)?;
        prepare(&connection, mode)?;
        let until = (*committed + 8).min(TRANSACTIONS);
        while *committed < until {
            commit_one(&mut connection, *committed + 1)?;
            *committed += 1;
        }
        shrink(&connection, *committed)?;
    }
    Ok(())
}

/// What cuts files: a log emptied, a database rewritten.
fn shrink(connection: &Connection, committed: i64) -> Result<()> {
    if committed == 8 {
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
    } else {
        connection.execute_batch("UPDATE entry SET body = '-' || body; VACUUM")
    }
}

pub(crate) fn prepare(connection: &Connection, mode: Mode) -> Result<()> {
    connection.pragma_update(None, "journal_mode", mode.journal)?;
    connection.pragma_update(None, "synchronous", mode.synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", 10)?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, body TEXT NOT NULL, UNIQUE (body));
         CREATE TABLE IF NOT EXISTS total (entries INTEGER NOT NULL);
         INSERT INTO total SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM total);",
    )
}

/// One transaction over several pages: an entry, and the total that counts it.
pub(crate) fn commit_one(connection: &mut Connection, id: i64) -> Result<()> {
    let transaction = connection.transaction()?;
    let body = format!("{id} {}", "words ".repeat(400));
    transaction.execute("INSERT INTO entry VALUES (?1, ?2)", params![id, body])?;
    transaction.execute("UPDATE total SET entries = entries + 1", [])?;
    transaction.commit()
}

/// How many transactions the file holds: whole ones, without a gap, in a file without damage.
pub(crate) fn survivors(process: &Process) -> i64 {
    inspect(process).unwrap()
}

/// As [`survivors`], with what is wrong with the file if anything is.
pub(crate) fn inspect(process: &Process) -> std::result::Result<i64, Box<dyn Error>> {
    let connection = open(process, PATH)?;
    let get = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(verdict.into());
    }
    if get("SELECT count(*) FROM sqlite_schema WHERE name = 'total'")? == 0 {
        return Ok(0);
    }
    let entries = get("SELECT count(*) FROM entry")?;
    if entries != get("SELECT coalesce(max(id), 0) FROM entry")? {
        return Err("a transaction was lost from the middle".into());
    }
    if entries != get("SELECT coalesce(max(entries), 0) FROM total")? {
        return Err("a transaction is there in part".into());
    }
    Ok(entries)
}
