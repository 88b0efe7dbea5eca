use clap::Args;

use super::undo::deliver;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::replica_access;
use crate::written::WaitFlag;

/// Do again what `list undo` took back, until something else is done
#[derive(Debug, Args)]
pub(crate) struct RedoArgs {
    #[command(flatten)]
    wait: WaitFlag,
}

pub(crate) fn run(args: &RedoArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let Some(reversed) = replica.redo_lists()? else {
        return Err(Failure::new("nothing_to_redo", "nothing to do again")
            .state("the lists are as they were"));
    };
    deliver(
        context,
        replica,
        reversed,
        ("done again", "redo"),
        args.wait,
    )
}
