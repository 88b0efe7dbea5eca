//! What the commands that change a thread itself have in common.

use serde::Serialize;
use syncline_model::thread::{Status, ThreadId};
use syncline_replica::Replica;
use syncline_store::threads::{Changes, Thread, plan_update, thread};

use super::reference::{ThreadReference, address};
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};
use crate::written::{show, tell};

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
    let Delivered {
        replica,
        state,
        delivery,
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let now = match replica.map(|replica| read(replica, found.thread_id)) {
        Some(Ok(now)) => now.ok_or_else(deleted)?,
        // It is written all the same.
        Some(Err(failure)) => {
            delivery::tell(context, failure);
            changed(found, changes)
        }
        None => changed(found, changes),
    };
    let what = format!("{} ({}, {})", address(&now), now.name, now.status);
    let updated = Updated {
        thread_id: now.thread_id,
        key: now.key,
        project: now.project,
        name: now.name,
        status: now.status,
        state,
    };
    show(context, &updated, |_| Ok(()))?;
    tell(context, &what, state, &delivery);
    Ok(())
}

fn read(mut replica: Replica, id: ThreadId) -> Result<Option<Thread>, Failure> {
    Ok(thread(replica.view()?.connection(), id)?)
}

fn deleted() -> Failure {
    Failure::new("thread_deleted", "the thread was deleted meanwhile")
}

/// The thread as it is to be, where the view can't tell.
fn changed(mut thread: Thread, changes: &Changes<'_>) -> Thread {
    if let Some(name) = changes.name {
        thread.name = name.to_owned();
    }
    if let Some(project) = changes.project {
        thread.project = project.to_owned();
    }
    thread.status = changes.status.unwrap_or(thread.status);
    thread
}
