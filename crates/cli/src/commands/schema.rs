mod allow;
mod apply;
mod check;
mod diff;
mod place;
mod show;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

pub(in crate::commands) use place::{TenantChanges, breaking};

/// Check, compare and apply the OpenAPI document that declares a tenant's records
///
/// Works with the server of the profile in use, or with --data on the data directory of a server.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    Check(check::CheckArgs),
    Diff(diff::DiffArgs),
    Apply(apply::ApplyArgs),
    Show(show::ShowArgs),
}

impl SchemaCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Check(args) => check::run(&args, context),
            Self::Diff(args) => diff::run(&args, context),
            Self::Apply(args) => apply::run(&args, context),
            Self::Show(args) => show::run(&args, context),
        }
    }
}
