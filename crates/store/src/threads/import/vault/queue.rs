//! `sync_queue.json`: what a vlt client had not sent, as one JSON array.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::{EntryIdentity, EntryItem, ImportProblem, Item, ProblemCause, SourcePlace};
use super::{VaultError, entry_id, read_time, thread_name};

/// The largest queue that is read; a client gives up long before.
const QUEUE_BYTES_MAX: u64 = 64 * 1024 * 1024;

#[derive(Deserialize)]
struct Queued {
    thread_id: String,
    project_id: Option<String>,
    name: Option<String>,
    entry: QueuedEntry,
}

#[derive(Deserialize)]
struct QueuedEntry {
    entry_id: String,
    content: String,
    author: Option<String>,
    timestamp: Option<String>,
}

/// The entries of the queue beside the vault that the vault itself lacks. No queue has none, and a
/// damaged one is a problem to report: the vault is imported all the same.
pub(super) fn read(connection: &Connection, vault: &Path) -> Result<Vec<Item>, VaultError> {
    let items = match read_array(&vault.with_file_name("sync_queue.json")) {
        Ok(items) => items,
        Err(cause) => return Ok(vec![problem(0, cause)]),
    };
    let mut in_vault = connection
        .prepare("SELECT 1 FROM nodes WHERE id = ?")
        .map_err(|source| VaultError::Table {
            table: "nodes",
            source,
        })?;
    let mut lacking = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let number = at as u64 + 1;
        let queued: Queued = match serde_json::from_str(item.get()) {
            Ok(queued) => queued,
            Err(error) => {
                lacking.push(problem(number, ProblemCause::Syntax(error)));
                continue;
            }
        };
        let here = in_vault.exists([&queued.entry.entry_id]);
        if !here.map_err(VaultError::Sqlite)? {
            lacking.push(item_of(queued, number));
        }
    }
    Ok(lacking)
}

fn read_array(path: &Path) -> Result<Vec<Box<RawValue>>, ProblemCause> {
    let unreadable = |error| ProblemCause::Syntax(serde_json::Error::io(error));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(QUEUE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_slice(&bytes).map_err(ProblemCause::Syntax)
}

fn item_of(queued: Queued, number: u64) -> Item {
    let thread = thread_name(queued.project_id.as_deref(), &queued.thread_id);
    let Some(at) = queued.entry.timestamp.as_deref().and_then(read_time) else {
        return problem(number, ProblemCause::Time);
    };
    Item::Entry(EntryItem {
        identity: EntryIdentity::Told(entry_id(&thread, &queued.entry.entry_id)),
        thread,
        name: queued.name,
        author: queued.entry.author.unwrap_or_else(|| "user".to_owned()),
        content: queued.entry.content,
        at,
        source: SourcePlace::Queued(number),
    })
}

fn problem(number: u64, cause: ProblemCause) -> Item {
    Item::Problem(ImportProblem {
        place: SourcePlace::Queued(number),
        cause,
    })
}
