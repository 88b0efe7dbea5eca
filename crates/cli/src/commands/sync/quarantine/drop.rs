use clap::Args;
use serde::Serialize;
use syncline_replica::QuarantineId;

use super::{Detail, Held, held};
use crate::confirm::{Answer, confirm};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::replica_access;

/// Drop a refused change for good
#[derive(Debug, Args)]
pub(crate) struct DropArgs {
    /// Its id, as `list` shows it
    id: u64,
    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

#[derive(Serialize)]
struct Dropped {
    dropped: Held,
}

pub(crate) fn run(args: &DropArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let op = held(&replica, args.id)?;
    let held = Held::new(op, Detail::Payload, replica.view()?)?;
    if !args.yes {
        let question = format!("Drop {} ({}) for good?", held.named(), held.scope);
        match confirm(context, &question)? {
            Answer::Yes => {}
            Answer::No => return Err(Failure::new("not_confirmed", "nothing was dropped")),
            Answer::NobodyAsked => {
                return Err(
                    Failure::usage("not_confirmed", "dropping must be confirmed")
                        .state("nothing was dropped")
                        .fix(format!("syncline sync quarantine drop {} --yes", args.id)),
                );
            }
        }
    }
    // Where another command was quicker, it is gone all the same.
    replica.drop_quarantined(QuarantineId(args.id))?;
    let dropped = Dropped { dropped: held };
    context.output.data(&dropped, |_| Ok(()))?;
    context.output.note(format_args!("dropped {}", args.id));
    Ok(())
}
