//! Which thread a person means.

use rusqlite::{Connection, Params};
use syncline_model::thread::ThreadId;

use super::row::{Thread, read_thread, thread, thread_columns};
use crate::StoreError;

/// How many threads an ambiguous reference lists.
const CANDIDATES_MAX: usize = 20;

/// What a reference to a thread stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    Found(Thread),
    /// Several, of which the reference says too little; the first few of them.
    Ambiguous(Vec<Thread>),
    Unknown,
}

/// Finds the live thread that `reference` names: an id, a key, `project/key`, or a name.
///
/// The first of these that any thread answers to counts. Keys and names are those of `project`, or
/// of all projects where that is none. A `project/key` names its project itself.
pub fn resolve(
    connection: &Connection,
    reference: &str,
    project: Option<&str>,
) -> Result<Resolved, StoreError> {
    let by_key = resolve_key(connection, reference, project)?;
    if by_key != Resolved::Unknown {
        return Ok(by_key);
    }
    if let Some((project, key)) = reference.split_once('/') {
        let by_key = with_shown_key(connection, key, Some(project))?;
        if !by_key.is_empty() {
            return Ok(one_of(by_key));
        }
    }
    const BY_NAME: &str = concat!(
        "SELECT ",
        thread_columns!(),
        " FROM threads AS t WHERE t.name = ?1 AND t.status <> 'deleted' \
         AND (?2 IS NULL OR t.project = ?2) ORDER BY t.updated_at DESC LIMIT ?3"
    );
    let params = (reference, project, CANDIDATES_MAX as i64);
    Ok(one_of(select(connection, BY_NAME, params)?))
}

/// Finds the live thread that has this id or key; a key is that of `project`, or of whichever one
/// project has it.
pub fn resolve_key(
    connection: &Connection,
    reference: &str,
    project: Option<&str>,
) -> Result<Resolved, StoreError> {
    if let Ok(id) = reference.parse::<ThreadId>()
        && let Some(thread) = thread(connection, id)?
    {
        return Ok(Resolved::Found(thread));
    }
    Ok(one_of(with_shown_key(connection, reference, project)?))
}

fn one_of(mut threads: Vec<Thread>) -> Resolved {
    match (threads.pop(), threads.is_empty()) {
        (None, _) => Resolved::Unknown,
        (Some(thread), true) => Resolved::Found(thread),
        (Some(last), false) => {
            threads.push(last);
            threads.truncate(CANDIDATES_MAX);
            Resolved::Ambiguous(threads)
        }
    }
}

/// The live threads whose shown key this is: one per project at most.
pub(super) fn with_shown_key(
    connection: &Connection,
    key: &str,
    project: Option<&str>,
) -> Result<Vec<Thread>, StoreError> {
    let mut threads = with_true_key(connection, key, project)?;
    // `design-2` is also how the second thread of key `design` may be shown.
    if let Some((stem, number)) = key.rsplit_once('-')
        && number.parse::<u64>().is_ok_and(|number| number >= 2)
    {
        threads.extend(with_true_key(connection, stem, project)?);
    }
    threads.retain(|thread| thread.key == key);
    Ok(threads)
}

/// The live threads that were made with this key, shown so or not.
pub(super) fn with_true_key(
    connection: &Connection,
    key: &str,
    project: Option<&str>,
) -> Result<Vec<Thread>, StoreError> {
    match project {
        Some(project) => select(connection, BY_PROJECT_AND_KEY, (key, project)),
        None => select(connection, BY_KEY, [key]),
    }
}

pub(super) const BY_PROJECT_AND_KEY: &str = concat!(
    "SELECT ",
    thread_columns!(),
    " FROM threads AS t WHERE t.key = ? AND t.project = ? AND t.status <> 'deleted' \
     ORDER BY t.project, t.created_at, t.thread_id"
);
pub(super) const BY_KEY: &str = concat!(
    "SELECT ",
    thread_columns!(),
    " FROM threads AS t WHERE t.key = ? AND t.status <> 'deleted' \
     ORDER BY t.project, t.created_at, t.thread_id"
);

fn select(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<Vec<Thread>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut threads = Vec::new();
    while let Some(row) = rows.next()? {
        threads.push(read_thread(connection, row)?);
    }
    Ok(threads)
}
