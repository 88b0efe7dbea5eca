//! Runs a statement and prints its rows.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use syncline_store::sql::{
    STATEMENT_BYTES_MAX, SqlEnd, SqlError, SqlReader, SqlView, VALUE_BYTES_MAX, VIEWS,
};

use super::RowFormat;
use super::table::{Cells, Shown, Width};
use super::worker::{self, Done, Job};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::memory_limit::MEMORY_BYTES_MAX;
use crate::prices;
use crate::replica_access::{self, cure_of_file};
use crate::wording::{counted, quoted};

/// A replica to query, and how.
#[derive(Debug)]
pub(super) struct Query {
    /// None while it is away, and after a statement that could not be stopped.
    reader: Option<Box<SqlReader>>,
    /// Whether a statement runs on that could not be stopped.
    pub(super) is_stuck: bool,
    pub(super) format: RowFormat,
    pub(super) rows_max: Option<u64>,
    pub(super) time: Duration,
    pub(super) width: Width,
    /// Set where a person wants the statement that runs to end.
    pub(super) interrupted: Arc<AtomicBool>,
}

impl Query {
    /// Opens the replica of the profile in use; what was written before is in the views.
    pub(super) fn open(context: &Context, format: RowFormat) -> Result<Self, Failure> {
        Ok(Self {
            reader: Some(open_reader(context)?),
            is_stuck: false,
            format,
            rows_max: None,
            time: Duration::from_secs(30),
            width: Width::OfCell(0),
            interrupted: Arc::default(),
        })
    }

    /// Runs `sql` and prints what it gives.
    pub(super) fn print(&mut self, sql: &str, context: &Context) -> Outcome {
        // What was pressed before is not meant for this one.
        self.interrupted.store(false, Ordering::Relaxed);
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => open_reader(context)?,
        };
        let job = Job {
            sql: sql.to_owned(),
            format: self.format,
            width: self.width,
            rows_max: self.rows_max,
            time: self.time,
            interrupted: Arc::clone(&self.interrupted),
        };
        let ran = match worker::run(reader, job, context.output.clone())? {
            Done::Ended(reader, ran) => {
                self.reader = Some(reader);
                ran
            }
            Done::Stuck => {
                self.is_stuck = true;
                return Err(timed_out(self.time));
            }
        };
        ran.printed?;
        match ran.shown {
            Shown::Whole => {}
            Shown::Cut => context
                .output
                .note("values that end with … are cut: --width 0, or .width 0 at the prompt, gives them whole"),
            Shown::TooWide => context.output.note(
                "so many columns don't fit here: select fewer, or take --format ndjson",
            ),
        }
        match ran.end {
            Ok(SqlEnd::Whole) if explains_steps(sql) => {
                context.output.note(format_args!(
                    "these are SQLite's single steps; EXPLAIN QUERY PLAN tells the plan in a few lines"
                ));
                Ok(())
            }
            Ok(SqlEnd::Whole | SqlEnd::Stopped) => Ok(()),
            Ok(SqlEnd::RowLimit) => {
                let rows = self.rows_max.unwrap_or_default();
                context.output.warn(format_args!(
                    "there are more rows than the {rows} given; `--limit N` gives more of them, `--limit all` gives all"
                ));
                Ok(())
            }
            Err(SqlError::TimedOut) if self.interrupted.load(Ordering::Relaxed) => {
                Err(Failure::new("sql_interrupted", "the query was interrupted"))
            }
            Err(error) => {
                let entity = missing_table(&error).map(str::to_owned);
                let failure = failure(error, sql, self.time);
                Err(match entity {
                    Some(entity) => told_of_records(failure, &entity, context)?,
                    None => failure,
                })
            }
        }
    }
}

/// The table that a statement reads and that there is not.
fn missing_table<E>(error: &SqlError<E>) -> Option<&str> {
    match error {
        SqlError::Invalid { message, .. } => message.strip_prefix("no such table: "),
        _ => None,
    }
}

/// Says, where the name is that of an entity, what reads records: their roles are not those of a query.
fn told_of_records(failure: Failure, name: &str, context: &Context) -> Result<Failure, Failure> {
    let schema = replica_access::open(context)?.schema()?;
    Ok(
        match schema.is_some_and(|schema| schema.entity(name).is_some()) {
            true => failure.fix(format!("syncline record {} list", quoted(name))),
            false => failure,
        },
    )
}

/// Whether a statement asks for the steps of another: hundreds of them, of one that reads a view.
fn explains_steps(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    let is = |word: Option<&str>, wanted| word.is_some_and(|w| w.eq_ignore_ascii_case(wanted));
    is(words.next(), "explain") && !is(words.next(), "query")
}

/// Whether a statement has one of the words of those that `--write` takes.
fn changes_rows(sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    words.any(|word| ["delete", "update"].contains(&word.to_ascii_lowercase().as_str()))
}

