//! What a statement of others would change in the views.
//!
//! Nothing is written here: the file is open for reading alone. Triggers on the views note each row that
//! the statement would change, and what it would become; what the rows mean for the log is planned from
//! those notes. So it is SQLite that reads the statement, whatever its `WHERE`.

mod plan;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;

use super::guard::{self, Seen, Target, Watched};
use super::views::sessions::{COMPACTION_EVENTS, MESSAGES, SESSION_ERRORS, SESSIONS, TOOLS};
use super::{Patience, SqlError, SqlView, Text, VIEWS, failure_of, make_views};
use crate::file::{OpenError, StoreError, connect_to_read};
use crate::sessions::PriceTable;

pub use plan::{WriteOps, WritePlan, WritePlanError, plan_write};

/// How many rows one statement may change: each becomes a part of an op.
pub const WRITE_ROWS_MAX: u64 = 100_000;
/// How many bytes the rows may have that one statement changes, as they are and as they would be: they are
/// held in memory until they are written.
pub const WRITE_BYTES_MAX: u64 = 128 << 20;

/// The views of what agents told, which may hold secrets of others.
static SESSION_VIEWS: [SqlView; 5] = [SESSIONS, MESSAGES, TOOLS, SESSION_ERRORS, COMPACTION_EVENTS];

/// What is done to rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    Delete,
    Update,
}

/// The rows of one view that a statement would change.
#[derive(Debug)]
pub struct SqlChanges {
    pub view: &'static SqlView,
    pub kind: WriteKind,
    /// The columns that the statement sets, by their places, whatever to.
    columns: BTreeSet<usize>,
    rows: Vec<RowChange>,
}

impl SqlChanges {
    pub fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Has `clean` go over each text that a row of a coding session, or of what is in one, is set to; it
    /// gives what stands in its place, or none where that may stay as it is.
    pub fn clean_sessions(&mut self, mut clean: impl FnMut(&str) -> Option<String>) {
        if !self.is_of_sessions() {
            return;
        }
        for row in &mut self.rows {
            for place in &self.columns {
                if let Value::Text(text) = &mut row.new[*place]
                    && let Some(cleaned) = clean(text)
                {
                    *text = cleaned;
                }
            }
        }
    }

    fn is_of_sessions(&self) -> bool {
        SESSION_VIEWS.iter().any(|view| view.name == self.view.name)
    }
}

/// A row as it is and, where it is updated, as it would be; in the order of the view's columns.
#[derive(Debug)]
struct RowChange {
    old: Vec<Value>,
    new: Vec<Value>,
}

/// What a statement would do.
#[derive(Debug)]
pub enum SqlWrite {
    /// It reads.
    Nothing,
    Changes(SqlChanges),
    /// It changes more rows than one may, or longer ones.
    TooMany,
}

