use clap::Args;
use syncline_model::thread::EntryId;
use syncline_store::threads::{NewEntry, plan_append};
use uuid::Uuid;

use super::reference::ThreadReference;
use super::text;
use super::write_entry::{WrittenEntry, deliver};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::replica_access;
use crate::written::WaitFlag;

/// Append an entry to a thread
///
/// The entry is on disk when this returns, with or without a server. With --json: {thread_id, project,
/// name, entry_id, sequence_id, state}; state is acknowledged (and sequence_id known), pending or
/// quarantined.
///
/// Without a daemon it stays for the sync of what it wrote, for a second at most. A daemon is told, and
/// syncs within milliseconds: the state is pending then, unless --wait is given.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    #[command(flatten)]
    thread: ThreadReference,
    /// What to append; `-` reads standard input
    #[arg(allow_hyphen_values = true)]
    text: String,
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &PushArgs, context: &Context) -> Outcome {
    let content = text::read(&args.text, context)?;
    let author = context.author()?;
    let mut replica = replica_access::open(context)?;
    let thread = args.thread.find(context, replica.view()?)?;
    let entry = NewEntry {
        entry_id: EntryId::new(Uuid::now_v7()),
        author: &author,
        content: &content,
        at: context.now(),
    };
    let plan = plan_append(thread.thread_id, &[entry])?;
    let keys = replica_access::write(&mut replica, plan.ops)?;
    let written = WrittenEntry {
        thread_id: thread.thread_id,
        project: &thread.project,
        name: &thread.name,
        entry_id: Some(entry.entry_id),
        keys,
    };
    deliver(context, replica, &written, args.wait)
}

impl From<syncline_store::threads::PlanError> for Failure {
    fn from(error: syncline_store::threads::PlanError) -> Self {
        use syncline_store::threads::PlanError;
        match error {
            PlanError::Store(error) => error.into(),
            PlanError::Exists { project, key, .. } => {
                let message = format!("project {project} has a thread {key} already");
                let address = crate::wording::quoted(&format!("{project}/{key}"));
                Self::new("thread_exists", message)
                    .state("nothing was written")
                    .fix(format!("syncline thread push {address} TEXT"))
                    .fix(format!("syncline thread read {address}"))
            }
            error @ (PlanError::Name(_)
            | PlanError::Content(_)
            | PlanError::LinkToItself
            | PlanError::Payload(_)) => Self::usage("invalid_field", "this can't be written")
                .because(error)
                .state("nothing was written"),
        }
    }
}
