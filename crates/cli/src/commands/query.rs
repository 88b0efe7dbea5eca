//! `syncline query`: SQL over the views of the replica.

mod format;
mod interactive;
mod run;
mod table;
mod worker;
mod write;

use std::io::Read;
use std::num::NonZeroU64;

use clap::{Args, ValueEnum};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::memory_limit;
use crate::span::Span;
use run::Query;
use table::Width;
use write::Ask;

/// Read what is stored here with SQL
///
/// One statement that reads, over views that stay as they are from version to version: sessions,
/// messages, tools, threads, entries, lists, items and more. `query --views` tells their columns. Nothing
/// is written without --write, and no other file is reached. In JSON a blob is a string of hexadecimal
/// digits, and the second of two columns `a` is `a_2`. A row has 64 MiB at most, and a query that needs more than 2 GiB of memory is
/// refused (on Linux; no other system bounds it). A table is as wide as its terminal, and cuts longer texts at their ends; without a terminal
/// its columns are as wide as its first 1,000 rows need, and a later cell that is wider moves the rest of its row.
///
/// With --write, a DELETE or UPDATE of one view is written as any other change is, once it was confirmed:
/// to this machine, and to every other by the next sync. What can't be said anew is refused. With --json:
/// {view, rows, deleted, columns, state}.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The statement; `-` reads it from standard input
    #[arg(
        value_name = "SQL",
        required_unless_present_any = ["interactive", "views"],
        allow_hyphen_values = true
    )]
    sql: Option<String>,
    /// How rows are printed; --json is short for `--format json`
    #[arg(short, long, value_enum)]
    format: Option<RowFormat>,
    /// How many rows are given at most, or `all`
    #[arg(long, value_name = "N", default_value = "10000")]
    limit: RowLimit,
    /// How long it may run
    #[arg(long, value_name = "TIME", default_value = "30s")]
    timeout: Span,
    /// How wide a cell of a table is at most, or 0 for as wide as it needs to be [default: what the
    /// terminal has room for, 60 without one]
    #[arg(long, value_name = "CELLS")]
    width: Option<usize>,
    /// Ask for statements one after another, with a history and completion
    #[arg(short, long, conflicts_with_all = ["sql", "views"])]
    interactive: bool,
    /// Tell the views and their columns
    #[arg(long, conflicts_with = "sql")]
    views: bool,
    /// Let the statement delete or update rows of a view
    #[arg(long, conflicts_with_all = ["interactive", "views"])]
    write: bool,
    /// Don't ask before rows are changed
    #[arg(short, long, requires = "write")]
    yes: bool,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// Boxes
    Table,
    /// One array of objects
    Json,
    /// A head, then a line per row, as RFC 4180 has it
    Csv,
    /// An object per line
    Ndjson,
    /// A table of Markdown
    Markdown,
}

/// How many rows are given at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RowLimit(Option<NonZeroU64>);

impl std::str::FromStr for RowLimit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self(None)),
            number => number
                .parse()
                .map(|number| Self(Some(number)))
                .map_err(|_| "expected a number of rows, at least 1, or `all`"),
        }
    }
}

pub(crate) fn run(args: &QueryArgs, context: &Context) -> Outcome {
    let format = match (args.format, context.output.format()) {
        (None, crate::output::Format::Text) => RowFormat::Table,
        (None | Some(RowFormat::Json), crate::output::Format::Json) => RowFormat::Json,
        (Some(format), crate::output::Format::Text) => format,
        (Some(_), crate::output::Format::Json) => {
            return Err(
                Failure::usage("format_twice", "--json and --format ask for two formats")
                    .fix("syncline query SQL --format ndjson"),
            );
        }
    };
    let width = Width::chosen(args.width, context.output.width());
    if args.views {
        return run::tell_views(format, width, None, context);
    }
    memory_limit::set();
    let mut query = Query::open(context, format)?;
    query.rows_max = args.limit.0.map(NonZeroU64::get);
    query.time = args.timeout.duration();
    query.width = width;
    let sql = match args.sql.as_deref() {
        None => return interactive::run(query, context),
        Some("-") => from_input()?,
        Some(sql) => sql.to_owned(),
    };
    if args.write {
        let ask = if args.yes { Ask::Nothing } else { Ask::First };
        return write::run(query, &sql, ask, context);
    }
    query.print(&sql, context)
}

fn from_input() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| {
            Failure::new(
                "input_failed",
                "could not read the statement from standard input",
            )
            .because(error)
        })?;
    Ok(text)
}
