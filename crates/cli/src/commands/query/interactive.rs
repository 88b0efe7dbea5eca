//! `syncline query -i`: statements, one after another.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::ValueEnum;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Editor, Helper};
use syncline_store::sql::VIEWS;

use super::RowFormat;
use super::run::{Query, tell_views};
use super::table::Width;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::signals;

/// How many statements are remembered.
const HISTORY_MAX: usize = 1_000;

const HELP: &str = "\
A statement ends with ; and may take several lines.
.views           the views and their columns
.tables          the names of the views
.schema VIEW     the columns of one
.format FORMAT   table, json, csv, ndjson or markdown
.width CELLS     how wide a cell of a table is at most; 0: as wide as it needs to be
.help            this
.exit            leave, as Ctrl-D does
Ctrl-C drops what was typed, or ends the statement that runs.";

pub(super) fn run(mut query: Query, context: &Context) -> Outcome {
    let failed = |error: ReadlineError| {
        Failure::new("terminal_failed", "could not read from the terminal").because(error)
    };
    let config = Config::builder()
        .max_history_size(HISTORY_MAX)
        .map_err(failed)?
        .history_ignore_space(true)
        .build();
    let mut editor: Editor<Names, FileHistory> = Editor::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Names));
    if std::io::stdin().is_terminal() {
        // At the prompt the editor reads the key itself.
        let interrupted = Arc::clone(&query.interrupted);
        signals::on_interrupt(move || interrupted.store(true, Ordering::Relaxed))?;
    }
    let history = context.replica_dir()?.join("query_history");
    // Without a file yet, there is no history yet.
    let _ = editor.load_history(&history);
    context.output.note(".help tells what there is beside SQL");
    let mut statement = String::new();
    loop {
        let prompt = if statement.is_empty() {
            "syncline> "
        } else {
            "     ...> "
        };
        let line = match editor.readline(prompt) {
            Ok(line) => line,
            // Ctrl-C drops what was typed.
            Err(ReadlineError::Interrupted) => {
                statement.clear();
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        };
        if statement.is_empty() && line.trim_start().starts_with('.') {
            if command(line.trim(), &mut query, context)? == Then::Leave {
                break;
            }
            continue;
        }
        if !statement.is_empty() {
            statement.push('\n');
        }
        statement.push_str(&line);
        if statement.trim().is_empty() {
            statement.clear();
        } else if statement.trim_end().ends_with(';') {
            // A history that can't be kept is no reason to stop.
            let _ = editor.add_history_entry(&statement);
            let _ = editor.save_history(&history);
            if let Err(failure) = query.print(&statement, context) {
                // It holds the output, and goes with the process.
                if query.is_stuck {
                    return Err(failure);
                }
                context.output.failure(&failure);
            }
            statement.clear();
        }
    }
    Ok(())
}

/// What to do after a command of the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Leave,
}

/// Does what a line that begins with a point asks for.
fn command(line: &str, query: &mut Query, context: &Context) -> Result<Then, Failure> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim().trim_end_matches(';');
    match (name, rest) {
        (".exit" | ".quit", _) => return Ok(Then::Leave),
        (".help", _) => context.output.note(HELP),
        (".views", _) | (".schema", "") => {
            tell_views(RowFormat::Table, Width::OfCell(0), None, context)?
        }
        (".tables", _) => {
            let names: Vec<&str> = VIEWS.iter().map(|view| view.name).collect();
            context
                .output
                .write(|out| writeln!(out, "{}", names.join("  ")))?;
        }
        (".schema", view) if VIEWS.iter().any(|known| known.name == view) => {
            tell_views(RowFormat::Table, Width::OfCell(0), Some(view), context)?;
        }
        (".schema", view) => context
            .output
            .note(format_args!("{view} is no view; .tables tells them")),
        (".format", format) => match RowFormat::from_str(format, true) {
            Ok(format) => query.format = format,
            Err(_) => context
                .output
                .note("formats are table, json, csv, ndjson and markdown"),
        },
        (".width", cells) => match cells.parse() {
            Ok(cells) => query.width = Width::OfCell(cells),
            Err(_) => context.output.note("a width is a number of cells, or 0"),
        },
        _ => context
            .output
            .note(format_args!("{name} is unknown; .help tells what there is")),
    }
    Ok(Then::GoOn)
}

/// Completes names of views and columns, and the words of SQL.
struct Names;

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "JOIN",
    "LEFT JOIN",
    "USING",
    "DISTINCT",
    "COUNT",
    "EXPLAIN QUERY PLAN",
    "LIKE",
    "BETWEEN",
    "NOT",
    "NULL",
    "DESC",
];
const COMMANDS: &[&str] = &[
    ".views", ".tables", ".schema", ".format", ".width", ".help", ".exit",
];

impl Completer for Names {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let before = &line[..position];
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, letter)| is_part(*letter))
            .last()
            .map_or(position, |(start, _)| start);
        let typed = before[start..].to_lowercase();
        if typed.is_empty() {
            return Ok((position, Vec::new()));
        }
        let columns = VIEWS
            .iter()
            .flat_map(|view| view.columns.iter().map(|column| column.name));
        let mut known: Vec<&str> = VIEWS
            .iter()
            .map(|view| view.name)
            .chain(columns)
            .chain(WORDS.iter().copied())
            .chain(COMMANDS.iter().copied())
            .filter(|name| name.to_lowercase().starts_with(&typed))
            .collect();
        known.sort_unstable();
        known.dedup();
        Ok((start, known.into_iter().map(str::to_owned).collect()))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}

impl Validator for Names {}
impl Helper for Names {}
