mod add;
mod list;
mod remove;
mod role;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;
use syncline_model::schema::Role;
use syncline_model::{TenantId, Timestamp, UserId};
use syncline_store::control::{ControlFile, Member};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::server_data::ServerDataArgs;

/// Say who is viewer, editor or owner of a tenant's records
///
/// Works on the server's data directory, also while the server runs: what is said counts at once. Who was
/// given no role is an editor; where the server asks for no token, everybody is an owner. Roles are about
/// records alone: every member reads every thread, session and list of the tenant.
#[derive(Debug, Subcommand)]
pub(crate) enum MemberCommand {
    Add(add::AddArgs),
    Role(role::RoleArgs),
    Remove(remove::RemoveArgs),
    List(list::ListArgs),
}

impl MemberCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Add(args) => add::run(&args, context),
            Self::Role(args) => role::run(&args, context),
            Self::Remove(args) => remove::run(&args, context),
            Self::List(args) => list::run(&args, context),
        }
    }
}

/// Who a command is about.
#[derive(Debug, Args)]
struct WhoArgs {
    #[command(flatten)]
    data: ServerDataArgs,
    /// The user, as their token or their identity provider names them
    #[arg(value_name = "USER")]
    user: UserId,
    /// The tenant; need not exist yet
    #[arg(long, value_name = "TENANT", default_value = "default")]
    tenant: TenantId,
}

/// The role that a command gives, in the one form or the other.
#[derive(Debug, Args)]
struct GivenRole {
    /// What they may do with records from now on
    #[arg(value_name = "ROLE", value_parser = parse_role())]
    role: Option<Role>,
    /// The same, by its name
    #[arg(long = "role", value_name = "ROLE", conflicts_with = "role", value_parser = parse_role())]
    named: Option<Role>,
}

impl GivenRole {
    fn get(&self) -> Option<Role> {
        self.role.or(self.named)
    }
}

impl WhoArgs {
    /// Gives the user a role, and says so.
    fn give(&self, role: Role, control: &ControlFile, context: &Context) -> Outcome {
        let member = Member {
            tenant: self.tenant.clone(),
            user: self.user.clone(),
            role,
            changed_at: context.now(),
        };
        control.put_member(&member)?;
        context.output.data(&Shown::from(&member), |_| Ok(()))?;
        context.output.note(format_args!(
            "{} is {role} in tenant {}",
            self.user, self.tenant
        ));
        Ok(())
    }

    /// The role that the user has been given.
    fn role(&self, control: &ControlFile) -> Result<Option<Role>, Failure> {
        Ok(control.role(&self.tenant, &self.user)?)
    }

    /// The flags that name the same place again.
    fn again(&self) -> String {
        format!(" --tenant {}{}", self.tenant, self.data.again())
    }

    fn unknown(&self) -> Failure {
        let message = format!("{} was given no role in tenant {}", self.user, self.tenant);
        Failure::new("member_unknown", message)
            .state("nothing was changed; who was given no role is an editor")
            .fix(format!("syncline member list{}", self.again()))
    }
}

/// A member, as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    tenant: String,
    user: String,
    role: Role,
    changed_at: Timestamp,
}

impl From<&Member> for Shown {
    fn from(member: &Member) -> Self {
        Self {
            tenant: member.tenant.to_string(),
            user: member.user.to_string(),
            role: member.role,
            changed_at: member.changed_at,
        }
    }
}

fn parse_role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::as_str))
        .map(|text| Role::parse(&text).expect("it is one of the possible values"))
}
