use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use syncline_model::thread::{EntryId, Status, ThreadId, ThreadOp};
use syncline_model::{ResourceId, Timestamp};
use syncline_replica::Replica;
use syncline_store::threads::{Entry, EntryRange, Thread, read_entries};

use super::reference::{ThreadReference, address};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limit::at_least_one;
use crate::output::{Colour, Style, printable};
use crate::replica_access;
use crate::wording::{counted, minute};

/// Read a thread: its last entries, or all
///
/// With --json: {thread_id, project, name, status, entries:[{entry_id, sequence_id, author, content,
/// timestamp, state}]}. Entries that a server refused come last, as quarantined.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    thread: ThreadReference,
    /// All entries
    #[arg(short, long)]
    all: bool,
    /// The last N entries
    #[arg(
        short = 'n',
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = at_least_one::<u64>,
        conflicts_with = "all"
    )]
    limit: u64,
}

#[derive(Serialize)]
struct Shown {
    thread_id: ThreadId,
    project: String,
    name: String,
    status: Status,
    entries: Vec<ShownEntry>,
}

#[derive(Serialize)]
struct ShownEntry {
    entry_id: EntryId,
    sequence_id: Option<u64>,
    author: String,
    content: String,
    timestamp: Timestamp,
    state: &'static str,
}

impl From<Entry> for ShownEntry {
    fn from(entry: Entry) -> Self {
        Self {
            entry_id: entry.entry_id,
            sequence_id: entry.place.sequence_id(),
            author: entry.author,
            content: entry.content,
            timestamp: entry.timestamp,
            state: entry.place.state().as_str(),
        }
    }
}

pub(crate) fn run(args: &ReadArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let thread = args.thread.find(context, view)?;
    let range = if args.all {
        EntryRange::All
    } else {
        EntryRange::Last(args.limit)
    };
    let page = read_entries(view.connection(), thread.thread_id, range)?;
    let mut entries: Vec<ShownEntry> = page.entries.into_iter().map(ShownEntry::from).collect();
    entries.extend(refused_entries(&replica, &thread)?);
    let head = format!(
        "{}  {}  {}  {}",
        address(&thread),
        thread.name,
        thread.status,
        counted(thread.entry_count, "entry")
    );
    let shown = Shown {
        thread_id: thread.thread_id,
        project: thread.project,
        name: thread.name,
        status: thread.status,
        entries,
    };
    let colour = context.output.colour();
    context
        .output
        .data(&shown, |out| print(&head, &shown.entries, out, colour))?;
    if page.has_more {
        context
            .output
            .note("earlier entries are not shown; --all shows them");
    }
    Ok(())
}

/// The entries of `thread` that wait in quarantine for a decision.
fn refused_entries(replica: &Replica, thread: &Thread) -> Result<Vec<ShownEntry>, Failure> {
    let resource = ResourceId::from(thread.thread_id);
    let mut refused = Vec::new();
    for op in replica.quarantined()? {
        let Some(payload) = op.payload.filter(|_| op.key.resource == resource) else {
            continue;
        };
        if let Some(ThreadOp::Entry(entry)) = ThreadOp::read(&payload) {
            refused.push(ShownEntry {
                entry_id: entry.entry_id,
                sequence_id: None,
                author: entry.author.into_owned(),
                content: entry.content.into_owned(),
                timestamp: entry.at,
                state: "quarantined",
            });
        }
    }
    Ok(refused)
}

fn print(
    head: &str,
    entries: &[ShownEntry],
    out: &mut dyn Write,
    colour: Colour,
) -> io::Result<()> {
    writeln!(out, "{}", colour.paint(Style::Strong, printable(head)))?;
    for entry in entries {
        let number = entry
            .sequence_id
            .map_or_else(|| entry.state.to_owned(), |number| format!("#{number}"));
        let line = format!(
            "{number}  {}  {}",
            minute(entry.timestamp),
            printable(&entry.author)
        );
        writeln!(out, "\n{}", colour.paint(Style::Faint, line))?;
        writeln!(out, "{}", printable(&entry.content))?;
    }
    Ok(())
}
