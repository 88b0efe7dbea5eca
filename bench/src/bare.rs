//! The limits: what bare SQLite, an empty file copy or one commit takes on this machine, with code as
//! tuned as ours.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};
use syncline_model::{Op, Row, Value};
use syncline_store::{FileOptions, TenantFile};

use crate::input::EntryRow;

/// What a commit waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sync {
    Full,
    Normal,
}

/// Makes a file with the very tables of a tenant file, and opens it bare.
fn open(path: &Path, sync: Sync) -> anyhow::Result<Connection> {
    let epoch = syncline_model::Epoch::new(uuid::Uuid::nil());
    let origin = syncline_model::Mark::origin([0; 16]);
    drop(TenantFile::create(
        path,
        &FileOptions::default(),
        epoch,
        origin,
    )?);
    connect(path, sync)
}

/// The same, for commits that do not wait for the disk.
pub(crate) fn open_normal(path: &Path) -> anyhow::Result<Connection> {
    open(path, Sync::Normal)
}

fn connect(path: &Path, sync: Sync) -> anyhow::Result<Connection> {
    let connection = Connection::open(path)?;
    let sync = match sync {
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = {sync}; PRAGMA cache_size = -64000;"
    ))?;
    Ok(connection)
}

/// Inserts the ops as rows, `batch` a transaction; gives rows a second.
pub(crate) fn insert_ops(path: &Path, sync: Sync, ops: &[Op], batch: usize) -> anyhow::Result<f64> {
    let connection = open(path, sync)?;
    let begun = Instant::now();
    for (n, chunk) in ops.chunks(batch).enumerate() {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        {
            let mut insert = OpInsert::prepare(&connection)?;
            for (place, op) in (n * batch + 1..).zip(chunk) {
                insert.run(place, op)?;
            }
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(ops.len() as f64 / begun.elapsed().as_secs_f64())
}

struct OpInsert<'c>(rusqlite::CachedStatement<'c>);

impl<'c> OpInsert<'c> {
    fn prepare(connection: &'c Connection) -> anyhow::Result<Self> {
        Ok(Self(connection.prepare_cached(
            "INSERT INTO ops (server_seq, scope, resource_id, actor, clock, payload, payload_hash, mark) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?))
    }

    fn run(&mut self, place: usize, op: &Op) -> anyhow::Result<()> {
        let digest = [7_u8; 16];
        self.0.execute((
            place as i64,
            op.key.scope.as_str(),
            op.key.resource.as_str(),
            op.key.actor.as_str(),
            op.key.clock.get() as i64,
            op.payload.as_str(),
            digest,
            digest,
        ))?;
        Ok(())
    }
}

/// Whether a limit holds the log beside the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tables {
    View,
    LogAndView,
}

/// Inserts entries with their full-text rows, `batch` a transaction; gives entries a second.
pub(crate) fn insert_entries(
    path: &Path,
    sync: Sync,
    entries: &[(Op, EntryRow)],
    batch: usize,
    tables: Tables,
) -> anyhow::Result<f64> {
    let connection = open(path, sync)?;
    let begun = Instant::now();
    for (n, chunk) in entries.chunks(batch).enumerate() {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut documents = Vec::with_capacity(chunk.len());
        for (place, (op, row)) in (n * batch + 1..).zip(chunk) {
            if tables == Tables::LogAndView {
                OpInsert::prepare(&connection)?.run(place, op)?;
            }
            documents.push((insert_entry(&connection, place, row)?, &row.content));
        }
        // Full-text rows go in last, as ours do: it is the faster order.
        for document in documents {
            connection
                .prepare_cached("INSERT INTO entries_fts (rowid, content) VALUES (?, ?)")?
                .execute(document)?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(entries.len() as f64 / begun.elapsed().as_secs_f64())
}

/// Inserts the row; gives its id.
fn insert_entry(connection: &Connection, place: usize, row: &EntryRow) -> anyhow::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO entries (thread_id, entry_id, sequence_id, author, content, timestamp) \
             VALUES (?, ?, ?, 'bench', ?, ?)",
        )?
        .execute((
            &row.thread_id,
            row.entry_id.to_string(),
            (place / 100) as i64,
            &row.content,
            row.timestamp.to_string(),
        ))?;
    Ok(connection.last_insert_rowid())
}

/// Writes rows of items over those that are there, `batch` a transaction; gives rows a second. The
/// file has the tables already.
pub(crate) fn upsert_items(
    path: &Path,
    sync: Sync,
    rows: &[Row],
    batch: usize,
) -> anyhow::Result<f64> {
    let connection = connect(path, sync)?;
    let begun = Instant::now();
    for chunk in rows.chunks(batch) {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut upsert = connection.prepare_cached(
            "INSERT INTO list_items \
             (list_id, item_id, home, position, present, done, versions, text, note) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET home = excluded.home, \
             position = excluded.position, present = excluded.present, done = excluded.done, \
             versions = excluded.versions, text = excluded.text, note = excluded.note",
        )?;
        for row in chunk {
            upsert.execute(params_from_iter(row.iter().map(cell)))?;
        }
        connection.execute_batch("COMMIT")?;
    }
    Ok(rows.len() as f64 / begun.elapsed().as_secs_f64())
}

fn cell(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Integer(number) => ValueRef::Integer(*number),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
    })
}

/// Deletes the ops of the log at `path` that the log at `kept` doesn't have, and writes what is left to
/// a new file; gives the seconds.
pub(crate) fn delete_others(path: &Path, kept: &Path) -> anyhow::Result<f64> {
    let connection = connect(path, Sync::Full)?;
    let kept = kept.to_str().context("a path that is not UTF-8")?;
    connection.execute("ATTACH ? AS kept", [kept])?;
    connection.execute_batch(
        "CREATE TEMP TABLE kept_ops (server_seq INTEGER PRIMARY KEY); \
         INSERT INTO kept_ops SELECT server_seq FROM kept.ops; DETACH kept;",
    )?;
    let into = path.with_extension("vacuumed");
    let into = into.to_str().context("a path that is not UTF-8")?;
    let begun = Instant::now();
    connection.execute_batch(
        "DELETE FROM main.ops WHERE server_seq NOT IN (SELECT server_seq FROM temp.kept_ops)",
    )?;
    connection.execute("VACUUM INTO ?", [into])?;
    Ok(begun.elapsed().as_secs_f64())
}

/// Copies a directory with all that is in it.
pub(crate) fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Single commits of one op row, made between what they are the limit of.
pub(crate) struct Commits {
    full: CommitFile,
    normal: CommitFile,
}

struct CommitFile {
    connection: Connection,
    seconds: Vec<f64>,
}

impl Commits {
    pub(crate) fn open(directory: &Path) -> anyhow::Result<Self> {
        let file = |name, sync| -> anyhow::Result<CommitFile> {
            Ok(CommitFile {
                connection: open(&directory.join(name), sync)?,
                seconds: Vec::new(),
            })
        };
        Ok(Self {
            full: file("full", Sync::Full)?,
            normal: file("normal", Sync::Normal)?,
        })
    }

    /// Makes one commit of each kind.
    pub(crate) fn make_one(&mut self) -> anyhow::Result<()> {
        self.full.commit()?;
        self.normal.commit()
    }

    /// The median of those that waited for the disk.
    pub(crate) fn full_seconds(&self) -> f64 {
        crate::measure::median(self.full.seconds.clone())
    }

    /// The median of those that didn't.
    pub(crate) fn normal_seconds(&self) -> f64 {
        crate::measure::median(self.normal.seconds.clone())
    }
}

impl CommitFile {
    fn commit(&mut self) -> anyhow::Result<()> {
        let place = self.seconds.len() + 1;
        let ops = crate::input::opaque(place as u64, 1, 200);
        let begun = Instant::now();
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        OpInsert::prepare(&self.connection)?.run(place, &ops[0])?;
        self.connection.execute_batch("COMMIT")?;
        self.seconds.push(begun.elapsed().as_secs_f64());
        Ok(())
    }
}

/// Writes decompressed bytes to a file that the disk has when this returns.
pub(crate) fn unpack_to(path: &Path, compressed: &[u8]) -> anyhow::Result<()> {
    let mut file = std::fs::File::create(path).context("could not make the file")?;
    zstd::stream::copy_decode(compressed, &mut file)?;
    file.flush()?;
    file.sync_all()?;
    Ok(())
}
