//! `syncline record`: the rows of an application, on the local replica.

mod entity;
mod get;
mod history;
mod list;
mod refused;
mod shown;
mod values;
mod write;

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::failure::Outcome;
use crate::lost_edits::tell_untold;
use crate::replica_access;

/// Read and write the records of an entity, also without a server
///
/// Works on this machine's replica. A write of an entity that is local-first shows at once and is delivered
/// by the next sync. One of any other entity waits for the server's decision: without it within --wait the
/// command fails with `unconfirmed`, and the write stays pending until a sync delivers it. What the server
/// refuses is taken back, with what was built on it, and kept in the quarantine.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// The collection's name, as the schema has it: `invoices`
    #[arg(value_name = "ENTITY")]
    entity: String,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(list::ListArgs),
    Get(get::GetArgs),
    Create(write::CreateArgs),
    Update(write::UpdateArgs),
    Delete(write::DeleteArgs),
    History(history::HistoryArgs),
}

pub(crate) fn run(args: &RecordArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let entity = entity::find(&mut replica, &args.entity)?;
    match &args.verb {
        Verb::List(args) => list::run(args, &entity, &mut replica, context)?,
        Verb::Get(args) => get::run(args, &entity, &mut replica, context)?,
        Verb::History(args) => history::run(args, &entity, &mut replica, context)?,
        Verb::Create(args) => return write::create(args, &entity, replica, context),
        Verb::Update(args) => return write::update(args, &entity, replica, context),
        Verb::Delete(args) => return write::delete(args, &entity, replica, context),
    }
    tell_untold(&mut replica, None, context)
}
