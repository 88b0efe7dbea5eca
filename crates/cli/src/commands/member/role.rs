use clap::Args;
use syncline_model::schema::Role;

use super::{GivenRole, WhoArgs};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Give another role to a member
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    given: GivenRole,
}

pub(crate) fn run(args: &RoleArgs, context: &Context) -> Outcome {
    let user = &args.who.user;
    let given = args.given.get().ok_or_else(|| {
        let known = Role::ALL.map(Role::as_str).join(", ");
        Failure::usage("usage", format!("no role is said: {known}")).fix(format!(
            "syncline member role {user} ROLE{}",
            args.who.again()
        ))
    })?;
    let control = args.who.data.existing_control(context)?;
    match args.who.role(&control)? {
        Some(_) => args.who.give(given, &control, context),
        None => Err(args.who.unknown().fix(format!(
            "syncline member add {user} {given}{}",
            args.who.again()
        ))),
    }
}
