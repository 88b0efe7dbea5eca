use clap::Args;
use serde::Serialize;
use syncline_replica::{QuarantineId, Retried};

use super::held;
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};

/// Offer refused changes again, as if written now
///
/// A change of a record that others have changed too is offered on what they have made of it, as far as that has come
/// here; `show` tells both. An item or list that another machine has added again from its own copy of the change
/// stays as others have made it since, also where they have removed it: the change leaves the quarantine.
#[derive(Debug, Args)]
pub(crate) struct RetryArgs {
    /// Their ids, as `list` shows them
    #[arg(required_unless_present = "all", value_name = "ID")]
    ids: Vec<u64>,
    /// All of them
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

#[derive(Serialize)]
struct Offered {
    retried: Vec<u64>,
    /// Those of them that nothing was written of: what they add is there already.
    there: Vec<u64>,
    state: WriteState,
}

pub(crate) fn run(args: &RetryArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let ids = if args.all {
        replica.quarantined()?.iter().map(|op| op.id.0).collect()
    } else {
        args.ids.clone()
    };
    // Before any is written anew: an id that is wrong is a mistake in the command.
    for id in &ids {
        held(&replica, *id)?;
    }
    let (mut keys, mut there) = (Vec::new(), Vec::new());
    for id in &ids {
        match replica.retry_quarantined(QuarantineId(*id))? {
            Some(Retried::Anew(key)) => keys.push(key),
            Some(Retried::There) => there.push(*id),
            None => return Err(erased(*id)),
        }
    }
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let offered = Offered {
        retried: ids,
        there,
        state,
    };
    let shown = context.output.data(&offered, |_| Ok(()));
    shown.map_err(|failure| failure.state("they are offered again all the same"))?;
    let there = offered.there.len();
    if there > 0 {
        context.output.note(format_args!(
            "{there} of them added what is there already, or was removed since: nothing was changed"
        ));
    }
    let count = offered.retried.len() - there;
    match state {
        WriteState::Unchanged if there > 0 => {}
        WriteState::Unchanged => context.output.note("nothing was refused"),
        WriteState::Acknowledged => context.output.note(format_args!("{count} were accepted")),
        WriteState::Pending => context
            .output
            .note(format_args!("{count} are offered again ({delivery})")),
        WriteState::Quarantined => context
            .output
            .warn("refused again; see `syncline sync quarantine list`"),
    }
    Ok(())
}

fn erased(id: u64) -> Failure {
    let message = format!("what {id} held is erased, and can't be offered again");
    Failure::new("erased", message)
        .state("those before it are offered again")
        .fix(format!("syncline sync quarantine drop {id}"))
}
