use std::time::Duration;

use clap::Args;
use serde::Serialize;
use syncline_client::{AskError, SyncSettings, reset};
use syncline_model::{Epoch, TenantId};
use syncline_protocol::ErrorCode;

use crate::commands::ask_failure::{no_server, unanswered};
use crate::confirm::{Answer, confirm};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::{remote, replica_access};

/// How long a person waits for a server.
const PATIENCE: Duration = Duration::from_secs(60);

/// Empty the server's log of this tenant, for everybody
///
/// Needs a token with the right `admin`. Every replica follows: what it held from the log is gone, what
/// it had not sent yet stays and is sent again. The server keeps the log that was, for 30 days, in
/// `resets` of its data directory: `syncline restore` puts it back.
#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// The name of the tenant, instead of asking
    #[arg(long, value_name = "TENANT")]
    confirm: Option<TenantId>,
}

#[derive(Serialize)]
struct Done {
    tenant: TenantId,
    epoch: Epoch,
}

pub(crate) fn run(args: &ResetArgs, context: &Context) -> Outcome {
    let remote = match remote::settings(context)? {
        SyncSettings::On(remote) => remote,
        SyncSettings::Off => return Err(no_server(context)?),
    };
    let status = replica_access::open(context)?.status()?;
    let (Some((tenant, _)), Some(epoch)) = (status.member, status.epoch) else {
        return Err(
            Failure::new("never_synced", "this profile has never synced")
                .state("nothing was changed")
                .fix("syncline sync"),
        );
    };
    check(args, &tenant, context)?;
    let before = epoch;
    let epoch = reset(&remote, &tenant, epoch, PATIENCE).map_err(|error| match &error {
        AskError::Refused { error: body, .. } if body.code == ErrorCode::PreconditionFailed => {
            Failure::new(
                "precondition_failed",
                "the log has changed its epoch meanwhile",
            )
            .because(error)
            .state("nothing was changed")
            .fix("syncline sync, and look again")
        }
        _ => unanswered(error, &remote.endpoint).state("nothing is known to have changed"),
    })?;
    let done = Done { tenant, epoch };
    context.output.data(&done, |_| Ok(()))?;
    context.output.note(format_args!(
        "the log of tenant {} is empty, its epoch is {}; `syncline sync` follows",
        done.tenant, done.epoch
    ));
    context.output.note(format_args!(
        "the server keeps the log that was for 30 days, in its data directory DATA; to put it back there, \
         with the server stopped: syncline restore DATA/resets/*-{before} --data DATA"
    ));
    Ok(())
}

fn check(args: &ResetArgs, tenant: &TenantId, context: &Context) -> Outcome {
    match &args.confirm {
        Some(named) if named == tenant => return Ok(()),
        Some(named) => {
            let message = format!("this profile syncs tenant {tenant}, not {named}");
            return Err(Failure::usage("not_confirmed", message)
                .state("nothing was changed")
                .fix(format!("syncline sync reset --confirm {tenant}"))
                .fix("syncline --profile NAME sync reset, for the tenant of another profile"));
        }
        None => {}
    }
    let question = format!("Empty the log of tenant {tenant}, for everybody?");
    match confirm(context, &question)? {
        Answer::Yes => Ok(()),
        Answer::No => Err(Failure::new("not_confirmed", "nothing was changed")),
        Answer::NobodyAsked => Err(Failure::usage("not_confirmed", "a reset must be confirmed")
            .state("nothing was changed")
            .fix(format!("syncline sync reset --confirm {tenant}"))),
    }
}
