//! SQL that a person or a program brings: read over stable views, and nothing but read.
//!
//! SQLite's own means see to it: the file is opened for reading alone, an authorizer refuses all but
//! reading the views, one statement runs, and it ends at a time and a number of rows. No text is
//! looked at to guess what it does, so a query may begin with a comment, explain itself, or hold the
//! word `delete`.

mod functions;
mod guard;
mod hints;
#[cfg(test)]
mod tests;
mod value;
pub(crate) mod views;
mod write;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};
use thiserror::Error;

use crate::file::{OpenError, StoreError, connect_to_read};
use crate::sessions::PriceTable;
use guard::{Seen, Watched};

pub use hints::Hint;
pub use value::SqlValue;
pub use views::{SqlView, VIEWS, ViewColumn};
pub use write::{
    SqlChanges, SqlWrite, WRITE_BYTES_MAX, WRITE_ROWS_MAX, WriteError, WriteKind, WriteOps,
    WritePlan, WritePlanError, changes_of, plan_write,
};

/// Registers the functions that the views need on a connection that reads them outside a query.
pub(crate) fn register_functions(
    connection: &Connection,
    prices: &PriceTable,
) -> Result<(), StoreError> {
    Ok(functions::register(connection, prices)?)
}

/// The longest text or blob that a query may make, and the longest row, in bytes.
pub const VALUE_BYTES_MAX: i32 = 64 << 20;
/// The longest statement, in bytes.
pub const STATEMENT_BYTES_MAX: i32 = 1 << 20;
/// After how many steps of its machine SQLite looks whether the time is up: few enough that it is soon
/// noticed where each of them makes a long text.
const STEPS_BETWEEN_LOOKS: i32 = 1_000;

/// How a query ended that was no error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlEnd {
    /// All rows were given.
    Whole,
    /// There were more rows than the limit.
    RowLimit,
    /// Its reader had enough.
    Stopped,
}

/// Where the rows of a query go.
pub trait SqlRows {
    /// Why it may fail; a failure ends the query.
    type Error;

    /// The names of the columns; once, before the rows.
    fn columns(&mut self, names: &[&str]) -> Result<(), Self::Error>;

