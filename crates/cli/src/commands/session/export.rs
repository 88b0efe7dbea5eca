use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use syncline_model::session::SessionId;
use syncline_store::TenantFile;
use syncline_store::sessions::{
    PriceTable, Session, SessionFilter, Which, list_sessions, sessions_among,
};

use super::events::{EventShown, each_event};
use super::filter::{FigureFlags, FilterFlags};
use super::in_order::each_in_order;
use super::reference::find_session;
use super::show::Head;
use super::shown::{LinkShown, SessionShown};
use super::{html, markdown};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::prices;
use crate::replica_access;
use crate::wording::counted;

/// Write sessions as Markdown, as one HTML page that needs nothing else, or as JSON lines
///
/// Lines that no importer could name are left out of Markdown alone.
///
/// JSON lines: for each session a line of `type` session, with its links, then a line for each event, in
/// the form in which `session show --json` tells them, with a session_id. Subagents are sessions of their
/// own: name them, or export all that match.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// These sessions; all that match where none is named
    #[arg(value_name = "SESSION")]
    sessions: Vec<String>,
    /// In this format
    #[arg(short, long, value_enum, default_value = "markdown")]
    format: ExportFormat,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    figures: FigureFlags,
    /// Into FILE, which is replaced once all is written, and stays where nothing matches [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    Markdown,
    Html,
    Jsonl,
}

pub(crate) fn run(args: &ExportArgs, context: &Context) -> Outcome {
    let prices = prices::read(context)?.table;
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let sessions = sessions(args, context, view, &prices)?;
    if let (Some(path), true) = (&args.output, sessions.is_empty()) {
        // A slip in a filter must not take the export that is there.
        let failure = Failure::new("nothing_matches", args.filter.none_match());
        return Err(failure
            .state(format!("{} is as it was", path.display()))
            .fix("syncline session list"));
    }
    let count = sessions.len() as u64;
    let export = |out: &mut dyn Write| write_all(args.format, view, sessions, &prices, out);
    match &args.output {
        Some(path) => to_file(path, export)?,
        None => {
            let mut outcome = Ok(());
            context.output.write(|out| {
                outcome = export(out);
                Ok(())
            })?;
            outcome?;
        }
    }
    context
        .output
        .note(format_args!("exported {}", counted(count, "session")));
    Ok(())
}

fn sessions(
    args: &ExportArgs,
    context: &Context,
    view: &TenantFile,
    prices: &PriceTable,
) -> Result<Vec<Session>, Failure> {
    if !args.sessions.is_empty() {
        let named = args.sessions.iter();
        let agent = args.filter.agent();
        return named.map(|text| find_session(view, text, agent)).collect();
    }
    let chosen = args.filter.chosen(context);
    let figures = SessionFilter {
        model: chosen.model.as_deref(),
        has_error: args.figures.has_error(),
        cost_nanos_min: args.figures.cost_nanos_min(),
        ..SessionFilter::default()
    };
    let among = sessions_among(view.connection(), &figures, prices)?;
    let all = SessionFilter {
        which: Which::All,
        among: among.as_deref(),
        model: None,
        ..chosen.sessions()
    };
    let page = list_sessions(view.connection(), &all, None, u64::from(u32::MAX), prices)?;
    let mut sessions: Vec<Session> = page.sessions.into_iter().map(|one| one.session).collect();
    sessions.reverse();
    Ok(sessions)
}

fn write_all(
    format: ExportFormat,
    view: &TenantFile,
    sessions: Vec<Session>,
    prices: &PriceTable,
    out: &mut dyn Write,
) -> Outcome {
    if format == ExportFormat::Html {
        html::open(&sessions, out).map_err(Failure::output)?;
    }
    for session in sessions {
        let id = session.session_id;
        let head = Head::read(view, session, prices)?;
        match format {
            ExportFormat::Markdown => {
                markdown::head(&head, out).map_err(Failure::output)?;
                each_in_order(view, id, prices, |event, stretch| {
                    markdown::event(event, stretch, out).map_err(Failure::output)
                })?;
            }
            ExportFormat::Html => {
                html::head(&head, out).map_err(Failure::output)?;
                each_in_order(view, id, prices, |event, stretch| {
                    html::event(event, stretch, out).map_err(Failure::output)
                })?;
                html::foot(out).map_err(Failure::output)?;
            }
            ExportFormat::Jsonl => json_lines(view, head, prices, out)?,
        }
    }
    if format == ExportFormat::Html {
        html::close(out).map_err(Failure::output)?;
    }
    Ok(())
}

#[derive(Serialize)]
struct SessionLine {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    session: SessionShown,
    links: Vec<LinkShown>,
}

#[derive(Serialize)]
struct EventLine<'a> {
    session_id: SessionId,
    #[serde(flatten)]
    event: EventShown<'a>,
}

fn json_lines(view: &TenantFile, head: Head, prices: &PriceTable, out: &mut dyn Write) -> Outcome {
    let session_id = head.session.session_id;
    let line = SessionLine {
        kind: "session",
        session: SessionShown::new(head.session, head.figures),
        links: head.links.into_iter().map(LinkShown::from).collect(),
    };
    json_line(&line, out)?;
    each_event(view, session_id, prices, |event| {
        let event = EventShown::from(event);
        json_line(&EventLine { session_id, event }, out)
    })
}

fn json_line(value: &impl Serialize, out: &mut dyn Write) -> Outcome {
    let written = serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from);
    written
        .and_then(|()| out.write_all(b"\n"))
        .map_err(Failure::output)
}

fn to_file(path: &Path, export: impl FnOnce(&mut dyn Write) -> Outcome) -> Outcome {
    let unwritable = |error: std::io::Error| {
        let message = format!("could not write {}", path.display());
        Failure::new("export_failed", message)
            .because(error)
            .state("the file is as it was")
    };
    let absolute = std::path::absolute(path).map_err(unwritable)?;
    let dir = absolute.parent().unwrap_or(&absolute);
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(unwritable)?;
    let mut out = BufWriter::new(file.as_file_mut());
    export(&mut out)?;
    out.flush().map_err(unwritable)?;
    drop(out);
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist(&absolute)
        .map_err(|error| unwritable(error.error))?;
    Ok(())
}
