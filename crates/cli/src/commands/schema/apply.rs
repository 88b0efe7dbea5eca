use clap::Args;
use serde::Serialize;
use syncline_client::apply_schema;
use syncline_codegen::Diagnostic;
use syncline_model::schema::{ChangeKind, Schema};
use syncline_server::admin;
use syncline_server::tenant::Recorded;

use super::allow::AllowArgs;
use super::diff::changes;
use super::place::{Logs, PATIENCE, Place, PlaceArgs, TenantChanges, breaking, refused};
use crate::context::Context;
use crate::document::Source;
use crate::failure::{Failure, Outcome};

/// Have the records of an OpenAPI document stand in place of those there are
///
/// Needs a token with the right `admin`, or with --data a server that is stopped. What only adds is applied
/// at once; what takes something away needs the flag of its kind, and makes readers of the shapes that it
/// touches begin anew. Fields and records that go are shown no more; they are not erased.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// The OpenAPI document: a file, a URL, or - for standard input
    #[arg(value_name = "OPENAPI")]
    document: String,
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    allow: AllowArgs,
}

#[derive(Serialize)]
struct Listing<'a> {
    tenants: Vec<TenantChanges>,
    /// What there is to say of the document, told beside the data where these are text.
    diagnostics: &'a [Diagnostic],
}

pub(crate) fn run(args: &ApplyArgs, context: &Context) -> Outcome {
    let source = Source::parse(&args.document)?;
    let (text, resolution) = source.resolve_with_text(context, "nothing was changed")?;
    let allow = args.allow.kinds();
    let tenants = match args.place.open(context)? {
        Place::Server(remote) => {
            let applied = apply_schema(&remote, &text, &allow, PATIENCE)
                .map_err(|error| refused(error, &remote, &source, &args.place.again()))?;
            vec![TenantChanges {
                tenant: None,
                seq: Some(applied.seq.0),
                changes: applied.changes,
            }]
        }
        Place::Logs(logs) => {
            let schema = &resolution.schema;
            refuse_breaking(&logs, schema, &allow, &source, &args.place.again())?;
            apply(&logs, schema, &allow, context)?
        }
    };
    let listing = Listing {
        tenants,
        diagnostics: &resolution.diagnostics,
    };
    context.output.data(&listing, |out| {
        listing.tenants.iter().try_for_each(|one| one.write(out))
    })?;
    let count: usize = listing.tenants.iter().map(|one| one.changes.len()).sum();
    match count {
        0 => context.output.note(format_args!("unchanged: {source}")),
        _ => context.output.note(format_args!("applied: {source}")),
    }
    Ok(())
}

/// Refuses what takes something away of any of the logs, before anything is changed.
fn refuse_breaking(
    logs: &Logs,
    schema: &Schema,
    allow: &[ChangeKind],
    source: &Source,
    again: &str,
) -> Outcome {
    let is_meant = |kind: &str| allow.iter().any(|allowed| allowed.as_str() == kind);
    let mut broken = changes(logs, schema)?;
    for tenant in &mut broken {
        let needs_leave = |change: &_| -> bool {
            let change: &syncline_client::SchemaChange = change;
            change.is_breaking && !is_meant(&change.kind)
        };
        tenant.changes.retain(needs_leave);
    }
    broken.retain(|tenant| !tenant.changes.is_empty());
    if broken.is_empty() {
        return Ok(());
    }
    let allowed: String = allow
        .iter()
        .map(|kind| format!(" --allow-{kind}"))
        .collect();
    Err(breaking(&broken, source, &format!("{again}{allowed}")))
}

fn apply(
    logs: &Logs,
    schema: &Schema,
    allow: &[ChangeKind],
    context: &Context,
) -> Result<Vec<TenantChanges>, Failure> {
    let lock = logs.directory.lock().map_err(|error| {
        Failure::from(error).fix("leave out --data: the server that runs applies it itself")
    })?;
    let now = context.now();
    // As they are before anything is changed.
    let counted = changes(logs, schema)?;
    let mut applied = Vec::with_capacity(logs.tenants.len());
    for (tenant, counted) in logs.tenants.iter().zip(counted) {
        let put = admin::apply_schema(&logs.directory, tenant, schema, allow, &lock, now)?;
        let seq = match put {
            Recorded::Applied { seq, .. } => seq,
            Recorded::Refused(error) => {
                let message = format!("tenant {tenant} can't take the schema");
                return Err(Failure::new("schema_refused", message).because(error.message));
            }
            Recorded::Breaking(_)
            | Recorded::Written { .. }
            | Recorded::Repeated { .. }
            | Recorded::KeyReused => {
                unreachable!("what breaks was asked for before, under the lock of nobody else")
            }
        };
        applied.push(TenantChanges {
            tenant: Some(tenant.clone()),
            seq: Some(seq.0),
            ..counted
        });
    }
    Ok(applied)
}