    fn row(&mut self, values: &[SqlValue<'_>]) -> Result<ControlFlow<()>, Self::Error>;
}

/// Why a query did not run to its end.
#[derive(Debug, Error)]
pub enum SqlError<E> {
    #[error("{message}")]
    Invalid {
        message: String,
        /// Where in the text, in bytes from its begin; none where SQLite doesn't tell.
        offset: Option<usize>,
        hint: Option<Hint>,
    },
    /// The statement would do something else than read the views.
    #[error("this is for reading alone: {what}")]
    Refused { what: String },
    #[error("there is no statement in it")]
    Empty,
    #[error("there is more than one statement in it")]
    Several,
    #[error("it has a parameter, and nothing to bind to it")]
    Parameters,
    /// Its caller's patience was at its end.
    #[error("its time was up")]
    TimedOut,
    #[error("it needs more memory than a query may take")]
    TooLarge,
    #[error("could not read the file")]
    Store(#[source] StoreError),
    /// Where the rows went took no more.
    #[error("could not pass on a row")]
    Rows(#[source] E),
}

/// A tenant file, open for the queries of others.
#[derive(Debug)]
pub struct SqlReader {
    connection: Connection,
    watched: Watched,
    /// What the names of the views' lower halves begin with. A plan tells it.
    secret: String,
}

impl SqlReader {
    /// Opens the tenant file at `path`; whoever writes to it goes on. Where no cost is reported, the
    /// views compute it from `prices`.
    pub fn open(path: &Path, prices: &PriceTable) -> Result<Self, OpenError> {
        let mut connection = connect_to_read(path)?;
        let watched = Watched::default();
        let secret = prepare(&mut connection, prices, &watched);
        let secret = secret.map_err(|error| OpenError::store(path, error))?;
        Ok(Self {
            connection,
            watched,
            secret,
        })
    }

    /// Runs one statement that reads, and passes its rows on as they come, up to `rows_max` of them
    /// (none: all). `is_up` is asked now and then, and behind each row; when it says so, the query ends.
    /// The memory of the process is its caller's to bound.
    pub fn run<R: SqlRows>(
        &mut self,
        sql: &str,
        rows_max: Option<u64>,
        is_up: impl FnMut() -> bool + Send + 'static,
        rows: &mut R,
    ) -> Result<SqlEnd, SqlError<R::Error>> {
        let patience = Patience::new(is_up);
        self.connection
            .progress_handler(STEPS_BETWEEN_LOOKS, Some(patience.look()))
            .map_err(store)?;
        let end = self.read(sql, rows_max, rows, &patience);
        self.connection
            .progress_handler(0, None::<fn() -> bool>)
            .map_err(store)?;
        end
    }

    fn read<R: SqlRows>(
        &self,
        sql: &str,
        rows_max: Option<u64>,
        rows: &mut R,
        patience: &Patience,
    ) -> Result<SqlEnd, SqlError<R::Error>> {
        let secret = self.secret.as_str();
        let text = Text { sql, secret };
        let failed = |error| failure_of(error, text, self.watched.take(), patience);
        check_text(sql, secret)?;
        // What the statement before was seen to do is no matter any more.
        self.watched.take();
        let mut statement = match self.connection.prepare(sql) {
            Ok(statement) => statement,
            Err(rusqlite::Error::MultipleStatement) => return Err(SqlError::Several),
            Err(error) => return Err(failed(error)),
        };
        if statement.column_count() == 0 && statement.readonly() {
            return Err(SqlError::Empty);
        }
        if !statement.readonly() {
            return Err(SqlError::Refused {
                what: "the statement writes".to_owned(),
            });
        }
        if statement.parameter_count() > 0 {
            return Err(SqlError::Parameters);
        }
        let names: Vec<&str> = statement.column_names().collect();
        rows.columns(&names).map_err(SqlError::Rows)?;
        let width = names.len();
        let mut found = statement.raw_query();
        let mut given = 0;
        while let Some(row) = found.next().map_err(failed)? {
            if rows_max.is_some_and(|limit| given == limit) {
                return Ok(SqlEnd::RowLimit);
            }
            let values: Vec<SqlValue<'_>> = (0..width)
                .map(|column| row.get_ref(column).map(SqlValue::from))
                .collect::<Result<_, _>>()
                .map_err(failed)?;
            let bytes: usize = values.iter().map(SqlValue::bytes).sum();
            if bytes > VALUE_BYTES_MAX as usize {
                return Err(SqlError::TooLarge);
            }
            if rows.row(&values).map_err(SqlError::Rows)?.is_break() {
                return Ok(SqlEnd::Stopped);
            }
            given += 1;
            if patience.look()() {
                return Err(SqlError::TimedOut);
            }
        }
        Ok(SqlEnd::Whole)
    }
}

/// How long a statement may run, as its caller says.
#[derive(Clone)]
struct Patience {
    is_up: Arc<Mutex<dyn FnMut() -> bool + Send>>,
    /// Whether it was at its end when somebody looked.
    was_up: Arc<AtomicBool>,
}

impl Patience {
    fn new(is_up: impl FnMut() -> bool + Send + 'static) -> Self {
        Self {
            is_up: Arc::new(Mutex::new(is_up)),
            was_up: Arc::default(),
        }
    }

    /// Tells whether it is at its end.
    fn look(&self) -> impl FnMut() -> bool + Send + use<> {
        let Self { is_up, was_up } = self.clone();
        move || {
            let up = is_up.lock().unwrap_or_else(PoisonError::into_inner)();
            was_up.fetch_or(up, Ordering::Relaxed);
            up
        }
    }

    fn was_up(&self) -> bool {
        self.was_up.load(Ordering::Relaxed)
    }
}

/// Refuses a text that is too long, that SQLite would read a part of, or that names what is beneath the views.
fn check_text<E>(sql: &str, secret: &str) -> Result<(), SqlError<E>> {
    if sql.len() > STATEMENT_BYTES_MAX as usize {
        return Err(SqlError::TooLarge);
    }
    // SQLite would take the text before it for all of it.
    if sql.contains('\0') {
        return Err(SqlError::Refused {
            what: "there is a NUL character in the statement".to_owned(),
        });
    }
    // A name in SQL is spelled out, whatever its case: what doesn't hold the secret can't bear it.
    let names_it = sql
        .to_ascii_lowercase()
        .contains(&secret.to_ascii_lowercase());
    if names_it {
        return Err(SqlError::Refused {
            what: "what is beneath the views is not for queries".to_owned(),
        });
    }
    Ok(())
}

/// A statement, and what none may name.
#[derive(Clone, Copy)]
struct Text<'t> {
    sql: &'t str,
    secret: &'t str,
}

/// Why a statement failed of which so much was `seen`.
fn failure_of<E>(
    error: rusqlite::Error,
    text: Text<'_>,
    seen: Seen,
    patience: &Patience,
) -> SqlError<E> {
    if let Some(what) = seen.refused {
        return SqlError::Refused { what };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) if patience.was_up() => {
            return SqlError::TimedOut;
        }
        Some(ErrorCode::OutOfMemory | ErrorCode::TooBig) => return SqlError::TooLarge,
        _ => {}
    }
    // What SQLite itself says is wrong with the text.
    let (mut message, mut offset) = match error {
        rusqlite::Error::SqlInputError { msg, offset, .. } => (msg, usize::try_from(offset).ok()),
        rusqlite::Error::SqliteFailure(cause, Some(message))
            if cause.code == ErrorCode::Unknown =>
        {
            (message, None)
        }
        other => return store(other),
    };
    if message.contains(text.secret) {
        (message, offset) = said_plainly(text.sql);
    }
    if message.ends_with("because it is a view") {
        return SqlError::Refused {
            what: "the statement writes".to_owned(),
        };
    }
    SqlError::Invalid {
        hint: hints::hint(&message, text.sql, &seen.views),
        message,
        offset,
    }
}

/// What is wrong with a statement where views are tables: SQLite may go on behind an error in the midst of
/// a view, and end with another that names what is beneath it.
fn said_plainly(sql: &str) -> (String, Option<usize>) {
    let tried = Connection::open_in_memory().and_then(|plain| {
        for view in VIEWS {
            let columns: Vec<&str> = view.columns.iter().map(|column| column.name).collect();
            let (name, columns) = (view.name, columns.join(", "));
            plain.execute_batch(&format!("CREATE TABLE {name} ({columns})"))?;
        }
        guard::limit(&plain)?;
        plain.prepare(sql).map(|_| ())
    });
    match tried {
        Err(rusqlite::Error::SqlInputError { msg, offset, .. }) => {
            (msg, usize::try_from(offset).ok())
        }
        _ => ("the statement can't be read".to_owned(), None),
    }
}

fn store<E>(error: rusqlite::Error) -> SqlError<E> {
    SqlError::Store(error.into())
}

/// Makes the views and functions, then lets nothing but reading them pass. Gives what the names of
/// the views' lower halves begin with.
fn prepare(
    connection: &mut Connection,
    prices: &PriceTable,
    watched: &Watched,
) -> rusqlite::Result<String> {
    connection.busy_timeout(Duration::from_secs(5))?;
    let secret = make_views(connection, prices)?;
    connection.pragma_update(None, "query_only", "ON")?;
    guard::limit(connection)?;
    let names = guard::Names::of(connection, &secret)?;
    guard::watch(connection, names, watched.clone())?;
    Ok(secret)
}

/// Makes the views and functions. Gives what the names of the views' lower halves begin with.
fn make_views(connection: &Connection, prices: &PriceTable) -> rusqlite::Result<String> {
    functions::register(connection, prices)?;
    let secret: String =
        connection.query_row("SELECT 'v_' || hex(randomblob(16))", [], |row| row.get(0))?;
    for view in VIEWS {
        let columns: Vec<&str> = view.columns.iter().map(|column| column.name).collect();
        let select = view.select_all().replace("{secret}", &secret);
        let (name, columns) = (view.name, columns.join(", "));
        connection.execute_batch(&format!(
            "CREATE TEMP VIEW {secret}_{name} ({columns}) AS {select};\n\
             CREATE TEMP VIEW {name} AS SELECT * FROM {secret}_{name};"
        ))?;
    }
    Ok(secret)
}
