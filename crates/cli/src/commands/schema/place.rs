//! Whose schema a command is about: that of the tenant on the profile's server, or those of the logs in a
//! data directory.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use syncline_client::{
    AskError, Remote, SchemaChange, SyncSettings, ViolatingRecords, breaking_changes,
};
use syncline_model::TenantId;
use syncline_protocol::ErrorCode;
use syncline_server::TenantBreak;
use syncline_store::control::{ControlFile, DataDirectory};
use syncline_store::records::CountedChange;

use crate::commands::ask_failure::{no_server, unanswered};
use crate::context::Context;
use crate::document::Source;
use crate::failure::Failure;
use crate::wording::quoted;
use crate::{remote, server_data};

/// How long a person waits for a server: it may have a large document to read.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How many of the changes that need leave are told one by one.
const TOLD_MAX: usize = 20;

/// Where the schemas are.
#[derive(Debug, Args)]
pub(super) struct PlaceArgs {
    /// Work on the logs in the server's data directory DIR, instead of asking this profile's server
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// With --data, of this tenant alone
    #[arg(long, value_name = "TENANT", requires = "data")]
    tenant: Option<TenantId>,
}

pub(super) enum Place {
    Server(Remote),
    Logs(Logs),
}

/// The logs of a data directory.
pub(super) struct Logs {
    pub(super) directory: DataDirectory,
    pub(super) tenants: Vec<TenantId>,
}

impl PlaceArgs {
    pub(super) fn open(&self, context: &Context) -> Result<Place, Failure> {
        let Some(data) = &self.data else {
            return match remote::settings(context)? {
                SyncSettings::On(remote) => Ok(Place::Server(remote)),
                SyncSettings::Off => Err(no_server(context)?
                    .fix("or name the data directory of a server, with --data DIR")),
            };
        };
        let directory = server_data::existing(data)?;
        let known = ControlFile::open(&directory)?.tenants()?;
        let tenants = match &self.tenant {
            None => directory.tenants(&known)?,
            Some(tenant) if directory.tenant_file(tenant).is_file() => vec![tenant.clone()],
            Some(tenant) => {
                let message = format!("there is no log of a tenant {tenant}");
                return Err(Failure::new("tenant_unknown", message).fix(format!(
                    "syncline admin tenants --data {}",
                    quoted(&data.display().to_string())
                )));
            }
        };
        Ok(Place::Logs(Logs { directory, tenants }))
    }

    /// The flags that name the place again.
    pub(super) fn again(&self) -> String {
        let data = self.data.as_ref();
        let data = data.map(|data| format!(" --data {}", quoted(&data.display().to_string())));
        let tenant = self.tenant.as_ref();
        let tenant = tenant.map(|tenant| format!(" --tenant {tenant}"));
        format!("{}{}", data.unwrap_or_default(), tenant.unwrap_or_default())
    }
}

/// The changes of one tenant's schema.
#[derive(Debug, Serialize)]
pub(in crate::commands) struct TenantChanges {
    /// None: that of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<TenantId>,
    /// Where the schema stands, once it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seq: Option<u64>,
    pub(super) changes: Vec<SchemaChange>,
}

impl TenantChanges {
    /// What the schema that a server is started with takes away of a tenant's.
    pub(in crate::commands) fn of_served(broken: &TenantBreak) -> Self {
        Self {
            tenant: Some(broken.tenant.clone()),
            seq: None,
            changes: broken.changes.iter().map(told).collect(),
        }
    }

    /// As text: a line for each change, that begins with `!` where it takes something away.
    pub(super) fn write(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        for change in &self.changes {
            let sign = if change.is_breaking { '!' } else { '+' };
            match &self.tenant {
                Some(tenant) => writeln!(out, "{sign} {tenant}: {}", change.what)?,
                None => writeln!(out, "{sign} {}", change.what)?,
            }
        }
        Ok(())
    }
}

pub(super) fn told(counted: &CountedChange) -> SchemaChange {
    let change = &counted.change;
    SchemaChange {
        kind: change.kind.to_string(),
        is_breaking: change.kind.is_breaking(),
        entity: change.entity.clone(),
        field: change.field.clone(),
        what: counted.to_string(),
        violating: counted.violating.as_ref().map(|found| ViolatingRecords {
            count: found.count,
            ids: found.ids.clone(),
        }),
    }
}

/// Why a schema was not applied: what it takes away, and how to mean it.
pub(in crate::commands) fn breaking(
    broken: &[TenantChanges],
    source: &Source,
    again: &str,
) -> Failure {
    let all = broken
        .iter()
        .flat_map(|one| one.changes.iter().map(|change| (&one.tenant, change)));
    let mut kinds: Vec<_> = all.clone().map(|(_, change)| change.kind.clone()).collect();
    kinds.sort();
    kinds.dedup();
    let flags: String = kinds
        .iter()
        .map(|kind| format!(" --allow-{kind}"))
        .collect();
    let told = all.clone().take(TOLD_MAX);
    let mut told: Vec<_> = told
        .map(|(tenant, change)| match tenant {
            Some(tenant) => format!("tenant {tenant}: {}", change.what),
            None => change.what.clone(),
        })
        .collect();
    let more = all.count().saturating_sub(TOLD_MAX);
    if more > 0 {
        told.push(format!("… and {more} more changes"));
    }
    let message = format!("{source} takes something away of what is there");
    Failure::new("breaking_schema", message)
        .because_of(told)
        .state("nothing was changed")
        .fix(format!(
            "syncline schema apply {}{again}{flags}",
            source.argument()
        ))
}

/// Why the server did not do it.
pub(super) fn refused(error: AskError, remote: &Remote, source: &Source, again: &str) -> Failure {
    if let Some(changes) = breaking_changes(&error) {
        let broken = TenantChanges {
            tenant: None,
            seq: None,
            changes,
        };
        return breaking(&[broken], source, again);
    }
    match &error {
        AskError::Refused { error: body, .. } if body.code == ErrorCode::Forbidden => {
            Failure::new("forbidden", "only admins change what the records are")
                .because(error)
                .state("nothing was changed")
                .fix("syncline token create --data DIR --user NAME --right admin, on the server; then syncline login")
        }
        AskError::Refused { .. }
        | AskError::Transport(_)
        | AskError::Start(_)
        | AskError::Unreadable(_) => unanswered(error, &remote.endpoint),
    }
}
