use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;
use syncline_store::TenantFile;
use syncline_store::sessions::{
    FileCount, PriceTable, SessionFilter, StatGroup, StatRow, StatSpan, ToolCount, session_stats,
    sessions_among, tool_counts, touched_files,
};

use super::bars::{Page, bar, rate};
use super::filter::{Chosen, FigureFlags, FilterFlags};
use super::shown::{CostShown, TokensShown};
use super::text::{all_tokens, brief_cost, brief_count, one_line};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limit::at_least_one;
use crate::output::Style;
use crate::prices;
use crate::replica_access;
use crate::table::{ELASTIC_CELLS_MIN, Fit, Table};

const KEY_CHARS_MAX: usize = 40;
const PATH_CHARS_MAX: usize = 80;
const PATH_CHARS_MIN: usize = 20;

/// Add up what sessions did and used
///
/// Tokens are all, cached or not; bars show cost, or tokens where no cost is known. Costs are made as in
/// `session list`. Days are those of
/// UTC. --since and --until choose what was done in that time. What an agent tells of a session as a
/// whole counts where nothing finer is known, on the day that it last told of itself. With --json: {by,
/// rows, total, tools, files}; a row has key, session_count, message_count, prompt_count,
/// tool_call_count, tool_error_count, tool_error_rate, tokens and cost as in `session list`; a tool has
/// name, calls, errors, error_rate and duration_ms; a file has path, touches and changes.
#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Put together by
    #[arg(long, value_enum, default_value = "day")]
    by: By,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    figures: FigureFlags,
    /// At most N rows, tools and files each: the last days, or what cost most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = at_least_one::<usize>)]
    limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum By {
    Day,
    Project,
    Model,
    Agent,
}

impl From<By> for StatGroup {
    fn from(by: By) -> Self {
        match by {
            By::Day => Self::Day,
            By::Project => Self::Project,
            By::Model => Self::Model,
            By::Agent => Self::Agent,
        }
    }
}

#[derive(Serialize)]
struct Stats {
    by: By,
    rows: Vec<RowShown>,
    total: RowShown,
    tools: Vec<ToolShown>,
    files: Vec<FileShown>,
}

#[derive(Serialize)]
struct RowShown {
    key: String,
    session_count: u64,
    message_count: u64,
    prompt_count: u64,
    tool_call_count: u64,
    tool_error_count: u64,
    tool_error_rate: f64,
    #[serde(flatten)]
    tokens: TokensShown,
    #[serde(flatten)]
    cost: CostShown,
}

#[derive(Serialize)]
struct ToolShown {
    name: String,
    calls: u64,
    errors: u64,
    error_rate: f64,
    duration_ms: u64,
}

#[derive(Serialize)]
struct FileShown {
    path: String,
    touches: u64,
    changes: u64,
}

impl From<&StatRow> for RowShown {
    fn from(row: &StatRow) -> Self {
        Self {
            key: row.key.clone(),
            session_count: row.sessions,
            message_count: row.messages,
            prompt_count: row.prompts,
            tool_call_count: row.tool_calls,
            tool_error_count: row.tool_errors,
            tool_error_rate: rate(row.tool_errors, row.tool_calls),
            tokens: row.tokens.into(),
            cost: row.cost.into(),
        }
    }
}

impl From<ToolCount> for ToolShown {
    fn from(tool: ToolCount) -> Self {
        Self {
            error_rate: rate(tool.errors, tool.calls),
            name: tool.name,
            calls: tool.calls,
            errors: tool.errors,
            duration_ms: tool.duration_ms,
        }
    }
}

impl From<FileCount> for FileShown {
    fn from(file: FileCount) -> Self {
        Self {
            path: file.path,
            touches: file.touches,
            changes: file.changes,
        }
    }
}

struct Read {
    rows: Vec<StatRow>,
    left_out: usize,
    total: StatRow,
    tools: Vec<ToolCount>,
    files: Vec<FileCount>,
}

pub(crate) fn run(args: &StatsArgs, context: &Context) -> Outcome {
    let prices = prices::read(context)?.table;
    let chosen = args.filter.chosen(context);
    let mut replica = replica_access::open(context)?;
    let read = read(args, replica.view()?, &chosen, &prices)?;
    let stats = Stats {
        by: args.by,
        rows: read.rows.iter().map(RowShown::from).collect(),
        total: (&read.total).into(),
        tools: read.tools.into_iter().map(ToolShown::from).collect(),
        files: read.files.into_iter().map(FileShown::from).collect(),
    };
    let page = Page {
        colour: context.output.colour(),
        width: context.output.width(),
    };
    if read.rows.is_empty() {
        context.output.data(&stats, |_| Ok(()))?;
        context
            .output
            .note("nothing was said or used in sessions that match");
        return Ok(());
    }
    context.output.data(&stats, |out| {
        draw_rows(args.by, &read.rows, &read.total, out, page)?;
        draw_tools(&stats.tools, out, page)?;
        draw_files(&stats.files, out, page)
    })?;
    if read.left_out > 0 {
        context.output.note(format_args!(
            "{} more rows; --limit N shows more",
            read.left_out
        ));
    }
    Ok(())
}

