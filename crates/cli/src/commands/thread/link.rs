use clap::Args;
use serde::Serialize;
use syncline_model::thread::{EntryId, ThreadId};
use syncline_store::threads::{Presence, plan_link};

use super::reference::{ThreadReference, address, find_entry_in, find_near};
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::Outcome;
use crate::replica_access::{self, WriteState};
use crate::written::{show, tell};

/// Link a thread, or one of its entries, to another thread
#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    thread: ThreadReference,
    /// The thread to link to; looked for in all projects
    #[arg(value_name = "TARGET")]
    target: String,
    /// How they belong together
    #[arg(long, value_name = "NOTE")]
    note: Option<String>,
    /// From this entry: its id, or the first characters of it
    #[arg(long, value_name = "ENTRY")]
    entry: Option<String>,
    /// Take the link away
    #[arg(long, conflicts_with = "note")]
    remove: bool,
}

#[derive(Serialize)]
struct Linked<'a> {
    thread_id: ThreadId,
    entry_id: Option<EntryId>,
    target_thread_id: ThreadId,
    note: Option<&'a str>,
    present: bool,
    state: WriteState,
}

pub(crate) fn run(args: &LinkArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let thread = args.thread.find(context, view)?;
    // A link may well leave its project; a key of the thread's own project goes first.
    let target = find_near(view, &args.target, &thread.project)?;
    let entry_id = match &args.entry {
        Some(text) => Some(find_entry_in(view, &thread, text)?),
        None => None,
    };
    let presence = if args.remove {
        Presence::Removed
    } else {
        Presence::Added
    };
    let note = args.note.as_deref();
    let plan = plan_link(thread.thread_id, entry_id, target.thread_id, note, presence)?;
    let keys = replica_access::write(&mut replica, plan.ops)?;
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let linked = Linked {
        thread_id: thread.thread_id,
        entry_id,
        target_thread_id: target.thread_id,
        note,
        present: !args.remove,
        state,
    };
    show(context, &linked, |_| Ok(()))?;
    let arrow = if args.remove { "-/->" } else { "->" };
    let what = format!("{} {arrow} {}", address(&thread), address(&target));
    tell(context, &what, state, &delivery);
    Ok(())
}
