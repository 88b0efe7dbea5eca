use clap::Args;
use serde::Serialize;
use syncline_replica::QuarantineId;

use super::held;
use crate::context::Context;
use crate::delivery::{self, Delivered, Stay};
use crate::failure::{Failure, Outcome};
use crate::replica_access::{self, WriteState};

/// Offer refused changes again, as if written now
///
/// A change of a record that others have changed too is offered on what they have made of it, as far as that has come
/// here; `show` tells both.
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
struct Retried {
    retried: Vec<u64>,
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
    let mut keys = Vec::new();
    for id in &ids {
        let key = replica.retry_quarantined(QuarantineId(*id))?;
        keys.push(key.ok_or_else(|| {
            Failure::new(
                "erased",
                format!("what {id} held is erased, and can't be offered again"),
            )
            .state("those before it are offered again")
            .fix(format!("syncline sync quarantine drop {id}"))
        })?);
    }
    let Delivered {
        state, delivery, ..
    } = delivery::after_write(context, replica, &keys, Stay::Briefly);
    let retried = Retried {
        retried: ids,
        state,
    };
    let shown = context.output.data(&retried, |_| Ok(()));
    shown.map_err(|failure| failure.state("they are offered again all the same"))?;
    let count = retried.retried.len();
    match state {
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
