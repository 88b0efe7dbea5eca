use clap::Args;
use serde::Serialize;
use syncline_store::control::{Revocation, TokenId};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::server_data::ServerDataArgs;

/// Revoke a token for ever
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    data: ServerDataArgs,
    /// The token's id, as `token list` shows it
    id: TokenId,
}

#[derive(Serialize)]
struct Revoked {
    id: String,
    revoked: bool,
}

pub(crate) fn run(args: &RevokeArgs, context: &Context) -> Outcome {
    let control = args.data.existing_control(context)?;
    let done = match control.revoke_token(None, args.id, context.now())? {
        Revocation::Done => "Revoked",
        Revocation::Repeated => "Revoked before:",
        Revocation::Unknown => {
            let message = format!("no token {}", args.id);
            return Err(Failure::new("token_unknown", message)
                .state("nothing was changed")
                .fix("syncline token list --data DIR"));
        }
    };
    let revoked = Revoked {
        id: args.id.to_string(),
        revoked: true,
    };
    context.output.data(&revoked, |_| Ok(()))?;
    context.output.note(format_args!("{done} {}", args.id));
    Ok(())
}
