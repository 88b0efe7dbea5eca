use clap::Args;
use syncline_model::schema::Role;

use super::{WhoArgs, parse_role};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Give a role to a user who has none
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    #[command(flatten)]
    who: WhoArgs,
    /// What they may do with records
    #[arg(long, value_name = "ROLE", default_value = "editor", value_parser = parse_role())]
    role: Role,
}

pub(crate) fn run(args: &AddArgs, context: &Context) -> Outcome {
    let control = args.who.data.control(context)?;
    match args.who.role(&control)? {
        Some(role) if role != args.role => {
            let (user, tenant) = (&args.who.user, &args.who.tenant);
            let message = format!("{user} is {role} in tenant {tenant} already");
            let fix = format!(
                "syncline member role {user} {} --tenant {tenant}",
                args.role
            );
            Err(Failure::new("member_exists", message)
                .state("nothing was changed")
                .fix(fix))
        }
        Some(_) | None => args.who.give(args.role, &control, context),
    }
}
