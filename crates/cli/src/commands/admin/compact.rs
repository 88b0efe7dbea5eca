use std::time::Instant;

use clap::Args;
use serde::Serialize;
use syncline_server::admin::{AdminError, ClientReport, CompactSummary, HolderReport, open_log};
use syncline_server::tenant::Keep;
use syncline_store::LogLeft;

use super::host::Host;
use super::{Logs, LogsArgs};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use crate::span::Span;
use crate::table::Table;
use crate::wording::{byte_size, counted, quoted};

/// Drop what no view needs any more from the logs, and shrink their files
///
/// Ops go that came before the retention window and that every live client has applied. What anybody
/// reads stays as it is.
#[derive(Debug, Args)]
pub(crate) struct CompactArgs {
    #[command(flatten)]
    logs: LogsArgs,
    /// Keep ops of this time, whatever covers them: 7d, 12h, 0s [default: as the server was last started,
    /// or 7d]
    #[arg(long, value_name = "TIME")]
    retention: Option<Span>,
    /// Don't wait for clients that were idle for longer: 30d, 12h [default: as the server was last
    /// started, or 30d]
    #[arg(long, value_name = "TIME")]
    idle: Option<Span>,
}

#[derive(Serialize)]
struct Listing {
    tenants: Vec<Compacted>,
}

#[derive(Serialize)]
struct Compacted {
    #[serde(flatten)]
    summary: CompactSummary,
    /// Who keeps ops from going that nothing else keeps.
    held_by: Option<HolderReport>,
}

pub(crate) fn run(args: &CompactArgs, context: &Context) -> Outcome {
    let logs = args.logs.open(context)?;
    let host = Host::of(&logs.directory)?;
    let keep = Keep {
        retention: args.retention.map_or(logs.keep.retention, Span::duration),
        idle: args.idle.map_or(logs.keep.idle, Span::duration),
    };
    let mut progress = Progress::new(context, Instant::now());
    let mut each = logs.each(|tenant| {
        let waits = |wait| progress.show_order(wait);
        let summary = host.compact(&logs.directory, tenant, &keep, context, waits)?;
        let file = open_log(&logs.directory, tenant).map_err(AdminError::Open)?;
        let held_by = HolderReport::read(tenant, &file, &keep, context.now());
        let held_by = held_by.map_err(AdminError::Store)?;
        Ok(Compacted { summary, held_by })
    })?;
    drop(progress);
    let listing = Listing {
        tenants: std::mem::take(&mut each.done),
    };
    context.output.data(&listing, |out| {
        let mut table = Table::new(["TENANT", "FLOOR", "DROPPED", "JUDGED", "BEFORE", "AFTER"]);
        for Compacted {
            summary: tenant, ..
        } in &listing.tenants
        {
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
    })?;
    for holder in listing.tenants.iter().filter_map(|it| it.held_by.as_ref()) {
        tell_holder(holder, &logs, context);
    }
    each.finish(context)?;
    unreadable(&listing.tenants)
}

/// Says who keeps ops in a log, and what lets them go.
fn tell_holder(holder: &HolderReport, logs: &Logs, context: &Context) {
    let HolderReport {
        client,
        ops_held,
        other_holders,
    } = holder;
    let ClientReport {
        tenant,
        client_id,
        user,
        seen_at,
        ..
    } = client;
    let moved_at = client.moved_at.unwrap_or(*seen_at);
    let ops = counted(*ops_held, "op");
    let others = match other_holders {
        0 => String::new(),
        1 => ", and 1 other client keeps some or all of them".to_owned(),
        more => format!(", and {more} other clients keep some or all of them"),
    };
    let data = quoted(&logs.directory.path().display().to_string());
    context.output.warn(format_args!(
        "{tenant}: the client {client_id} of {user} keeps {ops} from before the retention window{others}; it last moved at \
         {moved_at} and was last seen at {seen_at}. One that has them tells so with its next request, as by `syncline sync \
         now` there. If it will not come back: `syncline admin expire --data {data} --tenant {tenant} --idle TIME` lets go \
         of clients that were idle for longer"
    ));
}

/// Fails where what was dropped can still be read in a file.
fn unreadable(tenants: &[Compacted]) -> Outcome {
    let all = tenants.iter().map(|tenant| &tenant.summary);
    let left = all.filter(|summary| summary.log_left == LogLeft::Full);
    let names: Vec<_> = left.map(|summary| summary.tenant.to_string()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!(
        "what was dropped can still be read in the write-ahead log of {}",
        names.join(", ")
    );
    Err(Failure::new("compact_incomplete", message)
        .state("the logs are compacted; a process that reads kept their files from shrinking")
        .fix("end what reads them, and compact again"))
}
