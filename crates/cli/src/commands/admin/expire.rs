use clap::Args;
use serde::Serialize;
use syncline_model::TenantId;

use super::LogsArgs;
use super::host::Host;
use crate::context::Context;
use crate::failure::Outcome;
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
    /// Those that have neither pushed nor moved for this long: 30d, 12h
    #[arg(long, value_name = "TIME", default_value = "30d")]
    idle: Span,
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
    let mut tenants = Vec::with_capacity(logs.tenants.len());
    for tenant in &logs.tenants {
        let idle = args.idle.duration();
        let expired = host.expire(&logs.directory, tenant, idle, context)?;
        tenants.push(Expired {
            tenant: tenant.clone(),
            expired,
        });
    }
    let listing = Listing { tenants };
    context.output.data(&listing, |out| {
        let mut table = Table::new(["TENANT", "EXPIRED"]);
        for tenant in &listing.tenants {
            table.row([tenant.tenant.to_string(), tenant.expired.to_string()]);
        }
        table.write(out, context.output.colour())
    })
}
