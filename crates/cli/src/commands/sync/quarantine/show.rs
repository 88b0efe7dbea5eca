use clap::Args;

use super::{Detail, Held, held};
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::printable;
use crate::replica_access;
use crate::wording::refusal_lines;

/// Show what was refused, with what was written
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Its id, as `list` shows it
    id: u64,
}

pub(crate) fn run(args: &ShowArgs, context: &Context) -> Outcome {
    let mut replica = replica_access::open(context)?;
    let op = held(&replica, args.id)?;
    let shown = Held::new(op, Detail::Payload, replica.view()?)?;
    context.output.data(&shown, |out| {
        writeln!(
            out,
            "{} {}",
            shown.scope,
            printable(shown.resource_id.as_str())
        )?;
        if let Some(change) = &shown.change {
            writeln!(out, "{}", printable(change))?;
        }
        writeln!(
            out,
            "written {}, refused {}",
            shown.written_at, shown.refused_at
        )?;
        writeln!(out, "{}: {}", shown.code, printable(&shown.message))?;
        for line in shown.details.iter().flat_map(refusal_lines) {
            writeln!(out, "  {}", printable(&line))?;
        }
        match &shown.payload {
            Some(payload) => writeln!(out, "{}", printable(payload.as_str())),
            None => writeln!(out, "what was written is erased"),
        }
    })
}
