use clap::Args;
use serde::Serialize;
use syncline_model::TenantId;

use super::Shown;
use crate::context::Context;
use crate::failure::Outcome;
use crate::server_data::ServerDataArgs;
use crate::table::Table;

/// List who was given a role, and which
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    data: ServerDataArgs,
    /// Of this tenant alone
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
}

#[derive(Serialize)]
struct Listing {
    members: Vec<Shown>,
}

pub(crate) fn run(args: &ListArgs, context: &Context) -> Outcome {
    let control = args.data.existing_control(context)?;
    let members = control.members(args.tenant.as_ref())?;
    let listing = Listing {
        members: members.iter().map(Shown::from).collect(),
    };
    context.output.data(&listing, |out| {
        let mut table = Table::new(["TENANT", "USER", "ROLE", "SINCE"]);
        for member in &listing.members {
            table.row([
                member.tenant.clone(),
                member.user.clone(),
                member.role.to_string(),
                member.changed_at.to_string(),
            ]);
        }
        table.write(out, context.output.colour())
    })
}
