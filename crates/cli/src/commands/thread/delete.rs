use clap::Args;
use serde::Serialize;
use syncline_model::thread::ThreadId;
use syncline_store::threads::{Thread, plan_delete};

use super::reference::{ThreadReference, address};
use crate::confirm::{Answer, confirm};
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};
use crate::wording::{counted, quoted};
use crate::written::{erase_unsent, show, tell};

/// Delete a thread for good, with all of its entries, on every machine
///
/// The text is erased from the log. Backups made before still hold it.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    thread: ThreadReference,
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Deleted {
    thread_id: ThreadId,
    key: String,
    project: String,
    name: String,
    deleted: bool,
    state: WriteState,
}

pub(crate) fn run(args: &DeleteArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let thread = args.thread.find(context, replica.view()?)?;
    if !args.yes {
        ask(context, &thread)?;
    }
    let plan = plan_delete(&thread, context.now())?;
    let keys = replica_access::write(&mut replica, plan.ops)?;
    erase_unsent(&mut replica, &keys, context);
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let what = format!("deleted {}", address(&thread));
    let deleted = Deleted {
        thread_id: thread.thread_id,
        key: thread.key,
        project: thread.project,
        name: thread.name,
        deleted: true,
        state,
    };
    show(context, &deleted, |_| Ok(()))?;
    tell(context, &what, state, &delivery);
    Ok(())
}

fn ask(context: &Context, thread: &Thread) -> Outcome {
    let address = address(thread);
    let question = format!(
        "Delete {address} ({}) with {}, on every machine?",
        thread.name,
        counted(thread.entry_count, "entry")
    );
    match confirm(context, &question)? {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::new("not_confirmed", "nothing was deleted")),
        Answer::NobodyAsked => Err(Failure::usage(
            "not_confirmed",
            format!("deleting {address} must be confirmed"),
        )
        .state("nothing was deleted")
        .fix(format!("syncline thread delete {} --yes", quoted(&address)))),
    }
}
