use clap::Args;

use super::{GivenRole, WhoArgs};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Give a role to a user who has none: editor, if none is said
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    given: GivenRole,
}

pub(crate) fn run(args: &AddArgs, context: &Context) -> Outcome {
    let given = args.given.get().unwrap_or_default();
    let control = args.who.data.control(context)?;
    match args.who.role(&control)? {
        Some(role) if role != given => {
            let (user, tenant) = (&args.who.user, &args.who.tenant);
            let message = format!("{user} is {role} in tenant {tenant} already");
            let again = args.who.again();
            Err(Failure::new("member_exists", message)
                .state("nothing was changed")
                .fix(format!("syncline member role {user} {given}{again}")))
        }
        Some(_) | None => args.who.give(given, &control, context),
    }
}
