use clap::Args;
use serde_json::json;

use super::WhoArgs;
use crate::context::Context;
use crate::failure::Outcome;

/// Take the role of a member away; whoever has none is an editor
///
/// Their tokens stay good: `syncline token revoke` ends them.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    who: WhoArgs,
}

pub(crate) fn run(args: &RemoveArgs, context: &Context) -> Outcome {
    let who = &args.who;
    let control = who.data.existing_control(context)?;
    if !control.remove_member(&who.tenant, &who.user)? {
        return Err(who.unknown());
    }
    let removed = json!({"tenant": who.tenant, "user": who.user, "removed": true});
    context.output.data(&removed, |_| Ok(()))?;
    context.output.note(format_args!(
        "{} has no role of their own in tenant {}, and is an editor; `syncline token revoke` ends their tokens",
        who.user, who.tenant
    ));
    Ok(())
}
