use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;
use syncline_model::Timestamp;
use syncline_model::session::SessionId;
use syncline_store::search::{
    Matched, PartFilter, PartHit, SessionQuery, SnippetStyle, search_sessions,
};
use unicode_width::UnicodeWidthStr;

use super::filter::{FigureFlags, FilterFlags};
use super::reference::{ShortIds, find_session};
use super::text::one_line;
use crate::context::Context;
use crate::failure::Outcome;
use crate::limit::at_least_one;
use crate::output::{Colour, Style, printable};
use crate::prices;
use crate::replica_access;
use crate::table::cut_beside;
use crate::wording::minute;

const TITLE_CHARS_MAX: usize = 60;

/// Search all that was said and done in sessions
///
/// Texts with all words come first, then those with any; text in double quotes is a phrase. With --json:
/// {results:[{session_id, id, agent, title, kind, owner, owner_id, at, content, relevance, matched}],
/// total}.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// What to look for; every character is taken as it is
    #[arg(allow_hyphen_values = true)]
    query: String,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    figures: FigureFlags,
    /// Of this session alone
    #[arg(short, long, value_name = "SESSION", help_heading = "Which sessions")]
    session: Option<String>,
    /// In texts of this kind alone
    #[arg(short, long, value_enum)]
    kind: Option<Kind>,
    /// At most N
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10, value_parser = at_least_one::<u64>)]
    limit: u64,
    /// Leave out the first N
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u64,
}

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Kind {
    /// What was said
    Text,
    /// What the model thought
    Thinking,
    /// What went into tools
    ToolInput,
    /// What came out of tools
    ToolOutput,
    /// How tools failed: their errors, and what came out of them where that tells it
    ToolError,
    Title,
    /// Errors of the agent
    Error,
    /// Summaries of compactions
    Compaction,
    /// Lines that no importer could name
    Raw,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Thinking => "thinking",
            Self::ToolInput => "tool_input",
            Self::ToolOutput => "tool_output",
            Self::ToolError => "tool_error",
            Self::Title => "title",
            Self::Error => "error",
            Self::Compaction => "compaction",
            Self::Raw => "raw",
        }
    }
}

#[derive(Serialize)]
struct Found {
    results: Vec<Hit>,
    total: u64,
}

#[derive(Serialize)]
struct Hit {
    session_id: SessionId,
    id: Option<String>,
    agent: Option<String>,
    title: Option<String>,
    kind: String,
    owner: String,
    owner_id: String,
    at: Option<Timestamp>,
    content: String,
    relevance: f64,
    matched: &'static str,
}

impl From<PartHit> for Hit {
    fn from(hit: PartHit) -> Self {
        Self {
            session_id: hit.session_id,
            id: hit.native_id,
            agent: hit.agent,
            title: hit.title,
            kind: hit.kind,
            owner: hit.owner,
            owner_id: hit.owner_id,
            at: hit.at,
            content: hit.snippet,
            relevance: hit.relevance,
            matched: match hit.matched {
                Matched::AllWords => "all_words",
                Matched::SomeWords => "some_words",
            },
        }
    }
}

pub(crate) fn run(args: &SearchArgs, context: &Context) -> Outcome {
    let chosen = args.filter.chosen(context);
    let prices = prices::read(context)?.table;
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let session = match &args.session {
        Some(text) => Some(find_session(view, text, args.filter.agent())?.session_id),
        None => None,
    };
    let query = SessionQuery {
        text: &args.query,
        filter: PartFilter {
            session,
            kind: args.kind.map(Kind::as_str),
            has_error: args.figures.has_error(),
            cost_nanos_min: args.figures.cost_nanos_min(),
            ..chosen.parts()
        },
        limit: args.limit,
        offset: args.offset,
        snippet: SnippetStyle::Plain,
        prices: &prices,
    };
    let page = search_sessions(view.connection(), &query)?;
    let found = Found {
        results: page.hits.into_iter().map(Hit::from).collect(),
        total: page.total,
    };
    let ids = ShortIds::of_all(view)?;
    let (colour, width) = (context.output.colour(), context.output.width());
    context.output.data(&found, |out| {
        print(&found.results, &ids, out, colour, width)
    })?;
    let shown = found.results.len() as u64;
    let through = args.offset.saturating_add(shown);
    match shown {
        0 => context.output.note("nothing matches"),
        _ if through < found.total => context.output.note(format_args!(
            "{shown} of {} texts; go on with --offset {through}",
            found.total
        )),
        _ => context
            .output
            .note(format_args!("{shown} of {} texts", found.total)),
    }
    Ok(())
}

fn print(
    hits: &[Hit],
    ids: &ShortIds,
    out: &mut dyn Write,
    colour: Colour,
    width: Option<usize>,
) -> io::Result<()> {
    for hit in hits {
        let title = hit.title.as_deref().unwrap_or("(no title)");
        let title = one_line(title, TITLE_CHARS_MAX);
        let id = ids.of(hit.session_id);
        let about = format!(
            "  {}  {}  {}  ",
            hit.at.map_or_else(|| "-".to_owned(), minute),
            printable(hit.agent.as_deref().unwrap_or("-")),
            hit.kind.replace('_', " "),
        );
        let title = cut_beside(&title, id.width() + about.width(), width);
        let (id, title) = (
            colour.paint(Style::Strong, id),
            colour.paint(Style::Faint, title),
        );
        writeln!(out, "{}", format!("{id}{about}{title}").trim_end())?;
        writeln!(out, "    {}", printable(&hit.content).replace('\n', " "))?;
    }
    Ok(())
}
