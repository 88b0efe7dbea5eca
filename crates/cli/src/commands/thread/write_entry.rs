//! What `new` and `push` have in common: they write, sync, and tell what became of it.

use serde::Serialize;
use syncline_model::OpKey;
use syncline_model::thread::{EntryId, ThreadId};
use syncline_replica::Replica;
use syncline_store::threads::{self, Entry, Thread};

use super::reference::address;
use crate::context::Context;
use crate::delivery::{self, Delivered};
use crate::failure::{Failure, Outcome};
use crate::replica_access::WriteState;
use crate::written::{WaitFlag, show, tell};

/// The answer of `thread new` and `thread push`.
#[derive(Serialize)]
struct Pushed<'a> {
    thread_id: ThreadId,
    project: &'a str,
    name: &'a str,
    entry_id: Option<EntryId>,
    sequence_id: Option<u64>,
    state: WriteState,
}

/// Ops that were written to a thread, which was so when they were.
pub(super) struct WrittenEntry<'a> {
    pub(super) thread_id: ThreadId,
    pub(super) project: &'a str,
    pub(super) name: &'a str,
    pub(super) entry_id: Option<EntryId>,
    pub(super) keys: Vec<OpKey>,
}

/// Delivers what was written, and prints where it is.
pub(super) fn deliver(
    context: &Context,
    replica: Replica,
    written: &WrittenEntry<'_>,
    wait: WaitFlag,
) -> Outcome {
    let Delivered {
        replica,
        state,
        delivery,
    } = delivery::after_write(context, replica, &written.keys, wait.stay());
    let found = match replica.map(|replica| find(replica, written)) {
        Some(Ok(None)) if state != WriteState::Quarantined => return Err(deleted()),
        Some(Ok(found)) => found,
        // It is written all the same.
        Some(Err(failure)) => {
            delivery::tell(context, failure);
            None
        }
        None => None,
    };
    let (thread, entry) = found.unzip();
    let sequence_id = entry.flatten().and_then(|entry| entry.place.sequence_id());
    let pushed = Pushed {
        thread_id: written.thread_id,
        project: thread.as_ref().map_or(written.project, |now| &now.project),
        name: thread.as_ref().map_or(written.name, |now| &now.name),
        entry_id: written.entry_id,
        sequence_id,
        state: state_of(written, state, sequence_id),
    };
    let named = written
        .entry_id
        .map_or_else(|| written.thread_id.to_string(), |id| id.to_string());
    show(context, &pushed, |out| writeln!(out, "{named}"))?;
    let place = thread
        .as_ref()
        .map_or_else(|| format!("{}/{}", written.project, written.name), address);
    let number = sequence_id.map(|number| format!(" #{number}"));
    let place = format!("{place}{}", number.unwrap_or_default());
    tell(context, &place, pushed.state, &delivery);
    Ok(())
}

/// The thread and the entry as the view has them; none: the thread is not in it.
fn find(
    mut replica: Replica,
    written: &WrittenEntry<'_>,
) -> Result<Option<(Thread, Option<Entry>)>, Failure> {
    let view = replica.view()?.connection();
    let Some(thread) = threads::thread(view, written.thread_id)? else {
        return Ok(None);
    };
    let entry = match written.entry_id {
        Some(id) => threads::entry(view, written.thread_id, id)?,
        None => None,
    };
    Ok(Some((thread, entry)))
}

fn deleted() -> Failure {
    Failure::new(
        "thread_deleted",
        "the thread was deleted while this was written",
    )
    .state("the entry is gone with its thread")
}

/// An entry is acknowledged when its place is known, and not before: where its op took another key on
/// its way, the old one may be another's.
fn state_of(written: &WrittenEntry<'_>, state: WriteState, sequence_id: Option<u64>) -> WriteState {
    match (state, written.entry_id, sequence_id) {
        (WriteState::Pending, Some(_), Some(_)) => WriteState::Acknowledged,
        (WriteState::Acknowledged, Some(_), None) => WriteState::Pending,
        (state, _, _) => state,
    }
}
