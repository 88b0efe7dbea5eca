use clap::Args;
use syncline_model::schema::Role;

use super::{WhoArgs, parse_role};
use crate::context::Context;
use crate::failure::Outcome;

/// Give another role to a member
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// What they may do with records from now on
    #[arg(value_name = "ROLE", value_parser = parse_role())]
    role: Role,
}

pub(crate) fn run(args: &RoleArgs, context: &Context) -> Outcome {
    let control = args.who.data.existing_control(context)?;
    match args.who.role(&control)? {
        Some(_) => args.who.give(args.role, &control, context),
        None => Err(args.who.unknown().fix(format!(
            "syncline member add {} --role {} --tenant {}",
            args.who.user, args.role, args.who.tenant
        ))),
    }
}
