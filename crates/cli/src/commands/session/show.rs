use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use syncline_store::TenantFile;
use syncline_store::sessions::{
    EventCursor, Figures, PriceTable, Session, SessionLink, figures, read_events, session_links,
};

use super::conversation::{Block, Conversation, Fold};
use super::events::EventShown;
use super::follow;
use super::in_order::each_in_order;
use super::pager::{self, Paging};
use super::reference::{SessionReference, ShortIds, agent_of, project_of, title_of};
use super::shown::{LinkShown, SessionShown};
use super::subagents::{self, Branch, BranchShown};
use super::text::{took, whole_cost, whole_tokens};
use crate::commands::thread::reference::{address, find_in};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limit::at_least_one;
use crate::output::{Colour, Format, Output, Style, printable};
use crate::prices;
use crate::replica_access;
use crate::wording::{counted, minute};

/// Show a session as it went
///
/// Where a person watches, through the pager that PAGER names, else `less -R`. With --json: {session,
/// links, subagents, events, next}: the session as `session list` tells it, subagents in the same form
/// with theirs below `subagents`, and events of `type` message, tool, error, compaction, raw: a line that
/// no importer could name, or usage: what a response used that is no message. `position` orders all of them,
/// the parts of messages too. `usage` of a message is what its response used, its cost from where `session
/// list` has it. With --json and --follow: an event a line.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    session: SessionReference,
    /// Unfold everything: what went into tools and came out, thoughts, lines that no importer could name
    #[arg(long)]
    full: bool,
    /// Go on with what is said and done from now on, until Ctrl-C
    #[arg(short, long, conflicts_with_all = ["limit", "after"])]
    follow: bool,
    /// Never through a pager
    #[arg(long)]
    no_pager: bool,
    /// At most N events; with --json alone
    #[arg(short = 'n', long, value_name = "N", requires = "json", value_parser = at_least_one::<u64>)]
    limit: Option<u64>,
    /// Go on behind the events that gave CURSOR as `next`; with --json alone
    #[arg(long, value_name = "CURSOR", requires = "json")]
    after: Option<EventCursor>,
}

#[derive(Serialize)]
struct Shown<'a> {
    session: SessionShown,
    links: Vec<LinkShown>,
    subagents: Vec<BranchShown>,
    events: Vec<EventShown<'a>>,
    next: Option<String>,
}

/// What stands above the conversation.
pub(super) struct Head {
    pub(super) session: Session,
    pub(super) figures: Figures,
    pub(super) links: Vec<SessionLink>,
    /// What they point to, as a person calls it.
    linked: Vec<String>,
    pub(super) branches: Vec<Branch>,
    pub(super) ids: ShortIds,
}

impl Head {
    pub(super) fn read(
        view: &TenantFile,
        session: Session,
        prices: &PriceTable,
    ) -> Result<Self, Failure> {
        let id = session.session_id;
        let links = session_links(view.connection(), id)?;
        Ok(Self {
            figures: figures(view.connection(), id, prices)?,
            linked: links.iter().map(|link| called(view, link)).collect(),
            links,
            branches: subagents::tree(view, id, prices)?,
            ids: ShortIds::of_all(view)?,
            session,
        })
    }
}

pub(crate) fn run(args: &ShowArgs, context: &Context) -> Outcome {
    let prices = prices::read(context)?.table;
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let head = Head::read(view, args.session.find(view)?, &prices)?;
    let fold = if args.full { Fold::Full } else { Fold::Folded };
    if args.follow {
        return follow::run(context, replica, &head, fold, &prices);
    }
    if context.output.format() == Format::Json {
        return json(args, context, view, head, &prices);
    }
    let paging = match args.no_pager {
        true => Paging::Never,
        false => Paging::Wanted,
    };
    let colour = context.output.colour();
    let mut conversation = conversation(&head, fold, &context.output);
    pager::print(context, paging, |out| {
        draw_head(&head, out, colour).map_err(Failure::output)?;
        each_in_order(view, head.session.session_id, &prices, |event, stretch| {
            conversation
                .event(event, stretch, out)
                .map_err(Failure::output)
        })
    })
}

pub(super) fn conversation<'h>(head: &'h Head, fold: Fold, output: &Output) -> Conversation<'h> {
    let session = &head.session;
    Conversation {
        colour: output.colour(),
        fold,
        width: output.width(),
        ids: &head.ids,
        root: session.cwd.clone().or_else(|| session.project_path.clone()),
        day: String::new(),
        speaker: String::new(),
        last: Block::Head,
    }
}

