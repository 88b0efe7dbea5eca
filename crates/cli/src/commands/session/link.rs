use clap::Args;
use serde::Serialize;
use syncline_model::Scope;
use syncline_model::session::{Change, LinkPatch, Patch, SessionId, SessionOp};
use syncline_model::thread::ThreadId;
use syncline_replica::NewOp;

use super::reference::{SessionReference, title_of};
use crate::commands::thread::reference::{address, find_in};
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};
use crate::written::{show, tell};

const TITLE_CHARS_MAX: usize = 40;

/// Link a session to a thread
///
/// `session show` tells the links. With --json: {session_id, thread_id, note, present, state}.
#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    #[command(flatten)]
    session: SessionReference,
    /// Key, id, name, or project/key of the thread
    #[arg(value_name = "THREAD")]
    thread: String,
    /// How they belong together
    #[arg(long, value_name = "NOTE")]
    note: Option<String>,
    /// Take the link away
    #[arg(long, conflicts_with = "note")]
    remove: bool,
}

#[derive(Serialize)]
struct Linked<'a> {
    session_id: SessionId,
    thread_id: ThreadId,
    note: Option<&'a str>,
    present: bool,
    state: WriteState,
}

pub(crate) fn run(args: &LinkArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let view = replica.view()?;
    let session = args.session.find(view)?;
    let thread = find_in(view, &args.thread, context.chosen_project(None)?.as_deref())?;
    let note = args.note.as_deref();
    let target = thread.thread_id.to_string();
    let link = LinkPatch {
        kind: "thread".into(),
        target: target.into(),
        note: note.map(Into::into).into(),
        present: Change::Set(!args.remove),
    };
    let op = SessionOp::Patch(Box::new(Patch {
        decided: true,
        links: vec![link],
        ..Patch::default()
    }));
    let payload = op.payload().map_err(|error| {
        Failure::usage("note_invalid", "this can't be the note of a link").because(error)
    })?;
    let op = NewOp {
        scope: Scope::session(),
        resource: session.session_id.into(),
        payload,
    };
    let keys = replica.write(&[op])?.keys;
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let linked = Linked {
        session_id: session.session_id,
        thread_id: thread.thread_id,
        note,
        present: !args.remove,
        state,
    };
    show(context, &linked, |_| Ok(()))?;
    let arrow = if args.remove { "-/->" } else { "->" };
    let title = super::text::one_line(title_of(&session), TITLE_CHARS_MAX);
    let what = format!("{title} {arrow} {}", address(&thread));
    tell(context, &what, state, &delivery);
    Ok(())
}
