use clap::Args;
use serde::Serialize;
use syncline_store::sessions::{ListedSession, SessionCursor, SessionFilter, Which, list_sessions};

use super::filter::{FigureFlags, FilterFlags};
use super::reference::{ShortIds, agent_of, project_of, title_of};
use super::shown::SessionShown;
use super::text::{all_tokens, brief_cost, brief_count, one_line, when};
use crate::context::Context;
use crate::failure::Outcome;
use crate::limit::at_least_one;
use crate::output::Format;
use crate::prices;
use crate::replica_access;
use crate::table::{ELASTIC_CELLS_MIN, Fit, Table};
use crate::wording::counted;

/// Longer titles are cut; `session show` has them whole.
const TITLE_CHARS_MAX: usize = 60;
const PROJECT_CHARS_MAX: usize = 24;
/// A title of fewer cells tells no session from another.
const TITLE_CELLS_MIN: usize = 26;
/// Titles and projects are cut in a narrow terminal; then tokens, agents, projects and tools go.
const FIT: Fit<'static> = Fit {
    elastic: &[(3, ELASTIC_CELLS_MIN), (8, TITLE_CELLS_MIN)],
    optional: &[6, 1, 3, 5],
};

/// List sessions, the one that told of itself last first
///
/// Figures include those of subagents. TOOLS are calls, and behind `✗` those that failed. TOKENS are all, cached or not. COST is what the agent reports, else
/// computed from dated prices, which a `prices.json` beside the configuration file replaces (`config list`
/// shows which are in use); `+`: there are responses whose price is not known. With
/// --json: {sessions:[{session_id, id, agent, title, …}], next}, named as the columns of the view
/// `sessions` (`query --views`), but for session_id, which is its `resource_id`; cost is in dollars, and
/// cost_source is reported, computed or mixed.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    figures: FigureFlags,
    /// Also subagents, each by itself
    #[arg(long)]
    subagents: bool,
    /// At most N
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50, value_parser = at_least_one::<u64>)]
    limit: u64,
    /// Go on behind the page that gave CURSOR as its `next`
    #[arg(long, value_name = "CURSOR")]
    after: Option<SessionCursor>,
}

#[derive(Serialize)]
struct Listing {
    sessions: Vec<SessionShown>,
    next: Option<String>,
}

pub(crate) fn run(args: &ListArgs, context: &Context) -> Outcome {
    let prices = prices::read(context)?.table;
    let chosen = args.filter.chosen(context);
    let filter = SessionFilter {
        has_error: args.figures.has_error(),
        cost_nanos_min: args.figures.cost_nanos_min(),
        which: match args.subagents {
            true => Which::All,
            false => Which::Whole,
        },
        ..chosen.sessions()
    };
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let page = list_sessions(view.connection(), &filter, args.after, args.limit, &prices)?;
    let next = page.next.map(|next| next.to_string());
    if context.output.format() == Format::Json {
        let sessions = page.sessions.into_iter().map(SessionShown::from).collect();
        return context.output.json(&Listing { sessions, next });
    }
    if page.sessions.is_empty() {
        let all = args.filter.is_empty() && args.figures.is_empty() && args.after.is_none();
        context.note_nothing(match all {
            true => {
                "no sessions yet; `syncline import auto` brings those of this machine".to_owned()
            }
            false => args.filter.none_match(),
        });
        return Ok(());
    }
    let table = table(&page.sessions, &ShortIds::of_all(view)?);
    let colour = context.output.colour();
    let width = context.output.width();
    context
        .output
        .write(|out| table.write_within(width, FIT, out, colour))?;
    if let Some(next) = next {
        let shown = counted(page.sessions.len() as u64, "session");
        context
            .output
            .note(format_args!("{shown}; go on with --after {next}"));
    }
    Ok(())
}

fn table(sessions: &[ListedSession], ids: &ShortIds) -> Table<9> {
    let mut table = Table::new([
        "SESSION", "AGENT", "LAST", "PROJECT", "MESSAGES", "TOOLS", "TOKENS", "COST", "TITLE",
    ]);
    for ListedSession { session, figures } in sessions {
        let tools = match figures.tool_errors {
            0 => figures.tool_calls.to_string(),
            failed => format!("{} ✗{failed}", figures.tool_calls),
        };
        table.row([
            ids.of(session.session_id),
            agent_of(session).to_owned(),
            when(session),
            one_line(project_of(session), PROJECT_CHARS_MAX),
            figures.messages.to_string(),
            tools,
            brief_count(all_tokens(figures.tokens)),
            brief_cost(figures.cost),
            one_line(title_of(session), TITLE_CHARS_MAX),
        ]);
    }
    table
}
