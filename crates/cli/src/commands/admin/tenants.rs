use clap::Args;
use serde::Serialize;
use syncline_server::admin::{AdminError, HolderReport, TenantReport, open_log};

use super::LogsArgs;
use crate::context::Context;
use crate::failure::Outcome;
use crate::table::Table;
use crate::wording::byte_size;

/// List the logs: head, floor, who holds it, ops, size, version of the folds, and clients
#[derive(Debug, Args)]
pub(crate) struct TenantsArgs {
    #[command(flatten)]
    logs: LogsArgs,
}

#[derive(Serialize)]
struct Listing {
    tenants: Vec<TenantReport>,
}

pub(crate) fn run(args: &TenantsArgs, context: &Context) -> Outcome {
    let logs = args.logs.open(context)?;
    logs.bring_up_to_date(context)?;
    let mut each = logs.each(|tenant| {
        let file = open_log(&logs.directory, tenant).map_err(AdminError::Open)?;
        let report = TenantReport::read(tenant, &file, &logs.keep, context.now());
        Ok(report.map_err(AdminError::Store)?)
    })?;
    let listing = Listing {
        tenants: std::mem::take(&mut each.done),
    };
    context.output.data(&listing, |out| {
        let mut table = Table::new([
            "TENANT", "HEAD", "FLOOR", "HELD BY", "OPS", "SIZE", "VERSION", "CLIENTS", "LIVE",
        ]);
        let holder = |holder: &HolderReport| holder.client.client_id.to_string();
        for tenant in &listing.tenants {
            table.row([
                tenant.tenant.to_string(),
                tenant.server_seq.to_string(),
                tenant.floor.to_string(),
                tenant.held_by.as_ref().map_or("-".to_owned(), holder),
                tenant.ops.to_string(),
                byte_size(tenant.bytes),
                tenant.fold_version.to_string(),
                tenant.clients.to_string(),
                tenant.clients_live.to_string(),
            ]);
        }
        table.write(out, context.output.colour())
    })?;
    each.finish(context)
}
