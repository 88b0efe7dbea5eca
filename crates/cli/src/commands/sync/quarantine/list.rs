use clap::Args;
use serde::Serialize;

use super::{Detail, Held};
use crate::context::Context;
use crate::failure::Outcome;
use crate::replica_access;
use crate::table::Table;
use crate::wording::minute;

/// List what was refused, and why
#[derive(Debug, Args)]
pub(crate) struct ListArgs {}

#[derive(Serialize)]
struct Listing {
    quarantine: Vec<Held>,
}

pub(crate) fn run(ListArgs {}: &ListArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let ops = replica.quarantined()?;
    let view = replica.view()?;
    let held = ops
        .into_iter()
        .map(|op| Held::new(op, Detail::Reason, view));
    let listing = Listing {
        quarantine: held.collect::<Result<_, _>>()?,
    };
    if listing.quarantine.is_empty() {
        context.output.note("nothing was refused");
    }
    context.output.data(&listing, |out| {
        if listing.quarantine.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(["ID", "SCOPE", "WHAT", "REFUSED", "CODE", "REASON"]);
        for held in &listing.quarantine {
            table.row([
                held.id.to_string(),
                held.scope.to_string(),
                held.named().to_owned(),
                minute(held.refused_at),
                held.code.clone(),
                held.message.clone(),
            ]);
        }
        table.write(out, context.output.colour())
    })
}
