use std::time::Instant;

use clap::Args;
use serde::Serialize;
use syncline_model::TenantId;

use super::LogsArgs;
use super::host::Host;
use crate::context::Context;
use crate::failure::Outcome;
use crate::progress::Progress;
use crate::span::Span;
use crate::table::Table;

/// Let clients that have been idle for long hold back compaction no more
///
/// Nothing of theirs is lost: one that returns below the floor fetches the log anew, and offers what
/// it has not sent.
#[derive(Debug, Args)]
pub(crate) struct ExpireArgs {
    #[command(flatten)]
    logs: LogsArgs,
    /// Those that have neither pushed nor moved for this long: 30d, 12h [default: as the server was last
    /// started, or 30d]
    #[arg(long, value_name = "TIME")]
    idle: Option<Span>,
}

#[derive(Serialize)]
struct Expired {
    tenant: TenantId,
    expired: usize,
}

#[derive(Serialize)]
struct Listing {
    tenants: Vec<Expired>,
}

pub(crate) fn run(args: &ExpireArgs, context: &Context) -> Outcome {
    let logs = args.logs.open(context)?;
    let host = Host::of(&logs.directory)?;
    let idle = args.idle.map_or(logs.keep.idle, Span::duration);
    let mut progress = Progress::new(context, Instant::now());
    let mut each = logs.each(|tenant| {
        let waits = |wait| progress.show_order(wait);
        let expired = host.expire(&logs.directory, tenant, idle, context, waits)?;
        Ok(Expired {
            tenant: tenant.clone(),
            expired,
        })
    })?;
    drop(progress);
    let listing = Listing {
        tenants: std::mem::take(&mut each.done),
    };
    context.output.data(&listing, |out| {
        let mut table = Table::new(["TENANT", "EXPIRED"]);
        for tenant in &listing.tenants {
            table.row([tenant.tenant.to_string(), tenant.expired.to_string()]);
        }
        table.write(out, context.output.colour())
    })?;
    each.finish(context)
}
