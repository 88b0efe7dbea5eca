use clap::Args;
use serde::Serialize;
use syncline_model::thread::{EntryId, ThreadId};
use syncline_store::threads::{Presence, plan_tag};

use super::reference::{ThreadReference, address, find_entry_in};
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::Outcome;
use crate::replica_access::{self, WriteState};
use crate::written::{show, tell};

/// Put tags on a thread or on one of its entries, or take them off
#[derive(Debug, Args)]
pub(crate) struct TagArgs {
    #[command(flatten)]
    thread: ThreadReference,
    /// The tags
    #[arg(required = true, value_name = "TAG")]
    tags: Vec<String>,
    /// On this entry: its id, or the first characters of it
    #[arg(long, value_name = "ENTRY")]
    entry: Option<String>,
    /// Take them off
    #[arg(long)]
    remove: bool,
}

#[derive(Serialize)]
struct Tagged<'a> {
    thread_id: ThreadId,
    entry_id: Option<EntryId>,
    tags: &'a [String],
    present: bool,
    state: WriteState,
}

pub(crate) fn run(args: &TagArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let thread = args.thread.find(context, view)?;
    let entry_id = match &args.entry {
        Some(text) => Some(find_entry_in(view, &thread, text)?),
        None => None,
    };
    let presence = if args.remove {
        Presence::Removed
    } else {
        Presence::Added
    };
    let mut ops = Vec::new();
    for tag in &args.tags {
        ops.extend(plan_tag(thread.thread_id, entry_id, tag, presence)?.ops);
    }
    let keys = replica_access::write(&mut replica, ops)?;
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let tagged = Tagged {
        thread_id: thread.thread_id,
        entry_id,
        tags: &args.tags,
        present: !args.remove,
        state,
    };
    show(context, &tagged, |_| Ok(()))?;
    let sign = if args.remove { "-" } else { "+" };
    let what = format!(
        "{} {sign}{}",
        address(&thread),
        args.tags.join(&format!(" {sign}"))
    );
    tell(context, &what, state, &delivery);
    Ok(())
}
