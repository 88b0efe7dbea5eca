use clap::Args;
use serde::Serialize;
use syncline_model::Scope;
use syncline_model::session::{Delete, SessionId, SessionOp};
use syncline_replica::NewOp;
use syncline_store::sessions::{Figures, Session, figures};

use super::reference::{SessionReference, agent_of, title_of};
use super::subagents::{all_ids, tree};
use super::text::one_line;
use crate::confirm::{Answer, confirm};
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::{Failure, Outcome};
use crate::prices;
use crate::replica_access::{self, WriteState};
use crate::wording::counted;
use crate::written::{erase_unsent, show, tell};

const TITLE_CHARS_MAX: usize = 60;

/// Delete a session for good, with its subagents, on every machine
///
/// What was said and done is erased from the log, and no import brings it back. Backups made before still
/// hold it, and so do the agent's own files, and sessions that were forked from it what they repeat of it.
/// SESSION is a whole id, or at least four characters of one.
#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    session: SessionReference,
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Deleted {
    session_id: SessionId,
    id: Option<String>,
    agent: Option<String>,
    title: Option<String>,
    subagent_count: usize,
    deleted: bool,
    state: WriteState,
}

pub(crate) fn run(args: &DeleteArgs, context: &Context) -> Outcome {
    let prices = prices::read(context)?.table;
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let session = args.session.find_for_good(view)?;
    let id = session.session_id;
    if !args.yes {
        ask(context, &session, &figures(view.connection(), id, &prices)?)?;
    }
    let mut ids = all_ids(&tree(view, id, &prices)?);
    let subagent_count = ids.len();
    ids.push(id);
    let payload = SessionOp::Delete(Delete { at: context.now() }).payload();
    let payload = payload.expect("a delete is a small payload");
    let ops: Vec<NewOp> = ids
        .into_iter()
        .map(|id| NewOp {
            scope: Scope::session(),
            resource: id.into(),
            payload: payload.clone(),
        })
        .collect();
    let keys = replica.write(&ops)?.keys;
    erase_unsent(&mut replica, &keys, context);
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let what = format!("deleted {}", one_line(title_of(&session), TITLE_CHARS_MAX));
    let agent = agent_of(&session).to_owned();
    let deleted = Deleted {
        session_id: id,
        id: session.native_id,
        agent: session.agent,
        title: session.title,
        subagent_count,
        deleted: true,
        state,
    };
    show(context, &deleted, |_| Ok(()))?;
    tell(context, &what, state, &delivery);
    context.output.note(format_args!(
        "backups made before still hold it, and so do {agent}'s own files"
    ));
    Ok(())
}

fn ask(context: &Context, session: &Session, figures: &Figures) -> Outcome {
    let question = format!(
        "Delete {:?} of {} with {} and {}, on every machine?",
        one_line(title_of(session), TITLE_CHARS_MAX),
        agent_of(session),
        counted(figures.messages, "message"),
        counted(figures.subagents, "subagent"),
    );
    match confirm(context, &question)? {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::new("not_confirmed", "nothing was deleted")),
        Answer::NobodyAsked => Err(Failure::usage(
            "not_confirmed",
            format!("deleting {} must be confirmed", session.session_id),
        )
        .state("nothing was deleted")
        .fix(format!(
            "syncline session delete {} --yes",
            session.session_id
        ))),
    }
}
