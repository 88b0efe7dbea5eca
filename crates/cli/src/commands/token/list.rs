use clap::Args;
use serde::Serialize;
use syncline_model::{TenantId, Timestamp};

use super::Shown;
use crate::context::Context;
use crate::failure::Outcome;
use crate::server_data::ServerDataArgs;
use crate::table::Table;

/// List the tokens: never their secrets
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
    tokens: Vec<Shown>,
}

pub(crate) fn run(args: &ListArgs, context: &Context) -> Outcome {
    let control = args.data.existing_control(context)?;
    let tokens = control.tokens(args.tenant.as_ref())?;
    let now = context.now();
    let listing = Listing {
        tokens: tokens.iter().map(Shown::from).collect(),
    };
    context.output.data(&listing, |out| {
        let mut table = Table::new(["ID", "TENANT", "USER", "RIGHTS", "STATE", "LAST USED"]);
        for token in &listing.tokens {
            table.row([
                token.id.clone(),
                token.tenant.clone(),
                token.user.clone(),
                token.rights.to_owned(),
                state(token, now),
                token
                    .last_used_at
                    .map_or("never".to_owned(), |at| at.to_string()),
            ]);
        }
        table.write(out, context.output.colour())
    })
}

fn state(token: &Shown, now: Timestamp) -> String {
    match (token.revoked_at, token.expires_at) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(end)) if end <= now => "expired".to_owned(),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "good".to_owned(),
    }
}