fn open_reader(context: &Context) -> Result<Box<SqlReader>, Failure> {
    let mut replica = replica_access::open(context)?;
    let path = replica.view()?.path().to_owned();
    let reader = SqlReader::open(&path, &prices::read(context)?.table).map_err(|error| {
        let fix = cure_of_file(&error);
        Failure::new("replica_failed", "could not open the replica for reading")
            .because(error)
            .fix(fix)
    })?;
    Ok(Box::new(reader))
}

/// The statement ran for longer than it may.
pub(super) fn timed_out(time: Duration) -> Failure {
    Failure::new(
        "sql_timeout",
        format!("the query ran longer than {} s", time.as_secs_f64()),
    )
    .fix("syncline query SQL --timeout 5m")
}

/// What to tell of a query that did not run to its end.
pub(super) fn failure<E: std::error::Error + Send + Sync + 'static>(
    error: SqlError<E>,
    sql: &str,
    time: Duration,
) -> Failure {
    match error {
        SqlError::Invalid {
            message,
            offset,
            hint,
        } => {
            let mut failure = Failure::new("sql_invalid", message);
            if let Some(near) = offset.and_then(|offset| near(sql, offset)) {
                failure = failure.state(near);
            }
            let Some(hint) = hint else {
                return failure.fix("syncline query --views");
            };
            for name in &hint.similar {
                failure = failure.candidate(*name);
            }
            if hint.similar.is_empty() {
                failure = failure.state(format!("there are {}", hint.known.join(", ")));
            }
            failure.fix("syncline query --views")
        }
        SqlError::Refused { what } => Failure::new(
            "sql_read_only",
            format!("a query only reads the views: {what}"),
        )
        .state("nothing was changed")
        .fix(match changes_rows(sql) {
            true => "syncline query SQL --write",
            false => "syncline query --views",
        }),
        SqlError::Empty => {
            Failure::usage("sql_empty", "there is no statement in it").fix("syncline query --views")
        }
        SqlError::Several => Failure::usage("sql_several", "a query is one statement")
            .fix("run them one by one, or with syncline query -i"),
        SqlError::Parameters => Failure::usage(
            "sql_parameters",
            "the statement has a parameter, and nothing to put in its place",
        )
        .fix("write the value itself, a text in single quotes"),
        SqlError::TimedOut => timed_out(time),
        error @ SqlError::TooLarge => Failure::new("sql_too_large", error.to_string())
            .state(format!(
                "a statement has {} at most, a row {}, and a query takes {} of memory",
                mebibytes(STATEMENT_BYTES_MAX as u64),
                mebibytes(VALUE_BYTES_MAX as u64),
                mebibytes(MEMORY_BYTES_MAX),
            ))
            .fix("select fewer columns or rows, or parts of texts: substr(content, 1, 1000)"),
        SqlError::Store(error) => error.into(),
        SqlError::Rows(error) => Failure::output(io::Error::other(error)),
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// The line of `sql` that holds byte `offset`, up to there and on.
fn near(sql: &str, offset: usize) -> Option<String> {
    let (before, after) = sql.split_at_checked(offset)?;
    let line = before.lines().count().max(1);
    let start: String = before
        .lines()
        .next_back()
        .unwrap_or_default()
        .chars()
        .rev()
        .take(20)
        .collect();
    let start: String = start.chars().rev().collect();
    let rest: String = after
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(20)
        .collect();
    Some(format!("in line {line}, where it says: {start}»{rest}"))
}

#[derive(Serialize)]
struct ShownView {
    name: &'static str,
    meaning: &'static str,
    columns: Vec<ShownColumn>,
}

#[derive(Serialize)]
struct ShownColumn {
    name: &'static str,
    meaning: &'static str,
}

/// Tells the views and their columns, or those of one.
pub(super) fn tell_views(
    format: RowFormat,
    width: Width,
    one: Option<&str>,
    context: &Context,
) -> Outcome {
    let views = || {
        let wanted = |view: &&SqlView| one.is_none_or(|one| view.name == one);
        VIEWS.iter().filter(wanted)
    };
    if format == RowFormat::Json {
        let shown: Vec<ShownView> = views()
            .map(|view| ShownView {
                name: view.name,
                meaning: view.meaning,
                columns: view
                    .columns
                    .iter()
                    .map(|column| ShownColumn {
                        name: column.name,
                        meaning: column.meaning,
                    })
                    .collect(),
            })
            .collect();
        return context.output.json(&shown);
    }
    context.output.write(|out| {
        for view in views() {
            let columns = counted(view.columns.len() as u64, "column");
            writeln!(
                out,
                "{}: each row is {} ({columns})",
                view.name, view.meaning
            )?;
            let mut cells = Cells::new(&["column", "meaning"], width);
            for column in view.columns {
                cells.text_row(&[column.name, column.meaning], out)?;
            }
            cells.finish(out)?;
        }
        Ok(())
    })
}