fn json(
    args: &ShowArgs,
    context: &Context,
    view: &TenantFile,
    head: Head,
    prices: &PriceTable,
) -> Outcome {
    let limit = args.limit.unwrap_or(u64::from(u32::MAX));
    let id = head.session.session_id;
    let page = read_events(view.connection(), id, args.after.as_ref(), limit, prices)?;
    let next = page.last.filter(|_| page.more);
    context.output.json(&Shown {
        session: SessionShown::new(head.session, head.figures),
        links: head.links.into_iter().map(LinkShown::from).collect(),
        subagents: head.branches.into_iter().map(BranchShown::from).collect(),
        events: page.events.iter().map(EventShown::from).collect(),
        next: next.map(|next| next.to_string()),
    })
}

/// The session's data and figures, and its subagents as a tree.
pub(super) fn draw_head(head: &Head, out: &mut dyn Write, colour: Colour) -> io::Result<()> {
    writeln!(
        out,
        "{}",
        colour.paint(Style::Strong, printable(title_of(&head.session)))
    )?;
    for (label, text) in facts(head) {
        let label = colour.paint(Style::Faint, format_args!("{label:<9}"));
        writeln!(out, "{label} {}", printable(&text).replace('\n', " "))?;
    }
    if !head.branches.is_empty() {
        writeln!(out, "{}", colour.paint(Style::Faint, "subagents"))?;
        subagents::draw(&head.branches, "  ", &head.ids, out, colour)?;
    }
    Ok(())
}

/// What is known of a session, by label.
pub(super) fn facts(head: &Head) -> Vec<(&'static str, String)> {
    let (session, figures) = (&head.session, &head.figures);
    let joined = |parts: &[Option<&str>]| {
        let parts: Vec<&str> = parts.iter().copied().flatten().collect();
        parts.join(" · ")
    };
    let short = head.ids.of(session.session_id);
    let id = match &session.native_id {
        Some(native) => format!("{native}  (short: {short})"),
        None => format!("{}  (short: {short})", session.session_id),
    };
    let mut counts = vec![
        format!(
            "{} ({} of a person)",
            counted(figures.messages, "message"),
            figures.prompts
        ),
        match figures.tool_errors {
            0 => counted(figures.tool_calls, "tool call"),
            failed => format!(
                "{} ({failed} failed)",
                counted(figures.tool_calls, "tool call")
            ),
        },
    ];
    for (count, noun) in [
        (figures.errors, "error"),
        (figures.compactions, "compaction"),
        (figures.subagents, "subagent"),
    ] {
        if count > 0 {
            counts.push(counted(count, noun));
        }
    }
    let mut facts = vec![
        ("session", id),
        (
            "agent",
            joined(&[
                Some(agent_of(session)),
                session.agent_version.as_deref(),
                session.model.as_deref(),
                session.status.as_deref(),
            ]),
        ),
        (
            "project",
            joined(&[
                Some(project_of(session)),
                session.cwd.as_deref().or(session.project_path.as_deref()),
                session.git_branch.as_deref(),
                session.machine.as_deref(),
            ]),
        ),
        ("time", span(session)),
        ("did", counts.join(", ")),
        ("tokens", whole_tokens(figures.tokens)),
        ("cost", whole_cost(figures.cost)),
    ];
    if let (Some(parent), Some(kind)) = (&session.parent_session, &session.parent_kind) {
        let short = parent.parse().map(|parent| head.ids.of(parent));
        let parent = short.unwrap_or_else(|_| parent.clone());
        facts.push(("from", format!("{kind} of {parent}")));
    }
    for (link, called) in head.links.iter().zip(&head.linked) {
        let note = link.note.as_ref().map(|note| format!("  {note}"));
        let text = format!("{} {called}{}", link.kind, note.unwrap_or_default());
        facts.push(("link", text));
    }
    facts
}

/// A thread by its project and key, where it is here.
fn called(view: &TenantFile, link: &SessionLink) -> String {
    let thread = (link.kind == "thread").then(|| find_in(view, &link.target, None).ok());
    let thread = thread.flatten().map(|thread| address(&thread));
    thread.unwrap_or_else(|| link.target.clone())
}

fn span(session: &Session) -> String {
    let Some(end) = session.ended_at.or(session.told_at()) else {
        return "not known".to_owned();
    };
    let Some(start) = session.started_at else {
        return minute(end);
    };
    let millis = end.as_millis().saturating_sub(start.as_millis());
    match u64::try_from(millis) {
        Ok(millis) if millis > 0 => {
            format!("{} to {}, {}", minute(start), minute(end), took(millis))
        }
        Ok(_) | Err(_) => minute(start),
    }
}
