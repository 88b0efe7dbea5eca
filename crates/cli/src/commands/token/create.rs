use clap::Args;
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::Serialize;
use syncline_model::{TenantId, UserId};
use syncline_server::{NewToken, TokenRandom, issue_token};
use syncline_store::control::Rights;

use super::Shown;
use super::expiry::Expiry;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::server_data::ServerDataArgs;

/// Make a token, and print it: this once, since only its hash is kept
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    data: ServerDataArgs,
    /// The tenant whose log the token opens; need not exist yet
    #[arg(long, value_name = "TENANT", default_value = "default")]
    tenant: TenantId,
    /// Whose token it is
    #[arg(long, value_name = "USER")]
    user: UserId,
    /// What it may do: read; sync (also write); admin (also tokens, clients, reset and schema)
    #[arg(long, value_name = "RIGHT", default_value = "sync", value_parser = parse_rights())]
    right: Rights,
    /// When it ends: 90d, 12h, a date, an RFC 3339 time, or never
    #[arg(long, value_name = "WHEN", default_value = "never")]
    expires: Expiry,
}

fn parse_rights() -> impl clap::builder::TypedValueParser<Value = Rights> {
    use clap::builder::{PossibleValuesParser, TypedValueParser};
    PossibleValuesParser::new(Rights::ALL.map(Rights::as_str))
        .map(|text| text.parse().expect("it is one of the possible values"))
}

#[derive(Serialize)]
struct Created<'a> {
    token: &'a str,
    #[serde(flatten)]
    shown: Shown,
}

pub(crate) fn run(args: &CreateArgs, context: &Context) -> Outcome {
    let now = context.now();
    let expires_at = args.expires.end_after(now).map_err(|error| {
        Failure::usage("expiry_invalid", "--expires is not in the future").because(error)
    })?;
    let control = args.data.control(context)?;
    let new = NewToken {
        tenant: args.tenant.clone(),
        user: args.user.clone(),
        rights: args.right,
        expires_at,
    };
    let (secret, token) = issue_token(&control, new, random()?, now)?;
    let created = Created {
        token: secret.reveal(),
        shown: Shown::from(&token),
    };
    context
        .output
        .data(&created, |out| writeln!(out, "{}", created.token))?;
    context.output.note(format_args!(
        "Token {} of {} in tenant {} ({}). Keep it safe: it is shown this once.",
        token.id, token.user, token.tenant, token.rights
    ));
    Ok(())
}

fn random() -> Result<TokenRandom, Failure> {
    let mut random = TokenRandom {
        secret: [0; 32],
        id: [0; 16],
    };
    OsRng
        .try_fill_bytes(&mut random.secret)
        .and_then(|()| OsRng.try_fill_bytes(&mut random.id))
        .map_err(|error| {
            Failure::new("no_randomness", "the system gives no random bytes").because(error)
        })?;
    Ok(random)
}
