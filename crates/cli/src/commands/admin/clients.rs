use clap::Args;
use serde::Serialize;
use syncline_server::admin::{AdminError, ClientReport, ClientState, open_log};

use super::LogsArgs;
use crate::context::Context;
use crate::failure::Outcome;
use crate::table::Table;

/// List the clients: where each is, how far behind, and when it was last heard of
#[derive(Debug, Args)]
pub(crate) struct ClientsArgs {
    #[command(flatten)]
    logs: LogsArgs,
}

#[derive(Serialize)]
struct Listing {
    clients: Vec<ClientReport>,
}

pub(crate) fn run(args: &ClientsArgs, context: &Context) -> Outcome {
    let logs = args.logs.open(context)?;
    logs.bring_up_to_date(context)?;
    let mut each = logs.each(|tenant| {
        let file = open_log(&logs.directory, tenant).map_err(AdminError::Open)?;
        let reports = ClientReport::read(tenant, &file, &logs.keep, context.now());
        Ok(reports.map_err(AdminError::Store)?)
    })?;
    let listing = Listing {
        clients: std::mem::take(&mut each.done)
            .into_iter()
            .flatten()
            .collect(),
    };
    context.output.data(&listing, |out| {
        let mut table = Table::new([
            "TENANT",
            "CLIENT",
            "USER",
            "PLACE",
            "LAG",
            "STATE",
            "LAST SEEN",
        ]);
        let or_dash = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        for client in &listing.clients {
            table.row([
                client.tenant.to_string(),
                client.client_id.to_string(),
                client.user.to_string(),
                or_dash(client.server_seq.map(|seq| seq.to_string())),
                or_dash(client.lag.map(|lag| lag.to_string())),
                state(client.state).to_owned(),
                client.seen_at.to_string(),
            ]);
        }
        table.write(out, context.output.colour())
    })?;
    each.finish(context)
}

const fn state(state: ClientState) -> &'static str {
    match state {
        ClientState::Live => "live",
        ClientState::Lagging => "lagging",
        ClientState::Expired => "expired",
    }
}
