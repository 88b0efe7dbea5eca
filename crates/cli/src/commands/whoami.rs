use std::fmt;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use syncline_client::{Endpoint, Member, SyncSettings, whoami};
use syncline_model::{TenantId, Timestamp, UserId};

use super::ask_failure::{no_server, unanswered};
use crate::context::Context;
use crate::failure::Outcome;
use crate::remote;

/// How long a person waits for a server.
const PATIENCE: Duration = Duration::from_secs(15);

/// Ask the server whose the token is
#[derive(Debug, Args)]
pub(crate) struct WhoamiArgs {}

/// Who a server takes us for.
#[derive(Debug, Serialize)]
pub(super) struct Who {
    endpoint: String,
    tenant: TenantId,
    user: UserId,
    rights: String,
    expires_at: Option<Timestamp>,
}

impl Who {
    pub(super) fn new(endpoint: &Endpoint, member: Member) -> Self {
        Self {
            endpoint: endpoint.to_string(),
            tenant: member.tenant,
            user: member.user,
            rights: member.rights,
            expires_at: member.expires_at,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            endpoint,
            tenant,
            user,
            rights,
            expires_at,
        } = self;
        write!(f, "{endpoint} as {user} of tenant {tenant} ({rights}")?;
        match expires_at {
            Some(end) => write!(f, ", until {end})"),
            None => f.write_str(")"),
        }
    }
}

pub(crate) fn run(WhoamiArgs {}: &WhoamiArgs, context: &Context) -> Outcome {
    let remote = match remote::settings(context)? {
        SyncSettings::On(remote) => remote,
        SyncSettings::Off => return Err(no_server(context)?),
    };
    let member = whoami(&remote, PATIENCE).map_err(|error| unanswered(error, &remote.endpoint))?;
    let who = Who::new(&remote.endpoint, member);
    context.output.data(&who, |out| writeln!(out, "{who}"))
}
