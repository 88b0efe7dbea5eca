mod create;
mod expiry;
mod list;
mod revoke;

use clap::Subcommand;
use serde::Serialize;
use syncline_model::Timestamp;
use syncline_store::control::{ControlError, TokenRecord};

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Make, list and revoke the bearer tokens of a server
///
/// Works on the server's data directory, also while the server runs: what is made or revoked counts
/// at once.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    Create(create::CreateArgs),
    List(list::ListArgs),
    Revoke(revoke::RevokeArgs),
}

impl TokenCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Create(args) => create::run(&args, context),
            Self::List(args) => list::run(&args, context),
            Self::Revoke(args) => revoke::run(&args, context),
        }
    }
}

/// A token as it is shown: without its secret.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    tenant: String,
    user: String,
    rights: &'static str,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

impl From<&TokenRecord> for Shown {
    fn from(token: &TokenRecord) -> Self {
        Self {
            id: token.id.to_string(),
            tenant: token.tenant.to_string(),
            user: token.user.to_string(),
            rights: token.rights.as_str(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            last_used_at: token.last_used_at,
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        Self::new("control_failed", "could not work on the server's tokens")
            .because(error)
            .state("nothing was changed")
            .fix("try again; `syncline doctor` looks for what is wrong")
    }
}
