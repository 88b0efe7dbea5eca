mod clients;
mod compact;
mod each;
mod expire;
mod host;
mod tenants;

use clap::{Args, Subcommand};
use syncline_model::TenantId;
use syncline_server::admin::{AdminError, notes_from_server};
use syncline_server::tenant::Keep;
use syncline_store::OpenError;
use syncline_store::control::{ControlFile, DataDirectory};

use crate::context::Context;
use crate::failure::{Failure, Outcome, is_damaged};
use crate::server_data::ServerDataArgs;
use crate::wording::quoted;

/// Look after the logs of a server: what they hold, who reads them, and what they can let go of
///
/// Works on the data directory of a server. A server that runs on it does the work itself, beside its
/// other work.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    Tenants(tenants::TenantsArgs),
    Clients(clients::ClientsArgs),
    Compact(compact::CompactArgs),
    Expire(expire::ExpireArgs),
}

impl AdminCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::Tenants(args) => tenants::run(&args, context),
            Self::Clients(args) => clients::run(&args, context),
            Self::Compact(args) => compact::run(&args, context),
            Self::Expire(args) => expire::run(&args, context),
        }
    }
}

/// Which logs a command is about.
#[derive(Debug, Args)]
struct LogsArgs {
    #[command(flatten)]
    data: ServerDataArgs,
    /// Of this tenant alone
    #[arg(long, value_name = "TENANT")]
    tenant: Option<TenantId>,
}

/// The logs that a command is about.
struct Logs {
    directory: DataDirectory,
    tenants: Vec<TenantId>,
    /// What the server keeps by itself, as it was last started.
    keep: Keep,
}

impl LogsArgs {
    fn open(&self, context: &Context) -> Result<Logs, Failure> {
        let directory = self.data.existing(context)?;
        let control = ControlFile::open(&directory)?;
        let keep = control.server()?.map_or_else(Keep::default, |server| Keep {
            retention: server.retention,
            idle: server.idle,
        });
        let tenants = match &self.tenant {
            None => directory.tenants(&control.tenants()?)?,
            Some(tenant) if directory.tenant_file(tenant).is_file() => vec![tenant.clone()],
            Some(tenant) => {
                return Err(Failure::new(
                    "tenant_unknown",
                    format!("there is no log of a tenant {tenant}"),
                )
                .fix(format!(
                    "syncline admin tenants --data {}",
                    quoted(&directory.path().display().to_string())
                )));
            }
        };
        Ok(Logs {
            directory,
            tenants,
            keep,
        })
    }
}

impl Logs {
    /// Has a server that runs on the logs write down where clients say they are, for who lists them; they
    /// are listed without that as well.
    fn bring_up_to_date(&self, context: &Context) -> Outcome {
        let Some(tenant) = self.tenants.first() else {
            return Ok(());
        };
        if !self.directory.is_locked()? {
            return Ok(());
        }
        let control = ControlFile::open(&self.directory)?;
        if !notes_from_server(&control, tenant, host::random()?, context.now())? {
            context.output.warn(format_args!(
                "the server is busy: what clients have said in the last 30 seconds may be missing"
            ));
        }
        Ok(())
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        if is_damaged(&error) {
            return Self::new("file_damaged", "could not work on a tenant's log")
                .because(error)
                .state("nothing was changed")
                .fix("syncline restore BACKUP --data DIR, with the newest backup");
        }
        let (code, fix) = match &error {
            full if full.is_disk_full() => ("disk_full", host::NO_ROOM),
            AdminError::Open(OpenError::NewerFormat { .. }) => {
                ("format_newer", "use a newer syncline")
            }
            AdminError::Open(_)
            | AdminError::Store(_)
            | AdminError::Prepared(_)
            | AdminError::Refused(_) => ("admin_failed", "see to the cause, and try again"),
        };
        Self::new(code, "could not work on a tenant's log")
            .because(error)
            .state("what was done before stands, and nothing that anybody reads was lost")
            .fix(fix)
    }
}
