use clap::Args;
use serde::Serialize;
use syncline_model::Timestamp;
use syncline_model::thread::{EntryId, Status, ThreadId};
use syncline_store::threads::{ListCursor, ListFilter, ListStart, ListedThread, list_threads};

use super::reference::{ProjectFlag, address};
use crate::context::Context;
use crate::failure::Outcome;
use crate::limit::at_least_one;
use crate::output::Format;
use crate::replica_access;
use crate::table::Table;
use crate::wording::{counted, minute};

/// List threads, the one that changed last first
///
/// Of the project that --project or the nearest syncline.toml chooses; of all projects where nothing
/// chooses one.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    project: ProjectFlag,
    /// Of all projects, wherever this is run
    #[arg(long, conflicts_with = "project")]
    all_projects: bool,
    /// Of this status alone: active, archived or blocked
    #[arg(long, value_name = "STATUS")]
    status: Option<Status>,
    /// With this tag on them or on an entry
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// At most N
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50, value_parser = at_least_one::<u64>)]
    limit: u64,
    /// Go on behind the page that gave CURSOR as its `next`
    #[arg(long, value_name = "CURSOR")]
    after: Option<ListCursor>,
}

#[derive(Serialize)]
struct Listing {
    threads: Vec<Listed>,
    total: u64,
    next: Option<String>,
}

/// A thread in a list.
#[derive(Serialize)]
pub(super) struct Listed {
    thread_id: ThreadId,
    key: String,
    project: String,
    name: String,
    status: Status,
    created_at: Timestamp,
    updated_at: Timestamp,
    entry_count: u64,
    authors: Vec<String>,
    tags: Vec<String>,
    last_entry: Option<LastEntry>,
}

#[derive(Serialize)]
struct LastEntry {
    entry_id: EntryId,
    sequence_id: Option<u64>,
    author: String,
    timestamp: Timestamp,
    excerpt: String,
}

impl Listed {
    /// The thread on one line.
    pub(super) fn line(&self) -> String {
        let changed = minute(self.updated_at);
        let entries = counted(self.entry_count, "entry");
        format!("{}  {}  {entries}  {changed}", self.key, self.name)
    }
}

impl From<ListedThread> for Listed {
    fn from(listed: ListedThread) -> Self {
        let thread = listed.thread;
        Self {
            thread_id: thread.thread_id,
            key: thread.key,
            project: thread.project,
            name: thread.name,
            status: thread.status,
            created_at: thread.created_at,
            updated_at: thread.updated_at,
            entry_count: thread.entry_count,
            authors: thread.authors,
            tags: listed.tags,
            last_entry: listed.last_entry.map(|entry| LastEntry {
                entry_id: entry.entry_id,
                sequence_id: entry.place.sequence_id(),
                author: entry.author,
                timestamp: entry.timestamp,
                excerpt: entry.excerpt,
            }),
        }
    }
}

pub(crate) fn run(args: &ListArgs, context: &Context) -> Outcome {
    let project = if args.all_projects {
        None
    } else {
        args.project.chosen(context)?
    };
    let filter = ListFilter {
        project: project.as_deref(),
        status: args.status,
        tag: args.tag.as_deref(),
    };
    let start = args.after.map_or(ListStart::Offset(0), ListStart::After);
    let mut replica = replica_access::open(context)?;
    let page = list_threads(replica.view()?.connection(), &filter, start, args.limit)?;
    if context.output.format() == Format::Json {
        let threads = page.threads.into_iter().map(Listed::from).collect();
        return context.output.json(&Listing {
            threads,
            total: page.total,
            next: page.next.map(|next| next.to_string()),
        });
    }
    let mut table = Table::new(["THREAD", "NAME", "STATUS", "ENTRIES", "CHANGED"]);
    for listed in &page.threads {
        let thread = &listed.thread;
        table.row([
            address(thread),
            thread.name.clone(),
            thread.status.to_string(),
            thread.entry_count.to_string(),
            minute(thread.updated_at),
        ]);
    }
    let colour = context.output.colour();
    let shown = page.threads.len() as u64;
    if shown > 0 {
        context.output.write(|out| table.write(out, colour))?;
    }
    if shown < page.total {
        let next = page.next.map(|next| format!("; go on with --after {next}"));
        let more = format!(
            "{shown} of {} threads{}",
            page.total,
            next.unwrap_or_default()
        );
        context.output.note(more);
    } else if shown == 0 {
        context.note_nothing("no threads; `syncline thread new NAME TEXT` makes one");
    }
    Ok(())
}
