//! What `new` and `push` have in common: they write, sync, and tell what became of it.

use serde::Serialize;
use syncline_model::OpKey;
use syncline_model::thread::{EntryId, ThreadId};
use syncline_replica::Replica;
use syncline_store::threads;

use crate::context::Context;
use crate::delivery::{self, Delivery};
use crate::failure::{Failure, Outcome};
use crate::replica_access::WriteState;

/// The answer of `thread new` and `thread push`.
#[derive(Serialize)]
struct Pushed {
    thread_id: ThreadId,
    project: String,
    name: String,
    entry_id: Option<EntryId>,
    sequence_id: Option<u64>,
    state: WriteState,
}

/// Ops that were written to a thread.
pub(super) struct WrittenEntry {
    pub(super) thread_id: ThreadId,
    pub(super) entry_id: Option<EntryId>,
    pub(super) keys: Vec<OpKey>,
}

/// Delivers what was written, and prints where it is.
pub(super) fn deliver(context: &Context, replica: Replica, written: &WrittenEntry) -> Outcome {
    let (mut replica, delivery) = delivery::after_write(context, replica)?;
    let state = WriteState::of(&replica, &written.keys)?;
    let view = replica.view()?.connection();
    let thread = threads::thread(view, written.thread_id)?.ok_or_else(|| {
        Failure::new(
            "thread_deleted",
            "the thread was deleted while this was written",
        )
        .state("the entry is gone with its thread")
    })?;
    let entry = match written.entry_id {
        Some(id) => threads::entry(view, written.thread_id, id)?,
        None => None,
    };
    let pushed = Pushed {
        thread_id: written.thread_id,
        name: thread.name,
        entry_id: written.entry_id,
        sequence_id: entry.and_then(|entry| entry.place.sequence_id()),
        state,
        project: thread.project,
    };
    let named = written
        .entry_id
        .map_or_else(|| written.thread_id.to_string(), |id| id.to_string());
    context
        .output
        .data(&pushed, |out| writeln!(out, "{named}"))?;
    let place = match pushed.sequence_id {
        Some(number) => format!("{}/{} #{number}", pushed.project, thread.key),
        None => format!("{}/{}", pushed.project, thread.key),
    };
    tell(context, &place, state, &delivery);
    Ok(())
}

/// Says, in one line, where a write is.
pub(super) fn tell(context: &Context, what: &str, state: WriteState, delivery: &Delivery) {
    let output = &context.output;
    match state {
        WriteState::Unchanged => output.note(format_args!("unchanged: {what}")),
        WriteState::Acknowledged => output.note(format_args!("synced: {what}")),
        WriteState::Pending => output.note(format_args!("queued: {what} ({delivery})")),
        WriteState::Quarantined => output.warn(format_args!(
            "the server refused {what}; it is kept, see `syncline sync quarantine list`"
        )),
    }
}
