//! Full-text rows on their way into the index.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, SyncSender};

use rusqlite::Connection;
use syncline_model::Table;

use crate::file::StoreError;
use crate::schema::sql_of;
use crate::search::indexed;

/// The full-text rows to write, by their tables' names and their ids.
pub(super) type Documents = BTreeMap<(&'static str, i64), Document>;

#[derive(Debug)]
pub(super) struct Document {
    pub(super) table: &'static Table,
    pub(super) text: String,
}

/// How many bytes of text are worth a thread that finds their words.
const AHEAD_BYTES: usize = 64 * 1024;
/// How many texts it may be ahead of the index.
const AHEAD_TEXTS: usize = 64;

/// Writes full-text rows. What is to be found of a text besides its words is looked for on another
/// thread, while the index takes in the texts before it: an import of much text waits for the index.
pub(super) fn write(connection: &Connection, documents: Documents) -> Result<(), StoreError> {
    let bytes = documents.values().map(|document| document.text.len());
    if bytes.sum::<usize>() < AHEAD_BYTES {
        return documents.into_iter().try_for_each(|((_, id), document)| {
            index(connection, document.table, id, &indexed(document.text))
        });
    }
    std::thread::scope(|scope| {
        let (sender, ready) = mpsc::sync_channel(AHEAD_TEXTS);
        scope.spawn(move || find_words(documents, &sender));
        // By value: where the index fails, the other thread stops too.
        for (table, id, text) in ready {
            index(connection, table, id, &text)?;
        }
        Ok(())
    })
}

fn find_words(documents: Documents, ready: &SyncSender<(&'static Table, i64, String)>) {
    for ((_, id), document) in documents {
        let text = indexed(document.text);
        if ready.send((document.table, id, text)).is_err() {
            return;
        }
    }
}

fn index(
    connection: &Connection,
    table: &'static Table,
    id: i64,
    text: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(&sql_of(table).index)?
        .execute((id, text))?;
    Ok(())
}
