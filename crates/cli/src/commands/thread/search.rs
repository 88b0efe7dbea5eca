use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, Status, ThreadId};
use syncline_store::search::{Hit, SearchFilter, SearchQuery, SnippetStyle, search};

use super::reference::{ProjectFlag, find_in};
use crate::context::Context;
use crate::failure::Outcome;
use crate::limit::at_least_one;
use crate::output::{Colour, Style, printable};
use crate::replica_access;
use crate::wording::minute;

/// Search the entries of threads
///
/// Entries with all words come first, then those with any; text in double quotes is a phrase. Of the
/// project that --project or the nearest syncline.toml chooses, else of all. Scores are between 0 and
/// 1.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// What to look for; every character is taken as it is
    #[arg(allow_hyphen_values = true)]
    query: String,
    #[command(flatten)]
    project: ProjectFlag,
    /// Of all projects, wherever this is run
    #[arg(long, conflicts_with = "project")]
    all_projects: bool,
    /// Of this thread alone
    #[arg(long, value_name = "THREAD")]
    thread: Option<String>,
    /// In threads of this status alone: active, archived or blocked
    #[arg(long, value_name = "STATUS")]
    status: Option<Status>,
    /// At most N
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10, value_parser = at_least_one::<u64>)]
    limit: u64,
    /// Leave out the first N
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u64,
}

#[derive(Serialize)]
struct Found {
    results: Vec<Result>,
    total: u64,
}

#[derive(Serialize)]
struct Result {
    thread_id: ThreadId,
    key: String,
    project: String,
    name: String,
    entry_id: EntryId,
    sequence_id: Option<u64>,
    content: String,
    author: String,
    timestamp: Timestamp,
    score: f64,
}

impl From<Hit> for Result {
    fn from(hit: Hit) -> Self {
        Self {
            thread_id: hit.thread_id,
            key: hit.thread_key,
            project: hit.project,
            name: hit.thread_name,
            entry_id: hit.entry_id,
            sequence_id: hit.place.sequence_id(),
            content: hit.snippet,
            author: hit.author,
            timestamp: hit.timestamp,
            score: hit.score,
        }
    }
}

pub(crate) fn run(args: &SearchArgs, context: &Context) -> Outcome {
    let chosen = if args.all_projects {
        None
    } else {
        args.project.chosen(context)?
    };
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let thread = match &args.thread {
        Some(text) => Some(find_in(view, text, chosen.as_deref())?),
        None => None,
    };
    let query = SearchQuery {
        text: &args.query,
        filter: SearchFilter {
            // A thread that was found is looked into wherever it is.
            project: chosen.as_deref().filter(|_| thread.is_none()),
            thread: thread.map(|thread| thread.thread_id),
            status: args.status,
        },
        limit: args.limit,
        offset: args.offset,
        now: context.now(),
        snippet: SnippetStyle::Plain,
    };
    let page = search(view.connection(), &query)?;
    let found = Found {
        results: page.hits.into_iter().map(Result::from).collect(),
        total: page.total,
    };
    let colour = context.output.colour();
    context
        .output
        .data(&found, |out| print(&found.results, out, colour))?;
    match found.results.len() {
        0 => context.output.note("no entry matches"),
        shown => context
            .output
            .note(format_args!("{shown} of {} entries", found.total)),
    }
    Ok(())
}

fn print(results: &[Result], out: &mut dyn Write, colour: Colour) -> io::Result<()> {
    for result in results {
        let number = result
            .sequence_id
            .map_or_else(|| "pending".to_owned(), |number| format!("#{number}"));
        let place = format!("{}/{} {number}", result.project, result.key);
        writeln!(
            out,
            "{:.2}  {}  {}  {}",
            result.score,
            colour.paint(Style::Strong, printable(&place)),
            minute(result.timestamp),
            printable(&result.author)
        )?;
        writeln!(
            out,
            "      {}",
            printable(&result.content).replace('\n', " ")
        )?;
    }
    Ok(())
}
