//! What the commands that change a thread itself have in common.

use serde::Serialize;
use syncline_model::thread::{Status, ThreadId};
use syncline_store::threads::{Changes, plan_update, thread};

use super::reference::{ThreadReference, address};
use super::write_entry::tell;
use crate::context::Context;
use crate::delivery;
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};

#[derive(Serialize)]
struct Updated {
    thread_id: ThreadId,
    key: String,
    project: String,
    name: String,
    status: Status,
    state: WriteState,
}

/// Makes `changes` on a thread, and tells what it is like now.
pub(super) fn update(
    context: &Context,
    reference: &ThreadReference,
    changes: &Changes<'_>,
) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let found = reference.find(context, replica.view()?)?;
    let plan = plan_update(&found, changes, context.now())?;
    let keys = replica_access::write(&mut replica, plan.ops)?;
    let (mut replica, delivery) = delivery::after_write(context, replica)?;
    let state = WriteState::of(&replica, &keys)?;
    let now = thread(replica.view()?.connection(), found.thread_id)?;
    let now =
        now.ok_or_else(|| Failure::new("thread_deleted", "the thread was deleted meanwhile"))?;
    let what = format!("{} ({}, {})", address(&now), now.name, now.status);
    let updated = Updated {
        thread_id: now.thread_id,
        key: now.key,
        project: now.project,
        name: now.name,
        status: now.status,
        state,
    };
    context.output.data(&updated, |_| Ok(()))?;
    tell(context, &what, state, &delivery);
    Ok(())
}
