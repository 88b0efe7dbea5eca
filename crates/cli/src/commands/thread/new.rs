use clap::Args;
use syncline_model::thread::EntryId;
use syncline_store::threads::{NewEntry, NewThread, plan_new};
use uuid::Uuid;

use super::reference::ProjectFlag;
use super::text;
use super::write_entry::{WrittenEntry, deliver};
use crate::context::Context;
use crate::failure::Outcome;
use crate::replica_access;
use crate::written::WaitFlag;

/// Make a thread, with TEXT as its first entry
///
/// Its key is NAME in lower case, with `-` for all but letters, digits, `.`, `_` and `-`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// What to call it; may hold `/`
    name: String,
    /// Its first entry; `-` reads standard input
    #[arg(allow_hyphen_values = true)]
    text: Option<String>,
    #[command(flatten)]
    project: ProjectFlag,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &NewArgs, context: &Context) -> Outcome {
    let content = match &args.text {
        Some(argument) => Some(text::read(argument, context)?),
        None => None,
    };
    let author = context.author()?;
    let project = args.project.target(context)?;
    let at = context.now();
    let mut replica = replica_access::open(context)?;
    let entry = content.as_deref().map(|content| NewEntry {
        entry_id: EntryId::new(Uuid::now_v7()),
        author: &author,
        content,
        at,
    });
    let new = NewThread {
        project: &project,
        key: None,
        name: args.name.trim(),
        at,
    };
    let plan = plan_new(replica.view()?.connection(), &new, entry.as_slice())?;
    let thread_id = plan.thread_id;
    let keys = replica_access::write(&mut replica, plan.ops)?;
    let written = WrittenEntry {
        thread_id,
        project: &project,
        name: new.name,
        entry_id: entry.map(|entry| entry.entry_id),
        keys,
    };
    deliver(context, replica, &written, args.wait)
}
