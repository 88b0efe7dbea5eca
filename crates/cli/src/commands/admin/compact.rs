use std::time::Instant;

use clap::Args;
use serde::Serialize;
use syncline_server::admin::{CompactSummary, OrderProgress};
use syncline_server::tenant::Keep;

use super::LogsArgs;
use super::host::Host;
use crate::context::Context;
use crate::failure::Outcome;
use crate::progress::Progress;
use crate::span::Span;
use crate::table::Table;
use crate::wording::byte_size;

/// Drop what no view needs any more from the logs, and shrink their files
///
/// Ops go that came before the retention window and that every live client has applied. What anybody
/// reads stays as it is.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    logs: LogsArgs,
    /// Keep ops of this time, whatever covers them: 7d, 12h, 0s
    #[arg(long, value_name = "TIME", default_value = "7d")]
    retention: Span,
    /// Don't wait for clients that were idle for longer: 30d, 12h
    #[arg(long, value_name = "TIME", default_value = "30d")]
    idle: Span,
}

#[derive(Serialize)]
struct Listing {
    tenants: Vec<CompactSummary>,
}

pub(crate) fn run(args: &CompactArgs, context: &Context) -> Outcome {
    let logs = args.logs.open(context)?;
    let host = Host::of(&logs.directory)?;
    let keep = Keep {
        retention: args.retention.duration(),
        idle: args.idle.duration(),
    };
    let mut progress = Progress::new(context, Instant::now());
    let mut tenants = Vec::with_capacity(logs.tenants.len());
    for tenant in &logs.tenants {
        let reached = |at: OrderProgress| progress.show(at.reached.get(), Some(at.floor.get()));
        tenants.push(host.compact(&logs.directory, tenant, &keep, context, reached)?);
    }
    drop(progress);
    let listing = Listing { tenants };
    context.output.data(&listing, |out| {
        let mut table = Table::new(["TENANT", "FLOOR", "DROPPED", "OF", "BEFORE", "AFTER"]);
        for tenant in &listing.tenants {
            table.row([
                tenant.tenant.to_string(),
                tenant.floor.to_string(),
                tenant.dropped.to_string(),
                tenant.judged.to_string(),
                byte_size(tenant.bytes_before),
                byte_size(tenant.bytes_after),
            ]);
        }
        table.write(out, context.output.colour())
    })
}
