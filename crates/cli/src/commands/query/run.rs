//! Runs a statement and prints its rows.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use syncline_store::sql::{SqlEnd, SqlError, SqlReader, SqlView, VIEWS};

use super::RowFormat;
use super::format::Rows;
use super::table::Cells;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::prices;
use crate::replica_access;
use crate::wording::counted;

/// A replica to query, and how.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) reader: SqlReader,
    pub(super) format: RowFormat,
    pub(super) rows_max: Option<u64>,
    pub(super) time: Duration,
    pub(super) width: usize,
}

impl Query {
    /// Opens the replica of the profile in use; what was written before is in the views.
    pub(super) fn open(context: &Context, format: RowFormat) -> Result<Self, Failure> {
        let mut replica = replica_access::open(context)?;
        let path = replica.view()?.path().to_owned();
        let reader = SqlReader::open(&path, &prices::read(context)?.table).map_err(|error| {
            Failure::new("replica_failed", "could not open the replica for reading")
                .because(error)
                .fix("syncline doctor")
        })?;
        Ok(Self {
            reader,
            format,
            rows_max: None,
            time: Duration::from_secs(30),
            width: 0,
        })
    }

    /// Runs `sql` and prints what it gives.
    pub(super) fn print(&mut self, sql: &str, context: &Context) -> Outcome {
        let mut end = None;
        context.output.write(|out| {
            let (answer, finished) = self.rows(sql, out);
            end = Some(answer);
            finished
        })?;
        match end.expect("a query that was printed has ended") {
            Ok(SqlEnd::Whole | SqlEnd::Stopped) => Ok(()),
            Ok(SqlEnd::RowLimit) => {
                let rows = self.rows_max.unwrap_or_default();
                context.output.warn(format_args!(
                    "there are more rows than the {rows} given; --limit N gives more, --limit all all"
                ));
                Ok(())
            }
            Err(error) => Err(failure(error, sql, self.time)),
        }
    }

    /// What became of the query, and of printing it.
    fn rows(
        &mut self,
        sql: &str,
        out: &mut dyn Write,
    ) -> (Result<SqlEnd, SqlError<io::Error>>, io::Result<()>) {
        let begin = Instant::now();
        let time = self.time;
        let mut rows = Rows::new(self.format, self.width, out);
        match self.reader.run(
            sql,
            self.rows_max,
            move || begin.elapsed() >= time,
            &mut rows,
        ) {
            Err(SqlError::Rows(error)) => (Ok(SqlEnd::Stopped), Err(error)),
            Ok(end) => {
                let finished = rows.finish();
                (Ok(end), finished)
            }
            Err(error) => (Err(error), Ok(())),
        }
    }
}

/// What to tell of a query that did not run to its end.
fn failure(error: SqlError<io::Error>, sql: &str, time: Duration) -> Failure {
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
        .fix("syncline query --views"),
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
        SqlError::TimedOut => Failure::new(
            "sql_timeout",
            format!("the query ran longer than {} s", time.as_secs_f64()),
        )
        .fix("syncline query SQL --timeout 5m"),
        error @ SqlError::TooLarge => {
            Failure::new("sql_too_large", error.to_string()).fix("select fewer columns or rows")
        }
        SqlError::Store(error) => Failure::new("replica_failed", "could not read the replica")
            .because(error)
            .fix("syncline doctor"),
        SqlError::Rows(error) => Failure::output(error),
    }
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
    width: usize,
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
                cells.text_row(&[column.name, column.meaning]);
            }
            cells.write(out)?;
        }
        Ok(())
    })
}
