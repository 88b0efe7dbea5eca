mod change;
mod drop;
mod list;
mod retry;
mod show;

use clap::Subcommand;
use serde::Serialize;
use serde_json::Value;
use syncline_model::{Payload, ResourceId, Scope, Timestamp};
use syncline_replica::{QuarantineId, QuarantinedOp, Replica};
use syncline_store::TenantFile;

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Decide about changes that the server refused
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Retry(retry::RetryArgs),
    Drop(drop::DropArgs),
}

impl QuarantineCommand {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        match self {
            Self::List(args) => list::run(&args, context),
            Self::Show(args) => show::run(&args, context),
            Self::Retry(args) => retry::run(&args, context),
            Self::Drop(args) => drop::run(&args, context),
        }
    }
}

/// A refused op, as it is shown.
#[derive(Debug, Serialize)]
struct Held {
    id: u64,
    scope: Scope,
    resource_id: ResourceId,
    /// What it would do to lists, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
    code: String,
    message: String,
    written_at: Timestamp,
    refused_at: Timestamp,
    /// The fields that are wrong, or base, mine and theirs of each in conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
}

/// Whether what the user wrote is shown with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Reason,
    Payload,
}

impl Held {
    fn new(op: QuarantinedOp, detail: Detail, view: &TenantFile) -> Result<Self, Failure> {
        Ok(Self {
            change: change::change(view, &op)?,
            id: op.id.0,
            scope: op.key.scope,
            resource_id: op.key.resource,
            code: op.code,
            message: op.message,
            written_at: op.written_at,
            refused_at: op.refused_at,
            details: op.details.and_then(|text| serde_json::from_str(&text).ok()),
            payload: op.payload.filter(|_| detail == Detail::Payload),
        })
    }

    /// What it is of, as a person knows it.
    fn named(&self) -> &str {
        self.change.as_deref().unwrap_or(self.resource_id.as_str())
    }
}

fn held(replica: &Replica, id: u64) -> Result<QuarantinedOp, Failure> {
    let found = replica.quarantined_op(QuarantineId(id))?;
    found.ok_or_else(|| {
        Failure::new(
            "quarantine_unknown",
            format!("nothing in quarantine has id {id}"),
        )
        .state("nothing was changed")
        .fix("syncline sync quarantine list")
    })
}