fn read(
    args: &StatsArgs,
    view: &TenantFile,
    chosen: &Chosen,
    prices: &PriceTable,
) -> Result<Read, Failure> {
    let connection = view.connection();
    let figures = SessionFilter {
        model: chosen.model.as_deref(),
        has_error: args.figures.has_error(),
        cost_nanos_min: args.figures.cost_nanos_min(),
        ..SessionFilter::default()
    };
    let among = sessions_among(connection, &figures, prices)?;
    let filter = SessionFilter {
        among: among.as_deref(),
        ..chosen.whenever()
    };
    let span = StatSpan {
        since: chosen.since,
        until: chosen.until,
        offset_minutes: 0,
    };
    let by = |group| session_stats(connection, &filter, span, group, prices);
    let mut rows = by(args.by.into())?;
    let left_out = rows.len().saturating_sub(args.limit);
    if args.by == By::Day {
        rows.drain(..left_out);
    } else {
        rows.sort_by_key(|row| std::cmp::Reverse((row.cost.nanos(), all_tokens(row.tokens))));
        rows.truncate(args.limit);
    }
    // A session has one agent, and so none counts twice.
    let total = sum(&by(StatGroup::Agent)?);
    let limit = args.limit as u64;
    Ok(Read {
        rows,
        left_out,
        total,
        tools: tool_counts(connection, &filter, span, limit)?,
        files: touched_files(connection, &filter, span, limit)?,
    })
}

fn sum(rows: &[StatRow]) -> StatRow {
    let mut total = StatRow {
        key: "total".to_owned(),
        ..StatRow::default()
    };
    rows.iter().for_each(|row| total.add(row));
    total
}

fn draw_rows(
    by: By,
    rows: &[StatRow],
    total: &StatRow,
    out: &mut dyn Write,
    page: Page,
) -> io::Result<()> {
    let head = match by {
        By::Day => "DAY",
        By::Project => "PROJECT",
        By::Model => "MODEL",
        By::Agent => "AGENT",
    };
    let costs = rows.iter().any(|row| row.cost.nanos() > 0);
    let weight = |row: &StatRow| match costs {
        true => row.cost.nanos(),
        false => all_tokens(row.tokens),
    };
    let most = rows.iter().map(weight).max().unwrap_or(0);
    let bars = if costs { "BY COST" } else { "BY TOKENS" };
    let mut table = Table::new([
        head, "SESSIONS", "MESSAGES", "TOOLS", "FAILED", "TOKENS", "COST", bars,
    ]);
    for row in rows.iter().chain([total]) {
        let key = match row.key.is_empty() {
            true => "(unknown)".to_owned(),
            false => one_line(&row.key, KEY_CHARS_MAX),
        };
        let bar = match std::ptr::eq(row, total) {
            true => String::new(),
            false => bar(weight(row), most, page.bar_cells()),
        };
        table.row([
            key,
            row.sessions.to_string(),
            row.messages.to_string(),
            row.tool_calls.to_string(),
            percent(row.tool_errors, row.tool_calls),
            brief_count(all_tokens(row.tokens)),
            brief_cost(row.cost),
            bar,
        ]);
    }
    let fit = Fit {
        elastic: &[(0, ELASTIC_CELLS_MIN)],
        optional: &[7, 1, 4],
    };
    table.write_within(page.width, fit, out, page.colour)
}

/// A path, by its end where it is long.
fn end_of(path: &str, chars_max: usize) -> String {
    let path = one_line(path, usize::MAX / 8);
    let begin = path.char_indices().rev().nth(chars_max - 1);
    match begin {
        Some((begin, _)) if begin > 0 => format!("…{}", &path[begin..]),
        Some(_) | None => path,
    }
}

fn percent(some: u64, all: u64) -> String {
    match (some, all) {
        (_, 0) => "-".to_owned(),
        (0, _) => "0 %".to_owned(),
        (some, all) => format!("{:.1} %", 100.0 * rate(some, all)),
    }
}

fn draw_tools(tools: &[ToolShown], out: &mut dyn Write, page: Page) -> io::Result<()> {
    if tools.is_empty() {
        return Ok(());
    }
    let most = tools.iter().map(|tool| tool.calls).max().unwrap_or(0);
    let mut table = Table::new(["TOOL", "CALLS", "FAILED", "BY CALLS"]);
    for tool in tools {
        table.row([
            one_line(&tool.name, KEY_CHARS_MAX),
            tool.calls.to_string(),
            percent(tool.errors, tool.calls),
            bar(tool.calls, most, page.bar_cells()),
        ]);
    }
    writeln!(out, "\n{}", page.colour.paint(Style::Strong, "Tools"))?;
    let fit = Fit {
        elastic: &[(0, ELASTIC_CELLS_MIN)],
        optional: &[3],
    };
    table.write_within(page.width, fit, out, page.colour)
}

fn draw_files(files: &[FileShown], out: &mut dyn Write, page: Page) -> io::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    // The two columns before it are as wide as their heads.
    let room = page
        .width
        .map_or(PATH_CHARS_MAX, |width| width.saturating_sub(18));
    let chars_max = room.clamp(PATH_CHARS_MIN, PATH_CHARS_MAX);
    let mut table = Table::new(["TOUCHED", "CHANGED", "FILE"]);
    for file in files {
        table.row([
            file.touches.to_string(),
            file.changes.to_string(),
            end_of(&file.path, chars_max),
        ]);
    }
    writeln!(out, "\n{}", page.colour.paint(Style::Strong, "Files"))?;
    table.write(out, page.colour)
}