/// Notes what `sql` would change in the views of the tenant file at `path`. `is_up` is asked now and
/// then; when it says so, the statement ends.
pub fn changes_of(
    path: &Path,
    prices: &PriceTable,
    sql: &str,
    is_up: impl FnMut() -> bool + Send + 'static,
) -> Result<SqlWrite, WriteError> {
    let mut connection = connect_to_read(path)?;
    let watched = Watched::default();
    let secret = watch(&mut connection, prices, &watched).map_err(StoreError::from)?;
    let patience = Patience::new(is_up);
    connection
        .progress_handler(super::STEPS_BETWEEN_LOOKS, Some(patience.look()))
        .map_err(StoreError::from)?;
    let text = Text {
        sql,
        secret: &secret,
    };
    let target = match run(&connection, text, &watched, &patience) {
        // The notes alone have a bound to be full at.
        Err(SqlError::Store(StoreError::Full(_))) => return Ok(SqlWrite::TooMany),
        ran => ran?,
    };
    connection
        .authorizer(None::<fn(rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization>)
        .map_err(StoreError::from)?;
    match target {
        None => Ok(SqlWrite::Nothing),
        Some(target) => noted(&connection, &secret, target)
            .map_err(|error| failure_of(error, text, Seen::default(), &patience).into()),
    }
}

/// Why it is not known what a statement would change.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("could not open the file")]
    Open(#[from] OpenError),
    #[error(transparent)]
    Sql(#[from] SqlError<std::convert::Infallible>),
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        Self::Sql(SqlError::Store(error))
    }
}

/// Makes the views with their triggers, then lets nothing but reading and noting pass.
fn watch(
    connection: &mut Connection,
    prices: &PriceTable,
    watched: &Watched,
) -> rusqlite::Result<String> {
    connection.busy_timeout(Duration::from_secs(5))?;
    // First, as it forgets all that is temporary.
    bound_notes(connection)?;
    let secret = make_views(connection, prices)?;
    for view in VIEWS {
        let list = |prefix: &str| -> String {
            let columns = view.columns.iter().map(|c| format!("{prefix}{}", c.name));
            columns.collect::<Vec<_>>().join(", ")
        };
        let nothing = vec!["NULL"; view.columns.len()].join(", ");
        let (name, old, new) = (view.name, list("OLD."), list("NEW."));
        connection.execute_batch(&format!(
            "CREATE TEMP TABLE {secret}_log_{name} ({}, {});\n\
             CREATE TEMP TRIGGER {secret}_delete_{name} INSTEAD OF DELETE ON temp.{name} BEGIN \
             INSERT INTO {secret}_log_{name} VALUES ({old}, {nothing}); END;\n\
             CREATE TEMP TRIGGER {secret}_update_{name} INSTEAD OF UPDATE ON temp.{name} BEGIN \
             INSERT INTO {secret}_log_{name} VALUES ({old}, {new}); END;",
            list("old_"),
            list("new_"),
        ))?;
    }
    guard::limit(connection)?;
    let names = guard::Names::of(connection, &secret)?;
    guard::watch_changes(connection, names, watched.clone())?;
    Ok(secret)
}

/// Keeps the notes in memory, and no more of them than [`WRITE_BYTES_MAX`].
fn bound_notes(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    let page: i64 = connection.pragma_query_value(Some("temp"), "page_size", |row| row.get(0))?;
    connection.pragma_update_and_check(
        Some("temp"),
        "max_page_count",
        WRITE_BYTES_MAX as i64 / page,
        |_| Ok(()),
    )
}

/// Runs the statement, and gives what it changes; none: it reads, and was not run.
fn run(
    connection: &Connection,
    text: Text<'_>,
    watched: &Watched,
    patience: &Patience,
) -> Result<Option<Target>, SqlError<std::convert::Infallible>> {
    let failed = |error| failure_of(error, text, watched.take(), patience);
    let Text { sql, secret } = text;
    super::check_text(sql, secret)?;
    let mut statement = match connection.prepare(sql) {
        Ok(statement) => statement,
        Err(rusqlite::Error::MultipleStatement) => return Err(SqlError::Several),
        Err(error) => return Err(failed(error)),
    };
    if statement.readonly() {
        return Ok(None);
    }
    let target = watched.take().changes;
    if statement.is_explain() != 0 {
        let what = "EXPLAIN changes nothing, and what a change does can't be explained".to_owned();
        return Err(SqlError::Refused { what });
    }
    if statement.column_count() > 0 {
        let what = "RETURNING gives rows that nobody has changed yet".to_owned();
        return Err(SqlError::Refused { what });
    }
    if statement.parameter_count() > 0 {
        return Err(SqlError::Parameters);
    }
    let mut rows = statement.raw_query();
    while rows.next().map_err(failed)?.is_some() {}
    Ok(target)
}

/// What the triggers of the view that is changed have noted.
fn noted(connection: &Connection, secret: &str, target: Target) -> rusqlite::Result<SqlWrite> {
    let Target {
        view,
        kind,
        columns,
    } = target;
    let table = format!("temp.{secret}_log_{}", view.name);
    // `UPDATE … FROM` notes a row for each that it is joined with, of which one counts.
    let olds = view.columns.iter().map(|c| format!("old_{}", c.name));
    let olds = olds.collect::<Vec<_>>().join(", ");
    let last = format!("SELECT max(rowid) FROM {table} GROUP BY {olds}");
    let count: i64 =
        connection.query_row(&format!("SELECT count(*) FROM ({last})"), [], |row| {
            row.get(0)
        })?;
    if count as u64 > WRITE_ROWS_MAX {
        return Ok(SqlWrite::TooMany);
    }
    let width = view.columns.len();
    let mut statement = connection.prepare(&format!(
        "SELECT * FROM {table} WHERE rowid IN ({last}) ORDER BY rowid"
    ))?;
    let rows = statement.query_map([], |row| {
        let cells = |first: usize| -> rusqlite::Result<Vec<Value>> {
            (first..first + width).map(|n| row.get(n)).collect()
        };
        Ok(RowChange {
            old: cells(0)?,
            new: cells(width)?,
        })
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(SqlWrite::Changes(SqlChanges {
        view,
        kind,
        columns,
        rows,
    }))
}
