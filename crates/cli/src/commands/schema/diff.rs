use clap::Args;
use serde::Serialize;
use syncline_client::diff_schema;
use syncline_codegen::Diagnostic;
use syncline_model::schema::Schema;
use syncline_server::admin::schema_changes;

use super::place::{Logs, PATIENCE, Place, PlaceArgs, TenantChanges, refused, told};
use crate::context::Context;
use crate::document::Source;
use crate::failure::{Failure, Outcome};

/// Show what an OpenAPI document would change
///
/// A line for each change; one that takes something away begins with `!`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The OpenAPI document: a file, a URL, or - for standard input
    #[arg(value_name = "OPENAPI")]
    document: String,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Serialize)]
struct Listing<'a> {
    tenants: Vec<TenantChanges>,
    /// What there is to say of the document, told beside the data where these are text.
    diagnostics: &'a [Diagnostic],
}

pub(crate) fn run(args: &DiffArgs, context: &Context) -> Outcome {
    let source = Source::parse(&args.document)?;
    let (text, resolution) = source.resolve_with_text(context, "nothing was compared")?;
    let tenants = match args.place.open(context)? {
        Place::Server(remote) => {
            let changes = diff_schema(&remote, &text, PATIENCE)
                .map_err(|error| refused(error, &remote, &source, ""))?;
            vec![TenantChanges {
                tenant: None,
                seq: None,
                changes,
            }]
        }
        Place::Logs(logs) => changes(&logs, &resolution.schema)?,
    };
    let listing = Listing {
        tenants,
        diagnostics: &resolution.diagnostics,
    };
    context.output.data(&listing, |out| {
        listing.tenants.iter().try_for_each(|one| one.write(out))
    })?;
    if listing.tenants.iter().all(|one| one.changes.is_empty()) {
        context
            .output
            .note(format_args!("{source} changes nothing"));
    }
    Ok(())
}

/// What the schema changes of each tenant's.
pub(super) fn changes(logs: &Logs, schema: &Schema) -> Result<Vec<TenantChanges>, Failure> {
    let of = |tenant| {
        let changes = schema_changes(&logs.directory, tenant, schema)?;
        Ok(TenantChanges {
            tenant: Some(tenant.clone()),
            seq: None,
            changes: changes.iter().map(told).collect(),
        })
    };
    logs.tenants.iter().map(of).collect()
}
